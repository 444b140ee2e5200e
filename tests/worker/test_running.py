"""Pieces that fail, hang, flood or end their kernel: what it costs them, and what it must not cost the rest."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kernels import LIMITS, Blobs, Notebook, code

from grader.evidence.model import Profile
from grader.resources import bundle
from grader.worker import waiting
from grader.worker.forkserver import ForkServer
from grader.worker.run import Setup, run

SHORT = LIMITS.model_copy(update={"cell": 2.0})


def test_a_failing_cell_does_not_stop_the_rest(notebook: Notebook) -> None:
    ran = notebook(
        "x = 1\n\nprint(y)",
        "print(x)",
        "def f(:",
        "import sys; sys.exit(3)",
        "exit()",
        "get_ipython().kernel.do_shutdown(True);",
        "import time; time.sleep(1); print(x + 1)",
    )
    assert ran.states == ["failed", "ok", "failed", "failed", "ok", "ok", "ok"]
    failures = [r.failure for r in ran.execution.runs]
    assert failures[0] is not None and (failures[0].name, failures[0].line) == ("NameError", 3)
    assert "name 'y' is not defined" in failures[0].message and "\x1b" not in failures[0].traceback
    assert failures[2] is not None and failures[2].name == "SyntaxError"
    assert failures[3] is not None and failures[3].name == "SystemExit"
    assert ran.said[-1] == "2" and {r.kernel for r in ran.execution.runs} == {0}


def test_what_a_child_process_prints_is_the_cell_s_output(notebook: Notebook) -> None:
    """One output of seven was lost: it went out after the cell's reply."""
    ran = notebook(*(f"import os; os.system('echo out{i}; echo err{i} >&2');" for i in range(40)))
    said = ["".join(t.text for t in r.texts) for r in ran.execution.runs]
    assert all(f"out{i}" in s and f"err{i}" in s for i, s in enumerate(said)), said
    assert not any("\0" in s for s in said)


def test_a_command_in_the_background_is_noted_under_the_cell_that_started_it(notebook: Notebook) -> None:
    given = bundle(Profile.SMOKE, [])
    later = "import time; time.sleep(3)"
    ran = notebook("!(sleep 1; pip install nosuchpackage) > /dev/null &", later, "x = 1", bundle=given.folder)
    assert ran.states == ["ok"] * 3
    assert {s.piece for s in ran.execution.substitutions if "pip install" in s.asked} == {0}


def test_an_endless_loop_keeps_its_output_and_its_kernel(notebook: Notebook) -> None:
    ran = notebook("x = 5\nprint('before')\nwhile True: pass", "print(x)", limits=SHORT)
    assert ran.states == ["limit", "ok"] and ran.said == ["before", "5"]
    assert ran[0].failure is None and "limit of the grader's" in ran[0].note
    assert ran[1].kernel == 0


OWN_TIME = (
    "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end: pass\nprint('done')"
)


@pytest.mark.skipif(not waiting.account(os.getpid()), reason="the system keeps no account of waiting")
def test_a_busy_machine_does_not_cut_off_what_an_idle_one_would_have_finished(notebook: Notebook) -> None:
    """On a loaded machine the last epochs of a training were lost to a limit by the clock."""
    burn = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    try:
        ran = notebook(OWN_TIME, limits=LIMITS.model_copy(update={"cell": 2.5}))
    finally:
        for process in burn:
            process.kill()
            process.wait()
    assert ran.states == ["ok"] and ran.said == ["done"]


def test_a_cell_that_cannot_be_interrupted_costs_its_kernel_only(notebook: Notebook) -> None:
    """Needed pieces are run again in the next kernel; an expensive one that is not needed is not."""
    ran = notebook(
        "a = [1]",
        "import time; unrelated = time.time()",
        "print('started', flush=True)\nimport time\nwhile True:\n    try:\n        time.sleep(1)\n"
        "    except BaseException:\n        pass",
        "a.append(2)",
        "print(a)",
        limits=SHORT,
    )
    assert ran.states == ["ok", "ok", "limit", "ok", "ok"]
    assert ran.said[2] == "started" and "kernel was ended" in ran[2].note
    assert ran.said[4] == "[1, 2]"
    assert [(r.piece, r.kernel) for r in ran.execution.runs if r.replayed] == [(0, 1)]


