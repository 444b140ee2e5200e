"""How the answer's code ran, and whose fault it is where it did not.

The line between the two faults is the grader's honesty: what stopped a student's code may be a package
that this worker lacks. A cause that may be either's is ``UNSETTLED`` and goes to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum

from grader.checks.base import Case, Criterion, Quote, Verdict, lost, review, ungraded
from grader.checks.source import binding_piece, line_of, parse, statements, weight
from grader.checks.versions import changed_library
from grader.evidence.model import Failure, Piece, PieceRun, RunState


class Fault(IntEnum):
    """Whose, the gravest for us last, so that ``max`` picks what spares the student most."""

    THEIRS = 0
    UNSETTLED = 1
    OURS = 2


@dataclass(frozen=True)
class Obstacle:
    """What stopped a piece, in words that a student understands."""

    fault: Fault
    words: str
    piece: int | None = None
    quotes: tuple[Quote, ...] = ()


def place(case: Case, piece: int | None) -> str:
    """A piece as a person counts cells: from 1."""
    return (
        f"cell {case.pieces[piece].cell + 1}" if piece is not None and piece < len(case.pieces) else "a cell"
    )


# ---------------------------------------------------------------- one failure

_NETWORK = re.compile(
    r"URLError|HTTPError|ConnectionError|ConnectTimeout|ReadTimeout|SSLError|MaxRetryError|gaierror|NewConnectionError"
    r"|Name or service not known|Temporary failure in name resolution|Network is unreachable"
    r"|Failed to resolve|Max retries exceeded|URL fetch failure|nodename nor servname",
)
_MEMORY = ("MemoryError", "OutOfMemoryError", "ResourceExhaustedError")
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_WANTED = re.compile(
    r"(?:must|need to|[Pp]lease|[Tt]ry to) (?:pip )?install [`'\"]?([\w-]+)|Missing optional dependency '([\w.]+)'"
    r"|[`'\"]?\b([\w-]+)[`'\"]? (?:is not installed|is required)|requires (?:the )?[`'\"]?([\w-]+)[`'\"]? (?:package|library)"
)
"""A library that lacks another one, which it needs for this alone."""
_GPU = re.compile(r"\b(?:CUDA|cuda|GPU|NVIDIA|Nvidia|MPS|mps)\b")
_NO_NAME = re.compile(r"name '(\w+)' is not defined")

INSTALLS = {
    **dict.fromkeys(("tensorflow", "keras", "tensorflow_datasets"), "pip install 'grader[keras]'"),
    "jax": "pip install jax",
}
"""What an instructor runs once, so that notebooks in Keras can be graded, under any backend."""


def fault_of(case: Case, run: PieceRun, failure: Failure) -> tuple[Fault, str]:
    """Whose fault an exception is, and a remark that says why where it is not simply theirs."""
    text = f"{failure.name}: {failure.message}"
    if remark := changed_library(case, run, failure):
        return Fault.UNSETTLED, remark
    if (m := _NO_MODULE.search(failure.message)) and failure.name in ("ModuleNotFoundError", "ImportError"):
        package = m[1].split(".")[0]
        command = f" `{INSTALLS[package]}` installs it." if package in INSTALLS else ""
        return Fault.OURS, f"The package `{package}` is not installed on this worker.{command}"
    if failure.name == "ImportError" and (m := _WANTED.search(failure.message)):
        return Fault.OURS, f"The package `{next(filter(None, m.groups()))}` is not installed on this worker."
    if failure.name in ("ExecutableNotFound", "TBNotInstalledError", "DotExecutableNotFound"):
        program = "TensorBoard" if failure.name.startswith("TB") else "Graphviz"
        return Fault.OURS, f"{program} is not installed on this worker."
    if _wants_gpu(case, run, failure):
        return Fault.UNSETTLED, "There is no GPU on this worker."
    if _NETWORK.search(text) or _NETWORK.search(failure.traceback.rsplit("\n", 3)[-1]):
        return Fault.OURS, "The sandbox has no network."
    if failure.name in _MEMORY or "out of memory" in failure.message.lower():
        return Fault.UNSETTLED, "Memory ran out under this worker's limit."
    if (
        failure.name in ("FileNotFoundError", "NotADirectoryError")
        or "No such file or directory" in failure.message
    ):
        if "FileNotFoundError" in case.pieces[run.piece].saved_output:
            return Fault.THEIRS, "It was missing when the notebook was saved, too."
        return Fault.UNSETTLED, "The file is not among what the assignment provides."
    if failure.name == "KeyboardInterrupt":
        return Fault.OURS, "The run was interrupted."
    return Fault.THEIRS, ""


def _wants_gpu(case: Case, run: PieceRun, failure: Failure) -> bool:
    """Whether the code gives up because there is no GPU, by torch's word or by its own."""
    if case.execution is None or case.execution.environment.device != "cpu":
        return False
    line = line_of(case.pieces[run.piece], failure.line) if failure.line else ""
    asks = "is_available" in line or "list_physical_devices" in line or "gpu_device_name" in line
    return failure.name not in ("NameError", "SyntaxError") and (asks or bool(_GPU.search(failure.message)))


def error_quotes(case: Case, run: PieceRun) -> tuple[Quote, ...]:
    """The error's message, and the line that raised it."""
    if run.failure is None:
        return ()
    failure = run.failure
    quotes = [
        Quote(
            text=f"{failure.name}: {_first_line(failure.message)}",
            piece=run.piece,
            line=failure.line,
            about="error",
        )
    ]
    if failure.line and (line := line_of(case.pieces[run.piece], failure.line)):
        quotes.append(Quote(text=line, piece=run.piece, line=failure.line, about="code"))
    return tuple(quotes)


