"""Evidence, rubric and reference -> marks. Pure: it runs nothing and opens no file."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from grader.checks.base import Case, Check, Criterion, State, Table, Verdict, registered, review, ungraded
from grader.checks.claims import claim_table
from grader.checks.curves import shown_curves
from grader.checks.mistakes.registry import found
from grader.evidence.calibration import Calibration
from grader.evidence.model import Execution, PieceRun, Profile
from grader.results import CellRef, CriterionResult, Curve, QuestionResult, SubmissionResult
from grader.rubric.model import Assignment, Question
from grader.submission.model import UNSURE, Alignment, Answer, Submission
from grader.text.beside import NOTHING, Beside

OUTPUT_SHOWN = 6_000
"""Characters of a cell's text output that a report shows: the first and the last half of them."""


def case_for(
    question: Question,
    submission: Submission,
    answer: Answer,
    execution: Execution | None,
    *,
    profile: Profile,
    reference: Case | None = None,
    labels: Mapping[str, tuple[int, ...]] | None = None,
    spread: Calibration | None = None,
    beside: Beside = NOTHING,
) -> Case:
    """What the checks of one question are given."""
    return Case(
        question=question.id,
        prompt=question.prompt or question.title,
        profile=profile,
        pieces=submission.pieces,
        answer=answer,
        execution=execution,
        reference=reference,
        labels=labels,
        spread=spread,
        beside=beside,
    )


def decide(check: Check[Any] | None, criterion: Criterion, case: Case) -> Verdict:
    """One criterion's verdict. A check that fails is ours; a loss in an unsure match is for a person."""
    if check is None:
        return ungraded(criterion, f"The check {criterion.check} is not installed here.")
    try:
        verdict = check.judge(criterion, case)
    except Exception as error:  # a check's bug must not become a student's mark
        private = f"{type(error).__name__}: {error}"
        return ungraded(
            criterion, "The check itself failed, which is not the submission's fault.", private=private
        )
    if verdict.state is State.UNGRADED and verdict.mark:
        verdict = verdict.model_copy(update={"mark": 0.0})
    mark = min(max(verdict.mark, 0.0), criterion.marks)
    hint = "" if verdict.state is State.EARNED else verdict.hint or criterion.hint
    verdict = verdict.model_copy(update={"mark": mark, "hint": hint})
    if case.answer.confidence < UNSURE and verdict.state in (State.LOST, State.PARTIAL):
        sure = f"{case.answer.confidence:.0%}"
        words = f"{verdict.reason} Whether these cells answer this question is unsure ({sure})."
        more = {
            k: getattr(verdict, k) for k in ("hint", "evidence", "quotes", "figures", "tables", "private")
        }
        return review(criterion, verdict.mark, words, **more)
    return verdict


def mark(
    submission: Submission,
    assignment: Assignment,
    alignment: Alignment,
    execution: Execution | None,
    *,
    profile: Profile,
    reference: Mapping[str, Case] | None = None,
    labels: Mapping[str, tuple[int, ...]] | None = None,
    spreads: Mapping[str, Calibration] | None = None,
    beside: Mapping[str, Beside] | None = None,
    public_only: bool = False,
    checks: Mapping[str, Check[Any]] | None = None,
) -> SubmissionResult:
    """Mark one submission.

    ``reference`` holds the reference's case for each question id that has one, ``spreads`` its spread
    over seeds where it has been calibrated, ``beside`` what is known of its answers in words beside their
    text. ``public_only`` leaves hidden criteria out of the marks and of what they are out of. A verdict in review counts at its
    suggested mark; ``open_marks`` says how many marks are not final.
    """
    kinds = checks if checks is not None else registered()
    answers = {a.question: a for a in alignment.answers}
    questions = []
    for question in assignment.questions:
        answer = answers.get(question.id, Answer(question=question.id, confidence=0.0, why="not looked for"))
        case = case_for(
            question,
            submission,
            answer,
            execution,
            profile=profile,
            reference=(reference or {}).get(question.id),
            labels=labels,
            spread=(spreads or {}).get(question.id),
            beside=(beside or {}).get(question.id, NOTHING),
        )
        questions.append(_question(question, case, kinds, public_only))
    questions = [q for q in questions if q.criteria]
    criteria = [c for q in questions for c in q.criteria]
    state = _worst([c.state for c in criteria])
    return SubmissionResult(
        file=submission.file.name,
        assignment=assignment.id,
        title=assignment.title,
        mark=_sum(c.mark for c in criteria),
        out_of=_sum(c.out_of for c in criteria),
        state="ungraded" if state is State.UNGRADED else "review" if state is State.REVIEW else "graded",
        reason=_why_open(criteria, execution),
        open_marks=_sum(c.out_of for c in criteria if c.state in (State.REVIEW, State.UNGRADED)),
        questions=tuple(questions),
        substituted=execution.substitutions if execution else (),
        isolation=execution.isolation if execution and execution.runs else None,  # prose alone runs nowhere
        notes=submission.notes,
        seconds=execution.seconds if execution else 0.0,
    )


