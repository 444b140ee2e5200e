"""Hand-made results, rich enough that every part of a page has something to show."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image as Picture
from PIL import ImageDraw

from grader.checks.base import Quote, State, Table
from grader.evidence.model import (
    Axes,
    Figure,
    Image,
    Isolation,
    IsolationLevel,
    Line,
    Profile,
    Substitution,
)
from grader.results import CellRef, CriterionResult, QuestionResult, Results, SubmissionResult
from grader.scoring import question_state


class Blobs(dict[str, bytes]):
    """A store of pictures, by content."""

    def __call__(self, sha: str) -> bytes:
        return self[sha]

    def add(self, data: bytes) -> str:
        sha = hashlib.sha256(data).hexdigest()
        self[sha] = data
        return sha


def plot(width: int = 640, height: int = 420) -> bytes:
    picture = Picture.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 30, width - 20, height - 50), outline="black")
    for start, end, colour in ((340, 90, "#1f77b4"), (350, 180, "#ff7f0e")):
        draw.line([(60 + 7 * i, end + (start - end) * 0.93**i) for i in range(80)], fill=colour, width=3)
    draw.text((width // 2 - 40, 10), "Accuracy by epoch", fill="black")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


CURVES = (
    Axes(
        title="Accuracy by epoch",
        xlabel="epoch",
        ylabel="accuracy",
        legend=("training", "validation"),
        lines=(
            Line(label="training", x=(0, 1, 2), y=(0.5, 0.7, 0.9), points=3),
            Line(label="validation", x=(0, 1, 2), y=(0.5, 0.6, 0.65), points=3),
        ),
    ),
)

LENET = '''import torch.nn as nn

class LeNet5(nn.Module):
    """LeCun's network, on 28 by 28 digits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))'''

TRAIN = """start = time.time()
for epoch in range(2):
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    print(f"Epoch {epoch + 1}: loss {loss.item():.3f}")
accuracy = 98.5
print("Test accuracy:", accuracy, "%")"""


SHORTCUT = "The input of the block is added to its output, so H(x) = F(x) + x."
GRADIENTS = "Gradients can flow straight through the shortcut."
DEEP = "Because of this very deep networks are better."


def point(says: str, mark: float, out_of: float, state: State, quote: str) -> dict[str, object]:
    return {
        "says": says,
        "mark": mark,
        "out_of": out_of,
        "state": state.value,
        "confidence": 0.9,
        "quote": quote,
    }


def question(
    id: str, title: str, out_of: float, *criteria: CriterionResult, **more: object
) -> QuestionResult:
    return QuestionResult.model_validate(
        {
            "id": id,
            "title": title,
            "mark": sum(c.mark for c in criteria),
            "out_of": out_of,
            "state": question_state(list(criteria)),
            "confidence": 0.97,
            "criteria": criteria,
        }
        | more
    )


def submission(file: str, questions: tuple[QuestionResult, ...], **more: object) -> SubmissionResult:
    open_marks = sum(
        c.out_of for q in questions for c in q.criteria if c.state in (State.REVIEW, State.UNGRADED)
    )
    return SubmissionResult.model_validate(
        {
            "file": file,
            "assignment": "image-classification-cnn",
            "title": "Image classification with CNN architectures",
            "mark": sum(q.mark for q in questions),
            "out_of": sum(q.out_of for q in questions),
            "state": "review" if open_marks else "graded",
            "open_marks": open_marks,
            "questions": questions,
            "isolation": Isolation(level=IsolationLevel.NAMESPACES),
            "seconds": 72.4,
            "executed": True,
        }
        | more
    )


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


