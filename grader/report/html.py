"""The pages: one for each submission, and one for the class. Self-contained; no script at all.

Every value that a template prints passes `grader.report.text.visible` and Jinja's escaping. The
content security policy allows one style sheet, by its hash, and pictures inside the page; so even
if something were to slip through, a browser would neither run nor fetch it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.evidence.model import Profile
from grader.report import text
from grader.report.audience import OPEN, Audience
from grader.report.images import Gallery
from grader.report.shown import Bar, unjudged
from grader.report.view import isolation_words, page_view, profile_words
from grader.results import Results, SubmissionResult

STATE_WORDS: Mapping[str, str] = {
    "earned": "Earned",
    "partial": "Partly earned",
    "lost": "Not earned",
    "review": "To be looked at",
    "ungraded": "Not judged",
    "graded": "Graded",
    "unreadable": "Unreadable",
    "unrecognised": "Not recognised",
    "": "",
    "ok": "ran",
    "failed": "stopped with an error",
    "limit": "ended by a limit",
    "died": "the kernel died",
    "skipped": "not run",
}
LONGEST = 4_000
"""Most characters of any one field; only a cell's source and output have limits of their own."""
COPIES = 400
"""Above so many submissions the class page is written in one order only, to stay light."""


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    env.filters |= {"mark": text.mark, "seconds": text.seconds, "short": text.short}
    env.filters["spans"] = _spans
    env.filters |= {"question": text.question, "sentence": text.sentence, "capital": text.capital}
    env.globals |= {
        "words": STATE_WORDS,
        "profile_words": profile_words,
        "isolation_words": isolation_words,
    }
    return env


