"""The command itself, as a user runs it: what it prints, where it writes, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import prose
import psutil
import pytest
import tiny

GRADE = [str(Path(sys.executable).parent / "grade")]
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def in_one_line(self, *words: str) -> None:
        """One clear line on stderr, that has these words; no traceback; nothing on stdout."""
        lines = [line for line in self.err.splitlines() if line.startswith("grade: ")]
        assert len(lines) == 1, self.err
        assert self.err.rstrip().splitlines()[-1] == lines[0]
        assert "Traceback" not in self.err and "Error" not in self.err
        for word in words:
            assert word in lines[0], lines[0]
        assert self.out == ""


@dataclass(frozen=True)
class Desk:
    """A user's working folder with the rubric of the tiny assignment and a store that is shared."""

    home: Path
    store: Path

    def grade(self, *arguments: str | Path, **environment: str) -> Ended:
        done = subprocess.run(
            [*GRADE, *map(str, arguments)],
            cwd=self.home,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GRADE_")}
        return kept | {"GRADE_STORE": str(self.store), "COLUMNS": "100", "NO_COLOR": "1"}

    def marks(self, folder: str = "reports") -> dict[str, float]:
        results = json.loads((self.home / folder / "results.json").read_text())
        return {Path(s["file"]).name: s["mark"] for s in results["submissions"]}


def desk_at(home: Path, store: Path) -> Desk:
    tiny.assignment(home)
    tiny.notebook(home / "good.ipynb", tiny.GOOD)
    tiny.notebook(home / "bad.ipynb", tiny.BAD)
    return Desk(home, store)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, store: Path) -> tuple[Desk, Ended]:
    """The main command, run once; later runs find its evidence in the store."""
    desk = desk_at(tmp_path_factory.mktemp("desk"), store)
    return desk, desk.grade("good.ipynb", "bad.ipynb")


