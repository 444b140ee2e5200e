"""Terms and numbers as written, in prose and in code, beside what they are said of."""

from __future__ import annotations

import pytest

from grader.evidence.model import Piece
from grader.text.assess import assess
from grader.text.facts import fact_in
from grader.text.points import Fact, Point
from grader.text.sentences import Sentence, read, read_text


def coded(source: str) -> tuple[Sentence, ...]:
    return read([Piece(index=0, cell=0, kind="code", source=source)])


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
    assert fact_in(fact, coded("from tensorflow.keras.applications import ResNet50")) is None
    assert fact_in(fact, read_text("It becomes a web application."))


def test_a_network_imported_in_code_is_named() -> None:
    backbone = Fact(words="ResNet | MobileNet")
    assert fact_in(backbone, coded("from tensorflow.keras.applications import ResNet50"))
    assert fact_in(backbone, coded("base = MobileNetV2(include_top=False)"))


def test_numbers_in_words_count_as_numbers() -> None:
    assert fact_in(Fact(count=(60e6,)), read_text("It has about sixty million parameters."))
    assert fact_in(Fact(count=(8,), of=("layers",)), read_text("It has eight trainable layers."))


def test_a_formula_in_a_code_fence_is_read_like_one_in_the_text() -> None:
    size = Fact(formula="(n + 2*p - k)/s + 1", where={"n": ("n",), "p": ("p",), "k": ("k",), "s": ("s",)})
    assert fact_in(size, read_text("```python\nout = (n + 2*p - k)//s + 1\n```"))


def test_what_stands_behind_a_semicolon_is_still_about_the_same() -> None:
    small = Fact(words="3×3 only", near=("VGG",))
    assert fact_in(small, read_text("VGG has 16 layers; 3×3 only."))


@pytest.mark.parametrize(
    "text",
    [
        "AlexNet has no dropout.",
        "It trains without any dropout.",
        "It does not use dropout.",
        "noise instead of dropout",
    ],
)
def test_what_is_denied_is_not_stated(text: str) -> None:
    dropout = Fact(words="dropout")
    assert fact_in(dropout, read_text(text)) is None
    assert fact_in(dropout, read_text(text), denials=True)


@pytest.mark.parametrize(
    "text",
    ["It works without losing spatial detail.", "not only dropout but augmentation", "Dropout, not decay."],
)
def test_what_only_stands_beside_a_negation_is_stated(text: str) -> None:
    assert fact_in(Fact(words="spatial | dropout"), read_text(text))


SIXTY = {"marks": 10, "says": "AlexNet has about 60 million parameters"}
SIXTY_MILLION = Point.model_validate(
    {**SIXTY, "parts": [{"says": "about 60 million", "facts": [{"count": 60e6, "near": "AlexNet"}]}]}
)


@pytest.mark.parametrize(
    "text",
    [
        "AlexNet never had as many as 60 million parameters.",
        "AlexNet isn't a network of 60 million parameters.",
        "AlexNet fails to reach 60 million parameters.",
    ],
)
def test_a_fact_beside_a_negation_is_for_a_person(text: str) -> None:
    a = assess((SIXTY_MILLION,), "", read_text(text))
    assert not a.decided and (a.mark == 0 or "negation" in {g.kind for g in a.guards})


@pytest.mark.parametrize(
    "text",
    [
        "AlexNet has 60 million parameters, not 138 million.",
        "AlexNet is not small: it has 60 million parameters.",
    ],
)
def test_a_negation_of_something_else_is_none(text: str) -> None:
    a = assess((SIXTY_MILLION,), "", read_text(text))
    assert a.mark == 10 and "negation" not in {g.kind for g in a.guards}


def test_a_year_is_not_found_within_another_number() -> None:
    assert fact_in(Fact(year=2012), read_text("It was published in 2012."))
    assert fact_in(Fact(year=2012), read_text("See file 320121.png.")) is None
