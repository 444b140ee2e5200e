"""Hand-made submissions and evidence, for tests of what reads evidence only."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from grader.checks.base import Case
from grader.evidence.model import (
    DatasetUse,
    Environment,
    Execution,
    Failure,
    Figure,
    Isolation,
    IsolationLevel,
    Layer,
    LayerKind,
    Limits,
    Measurement,
    MeasurementState,
    ModelSnapshot,
    Piece,
    PieceRun,
    Prediction,
    Preprocessing,
    Profile,
    RunState,
    Substitution,
    Text,
)
from grader.submission.model import Answer, Submission


class Notebook:
    """Cells added one by one, each with what its fresh run yielded."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.runs: list[PieceRun] = []
        self.snapshots: list[ModelSnapshot] = []
        self.measurements: list[Measurement] = []
        self.datasets: list[DatasetUse] = []
        self.substitutions: list[Substitution] = []
        self.packages: dict[str, str] = {}

    @property
    def last(self) -> int:
        return len(self.pieces) - 1

    def text(self, source: str) -> Notebook:
        n = len(self.pieces)
        self.pieces.append(Piece(index=n, cell=n, kind="markdown", source=source))
        return self

    def code(
        self,
        source: str,
        out: str = "",
        *,
        state: RunState = RunState.OK,
        error: tuple[str, str] | None = None,
        line: int | None = None,
        traceback: str = "",
        seconds: float = 10.0,
        waited: float | None = None,
        figures: tuple[Figure, ...] = (),
        saved: str = "",
        note: str = "",
        kernel: int = 0,
        run: bool = True,
    ) -> Notebook:
        n = len(self.pieces)
        self.pieces.append(Piece(index=n, cell=n, kind="code", source=source, saved_output=saved))
        if run:
            failure = (
                Failure(name=error[0], message=error[1], traceback=traceback, line=line) if error else None
            )
            self.runs.append(
                PieceRun(
                    piece=n,
                    state=RunState.FAILED if error else state,
                    seconds=seconds,
                    waited=waited,
                    texts=(Text(stream="stdout", text=out),) if out else (),
                    failure=failure,
                    figures=tuple(f.model_copy(update={"piece": n}) for f in figures),
                    kernel=kernel,
                    note=note,
                )
            )
        return self

    def model(
        self,
        *,
        parameters: int = 0,
        layers: tuple[Layer, ...] = (),
        output: tuple[int | None, ...] = (None, 10),
        trained: bool = True,
        called: bool = True,
        moved: tuple[str, ...] | None = None,
        frozen: tuple[str, ...] | None = None,
        predictions: tuple[Prediction, ...] = (),
        input_range: tuple[float, float] | None = None,
        name: str = "Net",
        claimed: int | None = None,
        measured: bool = True,
        state: MeasurementState = MeasurementState.MEASURED,
        problem: str = "",
        piece: int | None = None,
        samples: int = 0,
        distance: float | None = None,
        weights: dict[str, str] | None = None,
    ) -> Notebook:
        """A model seen in the last piece; ``measured=False`` is one that could not leave the kernel."""
        key = hashlib.sha256(repr((len(self.snapshots), name)).encode()).hexdigest()
        self.snapshots.append(
            ModelSnapshot(
                piece=self.last if piece is None else piece,
                variable="model",
                framework="pytorch",
                class_name=name,
                called=called,
                trained=trained,
                moved=moved,
                frozen=frozen,
                input_range=input_range,
                claimed_parameters=parameters if claimed is None else claimed,
                program=key if measured else None,
                problem=problem,
                samples=samples,
                distance=distance,
            )
        )
        if measured:
            self.measurements.append(
                Measurement(
                    program=key,
                    state=state,
                    reason="" if state is MeasurementState.MEASURED else "the process ended",
                    parameters=parameters,
                    trainable=parameters,
                    output_shape=output,
                    layers=layers,
                    predictions=predictions,
                    weights=weights or {},
                )
            )
        return self

    def data(self, dataset: str = "mnist", *, split: Any = "test", **more: Any) -> Notebook:
        self.datasets.append(DatasetUse(piece=self.last, dataset=dataset, split=split, **more))
        return self

    def given(self, asked: str, what: str, *, stand_in: bool = False) -> Notebook:
        self.substitutions.append(Substitution(piece=self.last, asked=asked, given=what, stand_in=stand_in))
        return self

    def execution(self, profile: Profile = Profile.SMOKE, **more: Any) -> Execution:
        fields: dict[str, Any] = {
            "key": "k",
            "profile": profile,
            "state": "complete",
            "isolation": Isolation(level=IsolationLevel.NAMESPACES),
            "environment": Environment(python="3.11", device="cpu", packages=self.packages),
            "limits": Limits(),
            "runs": tuple(self.runs),
            "snapshots": tuple(self.snapshots),
            "measurements": tuple(self.measurements),
            "datasets": tuple(self.datasets),
            "substitutions": tuple(self.substitutions),
        }
        return Execution(**(fields | more))

    def submission(self) -> Submission:
        return Submission(file=Path("student.ipynb"), digest="0" * 64, pieces=tuple(self.pieces))

    def case(
        self,
        *,
        answer: tuple[int, ...] | None = None,
        confidence: float = 1.0,
        profile: Profile = Profile.SMOKE,
        labels: dict[str, tuple[int, ...]] | None = None,
        reference: Case | None = None,
        execution: Execution | str | None = "run",
    ) -> Case:
        """The case of one question, answered by all pieces unless ``answer`` names some."""
        pieces = tuple(range(len(self.pieces))) if answer is None else answer
        ran = self.execution(profile) if execution == "run" else execution
        assert ran is None or isinstance(ran, Execution)
        return Case(
            question="q1",
            prompt="",
            profile=profile,
            pieces=tuple(self.pieces),
            answer=Answer(question="q1", pieces=pieces, confidence=confidence),
            execution=ran,
            reference=reference,
            labels=labels,
        )


