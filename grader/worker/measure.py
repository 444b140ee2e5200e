"""Measures exported models in clean, sandboxed processes that have run no student code."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from grader.errors import WorkerError
from grader.evidence.model import DatasetUse, Measurement, MeasurementState, ModelSnapshot, Sha256
from grader.worker import clean
from grader.worker.forkserver import ForkServer

LIMIT = 120.0
"""Seconds that reading one model, and predicting with it, may take."""
LIMIT_ALL = 900.0
"""Seconds for all models of one submission: a notebook can leave any number of slow ones."""
PROBE_LIMIT = 30.0

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
    inputs: dict[str, Path | str] = {"program.keras" if path.suffix == ".keras" else "program.pt2": path}
    inputs |= {entry["inputs"]: entry["file"] for entry in entries}
    if entries:
        told = [{k: v for k, v in e.items() if k != "file"} for e in entries]
        inputs["preprocessing.json"] = json.dumps(told)
    try:
        raw = await clean.answer("read", inputs, "measurement.json", server, threads, LIMIT)
        return Measurement(program=program, **json.loads(raw))
    except WorkerError as e:
        return _failed(program, str(e)[:500])
    except (ValidationError, ValueError, TypeError, OSError) as e:
        return _failed(program, f"{type(e).__name__}: {str(e)[:500]}")


async def probe(server: ForkServer, threads: int) -> float | None:
    """Seconds of the fixed small training at this moment; None when it could not be timed."""
    try:
        raw = await clean.answer("probe", {}, "probe.json", server, threads, PROBE_LIMIT)
        seconds = float(json.loads(raw)["seconds"])
    except (WorkerError, ValueError, TypeError, KeyError, OSError):
        return None
    return seconds if 0 < seconds < PROBE_LIMIT else None


def _failed(program: Sha256, reason: str) -> Measurement:
    return Measurement(program=program, state=MeasurementState.FAILED, reason=reason)
