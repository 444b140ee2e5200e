"""What is said of one network does not count for another, however near the words stand."""

from __future__ import annotations

import pytest

from grader.text.assess import assess
from grader.text.points import Point
from grader.text.sentences import read_text

POINTS = tuple(
    Point.model_validate(p)
    for p in (
        {
            "marks": 2,
            "says": "AlexNet has about 60 million parameters",
            "about": "AlexNet",
            "parts": [{"says": "60 million", "facts": [{"count": 60e6}]}],
        },
        {
            "marks": 2,
            "says": "VGG has about 138 million parameters",
            "about": "VGG",
            "parts": [{"says": "138 million", "facts": [{"count": 138e6}]}],
        },
        {"marks": 4, "says": "uses small filters throughout the whole network", "about": "VGG"},
    )
)


def marks(text: str) -> list[float]:
    return [r.mark for r in assess(POINTS, "Compare AlexNet and VGG.", read_text(text)).readings][:2]


@pytest.mark.parametrize(
    "text",
    [
        "AlexNet has 60 million parameters, VGG 138 million.",
        "AlexNet: 60M\n\nVGG-16: 138M",
        "There are 60 million parameters in AlexNet against 138 million in VGG.",
        "AlexNet and VGG-16 have 60 million and 138 million parameters respectively.",
        "VGG (138 million parameters) is more than twice as large as AlexNet (60 million).",
        "## AlexNet\n- 60 million parameters\n## VGG\n- 138 million parameters",
        "| | AlexNet | VGG |\n|---|---|---|\n| parameters | 60 million | 138 million |",
        "The first network is AlexNet. It has 60 million parameters. VGG came later. It has 138 million.",
        "## VGG\nAs the successor of AlexNet it has 138 million parameters.\n## AlexNet\n60 million parameters.",
        "AlexNet has sixty million parameters in eight layers, five of them convolutions, and of seventeen or twenty-two or thirty-three networks VGG has 138 million.",
    ],
)
def test_numbers_beside_their_network_count_in_any_layout(text: str) -> None:
    assert marks(text) == [2, 2]


@pytest.mark.parametrize(
    "text",
    [
        "AlexNet has 138 million parameters and VGG has 60 million parameters.",
        "AlexNet: 138 million parameters\nVGG: 60 million parameters",
        "There are 138 million parameters in AlexNet and 60 million in VGG.",
        "## AlexNet\n- 138 million parameters\n## VGG\n- 60 million parameters",
        "| | AlexNet | VGG |\n|---|---|---|\n| parameters | 138 million | 60 million |",
    ],
)
def test_swapped_numbers_earned_full_marks_and_now_earn_none(text: str) -> None:
    assert marks(text) == [0, 0]


def test_a_statement_made_of_the_other_network_goes_to_a_person_at_little() -> None:
    right = assess(
        POINTS, "", read_text("AlexNet is old, but VGG uses small filters throughout the whole network.")
    )
    swapped = assess(
        POINTS, "", read_text("VGG is newer, but AlexNet uses small filters throughout the whole network.")
    )
    assert right.readings[2].mark == 4
    assert swapped.readings[2].mark <= 1
    assert not swapped.decided and "negation" in [g.kind for g in swapped.guards]


def test_a_network_named_only_for_comparison_is_not_what_a_sentence_is_about() -> None:
    said = "Unlike AlexNet it uses small filters throughout the whole network."
    assert assess(POINTS, "", read_text(f"VGG came later. {said}")).readings[2].mark == 4


def test_a_rival_named_in_a_later_clause_for_contrast_does_not_take_the_words_away() -> None:
    """ "Each neuron looks only at a local region, not at the whole image like in a dense network" was lost."""
    said = "It uses small filters throughout the whole network, not a few large ones like in AlexNet."
    assert assess(POINTS, "", read_text(said)).readings[2].mark == 4
    theirs = "It uses small filters throughout the whole network of AlexNet."
    assert assess(POINTS, "", read_text(theirs)).readings[2].mark <= 1


def test_an_abbreviation_of_what_is_compared_with_is_compared_with_as_well() -> None:
    """Below such a heading all that was said of the CNN was given to the dense network."""
    points = tuple(
        Point.model_validate(
            {"marks": 2, "says": says, "about": about, "parts": [{"says": says, "facts": facts}]}
        )
        for says, about, facts in (
            ("shares its weights", "CNN", [{"words": "shares"}]),
            ("flattens the image", "fully connected | FC", [{"words": "flattens"}]),
        )
    )
    text = "## How it differs from a fully connected (FC) network\nIt shares one filter's weights."
    assert [r.mark for r in assess(points, "", read_text(text)).readings] == [2, 0]
