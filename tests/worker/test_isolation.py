"""What a notebook can reach, asked from inside its kernel."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from kernels import Blobs, Notebook, code

import grader
from grader.evidence.model import IsolationLevel, Limits, Profile
from grader.worker.forkserver import ForkServer
from grader.worker.run import Setup, run

REACH = """
import os
def reach(path):
    try:
        if os.path.isdir(path):
            return f"listed {os.listdir(path)}"
        with open(path, "rb") as f:
            f.read(1)
        return "read"
    except OSError as e:
        return type(e).__name__
for path in PATHS:
    print(path, "->", reach(path))
"""
ATTEMPT = """
import os
def attempt(name, act):
    try:
        print(name, "-> allowed", act())
    except BaseException as e:
        print(name, "->", type(e).__name__, getattr(e, "errno", ""))
"""


def answers(text: str) -> dict[str, str]:
    return dict(line.split(" -> ", 1) for line in text.splitlines() if " -> " in line)


def test_rubric_reference_submissions_source_and_home_are_out_of_reach(
    notebook: Notebook, tmp_path: Path
) -> None:
    package = Path(grader.__file__).parent
    repository = package.parent
    other = tmp_path / "other-submission.ipynb"
    other.write_text("{}")
    home = Path.home() / ".grade-test-secret"
    home.write_text("secret")
    paths = [
        str(repository / "rubrics" / "image-classification-cnn.yaml"),
        str(repository / "reference"),
        str(repository / "submissions"),
        str(repository.parent / "shared"),
        "../shared",
        str(package / "scoring.py"),
        str(package / "worker" / "inside" / "kernel.py"),
        str(other),
        str(home),
        "/etc/shadow",
        "/var/log",
    ]
    try:
        ran = notebook(REACH.replace("PATHS", repr(paths)))
    finally:
        home.unlink()
    found = answers(ran.said[0])
    assert set(found) == set(paths)
    assert set(found.values()) <= {"FileNotFoundError", "PermissionError"}, found
    assert ran.execution.isolation.level is IsolationLevel.NAMESPACES
    assert ran.execution.isolation.missing == ()


def test_the_root_folder_holds_the_system_and_the_kernels_own_folders_only(notebook: Notebook) -> None:
    ran = notebook(
        "import os, sys, json\n"
        "found = {p: sorted(os.listdir(p)) for p in ('/', '/home', '/etc', '/dev', '/grade', '/content')}\n"
        "found['prefixes'] = [sys.prefix, sys.base_prefix]\n"
        "print(json.dumps(found))"
    )
    found: dict[str, Any] = json.loads(ran.said[0])
    python = {p.split("/")[1] for p in found["prefixes"]}
    known = {"bin", "sbin", "lib", "lib32", "lib64", "usr", "opt", "etc", "dev", "proc", "sys", "tmp", "home"}
    assert set(found["/"]) <= known | {"content", "grade"} | python
    assert found["/home"] == ["student"] and found["/grade"] == ["notes"] and found["/content"] == []
    assert not {"shadow", "ssh", "hosts.allow", "machine-id"} & set(found["/etc"])
    assert not [d for d in found["/dev"] if d.startswith(("vd", "sd", "kvm", "mem", "tty"))]


def test_the_graders_environment_is_not_passed_on(tmp_path: Path) -> None:
    """A token in the environment of `grade` stood in every kernel's /proc/self/environ."""
    os.environ["GRADE_TEST_TOKEN"] = "s3cret"
    try:
        with ForkServer(warm=("ipykernel.kernelapp",), weakest=False) as server:
            how = Setup(server, Profile.SMOKE, Limits(), Blobs().keep)
            text = "print(open('/proc/self/environ').read()); import os; print(dict(os.environ))"
            found = asyncio.run(run(code(text), how))
    finally:
        del os.environ["GRADE_TEST_TOKEN"]
    said = found.runs[0].stdout
    assert "PATH=" in said and "s3cret" not in said and "GRADE_TEST_TOKEN" not in said


def test_there_is_no_network(notebook: Notebook) -> None:
    ran = notebook(
        ATTEMPT + "import socket\n"
        "attempt('tcp', lambda: socket.create_connection(('1.1.1.1', 53), 3))\n"
        "attempt('tcp6', lambda: socket.create_connection(('2606:4700:4700::1111', 53), 3))\n"
        "attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53)))\n"
        "attempt('dns', lambda: socket.getaddrinfo('example.org', 80))\n"
        "attempt('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))\n"
        "attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))\n"
        "attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "attempt('loopback', lambda: socket.create_connection(s.getsockname(), 3) and 1)\n"
        "print('interfaces', [n for _, n in socket.if_nameindex()])"
    )
    found = answers(ran.said[0])
    assert found.pop("loopback") == "allowed 1"  # its own, in its own network namespace
    assert len(found) == 7 and not [n for n, a in found.items() if a.startswith("allowed")], found
    assert "eth0" not in ran.said[0]


