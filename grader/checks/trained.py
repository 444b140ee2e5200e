"""``trained``: the answer's model learned, and the layers that were to stand still did."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, partial, review
from grader.checks.layer_tables import learning, unchanged
from grader.checks.models import (
    layer_names,
    measured,
    named,
    parameters_of,
    parse_selector,
    select,
    snapshots,
)
from grader.checks.parts import chance, held_out
from grader.checks.ran import absent
from grader.evidence.model import Layer, ModelSnapshot


class Trained(Criterion):
    """``frozen`` names the layers that must not have moved: a kind, or one layer."""

    frozen: str | None = None

    @field_validator("frozen")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and parse_selector(value) is None:
            raise ValueError("frozen is a kind of layer, or one layer such as 'first convolution'")
        return value

    def title(self) -> str:
        if self.says:
            return self.says
        return (
            f"the model is trained, its {self.frozen} layers frozen"
            if self.frozen
            else "the model is trained"
        )


def _stood_still(snapshot: ModelSnapshot, layers: tuple[Layer, ...]) -> bool | None:
    """Whether none of the layers moved while something did; None where the evidence does not say."""
    if not any(x.name for x in layers):
        return None
    if snapshot.moved is not None:
        return bool(snapshot.moved) and not parameters_of(layers, snapshot.moved)
    if snapshot.frozen is None:
        return None
    still = {n.rsplit("/", 1)[0].rsplit(".", 1)[0] for n in snapshot.frozen} | set(snapshot.frozen)
    return all(x.name in still for x in layers if x.parameters and x.name)


def _never_changed(case: Case, snapshot: ModelSnapshot) -> list[str]:
    """Layers of the trained model that could have learned and did not, as a person names them."""
    m = next((m for s, m in measured(case) if s.program == snapshot.program), None)
    if m is None:
        return []
    still = {x.node for x in unchanged(m.layers, learning(case, snapshot))}
    names = zip(layer_names(m.layers), m.layers, strict=True)
    return [f"the {name} (`{x.name}`)" for name, x in names if x.node in still]


def _witness(case: Case, snapshot: ModelSnapshot) -> tuple[str, bool | None]:
    """What besides the notebook's own process says that this model learned, and whether it does.

    Best its programs: of the last that left the kernel before, and of the one after, both read in a clean
    process. Else its held-out accuracy, for what was not pretrained. None where neither is there.
    """
    assert case.execution is not None
    read = {m.program: m.weights for m in case.execution.measurements if m.weights}
    after = read.get(snapshot.program or "", {})
    before = [
        read[s.program]
        for s in case.execution.snapshots[: case.execution.snapshots.index(snapshot)]
        if (s.variable, s.class_name) == (snapshot.variable, snapshot.class_name)
        and s.program in read
        and (snapshot.called or s.program != snapshot.program)  # one that was not called did not leave again
    ]
    if after and before and (same := before[-1].keys() & after.keys()):
        return "the programs that left it", any(before[-1][n] != after[n] for n in same)
    best = max((r for r in held_out(case) if r.model is snapshot), key=lambda r: r.value, default=None)
    if best is not None and best.low > chance(best) and not case.stand_ins:
        return "its accuracy on held-out images", True
    return "the notebook's own process alone", None


def judge(c: Trained, case: Case) -> Verdict:
    """Earned if weights of a model of the answer changed during its cells."""
    seen = snapshots(case)
    trained = [s for s in seen if s.trained]
    if not seen:
        return absent(c, case, "model")
    if not trained:
        return absent(c, case, "trained model")
    witness, borne_out = _witness(case, trained[0])
    figures: dict[str, Any] = {"model": named(trained[0]), "trained": True, "witness": witness}
    if borne_out is False:
        said = (
            f"The notebook's own process says that the weights of `{named(trained[0])}` changed; "
            "in the programs that left it before and after, they are the same."
        )
        return review(c, 0.0, said, evidence=figures)
    if trained[0].moved is not None:
        figures["moved"] = len(trained[0].moved)
    words = f"The weights of `{named(trained[0])}` changed while its cells ran."
    if still := _never_changed(case, trained[0]):
        figures["unchanged"] = still
        words += f" Trainable, and yet unchanged: {', '.join(still[:4])}{' …' if len(still) > 4 else ''}."
    if c.frozen is None:
        return earned(c, words, evidence=figures)
    programs = {s.program: m for s, m in measured(case)}
    verdicts: list[bool | None] = []
    for s in trained:
        # The layers may be read from any measured model of the same class: training does not change them.
        m = programs.get(s.program) or next(
            (m for t, m in measured(case) if t.class_name == s.class_name), None
        )
        layers = select(m.layers, c.frozen) if m else ()
        if m and not layers:
            return partial(c, 0.5, f"{words} It has no {c.frozen} layers to freeze.", evidence=figures)
        verdicts.append(_stood_still(s, layers) if layers else None)
    if any(verdicts):
        return earned(c, f"{words} Its {c.frozen} layers stood still.", evidence=figures | {"frozen": True})
    if None in verdicts:
        said = f"{words} Whether its {c.frozen} layers stood still could not be seen."
        return review(c, c.marks / 2, said, evidence=figures)
    return partial(
        c, 0.5, f"{words} Its {c.frozen} layers changed, too.", evidence=figures | {"frozen": False}
    )


CHECK = Check(kind="trained", criterion=Trained, judge=judge)
