"""Landlock: file access restricted by the kernel, for systems that refuse user namespaces.

`man 7 landlock`. Only the file-system part (ABI 1 to 3) is used; network and processes are not
restricted by it, and the report says so.
"""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14)


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def version() -> int:
    """The ABI version of this system, 0 where Landlock is missing or off."""
    return max(0, int(libc.syscall(_CREATE, None, 0, 1)))


def available() -> bool:
    return version() > 0


def restrict(readable: list[str], writable: list[str]) -> None:
    """Allows reading below ``readable`` and everything below ``writable``; nothing else, for good.

    Raises OSError when the system refuses. ``no_new_privs`` must be set before.
    """
    rights = {1: (1 << 13) - 1, 2: (1 << 14) - 1}.get(version(), (1 << 15) - 1)
    ruleset = _Ruleset(rights)
    fd = libc.syscall(_CREATE, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "landlock: cannot create a rule set")
    try:
        for paths, allowed in ((readable, _READ), ([*writable, "/dev/shm", "/dev/null"], rights)):
            for path in paths:
                if os.path.exists(path):
                    _allow(fd, path, allowed & rights)
        for path in ("/proc/self", "/dev"):
            _allow(fd, path, _READ & rights)
        if libc.syscall(_RESTRICT, fd, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock: cannot restrict this process")
    finally:
        os.close(fd)


def _allow(ruleset: int, path: str, allowed: int) -> None:
    fd = os.open(path, os.O_PATH)
    try:
        if not os.path.isdir(path):
            allowed &= _FILE_ONLY
        rule = _PathBeneath(allowed, fd)
        if libc.syscall(_ADD, ruleset, 1, ctypes.byref(rule), 0) != 0:
            raise OSError(ctypes.get_errno(), f"landlock: cannot allow {path}")
    finally:
        os.close(fd)