def test_the_server_and_the_worker_can_be_neither_signalled_nor_traced(
    notebook: Notebook, server: ForkServer
) -> None:
    outside = [os.getpid(), server.pid, os.getppid()]
    ran = notebook(
        ATTEMPT + "import signal, ctypes\n"
        f"outside = {outside!r}\n"
        "for pid in [1, os.getppid(), *outside]:\n"
        "    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):\n"
        "        attempt(f'kill {pid} {number}', lambda: os.kill(pid, number))\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def ptrace(pid):\n"
        "    if libc.ptrace(16, pid, 0, 0): raise OSError(ctypes.get_errno(), 'no')\n"
        "attempt('ptrace 1', lambda: ptrace(1))\n"
        "attempt('memory of 1', lambda: open('/proc/1/mem', 'rb'))\n"
        "attempt('environment of 1', lambda: open('/proc/1/environ').read())\n"
        "print('seen', sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))",
        "print('still here')",
    )
    found = answers(ran.said[0])
    # Pid 1 is the sandbox's own; where it runs as the same user, what it is sent cannot end it.
    assert not [n for n, a in found.items() if a.startswith("allowed") and not n.startswith("kill 1 ")], found
    assert ran.said[0].splitlines()[-1] == "seen [1, 2]"
    assert ran.said[1] == "still here" and ran[1].kernel == 0
    assert notebook("print(1)").said == ["1"]  # the server is as it was


def test_no_privilege_can_be_had(notebook: Notebook) -> None:
    ran = notebook(
        ATTEMPT + "import ctypes, subprocess, shutil\n"
        "status = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)\n"
        "print([int(status[k], 16) for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')],\n"
        "      status['NoNewPrivs'], status['Seccomp'], os.getuid() != 0)\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def call(number, *args):\n"
        "    if getattr(libc, number)(*args) < 0: raise OSError(ctypes.get_errno(), 'no')\n"
        "attempt('unshare user', lambda: call('unshare', 0x10000000))\n"
        "attempt('unshare mount', lambda: call('unshare', 0x00020000))\n"
        "attempt('mount', lambda: call('mount', b'tmpfs', b'/tmp', b'tmpfs', 0, None))\n"
        "attempt('remount', lambda: call('mount', b'none', b'/', None, 32, None))\n"
        "attempt('umount', lambda: call('umount2', b'/usr/bin', 2))\n"
        "attempt('chroot', lambda: os.chroot('/tmp'))\n"
        "attempt('setuid', lambda: os.setuid(0))\n"
        "attempt('clone', lambda: call('syscall', 56, 0x10000011, 0, 0, 0, 0))\n"
        "attempt('bpf', lambda: call('syscall', 321, 0, 0, 0))\n"
        "attempt('mknod', lambda: os.mknod('/content/disk', 0o60600, os.makedev(254, 0)))\n"
        "attempt('chown', lambda: os.chown('/content', 0, 0))\n"
        "for tool in ('su', 'sudo', 'mount', 'unshare', 'newgrp'):\n"
        "    if path := shutil.which(tool):\n"
        "        given = {'su': ['-c', 'id -u'], 'sudo': ['-n', 'id', '-u'], 'mount': ['-t', 'tmpfs', 't', '/tmp']}\n"
        "        done = subprocess.run([path, *given.get(tool, ['-r', 'id', '-u'][:3] if tool == 'unshare' else ['-c'])],\n"
        "                              input='', capture_output=True, text=True, timeout=10)\n"
        "        print('tool', tool, done.returncode != 0 or done.stdout.strip() != '0')"
    )
    lines = ran.said[0].splitlines()
    assert lines[0] == "[0, 0, 0, 0, 0] 1 2 True"
    found = answers(ran.said[0])
    assert len(found) == 11 and not [n for n, a in found.items() if a.startswith("allowed")], found
    assert not [line for line in lines if line.startswith("tool") and not line.endswith("True")], lines