def test_a_kernel_that_dies_says_how_and_the_rest_goes_on(notebook: Notebook) -> None:
    ran = notebook(
        "x = 3",
        "import os; os._exit(7)",
        "import ctypes; ctypes.string_at(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "!kill -9 $$",
        "print(x)",
    )
    assert ran.states == ["ok", "died", "died", "died", "ok", "ok"]
    notes = [ran[i].note for i in (1, 2, 3)]
    assert "7" in notes[0] and "segmentation fault" in notes[1] and "killed" in notes[2]
    assert ran.said[-1] == "3" and ran[5].kernel == 3


def test_after_too_many_deaths_the_rest_is_skipped_and_says_so(notebook: Notebook) -> None:
    ran = notebook(*["import os; os._exit(1)"] * 5, "print(1)")
    assert ran.states == ["died"] * 5 + ["skipped"]
    assert "kernels were lost" in ran[5].note and ran.execution.state == "complete"


def test_a_hidden_error_is_still_a_failure(notebook: Notebook) -> None:
    """`runs` was earned by a notebook that had its errors swallowed, or that raised what cannot be sent."""
    ran = notebook(
        "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)\n1 / 0",
        "1 / 0",
        "get_ipython().set_custom_exc((), None)\nraise ValueError('\\ud800')",
        "get_ipython().showtraceback = lambda *a, **k: None\n1 / 0",
        "print('fine')",
    )
    assert ran.states == ["failed"] * 4 + ["ok"]


def test_half_characters_and_returns_are_printed_as_text(notebook: Notebook) -> None:
    ran = notebook("print('\\udc80')", "print('10%\\r50%\\r100%')", "print('a\\r\\nb')")
    assert ran.states == ["ok"] * 3 and ran.said[1:] == ["100%", "a\nb"]
    assert ran.execution.model_dump_json()


def test_floods_of_output_are_cut_and_the_kernel_goes_on(notebook: Notebook) -> None:
    ran = notebook(
        "print('x' * 50_000_000)",
        "for i in range(3000): print('y' * 10_000)",
        "raise ValueError('z' * 20_000_000)",
        "print('after')",
    )
    assert ran.states == ["ok", "ok", "failed", "ok"] and ran.said[3] == "after"
    for i in (0, 1):
        assert len(ran[i].stdout) <= LIMITS.output and ran[i].texts[-1].truncated
    failure = ran[2].failure
    assert failure is not None and len(failure.message) <= 2000 and len(failure.traceback) <= 4000
    assert len(ran.execution.model_dump_json()) < 3 * LIMITS.output


def test_threads_and_closed_files_do_no_harm(notebook: Notebook) -> None:
    ran = notebook(
        "import threading, time\ndef work():\n    while True:\n        time.sleep(0.05); print('.', end='')\n"
        "threading.Thread(target=work, daemon=True).start()",
        "!echo terminal",
        "import os\nfor i in range(3): os.close(i)",
        "print('here')\nimport subprocess\nprint(subprocess.run(['echo', 'out'], capture_output=True).stdout)",
    )
    assert ran.states == ["ok"] * 4
    assert "terminal" in ran.said[1] and "here" in ran.said[3] and "out" in ran.said[3]


