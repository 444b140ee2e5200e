"""A model ends in softmax (or sigmoid), and its loss applies it again."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.observed import last_function, line_about, only_model
from grader.checks.mistakes.trace import trace

WORDS = Words(
    name="softmax_before_cross_entropy",
    title="Softmax before a cross-entropy that applies it again",
    why="Applied twice, softmax flattens the probabilities: gradients become small and training slow.",
    hint="Find out what the loss expects: probabilities, or the scores before softmax.",
)
AGAIN = {"CrossEntropyLoss": "softmax", "BCEWithLogitsLoss": "sigmoid"}
LOGITS = {
    "categoricalcrossentropy": "softmax",
    "sparsecategoricalcrossentropy": "softmax",
    "binarycrossentropy": "sigmoid",
}


def find(case: Case) -> list[Mistake]:
    """From the loss that the code applies, and the model's last step in the code or as it was measured."""
    return _pytorch(case) or _keras(case)


def _pytorch(case: Case) -> list[Mistake]:
    for training in pytorch.trainings(case):
        for applied in training.losses:
            function = AGAIN.get(applied.loss)
            if function is None:
                continue
            direct = pytorch.activated(applied.output)
            last = direct or pytorch.final_activation(training.trace, pytorch.model_of(applied.output))
            seen = only_model(case)
            certain = last is not None
            # A model leaves the kernel in evaluation mode: where forward asks for the mode, that says nothing.
            by_mode = line_about(case, r"\bself\.training\b") is not None
            if last is None and len(training.models) == 1 and seen is not None and not by_mode:
                last = last_function(seen)
            if last != function:
                continue
            where = line_about(case, rf"(?i)\b(?:log_?)?{function}\b")
            how = "its output goes through" if direct else "the model ends in"
            return [
                WORDS.seen(
                    f"{applied.loss} is given probabilities: {how} {function}, which {applied.loss} applies itself.",
                    quote(applied.event),
                    where,
                    sure=certain,
                )
            ]
    return []


def _keras(case: Case) -> list[Mistake]:
    for fit in keras.fits(case):
        function = LOGITS.get(fit.compiled.loss)
        if function is None or fit.compiled.from_logits is not True:
            continue
        last = keras.last_layer(trace(case), fit.model)
        seen = only_model(case)
        ends = last.activation if last else last_function(seen) if seen else None
        if ends == function:
            return [
                WORDS.seen(
                    f"The loss is told from_logits=True, and the model ends in {function}: it is applied twice.",
                    quote(fit.compiled.event),
                    line_about(case, function),
                    sure=last is not None,
                )
            ]
    return []


KIND = WORDS.kind(find)
