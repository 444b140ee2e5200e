from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.worker import waiting

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this system keeps no account of waiting"
)

WORKS = "import time\nwhile time.process_time() < {}: pass\nprint(flush=True)\ninput()"
SLEEPS = "import time\ntime.sleep(0.6)\nprint(flush=True)\ninput()"


def started(code: str, core: int) -> subprocess.Popen[bytes]:
    pinned = f"import os; os.sched_setaffinity(0, {{{core}}})\n{code}"
    return subprocess.Popen([sys.executable, "-c", pinned], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def timed(code: str, others: int = 0) -> tuple[float, float | None]:
    """Seconds by the clock of a program beside ``others`` that work on the same core, and what it waited."""
    core = min(os.sched_getaffinity(0))
    before = time.monotonic()
    mine = started(code, core)
    beside = [started(WORKS.format(30), core) for _ in range(others)]
    try:
        assert mine.stdout is not None
        mine.stdout.readline()
        seconds = time.monotonic() - before
        return seconds, waiting.seconds({}, waiting.account(mine.pid))
    finally:
        for each in (mine, *beside):
            each.kill()
            each.wait()


def test_what_others_took_of_the_processor_is_told_apart_from_what_the_work_took() -> None:
    seconds, waited = timed(WORKS.format(0.6), others=3)
    assert waited is not None and seconds > 1.2
    assert 0.5 < seconds - waited < seconds / 1.5  # it worked for 0.6 s, and started up


def test_who_sleeps_waits_for_nobody() -> None:
    """Training that is slow because it sleeps is slow."""
    seconds, waited = timed(SLEEPS)
    assert waited is not None and seconds - waited > 0.6


def test_a_program_counts_that_the_process_started(tmp_path: Path) -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WORKS.format(0.4)!r}], stdin=0)"
    seconds, waited = timed(code, others=2)
    assert waited is not None and seconds - waited < seconds / 1.5


def test_a_process_that_has_ended_has_no_account() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert waiting.seconds({}, waiting.account(ended.pid)) is None
