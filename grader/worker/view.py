"""What a sandboxed process sees of the file system: the system and Python read-only, little else.

Nothing of the grader, the rubrics, references, other submissions or the home folder is in it, because
the list below names what is there, and all else is not.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

SYSTEM = ("/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt/nvidia")
HIDDEN_IN_USR = ("src", "local")
"""Of /usr all but where people put their own: a project in /usr/src or /usr/local/app is not the system."""
LOCAL = ("bin", "lib", "lib64", "sbin", "share", "include", "cuda", "nvidia")
PYTHON = (
    "bin",
    "lib",
    "lib32",
    "lib64",
    "libexec",
    "include",
    "share",
    "etc",
    "ssl",
    "nvvm",
    "targets",
    "pyvenv.cfg",
)
"""Of Python's folder, what an installation consists of: a project may lie in its own virtual environment."""
ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "fonts",
    "localtime",
    "timezone",
    "alternatives",
    "ssl/certs",
    "mime.types",
)
HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")
GPU = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", *(f"/dev/nvidia{i}" for i in range(16)))


def system(gpu: bool = True) -> dict[str, Any]:
    """The part of a sandbox's spec that is the same for all: binds and root links."""
    binds: list[dict[str, Any]] = []
    links: dict[str, str] = {}
    for path in SYSTEM:
        if os.path.islink(path):
            links[path] = os.readlink(path)
        elif os.path.isdir(path):
            binds.append({"source": path, "target": path})
    folders = [f for f in _children("/usr") if f.name not in HIDDEN_IN_USR]
    folders += [f for f in _children("/usr/local") if f.name in LOCAL or f.name.startswith("cuda-")]
    python = {Path(sys.prefix), Path(sys.base_prefix), Path(os.path.realpath(sys.executable)).parents[1]}
    for prefix in sorted(python - {Path("/"), Path("/usr"), Path("/usr/local")}):
        folders += [prefix / name for name in PYTHON]
    for folder in folders:
        if folder.is_symlink() and not os.path.isabs(os.readlink(folder)):
            links[str(folder)] = os.readlink(folder)
        elif folder.exists():
            binds.append({"source": str(folder), "target": str(folder)})
    for name in ETC:
        if os.path.exists(f"/etc/{name}"):
            binds.append({"source": f"/etc/{name}", "target": f"/etc/{name}"})
    for path in (*HARDWARE, *(GPU if gpu else ())):
        if os.path.exists(path):
            binds.append({"source": path, "target": path, "writable": path.startswith("/dev/")})
    return {"binds": binds + _masks(binds), "symlinks": links}


def _children(folder: str) -> list[Path]:
    return sorted(Path(folder).iterdir()) if os.path.isdir(folder) else []


def _masks(binds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the grader is installed in site-packages, an empty folder covers it there."""
    found = []
    for key in ("purelib", "platlib"):
        for name in ("grader", "rubrics", "reference"):
            folder = Path(sysconfig.get_paths()[key]) / name
            if folder.is_dir() and any(folder.is_relative_to(b["target"]) for b in binds):
                found.append({"source": _empty(), "target": str(folder)})
    return found


def _empty() -> str:
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"grade-empty-{os.getuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return str(folder)