def layer(kind: str, units: int | None = None, kernel: int | None = None, **more: Any) -> Layer:
    """One measured layer, by the vocabulary's word."""
    if kernel is not None:
        more["kernel"] = (kernel, kernel)
    return Layer(kind=LayerKind(kind), units=units, **more)


def lenet(
    second: int = 16, *, c1_kernel: int = 5, dense: tuple[int, ...] = (120, 84, 10)
) -> tuple[Layer, ...]:
    """LeNet-5 on unpadded 28×28 images, with the parameters that such layers have."""
    size = 28 - c1_kernel + 1
    found = [
        layer(
            "convolution", 6, c1_kernel, parameters=(c1_kernel**2 + 1) * 6, output_shape=(None, 6, size, size)
        ),
        layer("activation", function="relu"),
        layer("max pooling", kernel=2, stride=(2, 2), output_shape=(None, 6, size // 2, size // 2)),
        layer("convolution", second, 5, parameters=(6 * 25 + 1) * second, output_shape=(None, second, 8, 8)),
        layer("activation", function="relu"),
        layer("max pooling", kernel=2, stride=(2, 2), output_shape=(None, second, 4, 4)),
        layer("flatten"),
    ]
    inputs = second * 16
    for units in dense:
        found.append(layer("dense", units, parameters=(inputs + 1) * units, output_shape=(None, units)))
        inputs = units
    return tuple(found)


def predicted(
    right: int, of: int, data: str = "mnist", held_out: str = "mnist/held"
) -> tuple[Prediction, dict[str, tuple[int, ...]]]:
    """A prediction with so many right answers of ten classes, and the labels it is held against."""
    labels = tuple(i % 10 for i in range(of))
    classes = tuple(x if i < right else (x + 1) % 10 for i, x in enumerate(labels))
    steps = ({"name": "ToTensor"},)
    return (
        Prediction(
            dataset=data,
            held_out=held_out,
            preprocessing=Preprocessing(steps=steps),
            classes=classes,
            outputs=10,
        ),
        {held_out: labels},
    )
