"""A small seccomp filter: system calls that no notebook needs and that widen the kernel's attack surface.

A deny list, since numerical libraries use a wide and changing set of calls; what is denied fails with
EPERM (clone3 with ENOSYS, so that libc falls back to clone, whose flags can be examined). Classic BPF,
`man 2 seccomp`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_X86_64 = {
    "ptrace": 101, "syslog": 103, "acct": 163, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
    "reboot": 169, "pivot_root": 155, "chroot": 161, "settimeofday": 164, "adjtimex": 159, "init_module": 175,
    "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "clock_settime": 227, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313, "kexec_file_load": 320, "bpf": 321,
    "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
}  # fmt: skip
_AARCH64 = {
    "ptrace": 117, "syslog": 116, "acct": 89, "mount": 40, "umount2": 39, "swapon": 224, "swapoff": 225,
    "reboot": 142, "pivot_root": 41, "chroot": 51, "settimeofday": 170, "adjtimex": 171, "init_module": 105,
    "delete_module": 106, "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97,
    "perf_event_open": 241, "open_by_handle_at": 265, "clock_settime": 112, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "finit_module": 273, "kexec_file_load": 294, "bpf": 280, "userfaultfd": 282,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86_64, 56, 435, 41), "aarch64": (0xC00000B7, _AARCH64, 220, 435, 198)}
_FAMILIES = (
    1,
    2,
    10,
    16,
)  # unix, IPv4, IPv6, netlink: a network namespace does not cut off AF_VSOCK, for one

_LOAD, _EQUAL, _GREATER_EQUAL, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET


def program(machine: str) -> bytes:
    """The BPF program for a machine (``x86_64`` or ``aarch64``); KeyError for others."""
    arch, calls, clone, clone3, socket = _MACHINES[machine]
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),  # architecture
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # call number
    ]
    if machine == "x86_64":  # the x32 calls share the architecture and would slip through by other numbers
        code += [(_GREATER_EQUAL, 0, 1, 0x40000000), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number in sorted(calls.values()):
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    code += [(_EQUAL, 0, 1, clone3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    code += [
        (_EQUAL, 0, 2 + len(_FAMILIES), socket),
        (_LOAD, 0, 0, 16),  # first argument, low half: the family
        *((_EQUAL, len(_FAMILIES) - i, 0, family) for i, family in enumerate(_FAMILIES)),
        (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT),
        (_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, 16),  # first argument, low half: the flags
        (_SET, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in code)


def install() -> None:
    """Installs the filter for this process and its children. Raises OSError if the system refuses."""
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no seccomp filter for {machine}")
    code = program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    filter_ = Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    if libc.prctl(22, 2, ctypes.byref(filter_), 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
