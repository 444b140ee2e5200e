"""Commands and options; no logic. Every command calls the function of the same name in the package."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from grader import __version__
from grader.errors import GraderError, OutputError
from grader.evidence.marks import Trust
from grader.evidence.model import Profile


class _Stopped(Exception):
    """Ctrl-C. Typer would end on it without a word."""


class _Commands(TyperGroup):
    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Stopped from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Grade deep-learning notebooks: `grade submissions/*.ipynb`.",
)
data = typer.Typer(no_args_is_help=True, help="The data cache: data sets and weights that notebooks ask for.")
app.add_typer(data, name="data")
err = Console(stderr=True)

Files = Annotated[list[Path], typer.Argument(help="Notebooks (.ipynb, .py, .md) or folders of them.")]
ProfileOption = Annotated[
    Profile, typer.Option("--profile", help="smoke: small data, minutes. full: all data.")
]
RubricOption = Annotated[str | None, typer.Option("--rubric", help="Rubric file or id; else recognised.")]
RubricsOption = Annotated[Path | None, typer.Option("--rubrics", help="Folder of rubrics [./rubrics].")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="Folder of the evidence store.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Kernels side by side [one a core].")]
TrustOption = Annotated[
    Trust,
    typer.Option(
        "--trust", help="Whose marks make answers in words final: your own, or until then the shipped ones."
    ),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Run again, though evidence is stored.")]


@app.callback(invoke_without_command=True)
def _main(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        print(f"grader {__version__}")
        raise typer.Exit


@app.command("run", help="Grade notebooks and write the report. `run` may be left out.")
def run_(
    files: Files,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")] = Path("reports"),
    profile: ProfileOption = Profile.SMOKE,
    rubric: RubricOption = None,
    rubrics: RubricsOption = None,
    store: StoreOption = None,
    jobs: JobsOption = 0,
    fresh: FreshOption = False,
    trust: TrustOption = Trust.OWN,
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge", help="A second opinion on answers in words: URL of an OpenAI-compatible API."
        ),
    ] = None,
    judge_model: Annotated[
        str, typer.Option("--judge-model", help="Its model; the key is read from GRADE_JUDGE_KEY.")
    ] = "",
    student_copy: Annotated[
        bool, typer.Option("--student-copy", help="A report to hand out: no hidden criteria or notes.")
    ] = False,
) -> None:
    from grader import engine, report
    from grader.console import Bars, summary
    from grader.evidence.store import Store
    from grader.text.judge import endpoint

    asked = endpoint(judge, judge_model) if judge is not None else None
    options = engine.Options(profile, rubric, rubrics, store, jobs, fresh, trust=trust, judge=asked)
    report.ready(out)  # an unwritable folder is found before the work, not after
    with Bars(err) as bars:
        results = engine.grade(files, options, bars)
    audience = report.Audience.STUDENT if student_copy else report.Audience.MARKER
    written = report.write(results, out, Store(store).blob, audience)
    summary(results, written, Console())


@app.command(help="Check your own notebook before you hand it in.")
def check(
    file: Annotated[Path, typer.Argument(help="Your notebook.")],
    html: Annotated[Path | None, typer.Option("--html", help="Also write the page to this folder.")] = None,
    profile: ProfileOption = Profile.SMOKE,
    rubric: RubricOption = None,
    rubrics: RubricsOption = None,
    store: StoreOption = None,
    fresh: FreshOption = False,
) -> None:
    from grader import engine, report
    from grader.console import Bars, warn_isolation
    from grader.evidence.store import Store

    if html is not None:
        report.ready(html)
    with Bars(err) as bars:
        results = engine.check(file, engine.Options(profile, rubric, rubrics, store, 1, fresh), bars)
    console = Console()
    for result in results.submissions:
        console.print(report.table(report.shown_submission(result, report.Audience.STUDENT)))
    warn_isolation(results, console)
    if html is not None:
        written = report.write(results, html, Store(store).blob, report.Audience.STUDENT)
        console.print(f"Page: {written.pages[0] if written.pages else written.index}", soft_wrap=True)


@app.command(
    help="Run the references: every criterion must earn full marks, but for what cannot be judged"
    " because its real data is not in the cache, which is said."
)
def verify(
    rubric: RubricOption = None,
    rubrics: RubricsOption = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit file here.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write the report to this folder.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Another folder of references.")
    ] = None,
    profile: ProfileOption = Profile.SMOKE,
    store: StoreOption = None,
    jobs: JobsOption = 0,
    fresh: FreshOption = False,
) -> None:
    from grader import engine, report
    from grader.console import Bars, verified
    from grader.engine.verify import short_of_full
    from grader.evidence.store import Store

    with Bars(err) as bars:
        results = engine.verify(
            engine.Options(profile, rubric, rubrics, store, jobs, fresh), bars, reference=reference
        )
    if junit is not None:
        try:
            junit.parent.mkdir(parents=True, exist_ok=True)
            junit.write_text(report.junit(results), encoding="utf-8")
        except OSError as e:
            raise OutputError(
                f"cannot be written: {e.strerror}", where=str(junit), todo="name another file"
            ) from e
    if out is not None:
        report.write(results, out, Store(store).blob, answers=False)
    verified(results, Console())
    if short_of_full(results):
        raise typer.Exit(1)


@app.command(
    help="Measure the references' spread over seeds on this worker, and keep it; or, with --answers, learn"
    " from your own marks how far the suggestions for answers in words can be trusted."
)
def calibrate(
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Your marks: answers.csv of a report, filled in.")
    ] = None,
    allowed: Annotated[
        float,
        typer.Option("--allowed", min=0, max=0.5, help="With --answers: share of final marks off by more."),
    ] = 0.03,
    rubric: RubricOption = None,
    rubrics: RubricsOption = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, max=50, help="Runs of each reference.")] = 3,
    profile: ProfileOption = Profile.SMOKE,
    store: StoreOption = None,
    jobs: JobsOption = 0,
    fresh: FreshOption = False,
) -> None:
    from grader import engine
    from grader.console import Bars, calibrated, confirmed

    options = engine.Options(profile, rubric, rubrics, store, jobs, fresh)
    if answers is not None:
        confirmed(engine.confirm(answers, options, allowed=allowed), Console())
        return
    with Bars(err) as bars:
        found = engine.calibrate(options, bars, seeds=seeds)
    calibrated(found, Console())


@app.command(help="Look for mistakes in rubrics.")
def lint(files: Annotated[list[Path], typer.Argument(help="Rubric files.")]) -> None:
    from grader.console import findings
    from grader.rubric.lint import lint as look

    if findings(look(files), files, Console()):
        raise typer.Exit(3)


@app.command(help="Write a rubric for students: no hidden criteria, no answers in words or numbers.")
def publish(
    rubric: Annotated[Path, typer.Argument(help="Your rubric file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, in a folder of its own.")],
    withhold: Annotated[
        list[str] | None, typer.Option("--withhold", help="Withhold criteria of this check, too: layers, …")
    ] = None,
) -> None:
    from grader.rubric.publish import publish as write

    write(rubric, out, withhold or ())
    print(out)


@data.command("list", help="What is in the cache, and what is not.")
def data_list() -> None:
    from grader.console import statuses
    from grader.resources import folder, list_all

    statuses(list_all(), folder(), Console())


@data.command("pull", help="Download from the official address, and check the sums.")
def data_pull(names: Annotated[list[str], typer.Argument(help="Names from `grade data list`.")]) -> None:
    from grader.resources import pull

    for name in names:
        for path in pull(name, err.print):
            print(path)


@data.command("add", help="Put a file or folder of your own into the cache.")
def data_add(name: str, path: Path) -> None:
    from grader.resources import add

    print(add(name, path))


@data.command("verify", help="Check what is in the cache against its sums.")
def data_verify(name: Annotated[str | None, typer.Argument()] = None) -> None:
    from grader.console import checked
    from grader.resources import verify as look

    if not checked(look(name), Console()):
        raise typer.Exit(6)


def main(arguments: list[str] | None = None) -> None:
    """The command ``grade``: ``grade FILES`` is ``grade run FILES``.

    Errors of ours are one clear line, and an exit code of their own.
    """
    given = sys.argv[1:] if arguments is None else arguments
    commands = {c.name or (c.callback.__name__ if c.callback else "") for c in app.registered_commands}
    if given and given[0] not in {
        *commands,
        "data",
        "--help",
        "--version",
        "--install-completion",
        "--show-completion",
    }:
        given = ["run", *given]
    try:
        app(given, prog_name="grade")
    except GraderError as e:
        err.print(f"grade: {e}", style="bold red", markup=False, soft_wrap=True, highlight=False)
        sys.exit(e.exit_code)
    except _Stopped:
        err.print(
            "grade: stopped. What was complete is kept; run the same command again to go on.", soft_wrap=True
        )
        sys.exit(130)
