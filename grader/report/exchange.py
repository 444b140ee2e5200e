"""Results in other tools' formats: JUnit XML for CI, results.json for Gradescope."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from grader.checks.base import State
from grader.report.audience import OPEN, Audience, shown_submission
from grader.report.text import mark, short, visible
from grader.results import CriterionResult, QuestionResult, Results, SubmissionResult


def junit(results: Results) -> str:
    """One test case for each criterion; any that did not earn its marks in full is a failure.

    Used by ``grade verify``: a reference must earn everything, so a review and a failure of ours
    fail too. Skipped is only what cannot be judged without real data. A submission that could not be read or recognised is one test case, in error.
    """
    root = ET.Element("testsuites", name="grader")
    for s in results.submissions:
        suite = ET.SubElement(root, "testsuite", name=_xml(s.file), time=f"{s.seconds:.3f}")
        for q in s.questions:
            for i, c in enumerate(q.criteria, 1):
                case = ET.SubElement(
                    suite,
                    "testcase",
                    classname=_xml(f"{s.assignment or 'unrecognised'}.{q.id}"),
                    name=_xml(f"{i}. {c.title} ({c.check})"),
                )
                if c.wants_data:
                    ET.SubElement(case, "skipped", message=_xml(short(c.reason, 300)))
                elif c.state is not State.EARNED:
                    failure = ET.SubElement(
                        case, "failure", type=str(c.state), message=_xml(short(c.reason, 300))
                    )
                    failure.text = _xml(_details(q, c))
        if not s.questions:
            case = ET.SubElement(suite, "testcase", classname="submission", name=_xml(s.state))
            ET.SubElement(case, "error", type=s.state, message=_xml(short(s.reason, 300)))
        _count(suite)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _count(element: ET.Element) -> None:
    for name, tag in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        element.set(name, str(len(element.findall(f".//{tag}"))))


def _details(q: QuestionResult, c: CriterionResult) -> str:
    lines = [f"{q.title}: {mark(c.mark)} of {mark(c.out_of)}, {c.state}", c.reason]
    lines += [c.private] if c.private else []
    lines += [f"{key}: {short(str(value), 300)}" for key, value in c.evidence.items()]
    return "\n".join(lines)


def _xml(text: str) -> str:
    return visible(text)  # XML 1.0 has no way to write most control characters


def gradescope(result: SubmissionResult) -> dict[str, Any]:
    """Gradescope's results.json for one submission: a test for each criterion.

    Hidden criteria are there, marked ``hidden``, so that the total is the whole mark. One that is
    open has no score of its own: Gradescope knows no "a person must look", and a 0 would be a lie.
    """
    public = shown_submission(result, Audience.STUDENT)
    by_id = {q.id: q for q in public.questions}
    tests: list[dict[str, Any]] = []
    for q in result.questions:
        visible_ones = iter(by_id[q.id].criteria)
        for i, full in enumerate(q.criteria, 1):
            c = full if full.hidden else next(visible_ones)
            test: dict[str, Any] = {
                "name": visible(f"{q.title}: {c.title}"),
                "number": f"{q.id}.{i}",
                "max_score": c.out_of,
                "output": visible(
                    "\n".join(p for p in (c.reason, c.hint if c.state is not State.EARNED else "") if p)
                ),
                "output_format": "text",
                "visibility": "hidden" if c.hidden else "visible",
            }
            if c.state not in OPEN:
                test |= {"score": c.mark, "status": "passed" if c.state is State.EARNED else "failed"}
            tests.append(test)
    said = [f"{mark(result.mark)} of {mark(result.out_of)} marks."]
    if result.open_marks:
        said.append(f"{mark(result.open_marks)} marks are still open: a person must look at them.")
    if result.reason:
        said.append(result.reason)
    return {
        "score": result.mark,
        "output": visible(" ".join(said)),
        "output_format": "text",
        "execution_time": round(result.seconds),
        "tests": tests,
        "extra_data": {"state": result.state, "open_marks": result.open_marks, "out_of": result.out_of},
    }
