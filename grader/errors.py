"""Every exception that the grader raises on purpose, in one tree.

::

    GraderError
     ├─ UsageError            what was asked for cannot be done as asked        exit 2
     │   ├─ NoSubmissions     nothing matched
     │   ├─ DuplicateFile     one file named twice
     │   └─ UnknownRubric     no such rubric, or several fit equally
     ├─ RubricError           a rubric or its reference is wrong                exit 3
     ├─ OutputError           the report folder or the store cannot be written  exit 4
     ├─ WorkerError           kernels cannot be started at all                  exit 5
     ├─ ResourceError         a data set or a weight file is missing or broken  exit 6
     └─ SubmissionError       one submission cannot be read; the batch goes on

Each message says what happened, where, and what to do. `grade verify` uses exit code 1 for "ran,
and a reference did not earn full marks", so that "found something" and "broke" never look alike.
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of all; ``exit_code`` is what the command line returns for it."""

    exit_code = 10

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        """``what`` happened, ``where`` (a file, a line), and what ``todo`` about it."""
        self.what, self.where, self.todo = what, where, todo
        super().__init__(": ".join(p for p in (where, what) if p) + (f"  ({todo})" if todo else ""))


class UsageError(GraderError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class NoSubmissions(UsageError):
    """No file matched."""


class DuplicateFile(UsageError):
    """One file was named twice."""


class UnknownRubric(UsageError):
    """No rubric of that name, or several rubrics fit a submission equally well."""


class RubricError(GraderError):
    """A rubric, or the reference that it names, is wrong."""

    exit_code = 3


class OutputError(GraderError):
    """The report folder or the evidence store cannot be written."""

    exit_code = 4


class WorkerError(GraderError):
    """Kernels cannot be started at all; no submission is to blame."""

    exit_code = 5


class ResourceError(GraderError):
    """A data set or a weight file is missing or broken."""

    exit_code = 6


class SubmissionError(GraderError):
    """One submission cannot be read. It is reported as unreadable and the batch goes on."""

    exit_code = 7
