"""What counts as having said something: terms as written, in prose and in code."""

from __future__ import annotations

import pytest

from grader.text.assess import assess
from grader.text.points import Fact, Point
from grader.text.reader import fact_in
from grader.text.sentences import read_code, read_text

SHAP = Fact(words="SHAP | LIME | heat map")


@pytest.mark.parametrize(
    "text", ["We explain it with SHAP values.", "using shap", "LIME", "A heat map shows it."]
)
def test_abbreviations_are_found_however_they_are_written(text: str) -> None:
    assert fact_in(SHAP, read_text(text))


@pytest.mark.parametrize(
    "text", ["base = ResNet50(input_shape=(224, 224, 3))", "limestone", "a shapely curve"]
)
def test_an_input_shape_is_not_the_method_shap(text: str) -> None:
    """It earned a mark for explaining predictions to everybody who wrote input_shape."""
    assert fact_in(SHAP, read_text(f"```\n{text}\n```")) is None and fact_in(SHAP, read_text(text)) is None


def test_a_module_of_that_name_is_no_application() -> None:
    fact = Fact(words="API | application")
    assert fact_in(fact, read_code("from tensorflow.keras.applications import ResNet50")) is None
    assert fact_in(fact, read_text("It becomes a web application."))


def test_a_network_imported_in_code_is_named() -> None:
    backbone = Fact(words="ResNet | MobileNet")
    assert fact_in(backbone, read_code("from tensorflow.keras.applications import ResNet50"))
    assert fact_in(backbone, read_code("base = MobileNetV2(include_top=False)"))


DENSE_HAS_MORE = Point.model_validate(
    {
        "marks": 2,
        "says": "max pooling has no parameters",
        "not": ["max pooling has more parameters than a convolution", "max pooling has many parameters"],
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "A convolution has more parameters than max pooling, which has no parameters.",
        "Max pooling has no parameters, whereas a convolution has many parameters.",
        "Max pooling has no parameters and a convolution has many parameters.",
    ],
)
def test_a_right_comparison_is_not_taken_for_the_wrong_one(text: str) -> None:
    """The words were all there, in another order or on the other side of a whereas."""
    (reading,) = assess((DENSE_HAS_MORE,), "", read_text(text)).readings
    assert reading.contradicted is None and reading.mark == 2


@pytest.mark.parametrize(
    "text", ["Max pooling has more parameters than a convolution.", "Max pooling has many parameters."]
)
def test_the_wrong_comparison_is(text: str) -> None:
    (reading,) = assess((DENSE_HAS_MORE,), "", read_text(text)).readings
    assert reading.contradicted is not None


def test_numbers_in_words_count_as_numbers() -> None:
    assert fact_in(Fact(count=(60e6,)), read_text("It has about sixty million parameters."))
    assert fact_in(Fact(count=(8,), of=("layers",)), read_text("It has eight trainable layers."))


def test_a_formula_in_a_code_fence_is_read_like_one_in_the_text() -> None:
    size = Fact(formula="(n + 2*p - k)/s + 1", where={"n": ("n",), "p": ("p",), "k": ("k",), "s": ("s",)})
    assert fact_in(size, read_text("```python\nout = (n + 2*p - k)//s + 1\n```"))


def test_what_stands_behind_a_semicolon_is_still_about_the_same() -> None:
    small = Fact(words="3×3 only", near=("VGG",))
    assert fact_in(small, read_text("VGG has 16 layers; 3×3 only."))


DIRECT_PATH = Point.model_validate(
    {
        "marks": 4,
        "says": "the gradient has a direct path back through the skip connection",
        "also": ["skip connections let it jump straight over layers"],
        "near": ["gradient | derivative | error", "direct | straight | path | over"],
    }
)


def mark_of(text: str) -> float:
    return assess((DIRECT_PATH,), "", read_text(text)).readings[0].mark


@pytest.mark.parametrize(
    "text",
    [
        "The skip connections let it jump straight over layers that are not needed.",
        "The gradient vanishes in deep networks.\n\nSkip connections let it jump straight over layers, to save work.",
        "- Gradient: gets too large.\n- Skip connections let it jump straight over layers.",
    ],
)
def test_a_sentence_in_the_right_words_about_something_else_earns_nothing(text: str) -> None:
    """'Skip connections remove extra layers' was taken for what becomes of the gradient."""
    assert mark_of(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Through the skip connection the gradient has a direct path back.",
        "What happens to the gradient? The gradient shrinks. Skip connections let it jump straight over layers.",
        "## Gradients\n\nSkip connections let it jump straight over layers.",
        "- Gradients: skip connections let them jump straight over layers.",
    ],
)
def test_what_it_is_about_may_stand_in_the_heading_or_the_sentence_before(text: str) -> None:
    assert mark_of(text) >= 3


def test_a_denial_may_stand_behind_what_it_denies() -> None:
    """'Pooling learns nothing' was taken for the opposite of 'nothing is learned in pooling'."""
    point = Point.model_validate(
        {"marks": 2, "says": "there is nothing to learn in pooling", "also": ["pooling has no weights"]}
    )
    assert assess((point,), "", read_text("Pooling learns nothing.")).readings[0].mark >= 1.5


def test_no_weights_may_be_written_as_a_digit() -> None:
    point = Point.model_validate({"marks": 2, "says": "pooling has zero weights"})
    assert assess((point,), "", read_text("Max pooling: 0 weights")).readings[0].mark == 2
