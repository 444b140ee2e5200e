"""Shell commands that are not run in a kernel but answered: installations, downloads, servers, tunnels.

How they come here, from ``!`` to ``subprocess``, is `serve_shell`'s.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shlex
import subprocess
import tempfile
import zipfile
from collections.abc import Callable

from . import serve_catalog as catalog

MODULES = {
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "opencv-contrib-python": "cv2",
    "scikit-learn": "sklearn", "scikit-image": "skimage", "pillow": "PIL", "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow", "tensorflow-datasets": "tensorflow_datasets", "pyyaml": "yaml",
    "python-dateutil": "dateutil",
}  # fmt: skip


def answer(command: str) -> tuple[int, str] | None:
    """Exit code and output for a command that is not to be run; None for one that is.

    Of several joined by ``&&``, ``;`` or a new line, each is answered, if any is of our list; the
    others are run, in the folder that the last one left.
    """
    parts = _parts(command)
    if all(one(p, ask=False) is None for p in parts):
        return None
    code, said, home = 0, [], os.getcwd()
    try:
        for part in parts:
            given = one(part)
            code, text = given if given is not None else _run(part)
            said.append(text)
            if code and "&&" in command:
                break
    finally:
        os.chdir(home)
    return code, "\n".join(s for s in said if s)


WORD = re.compile(r"""(?P<end>&&|;|\n|(?<![>&])&(?![>&]))|"(?:\\.|[^"\\])*"|'[^']*'|\\.|.""", re.S)


def _parts(command: str) -> list[str]:
    """The commands of a line or script, divided where no quote holds them together."""
    parts = [""]
    for found in WORD.finditer(command):
        if found["end"]:
            parts[-1] += "&" if found["end"] == "&" else ""
            parts.append("")
        else:
            parts[-1] += found[0]
    return [p.strip() for p in parts if p.strip()]


def _run(part: str) -> tuple[int, str]:
    """Runs one command, and goes where it went: ``cd data && wget …``."""
    if part.endswith("&"):  # in the background: were its output captured, its end would be waited for
        part = f"({part[:-1]}) >/dev/null 2>&1 &"
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as where:
        script = f"{part}\nstatus=$?; pwd > {shlex.quote(where.name)}; exit $status"
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
        )
        with contextlib.suppress(OSError):
            os.chdir(where.read().strip() or ".")
    return done.returncode, (done.stdout + done.stderr).rstrip()


OPERATOR = re.compile(r"(\d?>|&>|<|\||&$)")


def one(command: str, ask: bool = True) -> tuple[int, str] | None:
    """The answer to one command; with ``ask`` False, only whether there may be one."""
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
    end = next((i for i, w in enumerate(words) if i and OPERATOR.match(w)), len(words))
    words = words[:end]
    handler = HANDLERS.get(os.path.basename(words[0])) if words else None
    if handler is None:
        return None
    return handler(words, command) if ask else (0, "")


# ---------------------------------------------------------------- what is answered, and how


def _install(words: list[str], command: str) -> tuple[int, str] | None:
    if "install" not in words:
        return None if words[0] in {"pip", "pip3"} and importlib.util.find_spec("pip") else (0, "")
    wanted = [
        w
        for w in words[words.index("install") + 1 :]
        if not w.startswith("-") and "/" not in w and not w.endswith(".txt")
    ]
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
