"""Everything that running a submission can yield, as frozen, JSON-able records.

Scoring is a pure function of these records, the rubric and the reference; so a fact that is not
here cannot earn a mark, and a record never says how many marks something is worth.

Blobs (PNG files, exported models) are kept by content in the store; a record names them by
SHA-256, in hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from pydantic import Field

from grader.record import Record

Sha256: TypeAlias = str


class Profile(StrEnum):
    """How much data a run gets. A verdict always says which profile it was reached under."""

    SMOKE = "smoke"
    FULL = "full"


# ---------------------------------------------------------------- pieces: what is run, and aligned


class Piece(Record):
    """The smallest part of a submission that is aligned with a question and, if code, executed.

    A markdown cell that answers six questions is six pieces; a code cell that opens three times
    with ``# Q6`` … is three, split between top-level statements only.
    """

    index: int = Field(description="position in the submission, from 0; evidence refers to it")
    cell: int = Field(description="the cell it comes from, from 0; shown to people from 1")
    kind: Literal["markdown", "code"]
    source: str
    first_line: int = Field(1, description="its first line within the cell, from 1")
    part: int = Field(0, description="which part of the cell, from 0")
    section: int = Field(0, description="pieces under one question label share a section")
    saved_output: str = Field("", description="text output saved by the author: a claim, not evidence")


# ---------------------------------------------------------------- what running a piece yields


class RunState(StrEnum):
    OK = "ok"
    FAILED = "failed"  # the code raised
    LIMIT = "limit"  # our time or output limit ended it; what it printed and drew is kept
    DIED = "died"  # the kernel died or hung for good
    SKIPPED = "skipped"  # not run, `PieceRun.note` says why


class Failure(Record):
    """An exception in the student's code, from the fresh run."""

    name: str
    message: str
    traceback: str = Field("", description="plain text, last 4,000 characters")
    line: int | None = Field(None, description="line within the piece, from 1, where known")


class Text(Record):
    stream: Literal["stdout", "stderr", "result"]
    text: str
    truncated: bool = False


class Line(Record):
    """One line of a plot; at most 200 points are kept."""

    label: str = ""
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    points: int = 0


class Image(Record):
    """One image shown on axes. ``digest`` is of its array, so that equal panels are seen as such."""

    shape: tuple[int, ...]
    digest: str
    constant: bool = Field(False, description="all pixels equal: an empty panel")


class Axes(Record):
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    legend: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    images: tuple[Image, ...] = ()
    bars: int = 0
    points: int = Field(0, description="scatter points")
    texts: tuple[str, ...] = ()
    visible_axis: bool = True


class Figure(Record):
    """A figure as it was drawn, described by its artists, not only by its pixels."""

    piece: int
    png: Sha256 | None = Field(None, description="decoded and re-encoded outside the kernel")
    width: int = 0
    height: int = 0
    title: str = Field("", description="the figure's own title (suptitle)")
    axes: tuple[Axes, ...] = ()


class PieceRun(Record):
    """What happened when one code piece was run. ``seconds`` is the clock outside the kernel."""

    piece: int
    state: RunState
    seconds: float = 0.0
    waited: float | None = Field(
        None, description="of these, how long other work had the processor, by the system's account"
    )
    texts: tuple[Text, ...] = ()
    failure: Failure | None = None
    figures: tuple[Figure, ...] = ()
    kernel: int = Field(0, description="which kernel ran it: 0 is the first, 1 the one after a death")
    replayed: bool = Field(False, description="run again in a later kernel to rebuild its names")
    note: str = ""

    @property
    def stdout(self) -> str:
        return "".join(t.text for t in self.texts if t.stream != "stderr")


# ---------------------------------------------------------------- models


class LayerKind(StrEnum):
    """One vocabulary for both frameworks; read from the operation that is executed, not its class."""

    CONVOLUTION = "convolution"
    TRANSPOSED_CONVOLUTION = "transposed convolution"
    DEPTHWISE_CONVOLUTION = "depthwise convolution"
    DENSE = "dense"
    MAX_POOLING = "max pooling"
    AVERAGE_POOLING = "average pooling"
    GLOBAL_AVERAGE_POOLING = "global average pooling"
    BATCH_NORMALISATION = "batch normalisation"
    LAYER_NORMALISATION = "layer normalisation"
    LOCAL_RESPONSE_NORMALISATION = "local response normalisation"
    DROPOUT = "dropout"
    FLATTEN = "flatten"
    CONCATENATE = "concatenate"
    ADD = "add"
    ACTIVATION = "activation"
    PADDING = "padding"
    RECURRENT = "recurrent"
    EMBEDDING = "embedding"
    RESCALING = "rescaling"
    OTHER = "other"


class Layer(Record):
    """One operation of the measured model, in execution order."""

    kind: LayerKind
    name: str = Field("", description="the module's path in the model, where it has one")
    function: str = Field("", description="for an activation: relu, tanh, softmax, …; else the operation")
    inputs: tuple[str, ...] = Field((), description="names of the operations it reads, for branches")
    node: str = Field("", description="its own name in the graph; `inputs` of others refer to it")
    output_shape: tuple[int | None, ...] = Field((), description="batch first, batch as None; channels first")
    parameters: int = Field(0, description="own parameters; 0 for a second use of shared weights")
    trainable: int = 0
    units: int | None = Field(None, description="output channels of a convolution, units of a dense layer")
    kernel: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | None = None


class Preprocessing(Record):
    """How the student's inputs are made from stored images: only steps of a known list.

    ``steps`` are torchvision's own names with JSON arguments, e.g.
    ``[{"name": "Resize", "size": [32, 32]}, {"name": "ToTensor"}]``; ``known`` is False when a
    step could not be described (a lambda, a class of the student's own).
    """

    steps: tuple[dict[str, Any], ...] = ()
    known: bool = True
    unknown_steps: tuple[str, ...] = ()


