"""Which piece answers which question: a hidden Markov model over the pieces of a submission.

Its states are the questions and, after each question, "none of them" (so that it is remembered where
the author was). What a piece says votes for a state (`votes`); labels vote too; and order speaks
through the transitions: a piece without a sign of a new beginning stays with its question, a new
beginning goes on to the next, may skip, and may, rarely, go back. The best path (Viterbi) gives each
question its pieces; forward-backward gives the probability of that, which is the confidence that the
report shows (Rabiner 1989, "A tutorial on hidden Markov models", equations 19 to 35, with
log-linear potentials).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from grader.evidence.model import Piece
from grader.submission.model import Alignment, Answer, Submission
from grader.submission.votes import (
    Array,
    AssignmentLike,
    Look,
    Vocabulary,
    label_votes,
    look,
    votes,
)

NEVER = -60.0

BACK = 2.5
"""Log-odds against going back to an earlier question at a new beginning."""


def align(submission: Submission, assignment: AssignmentLike) -> Alignment:
    """Give each question of ``assignment`` its pieces, with how sure that is and why.

    Every question gets an `Answer`, in the assignment's order. One without pieces has the
    probability that it was left out as its confidence.
    """
    return aligned(submission.pieces, [look(p) for p in submission.pieces], assignment)


def aligned(pieces: Sequence[Piece], looks: Sequence[Look], assignment: AssignmentLike) -> Alignment:
    """`align` for pieces that were looked at already."""
    questions = assignment.questions
    n = len(questions)
    vocabulary = Vocabulary(questions)
    if not pieces:
        none = tuple(Answer(question=q.id, confidence=1.0, why="the submission is empty") for q in questions)
        return Alignment(assignment=assignment.id, answers=none, fit=0.0)
    content = votes(pieces, looks, vocabulary)
    labels = label_votes(looks, n)
    emissions = np.hstack([content + labels, np.zeros((len(pieces), n + 1))])
    emissions[:, n:] += np.array([0.8 if s.imports_only else 0.0 for s in looks])[:, None]
    if not (looks[0].firm or looks[0].asking):
        emissions[0, n:] += 1.2  # a title, a name, a date
    start, steps = _transitions(pieces, looks, n)
    path = _viterbi(start, steps, emissions)
    posterior, total = _posterior(start, steps, emissions)
    worded = np.array([0.0 if s.alone else 1.0 for s in looks])  # "Q7" alone says nothing of its own
    alone = _by_content_alone(content + labels * worded[:, None])
    sizes = np.array([s.size for s in looks])

    answers = []
    for j, question in enumerate(questions):
        mine = tuple(t for t in range(len(pieces)) if path[t] == j)
        if mine:
            confidence = _agreement(posterior[:, j], sizes, mine)
            why = _why(j, mine, looks, vocabulary, path)
        else:
            confidence = math.exp(min(0.0, _total_without(j, start, steps, emissions) - total))
            # a part that by itself speaks for it is not argued away by order: a zero would hang on that
            confidence = min(confidence, 1.0 - float(alone[:, j].max()))
            why = "no part of the submission speaks for this question"
            if confidence < 0.8:
                best = int(np.argmax(np.maximum(alone[:, j], posterior[:, j])))
                why = f"nothing was taken for it, but cell {pieces[best].cell + 1} might be"
        answers.append(
            Answer(question=question.id, pieces=mine, confidence=round(min(1.0, confidence), 4), why=why)
        )
    return Alignment(
        assignment=assignment.id, answers=tuple(answers), fit=round(_fit(pieces, looks, content, path, n), 4)
    )


def _by_content_alone(table: Array) -> Array:
    """Probability of each question for each piece, its place left out."""
    odds = np.exp(np.hstack([table, np.zeros((len(table), 1))]))
    share: Array = (odds / odds.sum(axis=1, keepdims=True))[:, :-1]
    return share


def _agreement(mass: Array, sizes: Array, mine: tuple[int, ...]) -> float:
    """Expected share of the answer that is right: mass on its pieces over that and mass elsewhere."""
    chosen = np.zeros(len(mass), dtype=bool)
    chosen[list(mine)] = True
    taken = float((sizes * mass)[chosen].sum())
    return taken / (float(sizes[chosen].sum()) + float((sizes * mass)[~chosen].sum()))


# ---------------------------------------------------------------- transitions


def _transitions(pieces: Sequence[Piece], looks: Sequence[Look], n: int) -> tuple[Array, Array]:
    """Log-probabilities: of the first state, and from state to state before each later piece."""
    start = np.full(2 * n + 1, NEVER)
    start[:n] = -0.25 * np.arange(n)
    start[n] = 0.0  # preamble
    start -= logsumexp(start)
    steps = np.zeros((max(len(pieces) - 1, 0), 2 * n + 1, 2 * n + 1))
    made: dict[tuple[float, float, float], Array] = {}
    latest: int | None = None
    numbers = {s.label.number for s in looks if s.label and s.firm}
    labelling = 3.5 * min(1.0, 1.2 * len(numbers) / n)  # who labels questions does not begin one without
    for t in range(len(pieces)):
        label = looks[t].label
        repeated = label is not None and label.number == latest
        if label is not None and looks[t].firm:
            latest = label.number
        if t:
            stay, go, none = _costs(pieces[t - 1], pieces[t], looks[t - 1], looks[t], repeated)
            if not looks[t].firm:
                go, none = go + labelling, none + labelling / 2
            costs = stay, go, none
            if costs not in made:
                made[costs] = _step(n, *costs)
            steps[t - 1] = made[costs]
    return start, steps


def _costs(before: Piece, now: Piece, past: Look, seen: Look, repeated: bool) -> tuple[float, float, float]:
    """How dear it is to stay with the question, to go on to another, and to none, before this piece."""
    label = seen.label
    if label and label.strong:
        if repeated:
            return (0.3, 0.7, 4.0) if not label.answer else (0.0, 4.0, 4.0)
        return 3.0, 0.1, 3.0
    if label and seen.firm:
        return 1.0, 0.5, 3.0
    if label:
        return 0.1, 2.5, 4.0
    if past.heading and len(past.words) < 12 and not seen.asking:
        return 0.0, 4.5, 4.0  # a heading just before says what this is
    if seen.heading or seen.asking:
        return 0.5, 1.2, 2.0
    if now.kind == "markdown":
        if before.kind == "code":
            return 0.1, 1.8, 3.5
        return (0.1, 2.2, 3.5) if before.cell != now.cell else (0.0, 3.5, 3.5)
    if before.kind == "markdown":
        return 0.0, 3.0, 3.5
    return (0.2, 1.8, 3.0) if seen.imports_only else (0.1, 2.6, 3.5)


def _step(n: int, stay: float, go: float, none: float) -> Array:
    """Rows are where we are: question 0…n-1, or n + i, "none" with i questions behind."""
    step = np.full((2 * n + 1, 2 * n + 1), NEVER)
    to = np.arange(n)

    def ahead(last: int) -> Array:
        away: Array = np.where(to > last, 0.7 * (to - last - 1), BACK + 0.1 * (last - to))
        return away

    for i in range(n):
        step[i, :n] = -(go + ahead(i))
        step[i, i] = -stay
        step[i, n + i + 1] = -none
    for i in range(n + 1):
        step[n + i, :n] = -(0.4 + go * 0.4 + ahead(i - 1))
        if i:
            step[n + i, i - 1] = -(1.0 + stay)  # back to the question that was left
        step[n + i, n + i] = -0.4
    normalised: Array = step - logsumexp(step, axis=1, keepdims=True)
    return normalised


# ---------------------------------------------------------------- inference


def _viterbi(start: Array, steps: Array, emissions: Array) -> list[int]:
    score = start + emissions[0]
    back: list[Array] = []
    for step, emission in zip(steps, emissions[1:], strict=True):
        through = score[:, None] + step
        back.append(np.argmax(through, axis=0))
        score = through.max(axis=0) + emission
    path = [int(np.argmax(score))]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]


def _forward(start: Array, steps: Array, emissions: Array) -> Array:
    alphas = np.empty_like(emissions)
    alphas[0] = start + emissions[0]
    for t, step in enumerate(steps, start=1):
        alphas[t] = _times(alphas[t - 1], step) + emissions[t]
    return alphas


def _times(log_row: Array, log_matrix: Array) -> Array:
    """log(exp(row) @ exp(matrix)), stable enough as a row's best entries decide."""
    top = log_row.max()
    result: Array = np.log(np.exp(log_row - top) @ np.exp(log_matrix) + 1e-300) + top
    return result