def _first_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    line = lines[0] if lines else ""
    return line if len(line) <= 300 else line[:297] + "…"


# ---------------------------------------------------------------- one piece


def piece_obstacle(case: Case, piece: Piece, _depth: int = 0) -> Obstacle | None:
    """What stopped one code piece; None if it ran to its end. Root causes are followed through names."""
    assert case.execution is not None
    run = next((r for r in case.execution.runs if r.piece == piece.index and not r.replayed), None)
    here = place(case, piece.index)
    if run is None:
        return Obstacle(Fault.OURS, f"{here.capitalize()} was not run.", piece.index)
    if run.state is RunState.OK:
        return None
    if run.state is RunState.SKIPPED:
        why = run.note.removeprefix("not run: ") or "it was skipped"
        return Obstacle(Fault.OURS, f"{here.capitalize()} was not run: {why}.", piece.index)
    if run.state is RunState.LIMIT:
        why = run.note or f"after {run.seconds:.0f} s"
        return Obstacle(
            Fault.OURS, f"Our limit ended {here} ({why}); that is not counted against it.", piece.index
        )
    if run.state is RunState.DIED:
        why = f" ({run.note})" if run.note else ""
        return Obstacle(Fault.UNSETTLED, f"The kernel died or hung in {here}{why}.", piece.index)
    failure = run.failure or Failure(name="error", message="it failed without a message")
    if (m := _NO_NAME.search(failure.message)) and failure.name == "NameError" and _depth < 20:
        maker = binding_piece(case.pieces, m[1], piece.index)
        made = piece_obstacle(case, maker, _depth + 1) if maker else None
        if maker and made:
            words = f"{here.capitalize()} needs `{m[1]}` of {place(case, maker.index)}. {made.words}"
            return Obstacle(made.fault, words, piece.index, error_quotes(case, run) + made.quotes)
        if maker and run.kernel > min(
            (r.kernel for r in case.execution.runs if r.piece == maker.index), default=0
        ):
            words = (
                f"{here.capitalize()} needs `{m[1]}` of {place(case, maker.index)}, lost when a kernel died."
            )
            return Obstacle(Fault.OURS, words, piece.index, error_quotes(case, run))
    fault, remark = fault_of(case, run, failure)
    words = f"{here.capitalize()} failed with {failure.name}: {_first_line(failure.message)}."
    return Obstacle(
        fault,
        " ".join(filter(None, (words.replace("..", "."), remark))),
        piece.index,
        error_quotes(case, run),
    )


def redone(case: Case, piece: Piece) -> Piece | None:
    """A later piece of the answer that ran and does this one's work again, if there is one."""
    names = {n for s in statements([piece]) for n in s.binds}
    ok = {r.piece for r in case.runs if r.state is RunState.OK}
    for later in case.code:
        if later.index <= piece.index or later.index not in ok:
            continue
        theirs = {n for s in statements([later]) for n in s.binds}
        if names and names <= theirs and not parse(piece.source).problem:
            return later
        if SequenceMatcher(None, piece.source, later.source, autojunk=False).ratio() > 0.7:
            return later
    return None


# ---------------------------------------------------------------- the answer


def nothing_ran(case: Case) -> Obstacle | None:
    """Why no evidence of a run can exist at all."""
    if case.execution is None:
        return Obstacle(Fault.OURS, "The notebook has not been run.")
    if case.execution.state != "complete":
        why = f" ({case.execution.reason})" if case.execution.reason else ""
        return Obstacle(Fault.OURS, f"The worker failed{why}; that is not the submission's fault.")
    return None


def obstacles(case: Case) -> tuple[Obstacle, ...]:
    """What stopped pieces of the answer that nothing later made good, in order."""
    if stop := nothing_ran(case):
        return (stop,)
    if not any(weight(p) for p in case.code):
        fenced = any("```" in p.source for p in case.prose)
        words = "No code was found for this question."
        if fenced:
            return (Obstacle(Fault.UNSETTLED, f"{words} Code in a text cell is not run."),)
        return (Obstacle(Fault.THEIRS, words),)
    found: Iterable[Obstacle | None] = (
        None if redone(case, p) else piece_obstacle(case, p) for p in case.code if weight(p)
    )
    return tuple(o for o in found if o is not None)


def absent(c: Criterion, case: Case, what: str, *, suggestion: float = 0.0, private: str = "") -> Verdict:
    """The verdict when ``what`` was looked for in the fresh run and is not there: why not decides.

    ``what`` is a noun phrase without its article: "trained model", "figure with two curves".
    """
    found = obstacles(case)
    if not found:
        return lost(c, f"The code ran, and there was no {what} in it.", private=private)
    worst = max(found, key=lambda o: o.fault)
    quotes = worst.quotes
    if worst.fault is Fault.THEIRS and worst.piece is None:
        return lost(c, worst.words, private=private)
    if worst.fault is Fault.OURS:
        return ungraded(
            c,
            f"Could not be judged: no {what} was seen. {worst.words}",
            quotes=quotes,
            private=private,
        )
    if worst.fault is Fault.UNSETTLED:
        return review(c, suggestion, f"There was no {what}. {worst.words}", quotes=quotes, private=private)
    return lost(c, f"There was no {what}. {worst.words}", quotes=quotes, private=private)