def _finalize(value: Any) -> Any:
    """Every value on its way into a page: made visible, and never longer than a page can bear."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return text.visible(value if isinstance(value, text.Block) else text.short(value, LONGEST))


def _spans(value: str) -> Markup:
    """Escaped text in which `names` between backticks are shown as code."""
    return Markup(re.sub(r"`([^`\n]{1,120})`", r"<code>\1</code>", str(escape(text.visible(value)))))


@cache
def _style() -> tuple[Markup, str]:
    source, *_ = _environment().loader.get_source(_environment(), "style.css")  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode("ascii")
    return Markup(source), (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _render(template: str, **values: Any) -> str:
    style, policy = _style()
    return _environment().get_template(template).render(style=style, policy=policy, **values)


def submission_page(
    result: SubmissionResult,
    profile: Profile,
    blobs: Callable[[str], bytes],
    audience: Audience,
    *,
    class_page: str = "",
) -> str:
    """The page of one submission, as ``audience`` may see it (`audience.shown` comes before).

    ``class_page`` is the address of the class page, relative to this one; empty for none.
    """
    return _render(
        "submission.html",
        page=page_view(result, Gallery(blobs), audience),
        profile=str(profile),
        student=audience is Audience.STUDENT,
        class_page=class_page,
    )


@dataclass(frozen=True)
class Row:
    """A submission on the class page."""

    result: SubmissionResult
    href: str
    bar: Bar
    questions: Mapping[str, tuple[str, Bar, str]]
    """Mark, bar and state of each question."""


@dataclass(frozen=True)
class Bin:
    label: str
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Average:
    id: str
    title: str
    mean: float | None
    """Over the answers of which something was judged; None if there is none."""
    out_of: float
    settled: float
    open: float
    waiting: int


@dataclass(frozen=True)
class Group:
    """The submissions of one assignment."""

    title: str
    key: str
    out_of: float
    rows: Mapping[str, list[Row]]
    """By order: file, mark, open. One order only when there is nothing to sort."""
    questions: list[tuple[str, str]]
    averages: list[Average]
    histogram: list[Bin]
    mean: float
    median: float
    waiting: float
    to_look_at: int
    unconfirmed: float


def class_page(results: Results, pages: Sequence[str], audience: Audience, answers: str = "") -> str:
    """The class page; ``pages`` are the addresses of the submissions' pages, in their order, ``answers``
    that of the file for marks on answers in words, where there is one."""
    by_assignment: dict[str, list[tuple[SubmissionResult, str]]] = {}
    others: list[tuple[SubmissionResult, str]] = []
    for s, page in zip(results.submissions, pages, strict=True):
        (by_assignment.setdefault(s.assignment or "", []) if s.questions else others).append((s, page))
    return _render(
        "class.html",
        groups=[_group(f"g{i}", g) for i, g in enumerate(by_assignment.values(), 1)],
        others=others,
        results=results,
        profile=str(results.profile),
        student=audience is Audience.STUDENT,
        answers=answers,
        seconds=sum(s.seconds for s in results.submissions),
        executed=sum(s.executed for s in results.submissions),
    )


def _group(key: str, linked: list[tuple[SubmissionResult, str]]) -> Group:
    members = [s for s, _ in linked]
    rows = [_row(s, page) for s, page in linked]
    questions = {q.id: q.title for s in members for q in s.questions}
    orders = {"file": sorted(rows, key=lambda r: r.result.file.casefold())}
    if 1 < len(rows) <= COPIES:
        orders["mark"] = sorted(rows, key=lambda r: (-r.result.mark, r.result.file.casefold()))
        orders["open"] = sorted(rows, key=_most_open)
    shares = [100 * s.mark / s.out_of for s in members if s.out_of]
    marks = [s.mark for s in members]
    return Group(
        title=members[0].title or members[0].assignment or "Submissions",
        key=key,
        out_of=max(s.out_of for s in members),
        rows=orders,
        questions=list(questions.items()),
        averages=[_average(q, title, members) for q, title in questions.items()],
        histogram=_histogram(shares),
        mean=statistics.fmean(marks),
        median=statistics.median(marks),
        waiting=sum(s.open_marks for s in members),
        to_look_at=sum(
            s.state != "graded" and (not s.unconfirmed_marks or s.unsure_marks > 0) for s in members
        ),
        unconfirmed=sum(s.unconfirmed_marks for s in members),
    )


def _most_open(row: Row) -> tuple[float, float, str]:
    """What is unsure comes first, then what only waits to be confirmed."""
    return -row.result.unsure_marks, -row.result.open_marks, row.result.file.casefold()


def _row(s: SubmissionResult, href: str) -> Row:
    return Row(
        s,
        href,
        Bar.of([c for q in s.questions for c in q.criteria], s.out_of),
        {
            q.id: (
                "–" if unjudged(q) else text.mark(q.mark),
                Bar.of(list(q.criteria), q.out_of),
                str(q.state),
            )
            for q in s.questions
        },
    )


def _average(id: str, title: str, members: list[SubmissionResult]) -> Average:
    answers = [q for s in members for q in s.questions if q.id == id]
    out_of = max(q.out_of for q in answers)
    marks = [q.mark for q in answers if not unjudged(q)]
    bars = [Bar.of(list(q.criteria), q.out_of) for q in answers]
    return Average(
        id=id,
        title=title,
        mean=statistics.fmean(marks) if marks else None,
        out_of=out_of,
        settled=statistics.fmean(b.settled for b in bars),
        open=statistics.fmean(b.open for b in bars),
        waiting=sum(any(c.state in OPEN for c in q.criteria) for q in answers),
    )


def _histogram(shares: list[float]) -> list[Bin]:
    """Ten classes of ten percent; the last one holds 100. In units of a 340 by 150 drawing."""
    counts = [0] * 10
    for share in shares:
        counts[min(int(max(share, 0.0) // 10), 9)] += 1
    top = max(counts, default=0) or 1
    return [
        Bin(
            label=f"{10 * i} to {10 * i + 10} %",
            count=n,
            x=4 + 33.4 * i,
            y=round(122 - 100 * n / top, 1),
            height=round(100 * n / top, 1),
        )
        for i, n in enumerate(counts)
    ]
