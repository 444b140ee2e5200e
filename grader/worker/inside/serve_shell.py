"""Commands, input and exit in a notebook.

``!``, ``%pip`` and a bare ``pip install`` all end in the shell's ``system``. Which commands are answered and not
run, however they are called, is `serve_path`'s.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
from typing import Any

from . import record, serve_imports, serve_path

WRITTEN_OUT = re.compile(r"^(\s*)((?:pip3?|conda|mamba)\s+install\s.*)$")


def install(ip: Any) -> None:
    """Patches the shell; each part on its own."""
    with contextlib.suppress(Exception):
        serve_path.install()
    for part in (_commands, _magics, _transformer, serve_imports.install, _input, _exit):
        with contextlib.suppress(Exception):
            part(ip)


# ---------------------------------------------------------------- commands


def _commands(ip: Any) -> None:
    """``!command``, under bash where it is there, as on Colab: what it leaves running is not waited for."""
    shell = shutil.which("bash") or "sh"

    def system(command: str) -> None:
        ip.user_ns["_exit_code"] = _run(shell, ip.var_expand(command, depth=1))

    ip.system = system
    for name in ("pip", "conda", "mamba", "uv"):

        def magic(line: str, name: str = name) -> None:
            ip.system(f"{name} {line}")

        ip.register_magic_function(magic, magic_kind="line", magic_name=name)


def _magics(ip: Any) -> None:
    """Colab's and TensorBoard's magics, and any that is not there: noted, and the cell goes on."""
    if (script := ip.find_cell_magic("bash")) is not None:
        ip.register_magic_function(script, magic_kind="cell", magic_name="shell")
    ip.register_magic_function(lambda line: ip.system(line), magic_kind="line", magic_name="shell")
    run, load = ip.run_line_magic, ip.extension_manager.load_extension

    def nothing(asked: str) -> None:
        record.emit(
            "substitution",
            asked=asked,
            given="nothing: it is not there, or shows nothing here",
            stand_in=False,
        )

    def run_line_magic(name: str, line: str, *args: Any, **kwargs: Any) -> Any:
        if name != "tensorboard" and ip.find_line_magic(name) is not None:
            return run(name, line, *args, **kwargs)
        nothing(f"%{name} {line}".strip())
        return None

    def load_extension(name: str) -> Any:
        if name != "tensorboard":  # which would start a server, and wait for it
            with contextlib.suppress(ModuleNotFoundError):
                return load(name)
        nothing(f"%load_ext {name}")
        return None

    ip.run_line_magic = run_line_magic
    ip.extension_manager.load_extension = load_extension


def _run(shell: str, command: str) -> int:
    """The exit code, or minus the signal; output is shown as it comes."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    process = subprocess.Popen(
        [shell, "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    output = process.stdout.fileno()
    try:
        ended = False
        while True:  # what runs on in the background keeps the pipe open: its end is not the command's
            if select.select([output], [], [], 0 if ended else 0.05)[0]:
                if not (part := os.read(output, 1 << 16)):
                    break
                print(decode(part), end="", flush=True)
            elif ended:
                break
            ended = process.poll() is not None
    except BaseException:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        process.stdout.close()
    return process.wait()


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
