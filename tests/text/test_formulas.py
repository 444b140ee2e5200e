"""Formulas are compared by what they compute."""

from __future__ import annotations

import pytest

from grader.text import formulas
from grader.text.clean import inline
from grader.text.quantities import quantities

SIZE = "(N + 2*P - F) / S + 1"
WHERE = {
    "N": ("n", "w", "i", "input", "input size"),
    "F": ("f", "k", "filter", "kernel", "filter size"),
    "P": ("p", "padding"),
    "S": ("s", "stride"),
}


@pytest.mark.parametrize(
    "text",
    [
        "Output = (N − F + 2P)/S + 1",
        "out = floor((n+2p-f)/s)+1",
        "((Input - Filter + 2*Padding) / Stride) + 1",
        "the size is (W - K + 2P) / S + 1, where W is the width",
        "$$\\left\\lfloor\\frac{N + 2P - F}{S}\\right\\rfloor + 1$$",
        "Output Size = ( 𝑁 − 𝐹 + 2 𝑃 ) 𝑆 + 1",  # pasted, its fraction bar lost
    ],
)
def test_one_formula_is_known_in_many_writings(text: str) -> None:
    assert formulas.states(inline(text), SIZE, WHERE)


@pytest.mark.parametrize(
    "text",
    ["(N - F + P)/S + 1", "(N - F + 2P)/S - 1", "(N + F + 2P)/S + 1", "N * F + S", "no formula at all"],
)
def test_another_formula_is_not_taken_for_it(text: str) -> None:
    assert not formulas.states(inline(text), SIZE, WHERE)


def test_a_worked_line_must_be_worked_out_rightly() -> None:
    assert formulas.worked("(28 - 3 + 2×1)/1 + 1 = 28", "/+")
    assert not formulas.worked("(28 - 3 + 2×1)/1 + 1 = 30", "/+")


def test_values_in_words_that_give_the_stated_result_are_an_example() -> None:
    said = "No padding (P=0), F=3, S=1 on N=28 → output = 26"
    assert formulas.example(said, SIZE, WHERE, ("output",))
    assert not formulas.example(said.replace("26", "27"), SIZE, WHERE, ("output",))


@pytest.mark.parametrize("text", ["W2 = (W1 − F + 2P)/S + 1", "(W_1 - F + 2P)/S + 1"])
def test_numbered_names_are_the_names_themselves(text: str) -> None:
    assert formulas.states(inline(text), SIZE, WHERE)


def test_a_bracket_behind_a_name_multiplies_unless_it_explains() -> None:
    weights = "(K*K*I + 1) * O"
    where = {"K": ("k",), "I": ("c_in",), "O": ("c_out",)}
    assert formulas.states(inline("C_out(k²C_in + 1)"), weights, where)
    assert formulas.states("k*k*c_in*c_out + c_out (biases)", "K*K*I*O + O", where)


@pytest.mark.parametrize(
    "text", ["(2-4)^0.5 + 1 = 3", "2x10^400 weights", "1+" * 3000 + "1 = 3001", f"{'9' * 400} + 1 * 2 = 3"]
)
def test_numbers_that_nobody_can_compute_with_are_no_example(text: str) -> None:
    """Each ended the grading of its question, and a calibration with it."""
    assert not formulas.worked(text, "+*^")
    assert quantities(text) is not None
