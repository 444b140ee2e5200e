"""What a run's evidence depends on besides the submission: versions, code inside the kernel, machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from grader.evidence.model import Environment, Limits, Piece, Profile
from grader.worker.forkserver import INSIDE

PACKAGES = (
    "torch", "torchvision", "tensorflow", "tensorflow-cpu", "keras", "jax", "numpy", "matplotlib", "pillow", "ipykernel",
)  # fmt: skip


def device() -> str:
    """``cuda`` devices by name where the system has them, else ``cpu``. CUDA is not initialised."""
    folder = Path("/proc/driver/nvidia/gpus")
    names = []
    if folder.is_dir():
        for information in sorted(folder.glob("*/information")):
            for line in information.read_text(errors="replace").splitlines():
                if line.startswith("Model:"):
                    names.append(line.split(":", 1)[1].strip())
    return "cuda: " + ", ".join(names) if names else "cpu"


@cache
def packages() -> dict[str, str]:
    """Installed versions of the libraries that a report should name."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    """Everything that a notebook could import: what it lacked may be installed by the next run."""
    return tuple(sorted({(d.name.lower(), d.version) for d in distributions() if d.name}))


@cache
def inside_digest() -> str:
    """Hash of all code that runs in or around the student's kernel."""
    digest = hashlib.sha256()
    for path in sorted([*INSIDE.glob("*.py"), *INSIDE.parent.glob("*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


@cache
def worker() -> str:
    """This machine in words: device, processor, cores that it may use, memory in whole GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**9
    return f"{device()}; {_processor()}; {len(os.sched_getaffinity(0))} cores; {memory} GB"


def fingerprint() -> str:
    """Hash of the machine as `worker` describes it: times measured on one do not hold for another."""
    return hashlib.sha256(worker().encode()).hexdigest()[:16]


def environment(threads: int) -> Environment:
    """This machine and its libraries, as the evidence records them."""
    return Environment(
        python=platform.python_version(),
        packages=packages(),
        device=device(),
        cpu=f"{platform.machine()}, {os.cpu_count()} cores",
        threads=threads,
    )


def key(pieces: Iterable[Piece], profile: Profile, limits: Limits, bundle_digest: str, seed: int) -> str:
    """The hash under which a run's evidence is kept: everything that could change it, and nothing else.

    Not the file's name, nor markdown, nor saved outputs; for runs, only code counts. The number of
    threads is left out: it follows from how many kernels run side by side.
    """
    parts = {
        "code": [[p.index, p.section, p.source] for p in pieces if p.kind == "code"],
        "profile": profile.value,
        "limits": limits.model_dump(),
        "bundle": bundle_digest,
        "seed": seed,
        "python": sys.version,
        "packages": _installed(),
        "device": device(),
        "inside": inside_digest(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