class DatasetUse(Record):
    """A data set that the notebook opened through a loader, and what it was given."""

    piece: int
    dataset: str = Field(description="registry id: mnist, cifar10, flowers, image-folder, …")
    loader: str = Field("", description="the loader as called, e.g. torchvision.datasets.MNIST")
    split: Literal["train", "test", "validation", "all", "unknown"] = "unknown"
    size: int = 0
    classes: int | None = None
    path: str = ""
    stand_in: bool = Field(False, description="generated or random content: no accuracy is judged on it")
    preprocessing: Preprocessing | None = None


class ModelSnapshot(Record):
    """A student's model as it left the kernel after one piece.

    All but ``program`` is the kernel's own word (an untrusted peer) and is only used to choose
    which model to look at; counts, shapes and predictions come from the `Measurement`.
    """

    piece: int
    variable: str = Field("", description="name in the notebook; empty when only seen being called")
    framework: Literal["pytorch", "keras"]
    class_name: str
    called: bool = Field(False, description="its forward ran during this piece")
    trained: bool = Field(False, description="its weights changed during this piece")
    moved: tuple[str, ...] | None = Field(None, description="parameters that changed during this piece")
    frozen: tuple[str, ...] | None = Field(None, description="parameters not marked trainable")
    claimed_parameters: int | None = None
    input_shape: tuple[int, ...] | None = Field(None, description="observed, without batch")
    input_range: tuple[float, float] | None = Field(None, description="least and largest input value seen")
    steps: int = Field(0, description="calls in training mode with gradients during this piece; 0: not known")
    samples: int = Field(0, description="inputs in these calls, counted again in each epoch; 0: not known")
    distance: float | None = Field(
        None, description="how far its weights moved in this piece, by the size that they had before"
    )
    claimed_layers: tuple[Layer, ...] = Field(
        (), description="modules in the order of their calls, for a model that cannot be exported"
    )
    program: Sha256 | None = None
    weights: bool = Field(False, description="whether the program carries its weights (small enough)")
    problem: str = Field("", description="why there is no program")


class Prediction(Record):
    """What the measured model answered on held-out inputs; the labels stay with the scorer."""

    dataset: str
    held_out: str = Field(description="id of the held-out set, which names its labels")
    part: Literal["held-out", "test", "train"] = Field(
        "held-out",
        description="test and train: images that the notebook has too, to find what was learned by heart",
    )
    preprocessing: Preprocessing
    classes: tuple[int, ...] = Field(description="arg-max class of each held-out input, in order")
    outputs: int = Field(description="size of the model's output")
    constant: bool = Field(False, description="its output was the same for every input")


class MeasurementState(StrEnum):
    MEASURED = "measured"
    REFUSED = "refused"  # the file is not an exported model, or is malformed
    FAILED = "failed"  # ours: the clean process failed


class Measurement(Record):
    """What a clean process, which has run no student code, read from one exported model."""

    program: Sha256
    state: MeasurementState
    reason: str = ""
    parameters: int = 0
    trainable: int = 0
    input_shape: tuple[int | None, ...] = ()
    output_shape: tuple[int | None, ...] = ()
    layers: tuple[Layer, ...] = ()
    unused: tuple[str, ...] = Field(
        (), description="modules with parameters that evaluation does not run: auxiliary heads, as a rule"
    )
    predictions: tuple[Prediction, ...] = ()
    weights: Mapping[str, str] = Field(
        default_factory=dict,
        description="SHA-256 of each parameter's values by its name, where it carries them",
    )
    seconds: float = 0.0


# ---------------------------------------------------------------- the run as a whole


class IsolationLevel(StrEnum):
    NAMESPACES = "namespaces"  # own user, mount, pid, net, ipc; nothing of the grader's in sight
    LANDLOCK = "landlock"  # file access restricted by the kernel; network and processes are not
    PROCESS = "process"  # a separate process with limits only


class Isolation(Record):
    level: IsolationLevel
    missing: tuple[str, ...] = Field((), description="protections that this system refused, in words")

    @property
    def weak(self) -> bool:
        return self.level is not IsolationLevel.NAMESPACES or bool(self.missing)


class Substitution(Record):
    """Something the notebook asked for and got in another form; shown in the report."""

    piece: int | None
    asked: str = Field(description="what the notebook asked for, e.g. a URL, a path, a command")
    given: str = Field(description="what it got, in words")
    stand_in: bool = Field(False, description="not the real content: accuracy is not judged on it")


class Limits(Record):
    """Seconds and bytes. `question` bounds the pieces of one section."""

    cell: float = 120.0
    question: float = 240.0
    notebook: float = 600.0
    memory: int = 6 * 2**30
    processes: int = 256
    file_size: int = 2 * 2**30
    output: int = 1_000_000


class Environment(Record):
    python: str
    packages: Mapping[str, str] = Field(default_factory=dict)
    device: str = "cpu"
    cpu: str = ""
    threads: int = 1


class Execution(Record):
    """All evidence of one submission's run: what `grader.worker` yields and the store keeps."""

    key: str = Field(description="hash of everything that could change it")
    profile: Profile
    state: Literal["complete", "worker_failed"]
    reason: str = ""
    isolation: Isolation
    environment: Environment
    limits: Limits
    runs: tuple[PieceRun, ...] = ()
    snapshots: tuple[ModelSnapshot, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    datasets: tuple[DatasetUse, ...] = ()
    substitutions: tuple[Substitution, ...] = ()
    seconds: float = 0.0
