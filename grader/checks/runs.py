"""``runs``: the answer's code runs without an error."""

from __future__ import annotations

import ast

from grader.checks.base import Case, Check, Criterion, Quote, Verdict, earned, lost, partial, review, ungraded
from grader.checks.ran import Fault, absent, nothing_ran, piece_obstacle, place, redone
from grader.checks.source import statements, weight
from grader.evidence.model import RunState

_IDLE = (ast.Import, ast.ImportFrom, ast.Pass)


class Runs(Criterion):
    """No keys of its own: every cell of the answer counts, by its number of statements."""

    def title(self) -> str:
        return self.says or "the code runs without an error"


def judge(c: Runs, case: Case) -> Verdict:
    """The share of the answer's statements that stand in cells that ran to their end.

    Cells ended by our limit count half in a review; cells stopped by our surroundings leave it ungraded.
    """
    pieces = [p for p in case.code if weight(p)]
    if nothing_ran(case) or not pieces:
        return absent(c, case, "code that ran")
    runs = {r.piece: r for r in case.runs}
    total = ran = half = 0
    words: list[str] = []
    quotes: list[Quote] = []
    faults: list[Fault] = []
    for piece in pieces:
        again = redone(case, piece)
        stop = piece_obstacle(case, piece)
        if stop and again:
            here, there = place(case, piece.index).capitalize(), place(case, again.index)
            words.append(f"{here} failed and is done again in {there}.")
            continue
        total += weight(piece)
        if stop is None:
            ran += weight(piece)
            continue
        words.append(stop.words)
        quotes += stop.quotes
        faults.append(stop.fault)
        if (run := runs.get(piece.index)) and run.state is RunState.LIMIT:
            half += weight(piece)
    figures = {
        "statements": total,
        "ran": ran,
        "cells": len(pieces),
        "seconds": round(sum(r.seconds for r in case.runs), 2),
    }
    more = {"evidence": figures, "quotes": tuple(quotes)}
    if not faults:
        if all(isinstance(s.node, _IDLE) for s in statements(pieces)):
            return lost(c, "The code only imports; it does nothing that could answer the question.", **more)
        count = "The cell" if len(pieces) == 1 else f"All {len(pieces)} cells"
        return earned(c, " ".join([f"{count} ran to the end.", *words]), **more)
    said = " ".join(dict.fromkeys(words))
    worst = max(faults)
    share = ran / total if total else 0.0
    if worst is Fault.OURS and half:
        return review(c, round(4 * c.marks * (ran + half / 2) / total) / 4, said, **more)
    if worst is Fault.OURS:
        return ungraded(c, said, **more)
    if worst is Fault.UNSETTLED:
        return review(c, round(4 * c.marks * share) / 4, said, **more)
    return partial(c, share, said, **more)


CHECK = Check(kind="runs", criterion=Runs, judge=judge)
