"""Failures that are a matter of versions: code that ran when it was written, with the libraries of that time.

Saved outputs are the student's word, so they never earn a mark; but where they show that a cell ran, and what
stops it here is something that a library once had, a person must look.
"""

from __future__ import annotations

import re

from grader.checks.base import Case
from grader.checks.source import statements
from grader.evidence.model import Failure, Piece, PieceRun

LIBRARIES = (
    "keras", "tensorflow", "tensorflow_datasets", "torch", "torchvision", "numpy", "matplotlib", "PIL", "scipy",
    "sklearn", "pandas", "seaborn", "cv2", "skimage", "torchsummary", "torchinfo", "torchviz",
)  # fmt: skip
_OF = "|".join(LIBRARIES)
_GONE = re.compile(
    rf"No module named '(?:{_OF})\.|cannot import name '\w+' from '(?:{_OF})\b|module '(?:{_OF})\b[\w.]*' has no attribute"
)
"""A name that a library no longer has: nothing of the student's own can be meant."""
_OBJECT = re.compile(r"'(\w+)' object has no attribute|^(\w+)(?:\.\w+)*\(\) |type object '(\w+)'")
_OLD = re.compile(
    r"[Uu]nrecognized keyword|unexpected keyword|no longer|not supported|deprecated|removed|must end in"
    r"|Invalid filepath|KerasTensor cannot be used|invalid index of a 0-dim|Weights only load failed|[Uu]nknown argument"
)
_FRAME = re.compile(r"^File (\S+?)(?::\d+)", re.M)
_PLACE = re.compile(rf"(?:site|dist)-packages/({_OF})\b")


def changed_library(case: Case, run: PieceRun, failure: Failure) -> str:
    """The remark where the failure is a library's change and the notebook's own outputs speak for the cell;
    empty where it is not, or nothing speaks for it."""
    piece = case.pieces[run.piece]
    library = _library(failure)
    version = _version(case, library)
    gone = failure.name == "ModuleNotFoundError" and _GONE.search(failure.message)
    if gone and not version:  # it is not installed at all
        return ""
    if not gone and not (_of_a_library(case, failure) and ran_before(case, piece)):
        return ""
    here = f" {library} {version}" if version else ""
    if ran_before(case, piece):
        return f"It ran in the saved notebook, and fails here inside the library{here}."
    return f"The library{here} has no such name; an older one had it, or it never was."


def _of_a_library(case: Case, failure: Failure) -> bool:
    """Whether a library refuses a name, an argument or a use that an older version of it may have known."""
    if _GONE.search(failure.message):
        return True
    if failure.name in ("AttributeError", "TypeError") and (m := _OBJECT.search(failure.message)):
        own = m[1] or m[2] or m[3]
        return not any(re.search(rf"\b(?:class|def)\s+{own}\b", p.source) for p in case.pieces)
    inside = bool(_library(failure))
    if failure.name in ("AttributeError", "TypeError", "ImportError"):
        return inside
    return (inside or "0-dim tensor" in failure.message) and bool(_OLD.search(failure.message))


def _version(case: Case, library: str) -> str:
    installed = case.execution.environment.packages if case.execution is not None else {}
    return installed.get(library) or installed.get(f"{library}-cpu") or ""


def _library(failure: Failure) -> str:
    """The library whose code raised it, or that the message names."""
    frames = _FRAME.findall(failure.traceback)
    if frames and (m := _PLACE.search(frames[-1])):
        return m[1]
    if m := re.search(rf"(?:module|named|from) '({_OF})\b", failure.message):
        return m[1]
    return ""


def ran_before(case: Case, piece: Piece) -> bool:
    """Whether the saved notebook shows that the cell ran to its end: by an output of its own without an error, or,
    where it prints nothing, by that of a later cell that uses what it makes."""
    own = _saved(case, piece.cell)
    if own:
        return not _failed(own)
    made = {n for s in statements([piece]) for n in s.binds}
    for later in case.pieces[piece.index + 1 :]:
        if later.kind == "code" and (said := _saved(case, later.cell)) and not _failed(said):
            names = {n for s in statements([later]) for n in s.reads}
            if made & names:
                return True
    return False


def _saved(case: Case, cell: int) -> str:
    return "".join(p.saved_output for p in case.pieces if p.cell == cell)


def _failed(output: str) -> bool:
    return bool(re.search(r"Traceback|^\w*(?:Error|Exception|Interrupt)\b:?", output, re.M))