def test_processes_files_and_memory_have_ends(notebook: Notebook) -> None:
    ran = notebook(
        "import os, time, signal\nchildren = []\ntry:\n    while len(children) < 400:\n        pid = os.fork()\n"
        "        if pid == 0:\n            signal.pause(); os._exit(0)\n        children.append(pid)\n"
        "except OSError as e:\n    print(e)\nprint(len(children))\nfor c in children: os.kill(c, signal.SIGKILL)\n"
        "for c in children: os.waitpid(c, 0)",
        "with open('/content/large', 'wb') as f: f.truncate(2 << 20)",
        "with open('/content/large', 'wb') as f:\n    for i in range(64): f.write(b'x' * (1 << 16))",
        "block = bytearray(8 << 30)",
        "import numpy\nblock = numpy.ones(1 << 30)",
        "import torch\nblock = torch.ones(1 << 31)",
        "print('after')",
        limits=LIMITS.model_copy(update={"processes": 64, "file_size": 1 << 20, "memory": 3 << 30}),
    )
    lines = ran.said[0].splitlines()
    assert "temporarily unavailable" in lines[0] and 1 < int(lines[1]) < 64
    names = [r.failure.name if r.failure else r.state.value for r in ran.execution.runs[1:6]]
    assert names[:2] == ["OSError", "OSError"]
    assert names[2] == "MemoryError" and "MemoryError" in names[3] and names[4] == "RuntimeError"
    assert ran.said[-1] == "after" and ran[6].kernel == 0


def test_when_the_notebooks_time_is_used_up_the_rest_is_skipped_and_says_so(notebook: Notebook) -> None:
    limits = LIMITS.model_copy(update={"cell": 20.0, "question": 20.0, "notebook": 2.0})
    ran = notebook(*["import time; time.sleep(60)"] * 2, "print(1)", limits=limits)
    assert ran.states[0] == "limit" and ran.states[-1] == "skipped" and "notebook's limit" in ran[2].note


def test_a_cell_that_breaks_the_code_inside_costs_itself_only(notebook: Notebook) -> None:
    ran = notebook(
        "import sys, time\nfor name in [n for n in sys.modules if n.startswith('grade_inside')]: del sys.modules[name]",
        "print('a')",
        "import os; os.kill(os.getpid(), 9)",
        "import sys, time\nsys.modules['grade_inside.kernel'].observe = None\n"
        "sys.modules['grade_inside.kernel'].begin = lambda piece: 1 / 0",
        "print('b')",
    )
    assert ran.states == ["ok", "ok", "died", "ok", "ok"] and (ran.said[1], ran.said[4]) == ("a", "b")
    assert ran.execution.state == "complete"


def test_forged_messages_end_the_kernel_and_not_the_batch(notebook: Notebook) -> None:
    """The key of the connection is the kernel's own: it can send what no kernel sends."""
    forged = (
        "import json, sys\nkernel = get_ipython().kernel\n"
        "def send(kind, content): kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())\n"
    )
    ran = notebook(
        forged
        + "send('stream', {'name': 'stdout', 'text': 'odd'})\nsend('stream', {})\nsend('display_data', {'data': [1]})",
        "print('next')",
        forged + "send('comm_open', {'comm_id': 1})\nsend('error', {'traceback': 5})\nsend('status', {})",
        "print('last')",
    )
    assert ran.execution.state == "complete"
    assert ran.said[1] == "next" and ran.said[3] == "last"


def test_a_run_that_is_stopped_by_ctrl_c_leaves_no_error_that_nobody_asked_for(server: ForkServer) -> None:
    """ "Task exception was never retrieved" stood below the one line that says that the command was stopped."""
    complaints: list[dict[str, Any]] = []

    async def stopped() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
        ready = asyncio.Event()
        how = Setup(server=server, profile=Profile.SMOKE, limits=LIMITS, keep=Blobs().keep)
        pieces = code("x = 1", "import time; time.sleep(60)")
        running = asyncio.ensure_future(run(pieces, how, lambda done, _: ready.set() if done else None))
        await asyncio.wait_for(ready.wait(), 60)
        await asyncio.sleep(1)  # the second piece is at work
        running.cancel()
        await asyncio.wait([running], timeout=30)
        assert running.cancelled()

    asyncio.run(stopped())
    gc.collect()
    assert not complaints


@pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this system keeps no account of waiting"
)
def test_the_clock_tells_work_from_waiting(notebook: Notebook) -> None:
    """What a cell waits for itself is its own; what others took of the processor is no more than the clock."""
    ran = notebook("import time; time.sleep(0.5)", "sum(range(10**7))")
    for each in ran.execution.runs:
        assert each.waited is not None and 0 <= each.waited <= each.seconds
    slept = ran[0]
    assert slept.waited is not None and slept.seconds - slept.waited > 0.4
