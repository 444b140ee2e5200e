"""Systems that refuse namespaces, and graders that are not root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kernels import LIMITS, execute

from grader.evidence.model import IsolationLevel
from grader.worker.forkserver import ForkServer
from grader.worker.inside import landlock

LOOK = (
    "import os, json\nprint(json.dumps([os.getcwd(), os.path.exists('rubrics'), os.getuid(),\n"
    "  open('/proc/self/status').read().count('NoNewPrivs:\\t1')]))\n_ = open('mine', 'w').write('x')"
)


def test_without_namespaces_it_runs_and_says_what_is_missing() -> None:
    with ForkServer(level="process") as server:
        cells = (LOOK, "import torch; print(torch.ones(2).sum())", "while True: pass", "print(1)")
        ran = execute(server, *cells, limits=LIMITS.model_copy(update={"cell": 3.0}))
    isolation = ran.execution.isolation
    assert isolation.level is IsolationLevel.PROCESS and isolation.weak
    words = " ".join(isolation.missing)
    assert "network" in words and "files of this user" in words and "processes" in words
    assert ran.states == ["ok", "ok", "limit", "ok"] and ran.said[1] == "tensor(2.)"
    work, rubrics, user, confined = json.loads(ran.said[0])
    assert Path(work).name == "work" and not rubrics and confined == 1
    if os.geteuid() == 0:
        assert user != 0 or "root" in words


@pytest.mark.skipif(not landlock.available(), reason="this system has no Landlock")
def test_with_landlock_files_are_closed_and_the_network_is_said_to_be_open(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    tmp_path.chmod(0o755)
    look = (
        "def read(path):\n    try:\n        return open(path).read()\n    except OSError as e:\n        return type(e).__name__\n"
        f"print(read({str(secret)!r}), read('/etc/hostname'))\n"
        f"try:\n    open({str(tmp_path / 'new')!r}, 'w')\nexcept OSError as e:\n    print(type(e).__name__)\n"
        "open('mine', 'w').write('x'); print(open('mine').read())\nimport torch; print(torch.ones(1).item())"
    )
    with ForkServer(level="landlock", weakest=False) as server:
        ran = execute(server, look)
    assert ran.execution.state == "complete", ran.execution.reason
    assert ran.said[0].split() == ["PermissionError", "PermissionError", "PermissionError", "x", "1.0"]
    isolation = ran.execution.isolation
    assert isolation.level is IsolationLevel.LANDLOCK and "the network is not cut off" in isolation.missing
    assert not (tmp_path / "new").exists()


UNPRIVILEGED = """
import asyncio, json, os, sys
sys.path[:0] = {paths!r}
from kernels import execute
from grader.worker.forkserver import ForkServer
with ForkServer(warm=("ipykernel.kernelapp",), weakest=False) as server:
    ran = execute(server, "import os\\nprint(os.getuid(), os.path.exists({secret!r}), sorted(os.listdir('/proc'))[:2])",
                  "import os, signal\\ntry: os.kill(1, signal.SIGKILL)\\nexcept OSError: pass\\ntry: open('/proc/1/mem')\\n"
                  "except OSError as e: print('closed')",
                  "for path in ('/a', '/etc/passwd', '/usr/bin/a'):\\n    try: open(path, 'w'); print(path)\\n"
                  "    except OSError: pass\\nprint('nowhere')")
e = ran.execution
print(json.dumps([os.geteuid(), e.state, e.reason, e.isolation.level, e.isolation.missing, ran.said]))
"""


def test_a_user_who_is_not_root_gets_namespaces_too(tmp_path: Path) -> None:
    """Run in a user namespace of its own as an unprivileged user, since the user of these tests may be root."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs util-linux's unshare")
    here = Path(__file__).parent
    secret = tmp_path / "secret"
    secret.write_text("x")
    script = UNPRIVILEGED.format(paths=[str(here), str(here.parents[1])], secret=str(secret))
    become = [unshare, "--user", "--map-user=65534", "--map-group=65534"]
    if subprocess.run([*become, "true"], capture_output=True).returncode != 0:
        pytest.skip("this system lets no user make namespaces")
    drop = [shutil.which("setpriv") or "setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    command = [*become, *drop, sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    user, state, reason, level, missing, said = json.loads(done.stdout.splitlines()[-1])
    assert user == 65534 and (state, reason) == ("complete", "")
    assert level == "namespaces" and missing == []
    assert said[0].startswith("1000 False ['1', '2'") and said[1:] == ["closed", "nowhere"]