def _posterior(start: Array, steps: Array, emissions: Array) -> tuple[Array, float]:
    alphas = _forward(start, steps, emissions)
    betas = np.zeros_like(emissions)
    for t in range(len(steps) - 1, -1, -1):
        betas[t] = _times(betas[t + 1] + emissions[t + 1], steps[t].T)
    joint = alphas + betas
    total = float(logsumexp(alphas[-1]))
    posterior: Array = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    return posterior, total


def _total_without(j: int, start: Array, steps: Array, emissions: Array) -> float:
    without = emissions.copy()
    without[:, j] = -300.0
    return float(logsumexp(_forward(start, steps, without)[-1]))


# ---------------------------------------------------------------- words and fit


def _why(
    j: int, mine: tuple[int, ...], looks: Sequence[Look], vocabulary: Vocabulary, path: list[int]
) -> str:
    """What spoke for the match, in words a student understands."""
    said: list[str] = []
    labels = [label for t in mine if (label := looks[t].label) and looks[t].firm]
    if labels:
        slipped = "" if labels[0].number == j + 1 else f", although it is question {j + 1}"
        said.append(f"labelled “{labels[0]}”{slipped}")
    words = vocabulary.common(j, [w for t in mine for w in looks[t].head])
    if words:
        said.append("its wording (" + ", ".join(words) + ")")
    signs = dict.fromkeys(s for t in mine for s in vocabulary.found_signs(j, looks[t].compacts))
    if signs:
        said.append("names " + ", ".join(vocabulary.signs[j][s] for s in list(signs)[:4]))
    n = len(vocabulary.questions)
    earlier = next((s for s in reversed(path[: mine[0]]) if s < n), None)
    if earlier is not None and earlier == j - 1:
        said.append(f"it comes after the answer to question {j}")
    elif earlier is not None and earlier > j:
        said.append(f"it comes after the answer to question {earlier + 1}, out of order")
    return "; ".join(said) or "its place alone"


STRONG_VOTE = 7.0
"""Log-odds by content at which a piece counts as surely about a question."""


def _fit(pieces: Sequence[Piece], looks: Sequence[Look], content: Array, path: list[int], n: int) -> float:
    """How well the submission fits: by questions that are met, and by parts that meet one.

    Labels and order do not count: every assignment has a question 1.
    """
    met = np.zeros(n)
    parts: list[float] = []
    for t, state in enumerate(path):
        if state < n:
            strength = float(np.clip(content[t, state] / STRONG_VOTE, 0.0, 1.0))
            met[state] = max(met[state], strength)
    opens = [t for t in range(len(path)) if t == 0 or path[t] != path[t - 1]]
    for a, b in zip(opens, [*opens[1:], len(path)], strict=True):
        if path[a] == n:
            continue  # a title, a name, imports: before the first answer
        size = sum(looks[t].size for t in range(a, b))
        state = path[a]
        best = float(np.clip(content[a:b, state].max() / STRONG_VOTE, 0.0, 1.0)) if state < n else 0.0
        parts += [best] * max(1, round(size / 10))
    return float((met.mean() + np.mean(parts or [0.0])) / 2)
