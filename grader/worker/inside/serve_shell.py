"""Commands, input and exit in a notebook: answered where nothing would come of them, else run.

``!``, ``%pip`` and a bare ``pip install`` all end in the shell's ``system``; ``%%bash`` cells, ``os.system``
and ``subprocess`` are answered alike. What is answered is noted.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from . import record
from .serve_commands import answer, one

WRITTEN_OUT = re.compile(r"^(\s*)((?:pip3?|conda|mamba)\s+install\s.*)$")

_shell: Any = None


def install(ip: Any) -> None:
    """Patches the shell; each part on its own."""
    global _shell
    _shell = ip
    for part in (_commands, _processes, _scripts, _transformer, _input, _exit):
        with contextlib.suppress(Exception):
            part(ip)


# ---------------------------------------------------------------- commands


def _commands(ip: Any) -> None:
    system, getoutput = ip.system, ip.getoutput

    def answered_system(command: str) -> None:
        command = ip.var_expand(command, depth=1)
        said = answer(command)
        if said is None:
            system(command)
            return
        if said[1]:
            print(said[1])
        ip.user_ns["_exit_code"] = said[0]

    def answered_getoutput(command: str, split: bool = True, depth: int = 0) -> Any:
        command = ip.var_expand(command, depth=depth + 1)
        said = answer(command)
        if said is None:
            return getoutput(command, split=split, depth=depth + 1)
        from IPython.utils.text import SList

        return SList(said[1].splitlines()) if split else said[1]

    ip.system = answered_system
    ip.getoutput = answered_getoutput


# ---------------------------------------------------------------- commands by other ways


def _processes(ip: Any) -> None:
    """``os.system`` and ``subprocess``: ``check_call([sys.executable, "-m", "pip", "install", …])``."""
    system, start = os.system, subprocess.Popen.__init__

    def answered_system(command: Any) -> int:
        said = answer(os.fsdecode(command))
        if said is None:
            return system(command)
        if said[1]:
            print(said[1])
        return said[0] << 8

    def answered_start(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        said = None
        with contextlib.suppress(TypeError, ValueError, OSError):
            if isinstance(args, (str, bytes)):
                said = answer(os.fsdecode(args))
            elif not options.get("shell"):
                said = one(shlex.join(os.fsdecode(a) for a in args))
        if said is not None:
            text = said[1] + "\n" if said[1] else ""
            args = ["sh", "-c", 'printf %s "$1"; exit "$2"', "sh", text, str(said[0])]
            options |= {"shell": False, "executable": None}
        start(self, args, *rest, **options)

    os.system = answered_system
    subprocess.Popen.__init__ = answered_start  # type: ignore[method-assign]


def _scripts(ip: Any) -> None:
    """``%%bash`` and ``%%sh``, where every line is a command of its own: a loop is run as it stands."""
    for name in ("bash", "sh"):
        if (original := ip.find_cell_magic(name)) is not None:
            ip.register_magic_function(_script(original), magic_kind="cell", magic_name=name)


WOVEN = re.compile(r"^\s*(for|while|until|if|case|function|\w+\s*\(\))\b|<<|\\$|^\s*\w+=\S*\s*$", re.M)


def _script(original: Any) -> Callable[[str, str], Any]:
    def script(line: str, cell: str) -> Any:
        said = answer(re.sub(r"^\s*#.*$", "", cell, flags=re.M)) if not WOVEN.search(cell) else None
        if said is None:
            return original(line, cell)
        if said[1]:
            print(said[1])
        if said[0] and "--no-raise-error" not in line:
            raise subprocess.CalledProcessError(said[0], cell.encode())
        return None

    return script


def _transformer(ip: Any) -> None:
    """``pip install x`` on a line of its own is a command wherever it stands in a cell of Python."""

    def written_out(lines: list[str]) -> list[str]:
        if lines and lines[0].lstrip().startswith("%%"):
            return lines  # a script, or a file to be written
        return [
            WRITTEN_OUT.sub(r"\1!\2", line.rstrip("\n")) + "\n" if line.strip() else line for line in lines
        ]

    ip.input_transformers_cleanup.append(written_out)


# ---------------------------------------------------------------- input and exit


def _input(ip: Any) -> None:
    """Nobody is there to answer: an empty line, and a note of the prompt."""

    def empty(prompt: Any = "", *_: Any, **__: Any) -> str:
        print(prompt, flush=True)
        record.emit(
            "substitution",
            asked=f"input({prompt!r})",
            given="an empty line: nobody types here",
            stand_in=False,
        )
        return ""

    import builtins
    import getpass

    builtins.input = empty
    getpass.getpass = empty
    kernel = getattr(ip, "kernel", None)
    if kernel is not None:  # which sets builtins.input anew for each cell
        kernel.raw_input = empty
        kernel.getpass = empty


def _exit(ip: Any) -> None:
    """exit() and quit() do not end the kernel: the rest of the notebook is still to be graded."""

    class Exit:
        def __call__(self, *_: Any, **__: Any) -> None:
            record.emit("substitution", asked="exit()", given="nothing: the notebook goes on", stand_in=False)

        def __repr__(self) -> str:
            return "exit() is without effect where this notebook is graded"

    stay = Exit()
    ip.ask_exit = stay
    import builtins

    for name in ("exit", "quit"):
        setattr(builtins, name, stay)
        ip.user_ns[name] = stay
        ip.user_ns_hidden[name] = stay
