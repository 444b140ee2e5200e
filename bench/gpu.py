"""The references of all coding questions in profile ``full`` on this machine's GPU: accuracy, time, GPU use.

    uv run python bench/gpu.py [--rubric ID] [--jobs 4]

Goes through the worker, as submissions do, and needs no package index. Several kernels share a GPU. Data
comes from the cache (`grade data list`); accuracy is printed only where real, held-out images are there.
Where there is no GPU it says so and ends with status 0: nothing was measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from rich.console import Console

from grader.console import Bars, calibrated
from grader.engine import Options, calibrate
from grader.evidence.model import Profile
from grader.worker import environment, gpu

QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]


class Use:
    """Samples of utilisation (percent) and memory (MiB), summed over GPUs, once a second."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Use:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            try:
                text = subprocess.run(QUERY, capture_output=True, text=True, timeout=20, check=True).stdout
                rows = [tuple(map(int, line.split(","))) for line in text.splitlines() if line.strip()]
            except (OSError, ValueError, subprocess.SubprocessError):
                continue
            self.samples.append((sum(r[0] for r in rows), sum(r[1] for r in rows)))

    def words(self) -> str:
        if not self.samples:
            return "GPU use: not known (nvidia-smi gave none)"
        use, memory = zip(*self.samples, strict=True)
        mean = sum(use) / len(use)
        return f"GPU use: {mean:.0f} % on average, {max(use)} % at most; memory {max(memory):,} MiB at most"


def main() -> int:
    """Prints a table of the references, and the GPU's use over all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rubric", default=None, help="one assignment; else all")
    parser.add_argument("--jobs", type=int, default=4, help="kernels side by side")
    given = parser.parse_args()
    if not gpu.devices():
        print("No GPU here: nothing was measured.")
        return 0
    print(environment.worker())
    with tempfile.TemporaryDirectory(prefix="grade-bench-") as store, Use() as use:
        options = Options(Profile.FULL, rubric=given.rubric, store=Path(store), jobs=given.jobs)
        with Bars(Console(stderr=True)) as bars:
            found = calibrate(options, bars, seeds=1)
    calibrated(found, Console())
    print(use.words())
    return 0


if __name__ == "__main__":
    sys.exit(main())
