"""The main job through the library's own door, with the real worker, on an assignment of two questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny
from rich.console import Console

from grader import report
from grader.checks.base import State
from grader.engine import Event, Options, Stage, check, grade
from grader.errors import DuplicateFile, NoSubmissions, RubricError, UnknownRubric
from grader.evidence.model import RunState
from grader.evidence.store import Store
from grader.results import CriterionResult, Results, SubmissionResult


@dataclass(frozen=True)
class Class:
    """A folder of submissions, graded once; other tests use what its store holds."""

    home: Path
    options: Options
    results: Results
    events: tuple[Event, ...]

    @property
    def submissions(self) -> Path:
        return self.home / "submissions"

    def of(self, name: str) -> SubmissionResult:
        return named(self.results, name)


def named(results: Results, name: str) -> SubmissionResult:
    return next(s for s in results.submissions if Path(s.file).name == name)


def criterion(result: SubmissionResult, title: str) -> CriterionResult:
    return next(c for q in result.questions for c in q.criteria if c.title == title)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    home = tmp_path_factory.mktemp("class")
    rubrics = tiny.assignment(home)
    folder = home / "submissions"
    tiny.notebook(folder / "good.ipynb", tiny.GOOD)
    tiny.notebook(folder / "bad.ipynb", tiny.BAD)
    tiny.notebook(folder / "pie.ipynb", tiny.OTHER)
    tiny.notebook(folder / ".ipynb_checkpoints" / "good-checkpoint.ipynb", tiny.GOOD)
    (folder / "broken.ipynb").write_text('{"cells": [')
    (folder / "empty.ipynb").touch()
    options = Options(rubrics=rubrics, store=home / "store")
    events: list[Event] = []
    results = grade([folder], options, events.append)
    return Class(home, options, results, tuple(events))


def test_a_right_answer_gets_its_marks_and_a_wrong_one_loses_them(graded: Class) -> None:
    good, bad = graded.of("good.ipynb"), graded.of("bad.ipynb")
    assert (good.state, good.mark, good.out_of, good.open_marks) == ("graded", 10, 10, 0)
    assert (bad.state, bad.mark) == ("graded", 3)  # the call of sum, and the faces of a cube
    assert criterion(bad, "The program runs").state is State.LOST


def test_each_mark_has_its_evidence(graded: Class) -> None:
    good, bad = graded.of("good.ipynb"), graded.of("bad.ipynb")
    total = criterion(good, "The sum is right")
    assert total.evidence["found"] == 55
    assert any("The sum is 55" in q.text for q in total.quotes)
    fails = criterion(bad, "The program runs")
    assert any("rnage" in q.text for q in fails.quotes) and "NameError" in fails.reason
    first = bad.questions[0]
    assert [c.state for c in first.cells if c.kind == "code"] == [RunState.FAILED]
    assert "rnage" in first.cells[-1].error


def test_what_cannot_be_graded_is_told_and_the_rest_goes_on(graded: Class) -> None:
    states = {Path(s.file).name: s.state for s in graded.results.submissions}
    assert states == {
        "bad.ipynb": "graded",
        "broken.ipynb": "unreadable",
        "empty.ipynb": "unreadable",
        "good.ipynb": "graded",
        "pie.ipynb": "unrecognised",
        "good-checkpoint.ipynb": "unreadable",
    }
    assert "empty" in graded.of("empty.ipynb").reason
    assert "tiny-sums" in graded.of("pie.ipynb").reason and "--rubric" in graded.of("pie.ipynb").reason
    assert "autosaved" in graded.of("good-checkpoint.ipynb").reason


def test_results_come_in_the_order_of_the_files(graded: Class) -> None:
    names = [Path(s.file).name for s in graded.results.submissions]
    assert names == [
        "bad.ipynb", "broken.ipynb", "empty.ipynb", "good.ipynb", "pie.ipynb", "good-checkpoint.ipynb",
    ]  # fmt: skip
    given = [graded.submissions / n for n in ("good.ipynb", "bad.ipynb")]
    again = grade(given, graded.options)
    assert [Path(s.file) for s in again.submissions] == given


def test_whoever_watches_sees_each_file_begin_and_end(graded: Class) -> None:
    by_name: dict[str, list[Event]] = {}
    for event in graded.events:
        by_name.setdefault(Path(event.file).name, []).append(event)
    good = [e.stage for e in by_name["good.ipynb"]]
    assert good[0] is Stage.WAITING and good[-1] is Stage.DONE and Stage.RUNNING in good
    progress = [(e.done, e.total) for e in by_name["good.ipynb"] if e.stage is Stage.RUNNING and e.total]
    assert progress[-1] == (1, 1)
    assert [e.stage for e in by_name["broken.ipynb"]] == [Stage.UNREADABLE]
    assert [e.stage for e in by_name["pie.ipynb"]] == [Stage.UNRECOGNISED]


def test_a_second_run_executes_nothing_and_finds_the_same(graded: Class) -> None:
    events: list[Event] = []
    again = grade([graded.submissions], graded.options, events.append)
    assert {s.file: s.executed for s in again.submissions} == {s.file: False for s in again.submissions}
    assert [s.questions for s in again.submissions] == [s.questions for s in graded.results.submissions]
    assert {e.stage for e in events} == {Stage.STORED, Stage.UNREADABLE, Stage.UNRECOGNISED}


def test_a_changed_rubric_marks_anew_without_running_anything(graded: Class, tmp_path: Path) -> None:
    rubric = tiny.RUBRIC.replace("expect: 55", "expect: 54").replace(
        "marks: 2, says: The number of faces", "marks: 2, says: How many faces"
    )
    options = Options(rubrics=tiny.assignment(tmp_path, rubric=rubric), store=graded.options.store)
    good = grade([graded.submissions / "good.ipynb"], options).submissions[0]
    assert not good.executed
    assert (good.mark, criterion(good, "The sum is right").state) == (7, State.LOST)
    assert criterion(good, "How many faces").state is State.EARNED


def test_changed_words_run_nothing_and_changed_code_runs_that_notebook(graded: Class, tmp_path: Path) -> None:
    words = tiny.notebook(
        tmp_path / "words.ipynb", [tiny.Q1, ("code", tiny.SUM), tiny.Q2, "A cube has 6 faces."]
    )
    code = tiny.notebook(
        tmp_path / "code.ipynb", [tiny.Q1, ("code", tiny.SUM.replace("11", "10")), tiny.Q2, tiny.CUBE]
    )
    results = grade([words, code, graded.submissions / "good.ipynb"], graded.options)
    assert [s.executed for s in results.submissions] == [False, True, False]
    assert [s.mark for s in results.submissions] == [8, 7, 10]
    assert criterion(results.submissions[1], "The sum is right").evidence["found"] == 45


def test_fresh_runs_again_what_is_stored(graded: Class) -> None:
    options = Options(rubrics=graded.options.rubrics, store=graded.options.store, fresh=True)
    good = grade([graded.submissions / "good.ipynb"], options).submissions[0]
    assert good.executed and good.mark == 10
    assert len(Store(graded.options.store)) >= 2


def test_two_rubrics_that_fit_equally_are_asked_about_and_a_name_settles_it(
    graded: Class, tmp_path: Path
) -> None:
    tiny.assignment(tmp_path)
    rubrics = tiny.assignment(
        tmp_path, rubric=tiny.RUBRIC.replace("id: tiny-sums", "id: tiny-twin"), name="tiny-twin"
    )
    file = graded.submissions / "good.ipynb"
    with pytest.raises(UnknownRubric, match=r"good\.ipynb.*tiny-sums and tiny-twin equally well.*--rubric"):
        grade([file], Options(rubrics=rubrics, store=graded.options.store))
    chosen = grade([file], Options(rubrics=rubrics, rubric="tiny-twin", store=graded.options.store))
    assert (chosen.submissions[0].assignment, chosen.submissions[0].mark) == ("tiny-twin", 10)


def test_a_named_rubric_is_taken_even_for_what_was_not_recognised(graded: Class) -> None:
    options = Options(
        rubrics=graded.options.rubrics,
        rubric=str(graded.home / "rubrics" / "tiny-sums.yaml"),
        store=graded.options.store,
    )
    pie = grade([graded.submissions / "pie.ipynb"], options).submissions[0]
    assert (pie.assignment, pie.mark, pie.out_of) == ("tiny-sums", 0, 10)
    assert pie.state in ("graded", "review")


def test_mistakes_in_what_was_asked_for_are_said_before_anything_runs(graded: Class, tmp_path: Path) -> None:
    file = graded.submissions / "good.ipynb"
    with pytest.raises(UnknownRubric, match=r"no rubric has the id 'tiny-sum'.*tiny-sums"):
        grade([file], Options(rubrics=graded.options.rubrics, rubric="tiny-sum", store=tmp_path / "store"))
    with pytest.raises(UnknownRubric, match=r"nowhere\.yaml.*no such rubric"):
        grade([file], Options(rubric="nowhere.yaml", store=tmp_path / "store"))
    with pytest.raises(NoSubmissions, match="missing"):
        grade([tmp_path / "missing.ipynb"], Options(rubrics=graded.options.rubrics, store=tmp_path / "store"))
    with pytest.raises(DuplicateFile, match="named twice"):
        grade([file, graded.submissions], Options(rubrics=graded.options.rubrics, store=tmp_path / "store"))
    rubrics = tiny.assignment(tmp_path / "alone", references=False)
    with pytest.raises(RubricError, match=r"q01_sum\.py is not in"):
        grade([file], Options(rubrics=rubrics, store=tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_a_self_check_needs_no_reference_and_gives_nothing_away(graded: Class, tmp_path: Path) -> None:
    rubrics = tiny.assignment(tmp_path, references=False)
    options = Options(rubrics=rubrics, store=graded.options.store)
    results = check(graded.submissions / "bad.ipynb", options)
    (bad,) = results.submissions
    assert (bad.mark, bad.out_of) == (2, 9)  # without the hidden criterion
    assert "Found by the built-in function" not in {c.title for q in bad.questions for c in q.criteria}
    console = Console(record=True, width=120, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report.table(report.shown_submission(bad, report.Audience.STUDENT)))
    terminal = console.export_text()
    written = report.write(
        results, tmp_path / "page", Store(graded.options.store).blob, report.Audience.STUDENT
    )
    for shown in (
        terminal,
        written.pages[0].read_text(),
        written.json.read_text(),
        written.index.read_text(),
    ):
        assert tiny.SECRET not in shown
        assert "built-in" not in shown
        assert "expected" not in shown.lower() or "12 edges" not in shown  # what the answer should have been
    assert "Count those at the top first" in terminal and "NameError" in terminal
