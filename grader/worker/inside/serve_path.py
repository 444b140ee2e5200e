"""Commands that are answered, found where every command is: in a folder at the front of ``PATH``.

``!pip``, ``%%bash`` with loops around ``wget``, ``os.system`` and ``subprocess.run(["unzip", …])`` all end in a
process that looks a name up there. What it finds asks the kernel, over a socket in the same folder, and
prints the answer, or runs the system's own command of that name. ``python -m pip`` finds a module likewise.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import json
import os
import socket
import sys
import threading

from . import record
from .serve_commands import HANDLERS, Answer, answer

ASK = """\
import json, os, shutil, socket, sys
name, words = sys.argv[1], sys.argv[2:]
home = os.path.dirname(os.path.abspath(__file__))
where, said = os.getcwd(), None
try:
    with socket.socket(socket.AF_UNIX) as s:
        os.chdir(home)  # a socket's path may have no more than 107 characters
        s.connect("socket")
        asked = {"words": [name, *words], "where": where, "piece": os.environ.get("GRADE_PIECE", "")}
        s.sendall(json.dumps(asked).encode() + b"\\n")
        said = json.loads(s.makefile().read() or "null")
except OSError:
    pass
os.chdir(where)
if said is None:
    path = [p for p in os.environ.get("PATH", "").split(os.pathsep) if os.path.abspath(p) != home + "/bin"]
    real = shutil.which(name, path=os.pathsep.join(path))
    if real is None:
        sys.exit(f"{name}: command not found")
    os.execv(real, [name, *words])
if said["file"]:
    with open(said["file"], "rb") as f:
        shutil.copyfileobj(f, sys.stdout.buffer)
elif said["text"]:
    print(said["text"])
sys.exit(said["code"])
"""
CALL = """\
#!/bin/sh
exec "{python}" -IS "{home}/ask.py" "${{0##*/}}" "$@"
"""
MODULE = """\
import os, sys
os.execv("{home}/bin/{name}", ["{name}", *sys.argv[1:]])
"""
THROUGH = """\
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""
MODULES = ("pip", "streamlit", "gdown", "kaggle")
"""Commands that are called as ``python -m …``, too."""


def install() -> None:
    """Makes the folder, and answers from it until the kernel ends."""
    home = os.path.join(os.path.expanduser("~"), ".grade")
    commands, modules = os.path.join(home, "bin"), os.path.join(home, "modules")
    os.makedirs(commands, exist_ok=True)
    _write(os.path.join(home, "ask.py"), ASK)
    for name in HANDLERS:
        _write(os.path.join(commands, name), CALL.format(python=sys.executable, home=home), run=True)
    _write(os.path.join(commands, "sudo"), THROUGH, run=True)
    for name in MODULES:
        if name == "pip" or importlib.machinery.PathFinder.find_spec(name) is None:
            os.makedirs(os.path.join(modules, name), exist_ok=True)
            # a package, not a mere folder: else an installed one further back would be preferred
            _write(os.path.join(modules, name, "__init__.py"), "")
            _write(os.path.join(modules, name, "__main__.py"), MODULE.format(home=home, name=name))
    path = os.path.join(home, "socket")
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    here = os.getcwd()
    listening = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(home)  # as above
        listening.bind("socket")
    finally:
        os.chdir(here)
    listening.listen(16)
    threading.Thread(target=_serve, args=(listening,), name="grade-commands", daemon=True).start()
    os.environ["PATH"] = os.pathsep.join([commands, os.environ.get("PATH", os.defpath)])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [modules, os.environ.get("PYTHONPATH")]))


def _write(path: str, text: str, run: bool = False) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o755 if run else 0o644)


def _serve(listening: socket.socket) -> None:
    while True:
        peer, _ = listening.accept()
        with peer, contextlib.suppress(Exception):
            asked = json.loads(peer.makefile().readline())
            with record.asked_by(str(asked["piece"])):
                peer.sendall(json.dumps(_answered(asked["words"], asked["where"])).encode())


def _answered(words: list[str], where: str) -> dict[str, object] | None:
    try:
        said = answer(words, where)
    except Exception as e:  # a disk that is full, a name that cannot be a file
        said = Answer(1, f"{words[0]}: {e}")
    return None if said is None else {"code": said.code, "text": said.text, "file": said.file}
