"""The key under which evidence is kept changes with what could change a run, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import code

from grader.evidence.model import Limits, Piece, Profile
from grader.worker import environment, forkserver

PIECES = code("x = 1", "print(x)")


def key(
    pieces: list[Piece] = PIECES,
    profile: Profile = Profile.SMOKE,
    limits: Limits | None = None,
    bundle: str = "a",
) -> str:
    return environment.key(pieces, profile, limits or Limits(), bundle, 0)


def test_code_order_profile_limits_and_bundle_change_it() -> None:
    keys = {
        key(),
        key(code("x = 2", "print(x)")),
        key(code("print(x)", "x = 1")),
        key(profile=Profile.FULL),
        key(limits=Limits(cell=1)),
        key(bundle="b"),
        environment.key(PIECES, Profile.SMOKE, Limits(), "a", 1),
    }
    assert len(keys) == 7


def test_prose_saved_output_and_cell_numbers_do_not() -> None:
    prose = Piece(index=2, cell=7, kind="markdown", source="An answer.")
    changed = [p.model_copy(update={"saved_output": "42", "cell": p.cell + 3}) for p in PIECES]
    assert key() == key([*PIECES, prose]) == key(changed)


def test_the_code_inside_the_kernel_changes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    inside = tmp_path / "worker" / "inside"
    inside.mkdir(parents=True)
    for path in forkserver.INSIDE.glob("*.py"):
        (inside / path.name).write_bytes(path.read_bytes())
    for path in forkserver.INSIDE.parent.glob("*.py"):
        (inside.parent / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(environment, "INSIDE", inside)
    environment.inside_digest.cache_clear()
    try:
        assert key() == before
        (inside / "kernel.py").write_text("# changed")
        environment.inside_digest.cache_clear()
        assert key() != before
    finally:
        environment.inside_digest.cache_clear()


def test_a_package_installed_since_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that failed for want of it must not be taken from the store."""
    before = key()
    monkeypatch.setattr(environment, "_installed", lambda: (("timm", "1.0"),))
    assert key() != before