@pytest.fixture
def rich(blobs: Blobs) -> SubmissionResult:
    """One submission with every state of a criterion, and every kind of evidence."""
    curves = Figure(piece=9, png=blobs.add(plot()), width=640, height=420, axes=CURVES)
    maps = Figure(
        piece=8,
        png=blobs.add(plot(900, 500)),
        title="Feature maps of conv1",
        axes=tuple(Axes(title=f"map {i}", images=(Image(shape=(55, 55), digest=str(i)),)) for i in range(16)),
    )
    q5 = question(
        "q5",
        "Residual connections and vanishing gradients",
        20,
        CriterionResult(
            check="key_points",
            title="A shortcut adds the block's input to its output, gradients flow through it, and depth no "
            "longer degrades",
            mark=12,
            out_of=20,
            state=State.PARTIAL,
            reason="2 of 4 points made in full",
            hint="Say why a very deep plain network does worse even on its training data.",
            evidence={
                "points": [
                    point("a shortcut adds the block's input to its output", 6, 6, State.EARNED, SHORTCUT),
                    point("gradients flow straight through the shortcut", 6, 6, State.EARNED, GRADIENTS),
                    point("identity is easy to learn, so depth does not degrade", 0, 4, State.LOST, DEEP),
                    point("it makes networks of 50 to 152 layers trainable", 0, 4, State.LOST, ""),
                ],
                "confidence": 0.82,
            },
            quotes=(
                Quote(text=SHORTCUT, piece=3, line=2, about="earned"),
                Quote(text=GRADIENTS, piece=3, line=3, about="earned"),
                Quote(text=DEEP, piece=3, line=4, about="nearest"),
            ),
            private="The nearest sentence has a similarity of 0.41 to the point on degradation.",
        ),
        cells=(
            CellRef(
                piece=3,
                cell=4,
                part=2,
                kind="markdown",
                first_line=12,
                source=f"**Q5.**\n{SHORTCUT}\n{GRADIENTS}\n{DEEP}",
            ),
        ),
        why="the label “Q5.” and the words residual, shortcut",
    )
    q6 = question(
        "q6",
        "LeNet-5 on MNIST",
        20,
        CriterionResult(
            check="runs",
            title="The code runs",
            mark=4,
            out_of=4,
            state=State.EARNED,
            reason="All three cells ran without an error in 14 s.",
            evidence={"pieces": 3, "ran": 3},
        ),
        CriterionResult(
            check="layers",
            title="Two 5×5 convolutions of 6 and 16 maps with pooling, then 120, 84 and 10 units",
            mark=4.5,
            out_of=6,
            state=State.PARTIAL,
            reason="The second convolution has a 3×3 kernel where 5×5 is asked for; the rest agrees.",
            hint="Compare each kernel size with the paper's figure of the architecture.",
            evidence={"parameters": 43746, "output_shape": [None, 10], "expected": "61706 or 44426"},
            quotes=(Quote(text="self.conv2 = nn.Conv2d(6, 16, 3)", piece=6, line=9, about="code"),),
            tables=(
                Table(
                    title="Layers, as measured, beside what was expected",
                    header=("Layer", "Expected", "Kernel", "Units", "Output", "Parameters"),
                    rows=(
                        ("convolution", "6 @ 5×5", "5×5", "6", "6 × 24 × 24", "156"),
                        ("max pooling", "pooling", "2×2", "", "6 × 12 × 12", "0"),
                        ("convolution", "16 @ 5×5", "3×3", "16", "16 × 10 × 10", "880"),
                        ("max pooling", "pooling", "2×2", "", "16 × 5 × 5", "0"),
                        ("dense", "120", "", "120", "120", "48,120"),
                        ("dense", "84", "", "84", "84", "10,164"),
                        ("dense", "10", "", "10", "10", "850"),
                    ),
                    marked=(2,),
                ),
            ),
        ),
        CriterionResult(
            check="reports",
            title="Accuracy on test data is reported",
            mark=0,
            out_of=3,
            state=State.REVIEW,
            reason="98.5 is printed, but it is typed into the code and not computed there.",
            hint="Compute the accuracy from the model's predictions on the test set.",
            evidence={"stated": 0.985, "measured": 0.9312, "interval": [0.9137, 0.9454]},
            quotes=(
                Quote(text="accuracy = 98.5", piece=7, line=9, about="code"),
                Quote(text="Test accuracy: 98.5 %", piece=7, about="output"),
            ),
        ),
        CriterionResult(
            check="accuracy",
            title="Test accuracy",
            mark=0,
            out_of=4,
            state=State.UNGRADED,
            reason="The clean process could not load the model: it exports with a fixed batch only.",
            evidence={},
            hidden=True,
        ),
        CriterionResult(
            check="training_time",
            title="Training time is reported",
            mark=0,
            out_of=3,
            state=State.LOST,
            reason="No training time is stated anywhere in the answer, although the code reads the clock.",
            hint="Print the time that training took, with its unit.",
        ),
        cells=(
            CellRef(
                piece=6, cell=7, part=0, kind="code", first_line=1, state="ok", seconds=0.2, source=LENET
            ),
            CellRef(
                piece=7,
                cell=8,
                part=0,
                kind="code",
                first_line=1,
                state="ok",
                seconds=13.7,
                source=TRAIN,
                output="Epoch 1: loss 0.412\nEpoch 2: loss 0.201\nTest accuracy: 98.5 %\n",
            ),
        ),
        why="the label “Question 6:” and the name LeNet5",
    )
    q9 = question(
        "q9",
        "GoogLeNet on CIFAR-10, with its learning curves",
        20,
        CriterionResult(
            check="figure",
            title="Both curves over epochs, with labels and a legend",
            mark=8,
            out_of=8,
            state=State.EARNED,
            reason="Two lines over three epochs, with labels on both axes and a legend.",
            evidence={"lines": 2, "legend": ["training", "validation"]},
            figures=(curves, maps),
        ),
        CriterionResult(
            check="runs",
            title="The code runs",
            mark=0,
            out_of=12,
            state=State.LOST,
            reason="The last cell stops with RuntimeError: mat1 and mat2 shapes cannot be multiplied.",
            hint="Look at the shape that reaches the first dense layer.",
            quotes=(
                Quote(
                    text="RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x480 and 512x10)",
                    piece=9,
                    about="error",
                ),
            ),
            figures=(curves,),
        ),
        confidence=0.48,
        why="only the order of the cells speaks for it",
        cells=(
            CellRef(
                piece=9,
                cell=12,
                part=0,
                kind="code",
                first_line=1,
                state="failed",
                seconds=3.1,
                source="model = GoogLeNet()\nfit(model)",
                error='Traceback (most recent call last):\n  File "cell", line 2\n'
                "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x480 and 512x10)",
            ),
        ),
    )
    q10 = question(
        "q10",
        "X-rays into three classes with little data",
        20,
        CriterionResult(
            check="key_points",
            title="Approach and deployment",
            mark=0,
            out_of=20,
            state=State.LOST,
            reason="No answer to this question was found.",
        ),
        confidence=0.93,
        why="no label and none of its words",
    )
    return submission(
        "class/autumn/anna-lindqvist_hw3.ipynb",
        (q5, q6, q9, q10),
        substituted=(
            Substitution(
                piece=6, asked="torchvision.datasets.MNIST(download=True)", given="3,000 real training images"
            ),
            Substitution(
                piece=9,
                asked="https://example.org/googlenet-1378be20.pth",
                given="random weights of GoogLeNet's shape",
                stand_in=True,
            ),
        ),
        isolation=Isolation(
            level=IsolationLevel.NAMESPACES, missing=("no limit on memory: control groups are off",)
        ),
        notes=("cell ids were missing and have been made up",),
    )


def results(*submissions: SubmissionResult) -> Results:
    return Results(
        schema="grader/results/1", profile=Profile.SMOKE, isolation="namespaces", submissions=submissions
    )