def _question(
    question: Question, case: Case, kinds: Mapping[str, Check[Any]], public_only: bool
) -> QuestionResult:
    results = []
    for criterion in question.criteria:
        if public_only and criterion.hidden:
            continue
        v = decide(kinds.get(criterion.check), criterion, case)
        results.append(
            CriterionResult(
                check=criterion.check,
                title=criterion.title(),
                mark=v.mark,
                out_of=criterion.marks,
                state=v.state,
                reason=v.reason,
                hint=v.hint,
                evidence=v.evidence,
                quotes=v.quotes,
                figures=v.figures,
                tables=v.tables,
                private=v.private,
                hidden=criterion.hidden,
            )
        )
    return QuestionResult(
        id=question.id,
        title=question.title,
        mark=_sum(r.mark for r in results),
        out_of=_sum(r.out_of for r in results),
        state=question_state(results),
        confidence=case.answer.confidence,
        why=case.answer.why,
        cells=cell_refs(case),
        criteria=tuple(results),
        curves=curves_of(case),
        claims=claims_of(case, results),
        feedback=() if question.prose else found(case),
    )


def claims_of(case: Case, results: list[CriterionResult]) -> tuple[Table, ...]:
    """Stated figures beside the measured ones, unless a criterion shows them already."""
    table = claim_table(case) if case.code else None
    if table is None or any(t.title == table.title for r in results if not r.hidden for t in r.tables):
        return ()
    return (table,)


MOST_EPOCHS = 200


def curves_of(case: Case) -> tuple[Curve, ...]:
    """The fresh run's learning curves of two epochs or more, each with the reference's band where it is known."""
    found = shown_curves(case)
    bands = case.spread.bands if case.spread is not None else {}
    return tuple(
        Curve(
            name=name,
            values=values[:MOST_EPOCHS],
            low=bands[name].low[:MOST_EPOCHS] if name in bands else (),
            high=bands[name].high[:MOST_EPOCHS] if name in bands else (),
            source=found.source,
        )
        for name, values in found.named().items()
        if len(values) > 1 and all(map(isfinite, values))
    )


def question_state(results: list[CriterionResult]) -> State:
    """Ungraded or review if any criterion is; else earned, lost, or partial by the marks."""
    worst = _worst([r.state for r in results])
    if worst in (State.UNGRADED, State.REVIEW):
        return worst
    if all(r.state is State.EARNED for r in results):
        return State.EARNED
    return State.LOST if all(r.state is State.LOST for r in results) else State.PARTIAL


def _worst(states: list[State]) -> State:
    return next((s for s in (State.UNGRADED, State.REVIEW) if s in states), State.EARNED)


def _sum(marks: Any) -> float:
    return round(float(sum(marks)), 4)


def _why_open(criteria: list[CriterionResult], execution: Execution | None) -> str:
    parts = []
    if execution is not None and execution.state != "complete":
        parts.append(f"the worker failed: {execution.reason or 'no reason is known'}")
    for words, n in (
        ("could not be judged", sum(c.state is State.UNGRADED for c in criteria)),
        ("for a person to look at", sum(c.state is State.REVIEW and not c.unconfirmed for c in criteria)),
        ("to be confirmed", sum(c.unconfirmed for c in criteria)),
    ):
        if n:
            parts.append(f"{n} {'criterion' if n == 1 else 'criteria'} {words}")
    return "; ".join(parts)


def cell_refs(case: Case) -> tuple[CellRef, ...]:
    """The answer's pieces for the report, with how each ran and what it printed in the fresh run."""
    runs = {r.piece: r for r in case.runs}
    refs = []
    for p in case.answered:
        run = runs.get(p.index)
        failure = run.failure if run else None
        refs.append(
            CellRef(
                piece=p.index,
                cell=p.cell + 1,
                part=p.part + 1,
                kind=p.kind,
                first_line=p.first_line,
                state=run.state.value if run else "",
                seconds=round(run.seconds, 3) if run else 0.0,
                source=p.source,
                output=_output(run) if run else "",
                error=f"{failure.name}: {failure.message}" if failure else (run.note if run else ""),
            )
        )
    return tuple(refs)


def _output(run: PieceRun) -> str:
    text = "".join(t.text for t in run.texts)
    if len(text) <= OUTPUT_SHOWN:
        return text
    half = OUTPUT_SHOWN // 2
    return f"{text[:half]}\n… {len(text) - OUTPUT_SHOWN:,} characters left out …\n{text[-half:]}"
