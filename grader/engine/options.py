"""What a user may choose, with the defaults that most want."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UnknownRubric
from grader.evidence.marks import Trust
from grader.evidence.model import Limits, Profile
from grader.rubric.loader import load, load_all
from grader.rubric.model import Assignment
from grader.text.judge import Endpoint

LIMITS = {
    Profile.SMOKE: Limits(cell=120, question=150, notebook=300),
    Profile.FULL: Limits(cell=3_600, question=7_200, notebook=14_400, memory=24 * 2**30),
}
"""In ``smoke`` a whole notebook ends within five minutes on two cores."""


@dataclass(frozen=True)
class Options:
    """``rubrics`` is the folder of rubrics, ``rubric`` one file or id that overrides recognition.

    ``judge`` is asked for a second opinion on answers in words; none by default.
    """

    profile: Profile = Profile.SMOKE
    rubric: str | None = None
    rubrics: Path | None = None
    store: Path | None = None
    jobs: int = 0
    fresh: bool = False
    level: str = "namespaces"
    limits: Limits | None = None
    trust: Trust = Trust.OWN
    judge: Endpoint | None = None

    @property
    def bounds(self) -> Limits:
        return self.limits or LIMITS[self.profile]

    @property
    def workers(self) -> int:
        """Kernels side by side: one a core, unless said otherwise."""
        return self.jobs or max(1, len(os.sched_getaffinity(0)))

    def threads(self, kernels: int) -> int:
        """Threads of each of so many kernels, so that all together fill the cores."""
        return max(1, len(os.sched_getaffinity(0)) // max(1, min(self.workers, kernels)))


def rubrics_folder(named: Path | None) -> Path:
    """The folder named, else ``rubrics`` here, else the one that was installed with the package."""
    if named is not None:
        return named
    here = Path("rubrics")
    if here.is_dir():
        return here
    package = Path(__file__).resolve().parents[1]
    shipped = package / "shipped" / "rubrics"
    return shipped if shipped.is_dir() else package.parent / "rubrics"


def assignments(options: Options, *, references: bool = True) -> tuple[Assignment, ...]:
    """The rubrics to choose from: all of the folder, or the one that was named.

    Raises `UnknownRubric` for a name that is neither a file nor an id, `RubricError` for a wrong one.
    """
    if options.rubric is not None:
        path = Path(options.rubric)
        if path.suffix in (".yaml", ".yml"):
            if not path.is_file():
                raise UnknownRubric(
                    "no such rubric", where=options.rubric, todo="name a rubric file, or its id"
                )
            return (load(path, check_references=references),)
    folder = rubrics_folder(options.rubrics)
    found = load_all(folder, check_references=references)
    if options.rubric is None:
        return found
    chosen = tuple(a for a in found if a.id == options.rubric)
    if not chosen:
        known = ", ".join(a.id for a in found)
        raise UnknownRubric(
            f"no rubric has the id {options.rubric!r}", where=str(folder), todo=f"known: {known}"
        )
    return chosen
