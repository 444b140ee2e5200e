"""Puts the calling process, freshly forked and single-threaded, into a sandbox.

`enter(spec)` returns in the process that may run student code; the processes around it stay behind
as waiter and init::

    server ── waiter (old pid namespace: waits, passes the exit status on)
                └─ init  (pid 1 of the new one: mounts, forwards signals, reaps)
                     └─ enter() returns here: no capabilities, no new privileges, seccomp, limits

Only the standard library and system calls are used: this runs before anything else in a fork, and
`man 7 user_namespaces` and `man 2 pivot_root` are the sources for the order of steps.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

from . import landlock, seccomp

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 1, 4, 38, 24
SYS_MOUNT_SETATTR = 442
INSIDE_UID = 1000


@dataclass(frozen=True)
class Spec:
    """What a sandbox shows and allows; comes as JSON from the worker."""

    binds: list[dict[str, Any]] = field(default_factory=list)
    """{"source", "target", "writable"}: the whole file view, besides /proc, /dev and /tmp."""
    links: list[dict[str, str]] = field(default_factory=list)
    """{"path", "target"}: symbolic links at absolute paths, e.g. promised data folders."""
    symlinks: dict[str, str] = field(default_factory=dict)
    """The system's own links at the root, such as /bin -> usr/bin."""
    work: str = "/content"
    memory: int = 0
    processes: int = 256
    file_size: int = 2 << 30
    cpu_seconds: int = 0
    host_uid: int = 0
    """When the server is root: the unprivileged user on the host that the student becomes."""
    level: str = "namespaces"
    """The strongest level to try: namespaces, landlock or process."""
    log: str = ""


class Refused(Exception):
    """The system refused a step; the next weaker level is tried in a fresh fork."""


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise Refused(f"{what}: {os.strerror(code)}")


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    _check(
        libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None),
        f"mount {target}",
    )


def _read_only(target: str) -> None:
    """Makes a bind mount read-only, with what is mounted below it."""
    attributes = (ctypes.c_uint64 * 4)(0x1 | 0x2, 0, 0, 0)  # MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID
    done = libc.syscall(SYS_MOUNT_SETATTR, -100, target.encode(), 0x8000, ctypes.byref(attributes), 32)
    if done != 0:  # before Linux 5.12: keep the flags that the kernel has locked
        flags = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        _mount("none", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def detach(log: str) -> None:
    """A child that keeps the server's stdin or stdout would corrupt its protocol."""
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else null
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):  # when memory runs out, this goes before the grader does
        _write("/proc/self/oom_score_adj", "1000")


def _map_users(host_uid: int) -> None:
    """Unshares the user namespace; a helper outside it writes the maps, since only it may when root."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    ready, go = os.pipe(), os.pipe()
    me = os.getpid()
    helper = os.fork()
    if helper == 0:
        ok = b"n"
        with contextlib.suppress(OSError):
            os.read(ready[0], 1)
            if outer_uid == 0:
                maps = f"0 0 1\n{INSIDE_UID} {host_uid} 1"
                _write(f"/proc/{me}/uid_map", maps)
                _write(f"/proc/{me}/gid_map", maps)
            else:
                _write(f"/proc/{me}/setgroups", "deny")
                _write(f"/proc/{me}/uid_map", f"{INSIDE_UID} {outer_uid} 1")
                _write(f"/proc/{me}/gid_map", f"{INSIDE_UID} {outer_gid} 1")
            ok = b"y"
        os.write(go[1], ok)
        os._exit(0)
    try:
        _check(libc.unshare(CLONE_NEWUSER), "user namespace")
    finally:
        os.write(ready[1], b"x")
        answer = os.read(go[0], 1)
        os.waitpid(helper, 0)
        for fd in (*ready, *go):
            os.close(fd)
    if answer != b"y":
        raise Refused("user namespace: the id maps could not be written")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _place(source: str, target: str) -> None:
    """Makes an empty file or folder to mount on."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))