def test_only_work_tmp_and_home_can_be_written(notebook: Notebook, tmp_path: Path) -> None:
    given = tmp_path / "bundle"
    given.mkdir()
    (given / "image.bin").write_bytes(b"0123")
    (given / "manifest.json").write_text("{}")
    for each in (tmp_path, given, *given.iterdir()):
        each.chmod(0o755 if each.is_dir() else 0o666)
    ran = notebook(
        ATTEMPT + "import sys\n"
        "def write(path):\n"
        "    with open(path, 'wb') as f: f.write(b'x')\n"
        "    return ''\n"
        "where = ['/content/a', '/tmp/a', os.path.expanduser('~/a'), '/dev/shm/a', '/a', '/etc/passwd', '/usr/bin/a',\n"
        "         '/grade/a', os.path.join(sys.prefix, 'lib', 'a'), os.path.dirname(os.__file__) + '/a',\n"
        "         os.__file__, '/grade/data/new', '/grade/data/image.bin', '/proc/sys/kernel/hostname', '/sys/a']\n"
        "for path in where: attempt(path, lambda: write(path))\n"
        "print(open('/grade/data/image.bin').read())",
        bundle=given,
    )
    found = answers(ran.said[0])
    allowed = {n for n, a in found.items() if a.startswith("allowed")}
    assert len(found) == 15
    assert allowed == {"/content/a", "/tmp/a", "/home/student/a", "/dev/shm/a"}
    assert ran.said[0].splitlines()[-1] == "0123" and (given / "image.bin").read_bytes() == b"0123"


def test_two_submissions_at_the_same_time_do_not_see_each_other(server: ForkServer) -> None:
    # where Python itself lies below /tmp, as in a clone made there, the way to it is in view
    python = [Path(p).parts[2] for p in (sys.prefix, sys.base_prefix) if p.startswith("/tmp/")]
    look = (
        f"PYTHON = {python!r}\n"
        "import os, time\nopen('/content/mine','w').write('secret'); open('/tmp/mine','w').write('x')\n"
        "open('/dev/shm/mine','w').write('x')\ntime.sleep(3)\n"
        "print(sorted(os.listdir('/content')), [d for d in os.listdir('/tmp') if not d.startswith('grade-k-') and d not in PYTHON],\n"
        "      len([d for d in os.listdir('/tmp') if d.startswith('grade-k-')]), sorted(os.listdir('/dev/shm')),\n"
        "      [p for p in os.listdir('/proc') if p.isdigit()])"
    )

    async def both() -> list[str]:
        async def one(source: str) -> str:
            how = Setup(server, Profile.SMOKE, Limits(), Blobs().keep)
            return (await run(code(source), how)).runs[0].stdout.strip()

        return list(await asyncio.gather(one(look), one(look.replace("mine", "hers"))))

    mine, hers = asyncio.run(both())
    assert mine == "['mine'] ['mine'] 1 ['mine'] ['1', '2']"
    assert hers == "['hers'] ['hers'] 1 ['hers'] ['1', '2']"


def test_a_link_left_in_the_work_folder_is_not_followed_outside(notebook: Notebook) -> None:
    """A promised folder was made again in the next kernel through the link that the first had put there."""
    outside = Path(tempfile.mkdtemp(prefix=".grade-test-", dir=Path.home()))  # /tmp is covered in any case
    ran = notebook(
        "import os\nprint(os.path.islink('/content/data/train'))",
        "os.rename('/content/data', '/content/old')\n"
        f"os.symlink({str(outside)!r}, '/content/data')\nos._exit(1)",
        "print('on')",
        links=({"path": "/content/data/train", "target": "/grade/data/train"},),
    )
    assert ran.states == ["ok", "died", "ok"] and ran.said[0] == "True"
    left = list(outside.iterdir())
    shutil.rmtree(outside)
    assert left == []


@pytest.mark.parametrize("inside", ["usr/src/app", "venv"])
def test_a_project_that_lies_beside_python_or_in_usr_is_not_shown(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m venv .` in the project, or an image that works in /usr/src: the rubrics were in view."""
    from grader.worker import view

    prefix = tmp_path / "project"
    for name in ("bin", "lib", "rubrics", "submissions"):
        (prefix / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    shown = [b["target"] for b in view.system()["binds"]]
    if inside == "venv":
        assert str(prefix / "lib") in shown and str(prefix / "bin") in shown
        assert not [s for s in shown if s == str(prefix) or "rubrics" in s or "submissions" in s]
    else:
        assert "/usr" not in shown and "/usr/src" not in shown and "/usr/local" not in shown
        assert "/usr/bin" in shown
