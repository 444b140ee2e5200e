"""Commands, input and exit in a notebook: answered where nothing would come of them, else run.

``!``, ``%pip`` and a bare ``pip install`` all end in the shell's ``system``; what is answered is noted.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shlex
import zipfile
from collections.abc import Callable
from typing import Any

from . import record
from . import serve_catalog as catalog

MODULES = {
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "opencv-contrib-python": "cv2",
    "scikit-learn": "sklearn", "scikit-image": "skimage", "pillow": "PIL", "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow", "tensorflow-datasets": "tensorflow_datasets", "pyyaml": "yaml",
    "python-dateutil": "dateutil",
}  # fmt: skip
WRITTEN_OUT = re.compile(r"^(\s*)((?:pip3?|conda|mamba)\s+install\s.*)$")

_shell: Any = None


def install(ip: Any) -> None:
    """Patches the shell; each part on its own."""
    global _shell
    _shell = ip
    for part in (_commands, _transformer, _input, _exit):
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


def answer(command: str) -> tuple[int, str] | None:
    """Exit code and output for a command that is not to be run; None for one that is.

    Of several joined by ``&&``, ``;`` or a new line, each is answered, if any is of our list; the
    others are run.
    """
    parts = [p.strip() for p in re.split(r"&&|;|\n", command) if p.strip()]
    answers = [_one(p) for p in parts]
    if all(a is None for a in answers):
        return None
    code, said = 0, []
    for part, given in zip(parts, answers, strict=True):
        if given is None:
            import subprocess

            done = subprocess.run(part, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            given = done.returncode, (done.stdout + done.stderr).rstrip()
        code = given[0]
        said.append(given[1])
        if code and "&&" in command:
            break
    return code, "\n".join(s for s in said if s)


def _one(command: str) -> tuple[int, str] | None:
    try:
        words = shlex.split(command.rstrip("& \t"))
    except ValueError:
        return None
    while words and (words[0] in {"sudo", "nohup", "time", "yes", "|"} or "=" in words[0]):
        words = words[1:]
    if not words:
        return None
    if os.path.basename(words[0]).startswith("python") and words[1:2] == ["-m"]:
        words = words[2:]
    name = os.path.basename(words[0])
    handler = HANDLERS.get(name)
    return handler(words, command) if handler else None


def _install(words: list[str], command: str) -> tuple[int, str] | None:
    if "install" not in words:
        return None if words[0] in {"pip", "pip3"} and importlib.util.find_spec("pip") else (0, "")
    wanted = [w for w in words[words.index("install") + 1 :] if not w.startswith("-") and "/" not in w]
    names = [re.split(r"[\[<>=!~; ]", w)[0] for w in wanted]
    there: list[str] = []
    missing: list[str] = []
    for package in filter(None, names):
        (there if _importable(package) else missing).append(package)
    parts = [f"already there: {', '.join(there)}"] if there else []
    parts += (
        [f"not installed, since no network reaches a notebook here: {', '.join(missing)}"] if missing else []
    )
    catalog.refused(f"!{command}", "; ".join(parts) or "nothing was installed")
    lines = [f"Requirement already satisfied: {p}" for p in there]
    lines += [f"WARNING: {p} is not available where this notebook is graded" for p in missing]
    return 0, "\n".join(lines)


def _importable(package: str) -> bool:
    module = MODULES.get(package.lower(), package.replace("-", "_"))
    with contextlib.suppress(ImportError, ValueError):
        return any(importlib.util.find_spec(m) is not None for m in {module, module.lower()})
    return False


def _system_packages(words: list[str], command: str) -> tuple[int, str]:
    catalog.refused(f"!{command}", "nothing was installed: the system is read-only here")
    return 0, ""


def _fetch(words: list[str], command: str) -> tuple[int, str]:
    """wget and curl: the file that answers the URL, under the name that the options say."""
    urls = [w for w in words[1:] if re.match(r"(https?|ftp)://", w)]
    if not urls:
        return 0, ""
    target, folder, quiet = "", "", False
    for i, word in enumerate(words[1:], 1):
        following = words[i + 1] if i + 1 < len(words) else ""
        if word in {"-O", "--output-document", "-o", "--output"} and not (
            words[0] == "curl" and word == "-O"
        ):
            target = "" if words[0] == "wget" and word == "-o" else following
        elif word.startswith(("--output-document=", "--output=")):
            target = word.split("=", 1)[1]
        elif word in {"-P", "--directory-prefix", "--output-dir"}:
            folder = following
        quiet = quiet or word in {"-q", "-s", "--quiet", "--silent"}
    said = []
    for url in urls:
        name = target or os.path.basename(url.split("?")[0]) or "index.html"
        path = os.path.expanduser(os.path.join(folder, name))
        offer = catalog.find(url)
        if offer is None:
            catalog.refused(url)
            return (4 if words[0] == "wget" else 6), f"{words[0]}: unable to resolve host: {url}"
        catalog.given(offer, url)
        catalog.place(offer, path)
        said.append(f"'{path}' saved [{os.path.getsize(path)}]")
    return 0, "" if quiet else "\n".join(said)


def _unzip(words: list[str], command: str) -> tuple[int, str]:
    """unzip, which not every system has."""
    names = [w for i, w in enumerate(words[1:], 1) if not w.startswith("-") and words[i - 1] != "-d"]
    if not names:
        return 10, "unzip: no archive was named"
    target = words[words.index("-d") + 1] if "-d" in words[:-1] else "."
    path = names[0] if os.path.exists(names[0]) or names[0].endswith(".zip") else names[0] + ".zip"
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(target)
            inner = archive.namelist()
    except FileNotFoundError:
        return 9, f"unzip:  cannot find or open {path}"
    except zipfile.BadZipFile:
        return 9, f"unzip:  {path} is not a zip file"
    quiet = any(w.startswith("-") and "q" in w for w in words)
    return 0, "" if quiet else f"Archive:  {path}\n" + "\n".join(f"  inflating: {n}" for n in inner[:50])


def _gpu(words: list[str], command: str) -> tuple[int, str] | None:
    import shutil

    if os.path.exists("/dev/nvidiactl") and shutil.which(words[0]):
        return None
    catalog.refused(f"!{command}", "there is no GPU here")
    return 9, "NVIDIA-SMI: no GPU is available where this notebook is graded"


def _streamlit(words: list[str], command: str) -> tuple[int, str]:
    files = [w for w in words if w.endswith(".py")]
    told = "not started: an app is read here, not served"
    if files and not os.path.exists(files[0]):
        catalog.refused(f"!{command}", f"not started: there is no {files[0]}")
        return 2, f"Error: Invalid value: File does not exist: {files[0]}"
    if files:
        try:
            with open(files[0], encoding="utf-8") as f:
                compile(f.read(), files[0], "exec")
        except SyntaxError as e:
            catalog.refused(f"!{command}", f"not started: {files[0]} has a syntax error in line {e.lineno}")
            return 1, f"SyntaxError: {e}"
    catalog.refused(f"!{command}", told)
    return 0, f"{command}: {told}"


def _tunnel(words: list[str], command: str) -> tuple[int, str]:
    catalog.refused(f"!{command}", "not started: no network reaches a notebook here")
    return 0, ""


def _remote(words: list[str], command: str) -> tuple[int, str] | None:
    if words[0] == "git" and words[1:2] not in (["clone"], ["pull"], ["fetch"], ["lfs"]):
        return None
    catalog.refused(f"!{command}")
    return 1, f"{words[0]}: no network reaches a notebook here"


Handler = Callable[[list[str], str], "tuple[int, str] | None"]
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("pip", "pip3", "conda", "mamba", "uv"), _install),
    **dict.fromkeys(("apt", "apt-get", "apk", "yum", "brew"), _system_packages),
    **dict.fromkeys(("wget", "curl"), _fetch),
    **dict.fromkeys(("npx", "npm", "ngrok", "lt", "localtunnel", "cloudflared", "ssh"), _tunnel),
    **dict.fromkeys(("kaggle", "gdown", "git", "huggingface-cli"), _remote),
    "unzip": _unzip,
    "nvidia-smi": _gpu,
    "streamlit": _streamlit,
}


def _transformer(ip: Any) -> None:
    """``pip install x`` on a line of its own is a command wherever it stands in a cell."""

    def written_out(lines: list[str]) -> list[str]:
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