@pytest.fixture
def desk(first: tuple[Desk, Ended], tmp_path: Path) -> Desk:
    return desk_at(tmp_path, first[0].store)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with a few kilobytes left."""
    folder = tmp_path / "full"
    folder.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("a small file system can be mounted by root only")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        (folder / "others").write_bytes(bytes(44 * 1024))
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# ---------------------------------------------------------------- the main job


def test_the_first_run_says_a_line_for_each_and_where_the_report_is(first: tuple[Desk, Ended]) -> None:
    desk, ended = first
    assert ended.code == 0, ended.err  # although marks are low
    lines = ended.out.splitlines()
    assert lines[0].split()[:5] == ["✓", "good.ipynb", "10", "/", "10"]
    assert lines[1].split()[:5] == ["✓", "bad.ipynb", "3", "/", "10"]
    assert lines[-1] == "Report: reports/index.html"
    assert (desk.home / "reports" / "index.html").is_file()
    assert desk.marks() == {"good.ipynb": 10, "bad.ipynb": 3}
    assert sorted(ended.err.splitlines()) == ["bad.ipynb: done", "good.ipynb: done"]


def test_a_second_run_says_that_nothing_was_executed(desk: Desk) -> None:
    ended = desk.grade("good.ipynb", "bad.ipynb", "-o", "elsewhere")
    assert ended.code == 0
    assert "Nothing was executed: the evidence of all 2 came from the store." in ended.out
    assert ended.out.splitlines()[-1] == "Report: elsewhere/index.html"
    assert ended.err == ""
    assert not (desk.home / "reports").exists()


def test_run_may_be_left_out_and_options_may_come_first(desk: Desk) -> None:
    plain = desk.grade("good.ipynb")
    assert desk.grade("run", "good.ipynb").out == plain.out
    assert desk.grade("--profile", "smoke", "good.ipynb").out == plain.out


def test_a_long_name_with_a_review_stays_one_line(desk: Desk) -> None:
    """A file of many words, narrow terminal: each submission keeps its one line where lines are read."""
    name = "a-very-long-name-that-a-student-gave-to-the-notebook-of-the-second-week.ipynb"
    tiny.notebook(desk.home / name, tiny.OTHER)
    ended = desk.grade("good.ipynb", name, COLUMNS="60")
    assert len(ended.out.splitlines()) == 4, ended.out


def test_a_student_copy_leaves_out_what_is_hidden(desk: Desk) -> None:
    assert desk.grade("bad.ipynb", "--student-copy").code == 0
    page = (desk.home / "reports" / "pages" / "bad.html").read_text()
    assert "built-in" not in page
    assert desk.marks() == {"bad.ipynb": 2}
    assert desk.grade("bad.ipynb").code == 0
    assert "built-in" in (desk.home / "reports" / "pages" / "bad.html").read_text()


def test_self_check_shows_a_table_and_writes_the_page(desk: Desk) -> None:
    shutil.rmtree(desk.home / "reference")
    ended = desk.grade("check", "bad.ipynb", "--html", "mine")
    assert ended.code == 0, ended.err
    assert "NameError" in ended.out and "Count those at the top first" in ended.out
    assert "built-in" not in ended.out and tiny.SECRET not in ended.out
    page = desk.home / ended.out.splitlines()[-1].removeprefix("Page: ")
    assert page.is_file() and tiny.SECRET not in page.read_text()


# ---------------------------------------------------------------- what goes wrong


def test_an_unknown_rubric(desk: Desk) -> None:
    ended = desk.grade("good.ipynb", "--rubric", "tiny-sum")
    assert ended.code == 2
    ended.in_one_line("no rubric has the id 'tiny-sum'", "known: tiny-sums")
    ended = desk.grade("good.ipynb", "--rubric", "rubrics/tiny.yaml")
    assert ended.code == 2
    ended.in_one_line("rubrics/tiny.yaml", "no such rubric")


def test_no_file_matched(desk: Desk) -> None:
    for argument in ("nothing.ipynb", "nothing/*.ipynb"):
        ended = desk.grade(argument)
        assert ended.code == 2
        ended.in_one_line("nothing")
    assert not (desk.home / "reports" / "index.html").exists()


def test_a_file_named_twice(desk: Desk) -> None:
    ended = desk.grade("good.ipynb", "./good.ipynb")
    assert ended.code == 2
    ended.in_one_line("good.ipynb", "named twice")


def test_two_rubrics_that_fit_equally(desk: Desk) -> None:
    tiny.assignment(desk.home, rubric=tiny.RUBRIC.replace("id: tiny-sums", "id: tiny-twin"), name="tiny-twin")
    ended = desk.grade("good.ipynb")
    assert ended.code == 2
    ended.in_one_line("good.ipynb", "tiny-sums", "tiny-twin", "--rubric")
    assert desk.grade("good.ipynb", "--rubric", "tiny-twin").code == 0


def test_a_rubric_whose_reference_is_missing(desk: Desk) -> None:
    (desk.home / "reference" / "tiny-sums" / "q01_sum.py").unlink()
    ended = desk.grade("good.ipynb")
    assert ended.code == 3
    assert "q01_sum.py is not in" in ended.err and "rubrics/tiny-sums.yaml:7" in ended.err
    assert "Traceback" not in ended.err
    assert not (desk.home / "reports" / "index.html").exists()


def test_a_report_folder_that_cannot_be_written(desk: Desk) -> None:
    (desk.home / "taken").write_text("a file of the user's")
    for folder in ("taken", "taken/reports"):
        ended = desk.grade("good.ipynb", "-o", folder)
        assert ended.code == 4
        ended.in_one_line(folder, "-o")
    assert (desk.home / "taken").read_text() == "a file of the user's"


def test_a_store_that_cannot_be_written(desk: Desk) -> None:
    (desk.home / "taken").write_text("a file of the user's")
    ended = desk.grade("good.ipynb", "--store", "taken/store")
    assert ended.code == 4
    ended.in_one_line("taken/store", "--store")
    assert not (desk.home / "reports" / "index.html").exists()


def test_no_space_left_for_the_report_leaves_the_old_one_whole(desk: Desk, full_disk: Path) -> None:
    ended = desk.grade("good.ipynb", "bad.ipynb", "-o", full_disk)
    assert ended.code == 4
    ended.in_one_line(str(full_disk), "no space left", "-o")
    assert [p.name for p in full_disk.iterdir()] == ["others"]


def test_no_space_left_for_the_store(desk: Desk, full_disk: Path) -> None:
    ended = desk.grade("good.ipynb", "--store", full_disk)
    assert ended.code == 4
    ended.in_one_line(str(full_disk), "--store")
    assert not (desk.home / "reports" / "index.html").exists()


def test_a_report_that_is_not_ours_is_not_overwritten(desk: Desk) -> None:
    mine = desk.home / "reports" / "index.html"
    mine.parent.mkdir()
    mine.write_text("somebody else's page")
    ended = desk.grade("good.ipynb")
    assert ended.code == 4
    assert "index.html" in ended.err and "-o" in ended.err
    assert mine.read_text() == "somebody else's page"


@pytest.fixture
def at_work(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """The command with one submission done and one still running."""
    quick = [tiny.Q1, ("code", "# quick\n" + tiny.SUM), tiny.Q2, tiny.CUBE]
    slow = [tiny.Q1, ("code", "import time\ntime.sleep(85)"), tiny.Q2]
    tiny.notebook(desk.home / "quick.ipynb", quick)
    tiny.notebook(desk.home / "slow.ipynb", slow)
    running = subprocess.Popen(
        [*GRADE, "quick.ipynb", "slow.ipynb", "--jobs", "2", "--store", "store"],
        cwd=desk.home,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stderr is not None
    assert running.stderr.readline() == "quick.ipynb: done\n"
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


@pytest.mark.slow
def test_ctrl_c_ends_in_one_line_and_what_was_complete_is_kept(
    desk: Desk, at_work: subprocess.Popen[str]
) -> None:
    started = psutil.Process(at_work.pid).children(recursive=True)
    os.killpg(at_work.pid, signal.SIGINT)  # a terminal sends it to all of the group
    out, err = at_work.communicate(timeout=60)
    assert (at_work.returncode, out) == (130, "")
    assert err == "grade: stopped. What was complete is kept; run the same command again to go on.\n"
    assert not (desk.home / "reports" / "index.html").exists()
    assert started and not psutil.wait_procs(started, timeout=30)[1]
    again = desk.grade("quick.ipynb", "--store", "store")
    assert again.code == 0 and "Nothing was executed" in again.out


@pytest.mark.slow
def test_a_killed_command_leaves_no_kernel_behind_and_keeps_what_was_complete(
    desk: Desk, at_work: subprocess.Popen[str]
) -> None:
    started = psutil.Process(at_work.pid).children(recursive=True)
    at_work.kill()
    at_work.wait(timeout=60)
    assert started and not psutil.wait_procs(started, timeout=30)[1]
    again = desk.grade("quick.ipynb", "--store", "store")
    assert again.code == 0 and "Nothing was executed" in again.out
    assert desk.marks() == {"quick.ipynb": 10}


# ---------------------------------------------------------------- the other commands


def test_verify_passes_and_fails_with_a_junit_file_that_says_where(desk: Desk) -> None:
    ended = desk.grade("verify", "--junit", "out/grade.xml")
    assert ended.code == 0, ended.out + ended.err
    assert ET.parse(desk.home / "out" / "grade.xml").getroot().get("failures") == "0"
    reference = desk.home / "reference" / "tiny-sums" / "q02_cube.md"
    reference.write_text("A cube has 6 faces. It has 10 edges.\n")
    ended = desk.grade("verify", "--junit", "out/grade.xml")
    assert ended.code == 1
    assert "tiny-sums q2 quantity (The number of edges): lost, 0 of 2" in ended.out
    failed = [
        (c.get("classname"), c.get("name"))
        for c in ET.parse(desk.home / "out" / "grade.xml").iter("testcase")
        if c.find("failure") is not None
    ]
    assert failed == [("tiny-sums.q2", "2. The number of edges (quantity)")]


@pytest.mark.slow
def test_marks_in_the_reports_file_make_answers_in_words_final(desk: Desk) -> None:
    prose.assignment(desk.home)
    files = prose.hand_in(desk.home, prose.many())
    ended = desk.grade(*files, "--rubric", "tiny-words")
    assert ended.code == 0, ended.err
    assert "20 suggestions for answers in words look sure" in ended.out
    file = desk.home / "reports" / "answers.csv"
    with open(file, newline="", encoding="utf-8-sig") as text:
        rows = list(csv.DictReader(text))
    with open(file, "w", newline="") as text:
        table = csv.DictWriter(text, list(rows[0]))
        table.writeheader()
        table.writerows(row | {"mark": row["suggested"]} for row in rows[:15])
    ended = desk.grade("calibrate", "--answers", "reports/answers.csv", "--allowed", "0.05")
    assert ended.code == 0, ended.err
    assert "tiny-words: 15 marks read, 15 kept by now." in ended.out
    for words in ("shipped record", "your marks", "allowed: 5.0%"):
        assert words in ended.out
    ended = desk.grade(*files, "--rubric", "tiny-words")
    assert "look sure" not in ended.out
    results = json.loads((desk.home / "reports" / "results.json").read_text())
    criteria = [c for s in results["submissions"] for c in s["questions"][0]["criteria"]]
    assert sum(c["evidence"].get("marked_by") == "person" for c in criteria) == 15
    assert {c["state"] for c in criteria} == {"earned", "lost"}


def test_a_judge_that_cannot_be_asked_is_refused_before_anything_runs(desk: Desk) -> None:
    ended = desk.grade("good.ipynb", "--judge", "ftp://example.org/v1", "--judge-model", "m")
    assert ended.code == 2
    ended.in_one_line("ftp://example.org/v1", "http")
    ended = desk.grade("good.ipynb", "--judge", "http://127.0.0.1:1/v1")
    assert ended.code == 2
    ended.in_one_line("--judge-model")
    assert not (desk.home / "reports").exists()


def test_marks_that_cannot_be_read_are_one_clear_error(desk: Desk) -> None:
    (desk.home / "marks.csv").write_text("question,mark\nq1,3\n")
    ended = desk.grade("calibrate", "--answers", "marks.csv")
    assert ended.code == 2
    ended.in_one_line("marks.csv", "column 'answer' is missing")


def test_a_junit_file_that_cannot_be_written(desk: Desk) -> None:
    (desk.home / "taken").write_text("a file of the user's")
    ended = desk.grade("verify", "--junit", "taken/grade.xml")
    assert ended.code == 4
    ended.in_one_line("taken/grade.xml", "name another file")


def test_lint_finds_the_line(desk: Desk) -> None:
    assert desk.grade("lint", "rubrics/tiny-sums.yaml").code == 0
    bad = desk.home / "rubrics" / "bad.yaml"
    bad.write_text(tiny.RUBRIC.replace("expect: 55", "expcet: 55"))
    ended = desk.grade("lint", "rubrics/bad.yaml", "rubrics/tiny-sums.yaml")
    assert ended.code == 3
    assert "rubrics/bad.yaml:12" in ended.out and "did you mean expect" in ended.out


def test_the_repositorys_own_rubrics_have_nothing_to_mend() -> None:
    rubrics = sorted((ROOT / "rubrics").glob("*.yaml"))
    done = subprocess.run([*GRADE, "lint", *map(str, rubrics)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_data_list_says_what_is_in_the_cache(desk: Desk) -> None:
    ended = desk.grade("data", "list", GRADE_DATA=str(desk.home / "cache"))
    assert ended.code == 0, ended.err
    assert "cache" in ended.out.splitlines()[0]
    for name in ("mnist", "cifar10", "vgg16"):
        assert any(line.startswith(name) for line in ended.out.splitlines()), name


def test_data_pull_of_an_unknown_name(desk: Desk) -> None:
    ended = desk.grade("data", "pull", "mnits", GRADE_DATA=str(desk.home / "cache"))
    assert ended.code == 6
    ended.in_one_line("mnits")


def test_help_names_the_commands(desk: Desk) -> None:
    ended = desk.grade("--help")
    assert ended.code == 0
    for word in ("check", "verify", "lint", "data", "grade submissions/*.ipynb"):
        assert word in ended.out
    assert desk.grade().code in (0, 2)
    assert desk.grade("--version").out.startswith("grader ")


def test_an_unknown_option_is_told_in_words(desk: Desk) -> None:
    ended = desk.grade("good.ipynb", "--profle", "smoke")
    assert ended.code == 2
    assert "--profle" in ended.err and "Traceback" not in ended.err
