"""Shell commands that are not run in a kernel but answered: installations, downloads, servers, tunnels.

How they come here, from wherever a notebook calls them, is `serve_path`'s.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from . import serve_catalog as catalog

MODULES = {
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "opencv-contrib-python": "cv2",
    "scikit-learn": "sklearn", "scikit-image": "skimage", "pillow": "PIL", "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow", "tensorflow-datasets": "tensorflow_datasets", "pyyaml": "yaml",
    "python-dateutil": "dateutil",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a command that is not run says: its exit code, its output, and a file that goes to its output."""

    code: int
    text: str = ""
    file: str = ""


def answer(words: list[str], where: str) -> Answer | None:
    """The answer to a command's words, given in the folder ``where``; None for one that is to be run."""
    handler = HANDLERS.get(words[0])
    return handler(words, where) if handler is not None else None


# ---------------------------------------------------------------- what is answered, and how


def _said(words: list[str]) -> str:
    return "!" + " ".join(words)


def _install(words: list[str], where: str) -> Answer | None:
    if "install" not in words:
        return None if words[0] in {"pip", "pip3"} and importlib.util.find_spec("pip") else Answer(0)
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
    catalog.refused(_said(words), "; ".join(parts) or "nothing was installed")
    lines = [f"Requirement already satisfied: {p}" for p in there]
    lines += [f"WARNING: {p} is not available where this notebook is graded" for p in missing]
    return Answer(0, "\n".join(lines))


def _importable(package: str) -> bool:
    module = MODULES.get(package.lower(), package.replace("-", "_"))
    with contextlib.suppress(ImportError, ValueError):
        return any(importlib.util.find_spec(m) is not None for m in {module, module.lower()})
    return False


def _system_packages(words: list[str], where: str) -> Answer:
    catalog.refused(_said(words), "nothing was installed: the system is read-only here")
    return Answer(0)


def _fetch(words: list[str], where: str) -> Answer:
    """wget and curl: the file that answers the URL, under the name that the options say."""
    urls, target, folder, quiet = _wanted(words)
    said = []
    for url in urls:
        offer = catalog.find(url)
        if offer is None:
            catalog.refused(url)
            return Answer(4 if words[0] == "wget" else 6, f"{words[0]}: unable to resolve host: {url}")
        catalog.given(offer, url)
        if target == "-":
            return Answer(0, file=offer.path)
        name = target or os.path.basename(url.split("?")[0]) or "index.html"
        path = os.path.expanduser(os.path.join(folder, name))
        catalog.place(offer, os.path.join(where, path))
        said.append(f"'{path}' saved [{os.path.getsize(offer.path)}]")
    return Answer(0, "" if quiet else "\n".join(said))


def _wanted(words: list[str]) -> tuple[list[str], str, str, bool]:
    """(URLs, the file's name or "" for the URL's own or "-" for the output, folder, whether to be quiet)."""
    curl = words[0] == "curl"
    target, folder, quiet, named = "", "", False, not curl
    for i, word in enumerate(words[1:], 1):
        following = words[i + 1] if i + 1 < len(words) else ""
        flags = word[1:] if re.fullmatch(r"-[A-Za-z]+-?", word) else ""
        if word.startswith(("--output-document", "--output=")) or word == "--output":
            target = word.split("=", 1)[1] if "=" in word else following
        elif word in {"-P", "--directory-prefix", "--output-dir"}:
            folder = following
        elif not curl and flags.rstrip("-").endswith("O"):
            target = "-" if flags.endswith("-") else following
        elif curl and flags.endswith("o"):
            target = following
        named = named or (curl and ("O" in flags or word == "--remote-name"))
        quiet = quiet or "q" in flags or "s" in flags or word in {"--quiet", "--silent"}
    urls = [w.strip("'\"") for w in words[1:] if re.match(r"['\"]?(https?|ftp)://", w)]
    return urls, target if target or named else "-", folder, quiet


def _unzip(words: list[str], where: str) -> Answer:
    """unzip, which not every system has."""
    names = [w for i, w in enumerate(words[1:], 1) if not w.startswith("-") and words[i - 1] != "-d"]
    if not names:
        return Answer(10, "unzip: no archive was named")
    target = words[words.index("-d") + 1] if "-d" in words[:-1] else "."
    path = os.path.join(where, os.path.expanduser(names[0]))
    path = path if os.path.exists(path) or path.endswith(".zip") else path + ".zip"
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(os.path.join(where, os.path.expanduser(target)))
            inner = archive.namelist()
    except FileNotFoundError:
        return Answer(9, f"unzip:  cannot find or open {names[0]}")
    except zipfile.BadZipFile:
        return Answer(9, f"unzip:  {names[0]} is not a zip file")
    quiet = any(w.startswith("-") and "q" in w for w in words)
    said = "" if quiet else f"Archive:  {names[0]}\n" + "\n".join(f"  inflating: {n}" for n in inner[:50])
    return Answer(0, said)


def _gpu(words: list[str], where: str) -> Answer | None:
    if os.path.exists("/dev/nvidiactl"):
        return None
    catalog.refused(_said(words), "there is no GPU here")
    return Answer(9, "NVIDIA-SMI: no GPU is available where this notebook is graded")


def _streamlit(words: list[str], where: str) -> Answer:
    files = [w for w in words if w.endswith(".py")]
    told = "not started: an app is read here, not served"
    path = os.path.join(where, files[0]) if files else ""
    if files and not os.path.exists(path):
        catalog.refused(_said(words), f"not started: there is no {files[0]}")
        return Answer(2, f"Error: Invalid value: File does not exist: {files[0]}")
    if files:
        try:
            with open(path, encoding="utf-8") as f:
                compile(f.read(), files[0], "exec")
        except SyntaxError as e:
            catalog.refused(_said(words), f"not started: {files[0]} has a syntax error in line {e.lineno}")
            return Answer(1, f"SyntaxError: {e}")
    catalog.refused(_said(words), told)
    return Answer(0, f"{' '.join(words)}: {told}")


def _tunnel(words: list[str], where: str) -> Answer:
    catalog.refused(_said(words), "not started: no network reaches a notebook here")
    return Answer(0)


def _remote(words: list[str], where: str) -> Answer | None:
    if words[0] == "git" and words[1:2] not in (["clone"], ["pull"], ["push"], ["fetch"], ["lfs"]):
        return None
    catalog.refused(_said(words))
    return Answer(1, f"{words[0]}: no network reaches a notebook here")


Handler = Callable[[list[str], str], "Answer | None"]
HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("pip", "pip3", "conda", "mamba", "uv"), _install),
    **dict.fromkeys(("apt", "apt-get", "apk", "yum", "brew"), _system_packages),
    **dict.fromkeys(("wget", "curl"), _fetch),
    **dict.fromkeys(("npx", "npm", "ngrok", "lt", "localtunnel", "cloudflared", "ssh"), _tunnel),
    **dict.fromkeys(("kaggle", "gdown", "git", "huggingface-cli", "hf", "aria2c", "gsutil"), _remote),
    "unzip": _unzip,
    "nvidia-smi": _gpu,
    "streamlit": _streamlit,
}
"""By the command's name."""
