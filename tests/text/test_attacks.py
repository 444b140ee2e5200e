"""Model answers, paraphrases, wrong and off-topic answers and attacks, for each prose question."""

from __future__ import annotations

import pytest

from tests.text.suite import Asked, asked, attacks

EACH = pytest.mark.parametrize("q", asked(), ids=lambda q: q.name)


def test_every_prose_question_of_the_three_assignments_is_tried() -> None:
    assert len(asked()) >= 18


@EACH
def test_a_model_answer_earns_full_marks_and_no_guard_objects(q: Asked) -> None:
    """How sure a stranger's answer in these words would be is another matter: the more a question asks, the less."""
    a = q.marked(q.reference)
    assert a.share == 1.0, [(r.point.says, r.mark, r.missing) for r in a.readings]
    assert not a.guards and a.confidence > 0.55, (a.confidence, a.guards)


@EACH
def test_a_good_paraphrase_gets_within_15_percent_of_full_marks(q: Asked) -> None:
    assert q.marked(q.paraphrase).share >= 0.85


@EACH
def test_half_an_answer_gets_less_than_the_whole_and_more_than_nothing(q: Asked) -> None:
    if len(q.good) > 1:
        assert 0.1 <= q.marked(q.half).share < q.marked(q.paraphrase).share


@EACH
def test_a_wrong_answer_gets_under_a_quarter(q: Asked) -> None:
    assert q.marked(q.wrong).share < 0.25


@EACH
def test_another_questions_answer_never_stands_with_marks(q: Asked) -> None:
    others = [o for o in asked() if o.rubric != q.rubric]
    for other in others[:: max(len(others) // 3, 1)]:
        a = q.marked(other.wrong)
        assert a.share < 0.25 or not a.decided


@EACH
def test_no_attack_ends_above_its_honest_twin_without_a_person(q: Asked) -> None:
    for name, text, twin in attacks(q):
        a = q.marked(text)
        honest = q.marked(twin).share if twin else 0.15
        assert a.share <= honest or not a.decided, f"{name}: {a.share:.2f} against {honest:.2f}"


@EACH
def test_a_nearly_verbatim_model_answer_goes_to_a_person_and_keeps_its_marks(q: Asked) -> None:
    a = q.marked(q.reference.replace("the", "this", 1), against_reference=True)
    assert "copied" in [g.kind for g in a.guards]
    assert not a.decided
    assert a.share > 0.8


@EACH
def test_a_blank_answer_is_final(q: Asked) -> None:
    a = q.marked("")
    assert a.share == 0.0
    assert a.decided
