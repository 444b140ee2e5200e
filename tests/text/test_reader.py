"""What counts as having said something: terms as written, in prose and in code."""

from __future__ import annotations

import pytest

from grader.text.points import Fact
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
