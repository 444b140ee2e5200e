"""GPUs of this machine, and each kernel's share of one. CUDA is never initialised here: forks would lose it."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from grader.record import Record

DRIVER = Path("/proc/driver/nvidia/gpus")
LEFT = 0.1
"""Of a GPU's memory, kept for what the drivers take in each process."""


class Share(Record):
    """One kernel's part of the GPUs: the device that it sees, and how much of its memory it may take."""

    device: str
    memory: float = 1.0

    @property
    def task(self) -> dict[str, object]:
        """For the task of a kernel."""
        environment = {"CUDA_VISIBLE_DEVICES": self.device, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        return {"environment": environment, "gpu_memory": self.memory}


def devices(driver: Path = DRIVER) -> tuple[str, ...]:
    """GPUs that a kernel may be given, as ``CUDA_VISIBLE_DEVICES`` names them; those of our own, if that is set."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = len(list(driver.glob("*/information"))) if driver.is_dir() else 0
    if named is not None:
        return tuple(d for d in re.split(r"\s*,\s*", named.strip()) if d and d != "-1") if there else ()
    return tuple(map(str, range(there)))


def share(number: int, side_by_side: int, found: tuple[str, ...]) -> Share | None:
    """The share of the kernel with this number, in turn over the GPUs; None where there is no GPU.

    ``side_by_side`` kernels run at a time; those on one GPU have equal parts of its memory.
    """
    if not found:
        return None
    together = math.ceil(max(1, side_by_side) / len(found))
    return Share(device=found[number % len(found)], memory=round((1 - LEFT) / together, 4))
