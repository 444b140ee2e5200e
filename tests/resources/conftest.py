"""Runs code as a notebook would: in a fresh Python, with a bundle served by the code inside the kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.evidence.model import DatasetUse, Profile, Substitution
from grader.resources import Bundle, bundle

INSIDE = Path(__file__).parents[2] / "grader" / "worker" / "inside"
WARM = "import torch, torchvision; torch.set_num_threads(1)"
START = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location(
    "grade_inside", {inside!r} + "/__init__.py", submodule_search_locations=[{inside!r}])
module = importlib.util.module_from_spec(spec)
sys.modules["grade_inside"] = module
spec.loader.exec_module(module)
from grade_inside import record, serve
record.open_folder({notes!r})
record.set_piece(0)
serve.install({bundle!r}, os.getcwd())
{after}
"""
ASSIGNMENT = (
    "mnist",
    "fashion-mnist",
    "cifar10",
    "flowers",
    "hymenoptera",
    "tf-flowers",
    "vgg16-imagenet",
    "alexnet-imagenet",
    "googlenet-imagenet",
    "resnet18",
    "sample-image",
)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
    work: Path
    notes: list[dict[str, Any]]

    @property
    def datasets(self) -> list[DatasetUse]:
        """As the worker reads them: a note that does not fit the evidence model fails here."""
        return [DatasetUse(**_record(n)) for n in self.notes if n["kind"] == "dataset"]

    @property
    def substitutions(self) -> list[Substitution]:
        return [Substitution(**_record(n)) for n in self.notes if n["kind"] == "substitution"]


def _record(note: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in note.items() if k != "kind"}


Notebook = Callable[..., Ran]

FORKER = """
import json, os, sys, traceback
{warm}
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for fd, name in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), fd)
            os.chdir(job["work"])
            os.environ.clear()
            os.environ.update(job["environment"])
            exec(compile(job["text"], "<notebook>", "exec"), {{"__name__": "__main__"}})
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Forker:
    """A Python that has imported the heavy libraries and runs each text in a fork of itself."""

    def __init__(self, warm: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", FORKER.format(warm=warm)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, **job: Any) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="session")
def forkers() -> Iterator[dict[str, Forker]]:
    running: dict[str, Forker] = {}
    yield running
    for forker in running.values():
        assert forker.process.stdin is not None
        forker.process.stdin.close()
        try:
            forker.process.wait(60)
        except subprocess.TimeoutExpired:
            forker.process.kill()


def bundle_of(home: Path, data: Path, *resources: str, profile: Profile = Profile.SMOKE) -> Bundle:
    """A bundle made with ``data`` as the data cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADE_DATA", str(data))
        return bundle(profile, resources, home)


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of a whole assignment where nothing is cached."""
    home = tmp_path_factory.mktemp("bundles")
    return bundle_of(home, home / "empty", *ASSIGNMENT)


@pytest.fixture
def notebook(given: Bundle, tmp_path: Path, forkers: dict[str, Forker]) -> Notebook:
    """``notebook(code)`` runs it in a fresh process with torch imported before, as in a kernel; a list
    of strings is run as cells of an IPython shell."""

    def run(code: str | list[str], *, of: Bundle | None = None, warm: str = WARM) -> Ran:
        work, notes = tmp_path / "content", tmp_path / "notes"
        shutil.rmtree(notes, ignore_errors=True)
        work.mkdir(exist_ok=True)
        notes.mkdir()
        after = str(code)
        if isinstance(code, list):
            after = (
                "from IPython.core.interactiveshell import InteractiveShell\n"
                "ip = InteractiveShell.instance()\nserve.install_shell(ip)\n"
                f"for cell in {code!r}:\n"
                "    done = ip.run_cell(cell)\n    print('DONE' if done.success else 'FAILED', flush=True)\n"
            )
        text = START.format(
            inside=str(INSIDE), notes=str(notes), bundle=str((of or given).folder), after=after
        )
        environment = {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "LD_LIBRARY_PATH"}}
        environment |= {"HOME": str(tmp_path / "home"), "GRADE_DEBUG": "1", "CUDA_VISIBLE_DEVICES": ""}
        # whatever these tests do must not reach a network, even where there is one
        environment |= {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https")}
        forker = forkers.setdefault(warm, Forker(warm) if warm not in forkers else forkers[warm])
        files = {"out": str(notes / "out"), "err": str(notes / "err")}
        exit_code = forker.run(text=text, work=str(work), environment=environment, **files)
        out, err = ((notes / n).read_text(errors="replace") for n in ("out", "err"))
        lines = (notes / "notes.jsonl").read_text().splitlines() if (notes / "notes.jsonl").exists() else []
        return Ran(exit_code, out, err, work, [json.loads(line) for line in lines])

    return run