def _build_root(spec: Spec) -> None:
    """A root of its own: a tmpfs that holds the binds of the spec, /proc, /dev, /tmp and a home."""
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    root = "/tmp"  # any folder will do as the place to build on: it is ours alone, in our namespace
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=755")
    # The old root stays reachable until the pivot, but its /tmp is now covered: what the binds
    # need from there was opened before.
    for link, target in spec.symlinks.items():
        os.makedirs(os.path.dirname(root + link), exist_ok=True)
        os.symlink(target, root + link)
    for folder, size in (("/tmp", "2g"), ("/home/student", "512m"), ("/dev/shm", "2g")):
        os.makedirs(root + folder, exist_ok=True)
        owner = f",uid={INSIDE_UID},gid={INSIDE_UID}" if folder.startswith("/home") else ""
        _mount("tmpfs", root + folder, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},mode=1777{owner}")
    for bind in sorted(spec.binds, key=lambda b: b["target"].count("/")):
        source, target = bind["fd_path"], root + bind["target"]
        _place(source, target)
        _mount(source, target, "", MS_BIND | MS_REC)
        if not bind.get("writable"):
            _read_only(target)
    _devices(root)
    os.makedirs(root + "/proc")
    _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _accounts(root)
    os.makedirs(root + "/old")
    _check(libc.pivot_root(root.encode(), (root + "/old").encode()), "pivot_root")
    os.chdir("/")
    _check(libc.umount2(b"/old", MNT_DETACH), "umount old root")
    os.rmdir("/old")
    # Only here, in the new root: a kernel before this one may have left links of its own in the work
    # folder, and following them in the old root would lead anywhere on this machine.
    for promised in spec.links:
        with contextlib.suppress(OSError):
            _make_folders(os.path.dirname(promised["path"]))
            if not os.path.lexists(promised["path"]):
                os.symlink(promised["target"], promised["path"])
    _mount("none", "/", "", MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, "size=64m,mode=755")


def _make_folders(path: str) -> None:
    """Like makedirs, but what is made belongs to the student, who may go on to write there."""
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chown(path, INSIDE_UID, INSIDE_UID)


def _devices(root: str) -> None:
    os.makedirs(root + "/dev", exist_ok=True)
    for name in ("null", "zero", "full", "random", "urandom"):
        _place("/dev/null", root + "/dev/" + name)
        _mount("/dev/" + name, root + "/dev/" + name, "", MS_BIND)
    os.makedirs(root + "/dev/pts")
    _mount("devpts", root + "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", root + "/dev/ptmx")  # `!command` runs on a terminal
    os.symlink("/proc/self/fd", root + "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")


def _accounts(root: str) -> None:
    os.makedirs(root + "/etc", exist_ok=True)
    files = {
        "passwd": f"root:x:0:0::/:/bin/false\nstudent:x:{INSIDE_UID}:{INSIDE_UID}::/home/student:/bin/sh\n",
        "group": f"root:x:0:\nstudent:x:{INSIDE_UID}:\n",
        "hosts": "127.0.0.1 localhost\n",
        "hostname": "kernel\n",
    }
    for name, text in files.items():
        with open(f"{root}/etc/{name}", "w", encoding="utf-8") as f:
            f.write(text)


def _loopback_up() -> None:
    """The network namespace has a loopback and nothing else; notebooks that talk to themselves may."""
    import fcntl
    import socket
    import struct

    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s.fileno(), 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))


def _limits(spec: Spec) -> None:
    def limit(what: int, value: int) -> None:
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(what)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(what, (value, value))

    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 4096)
    limit(resource.RLIMIT_FSIZE, spec.file_size)
    limit(resource.RLIMIT_NPROC, spec.processes)
    if spec.memory:
        limit(resource.RLIMIT_DATA, spec.memory)
    if spec.cpu_seconds:
        limit(resource.RLIMIT_CPU, spec.cpu_seconds)


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def _drop_privileges(change_user: bool) -> None:
    """Ends as an ordinary user with no capabilities and no way to regain any."""
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if change_user:
        os.setgroups([])
        os.setresgid(INSIDE_UID, INSIDE_UID, INSIDE_UID)
        os.setresuid(INSIDE_UID, INSIDE_UID, INSIDE_UID)
    header, nothing = _CapHeader(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(nothing))
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # /proc/self stays readable to itself after the change


