"""Measures exported models in clean, sandboxed processes that have run no student code."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from grader.errors import WorkerError
from grader.evidence.model import DatasetUse, Measurement, MeasurementState, ModelSnapshot, Sha256
from grader.worker import view
from grader.worker.forkserver import ForkServer, host_uid
from grader.worker.provisioner import give
from grader.worker.session import tail

LIMIT = 120.0
"""Seconds that reading one model, and predicting with it, may take."""
LIMIT_ALL = 900.0
"""Seconds for all models of one submission: a notebook can leave any number of slow ones."""
INPUT, OUTPUT = "/grade/in", "/grade/out"

Part: TypeAlias = tuple[Literal["test", "train"], str, Path]


async def all_of(
    snapshots: Sequence[ModelSnapshot],
    datasets: Sequence[DatasetUse],
    programs: Mapping[Sha256, Path],
    server: ForkServer,
    held_out: Mapping[str, tuple[str, Path]],
    threads: int,
    seen: Mapping[str, tuple[Part, ...]] | None = None,
) -> tuple[Measurement, ...]:
    """One measurement for each program, with predictions where the notebook shows on what.

    ``seen`` names, for a data set, further images that notebooks have themselves: (part, id, file).
    """
    wanted: dict[Sha256, list[dict[str, Any]]] = {}
    for snapshot in snapshots:
        if snapshot.program and snapshot.program in programs:
            entries = wanted.setdefault(snapshot.program, [])
            if (
                snapshot.weights
                and (entry := prediction_for(snapshot, datasets, held_out))
                and entry not in entries
            ):
                entries.append(entry)
    found = []
    started = time.monotonic()
    for program, entries in wanted.items():
        if time.monotonic() - started > LIMIT_ALL:
            found.append(
                _failed(program, f"the {LIMIT_ALL:.0f} s for measuring a submission's models were used up")
            )
            continue
        every = entries + [
            {**e, "part": part, "held_out": id, "inputs": f"{e['dataset']}-{part}.npz", "file": file}
            for e in entries
            for part, id, file in (seen or {}).get(e["dataset"], ())
        ]
        found.append(await one(program, programs[program], every, server, threads))
    return tuple(found)


def prediction_for(
    snapshot: ModelSnapshot, datasets: Sequence[DatasetUse], held_out: Mapping[str, tuple[str, Path]]
) -> dict[str, Any] | None:
    """On which held-out set, and prepared how, this model is asked: as the notebook's own last
    test set before it was, as far as that could be described, else its last training set. None when
    neither is known, or nothing is judged on it."""
    before = [d for d in datasets if d.piece <= snapshot.piece and d.dataset in held_out and not d.stand_in]
    if not before:
        return None
    latest = before[-1].dataset
    same = [d for d in before if d.dataset == latest and d.preprocessing is not None]
    known = [d for d in same if d.preprocessing is not None and d.preprocessing.known]
    tests = [d for d in known if d.split in ("test", "validation")]
    use = (tests or known)[-1:]
    if not use or use[0].preprocessing is None:
        return None
    return {
        "dataset": latest,
        "held_out": held_out[latest][0],
        "inputs": f"{latest}.npz",
        "file": held_out[latest][1],
        "preprocessing": use[0].preprocessing.model_dump(mode="json"),
    }


async def one(
    program: Sha256,
    path: Path,
    entries: list[dict[str, Any]],
    server: ForkServer,
    threads: int,
) -> Measurement:
    """Measures one program, on the file of each entry; a process of ours that fails or overruns yields state ``failed``."""
    folder = Path(tempfile.mkdtemp(prefix="grade-m-"))
    try:
        source, target = folder / "in", folder / "out"
        source.mkdir()
        target.mkdir()
        shutil.copyfile(path, source / ("program.keras" if path.suffix == ".keras" else "program.pt2"))
        for entry in entries:
            shutil.copyfile(entry["file"], source / entry["inputs"])
        if entries:
            told = [{k: v for k, v in e.items() if k != "file"} for e in entries]
            (source / "preprocessing.json").write_text(json.dumps(told))
        user = host_uid()
        give(target, user)
        for each in (folder, source, *source.iterdir()):
            each.chmod(0o755 if each.is_dir() else 0o644)
        base = view.system(gpu=False)
        binds = [
            *base["binds"],
            {"source": str(source), "target": INPUT},
            {"source": str(target), "target": OUTPUT, "writable": True},
        ]
        sandbox = {
            **base,
            "binds": binds,
            "work": OUTPUT,
            "host_uid": user,
            "memory": 8 << 30,
            "processes": 64,
        }
        sandbox["log"] = str(folder / "log")
        plain = {"folder": str(source), "out": str(target), "work": str(target)}
        task = {"folder": INPUT, "out": OUTPUT, "threads": threads, "plain": plain}
        await asyncio.get_running_loop().run_in_executor(None, _wait, server, sandbox, task)
        result = target / "measurement.json"
        if result.is_symlink() or not result.is_file() or result.stat().st_size > 32 << 20:
            return _failed(program, f"the measuring process left no result {_tail(folder / 'log')}")
        return Measurement(program=program, **json.loads(result.read_bytes()))
    except (WorkerError, ValidationError, ValueError, TypeError, OSError) as e:
        return _failed(program, f"{type(e).__name__}: {str(e)[:500]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: ForkServer, sandbox: dict[str, Any], task: dict[str, Any]) -> None:
    process = server.spawn("read", sandbox, task)
    deadline = time.monotonic() + LIMIT
    while server.poll(process) is None:
        if time.monotonic() > deadline:
            server.kill(process)
            raise WorkerError(f"measuring took more than {LIMIT:.0f} s")
        time.sleep(0.02)


def _failed(program: Sha256, reason: str) -> Measurement:
    return Measurement(program=program, state=MeasurementState.FAILED, reason=reason)


def _tail(log: Path) -> str:
    return f"({tail(log, 600)})" if log.exists() else ""
