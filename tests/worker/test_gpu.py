"""How kernels share GPUs; what needs none is tested everywhere, the rest only where there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.worker.gpu import Share, devices, share


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "information").write_text("Model: \t A GPU\n")
    return tmp_path


def test_gpus_are_found_without_opening_cuda(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices(driver) == ("0", "1")
    assert devices(driver / "nowhere") == ()


@pytest.mark.parametrize(("named", "found"), [("1", ("1",)), ("", ()), ("-1", ()), ("0, 1", ("0", "1"))])
def test_gpus_that_were_taken_away_are_not_given(
    driver: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert devices(driver) == found


def test_kernels_side_by_side_share_the_memory_and_take_turns() -> None:
    shares = [share(n, 4, ("0", "1")) for n in range(5)]
    assert [s.device for s in shares if s] == ["0", "1", "0", "1", "0"]
    assert {s.memory for s in shares if s} == {0.45}  # two on each
    assert share(0, 1, ("0",)) == Share(device="0", memory=0.9)
    assert share(0, 4, ()) is None


ASKS = """
import sys, torch
sys.path.insert(0, {root!r})
from grader.worker.inside import kernel
kernel._limit_gpu(0.25)
assert not torch.cuda.is_initialized()
if torch.cuda.is_available():
    x = torch.zeros(8, device="cuda")
    free, whole = torch.cuda.mem_get_info()
    try:
        torch.empty(int(whole * 0.5), dtype=torch.uint8, device="cuda")
    except torch.cuda.OutOfMemoryError:
        print("refused")
else:
    print(len(torch.cuda._queued_calls) and "waits")
"""


def test_a_share_does_not_open_cuda_before_the_notebook_does() -> None:
    """Where there is a GPU, half of its memory is refused to who may take a quarter."""
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        [sys.executable, "-c", ASKS.format(root=root)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() in ("refused", "waits")