def _init(child: int) -> None:
    """Pid 1: passes signals to the kernel process, reaps what it leaves behind, ends when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda n, _f: os.kill(child, n))
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        except ChildProcessError:
            os._exit(0)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _open_sources(spec: Spec) -> list[dict[str, Any]]:
    """Sources are opened before /tmp is covered, and mounted through /proc/self/fd."""
    opened = []
    for bind in spec.binds:
        if os.path.exists(bind["source"]):
            fd = os.open(bind["source"], os.O_PATH)
            opened.append({**bind, "fd_path": f"/proc/self/fd/{fd}", "fd": fd})
    return opened


def enter(spec: Spec, said: int) -> None:
    """Enters the sandbox and returns in the process that runs student code.

    ``said`` is a pipe to the server: the waiter writes ``ok <level> <pid of init>`` or ``no <why>``.
    Raises nothing: on refusal the process ends, and the server tries the next weaker level.
    """
    die_with_parent()
    detach(spec.log)
    try:
        if spec.level == "namespaces":
            _enter_namespaces(spec, said)
        else:
            _enter_plain(spec, said)
    except (Refused, OSError) as e:
        os.write(said, f"no {e}".encode())
        os._exit(120)


def _enter_namespaces(spec: Spec, said: int) -> None:
    root_outside = os.geteuid() == 0
    _map_users(spec.host_uid)
    _check(
        libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS), "namespaces"
    )
    done = os.pipe()
    init = os.fork()
    if init:  # the waiter
        os.close(done[1])
        problem = os.read(done[0], 4096).decode()
        os.close(done[0])
        os.write(said, f"no {problem}".encode() if problem else f"ok namespaces {init}".encode())
        os.close(said)
        status = os.waitpid(init, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    os.close(said)
    os.close(done[0])
    die_with_parent()
    try:
        libc.sethostname(b"kernel", 6)
        _loopback_up()
        opened = _open_sources(spec)
        _build_root(Spec(**{**spec.__dict__, "binds": opened}))
        for bind in opened:
            os.close(bind["fd"])
        os.chdir(spec.work if os.path.isdir(spec.work) else "/")
    except (Refused, OSError) as e:
        os.write(done[1], str(e).encode() or b"unknown")
        os._exit(120)
    child = os.fork()
    if child:
        os.close(done[1])
        _init(child)
    try:
        _limits(spec)
        _drop_privileges(change_user=root_outside)
        die_with_parent()  # cleared by the change of user, so set again
        seccomp.install()
    except (Refused, OSError) as e:
        os.write(done[1], str(e).encode() or b"unknown")
        os._exit(120)
    os.close(done[1])


def _enter_plain(spec: Spec, said: int) -> None:
    """Without namespaces: Landlock where asked and possible, limits and seccomp in any case."""
    os.chdir(spec.work)
    _limits(spec)
    as_root = os.geteuid() == 0 and not _become(spec.host_uid)
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if spec.level == "landlock":
        if not landlock.available():
            raise Refused("landlock: not supported by this system")
        landlock.restrict(
            readable=[b["source"] for b in spec.binds],
            writable=[b["source"] for b in spec.binds if b.get("writable")],
        )
    with contextlib.suppress(OSError):
        seccomp.install()
    os.write(said, f"ok {spec.level} {'root ' if as_root else ''}{os.getpid()}".encode())
    os.close(said)


def _become(user: int) -> bool:
    """Root becomes an unprivileged user, if that user can read Python; else it gives up its capabilities."""
    os.setegid(user)
    os.seteuid(user)
    installed = [
        os.__file__,
        *(m.__file__ for n in ("torch", "numpy") if (m := sys.modules.get(n)) and m.__file__),
    ]
    readable = all(os.access(file, os.R_OK, effective_ids=True) for file in installed)
    os.seteuid(0)
    os.setegid(0)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([] if readable else [user])
    if readable:
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        die_with_parent()  # cleared by the change of user
    header, nothing = _CapHeader(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(nothing))
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    return readable


def close_other_files(keep: set[int]) -> None:
    """Closes every descriptor inherited from the server but 0, 1, 2 and ``keep``."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd not in keep:
            with contextlib.suppress(OSError):
                os.close(fd)


def exit_after_failure(e: BaseException) -> None:
    sys.stderr.write(f"grade_inside: {e!r}\n")
    sys.stderr.flush()
    os._exit(121)
