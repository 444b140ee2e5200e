"""Thresholds from a teacher's own marks, and clusters of alike answers."""

from __future__ import annotations

import random

import pytest

from grader.errors import UsageError
from grader.text import calibration, clusters, spread
from grader.text.assess import suggestion
from grader.text.calibration import Calibration, Marked, calibrate, shipped
from grader.text.points import Point
from tests.text.suite import asked


def test_with_no_marks_nothing_but_a_blank_answer_would_be_final() -> None:
    nobody = Calibration(about="no marks", answers=0, floor=0.04)
    assert not nobody.decided(1.0, 0.9999)
    assert not nobody.decided(0.0, 0.9999)


def sure(n: int, seed: int, *, off: float = 0.0) -> list[Marked]:
    """Suggestions from parts that are nearly certain; the teacher's mark is off by ``off`` one way or the other."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        parts = tuple((0.25, rng.choice([0.01, 0.99])) for _ in range(4))
        suggested = sum(w * (p > 0.5) for w, p in parts)
        given = min(max(suggested + rng.choice([-off, off]), 0.0), 1.0)
        rows.append(Marked(suggested=suggested, chances=((1.0, parts),), given=given, words=80))
    return rows


def test_marks_that_agree_with_the_suggestions_let_sure_answers_stand() -> None:
    report = calibrate(sure(40, 1))
    assert report.after.coverage > 0.8
    assert report.after.wrong == 0.0


def test_marks_that_contradict_the_suggestions_let_none_stand() -> None:
    report = calibrate(sure(40, 2, off=0.3))
    assert report.after.coverage < 0.1
    assert report.calibration.floor > shipped_floor()


def shipped_floor() -> float:
    return calibration.shipped().floor


def test_a_milder_teacher_shifts_the_suggestions() -> None:
    rows = [r.model_copy(update={"given": min(r.suggested + 0.15, 1.0)}) for r in sure(40, 3)]
    assert calibrate(rows).calibration.shift > 0.03


def test_accepting_and_rejecting_have_their_own_thresholds() -> None:
    c = calibrate([r for r in sure(60, 4) if r.suggested >= 0.5]).calibration
    assert c.accept < calibration.NEVER
    assert c.reject == calibration.NEVER, "no low mark was seen, so none may be final"


def test_too_few_marks_are_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        calibrate(sure(5, 5))


def test_a_teachers_marks_on_real_looking_answers_are_calibrated_with() -> None:
    q = asked()[0]
    rows = [
        suggestion(q.points, q.prompt, q.best, text, given, calibration.shipped())
        for text, given in [(q.half, 0.45), (q.good[0], 0.2), (q.paraphrase, 1.0)] * 4
    ]
    assert all(r.words > 10 for r in rows)
    report = calibrate(rows, groups=[str(n // 3) for n in range(12)])
    assert report.calibration.answers == 12
    assert report.after.error < 0.2


def test_marks_that_nothing_was_found_for_make_a_suggestion_less_sure() -> None:
    """They may have been said in words that no part knows, which the parts' own probabilities cannot tell."""
    all_found = ((1.0, ((0.5, 0.99), (0.5, 0.99))),)
    half_found = ((1.0, ((0.5, 0.99), (0.5, 0.01))),)
    c = shipped()
    assert c.likely(1.0, all_found) == pytest.approx(c.likely(0.5, half_found), abs=0.02)
    assert c.confidence(1.0, all_found) > c.confidence(0.5, half_found) + 0.02
    at_its_word = c.model_copy(update={"doubt": calibration.Doubt()})
    assert at_its_word.confidence(0.5, half_found) == pytest.approx(c.likely(0.5, half_found), abs=0.02)


def test_parts_add_up_to_a_distribution() -> None:
    d = spread.distribution(((0.5, ((0.5, 0.5), (0.5, 0.5))), (0.5, ((1.0, 0.5),))))
    assert d.sum() == pytest.approx(1.0)
    assert float(d @ spread.GRID) == pytest.approx(0.5, abs=0.01)


def test_near_identical_answers_are_found_and_others_are_not() -> None:
    a, b = asked()[0].paraphrase, asked()[1].paraphrase
    copy = a.replace("basically", "simply")
    (pair,) = clusters.alike({"ann": a, "bob": b, "cid": copy})
    assert {pair.first, pair.second} == {"ann", "cid"}


def test_a_question_that_both_copied_makes_no_near_identical_answers() -> None:
    prompt = " ".join(q.prompt for q in asked())
    mine, theirs = asked()[0].good[0], asked()[1].good[0]
    texts = {"ann": f"{prompt}\n\n{mine}", "bob": f"{prompt}\n\n{theirs}"}
    assert clusters.alike(texts)
    assert not clusters.alike(texts, prompt)


def test_a_mark_is_given_to_the_cluster_of_its_answer_and_no_other() -> None:
    a, b = asked()[0], asked()[1]
    texts = {"ann": a.paraphrase, "cid": a.paraphrase + " That is all.", "bob": b.paraphrase, "dan": b.half}
    groups = clusters.clusters(texts)
    assert sorted(name for g in groups for name in g) == sorted(texts)
    (carried,) = clusters.spread_mark(groups, "ann", 18)
    assert (carried.submission, carried.mark, carried.given_to) == ("cid", 18, "ann")


def test_where_words_are_asked_for_code_is_no_answer_to_calibrate_with_either() -> None:
    """The same answer was read in one way when it was graded, in another when the record was refitted."""
    points = (Point.model_validate({"marks": 2, "says": "the accuracy", "facts": [{"words": "accuracy"}]}),)
    answer = "```python\nprint(accuracy)\n```"
    given = {n: suggestion(points, "", None, answer, 0.0, shipped(), in_words=n) for n in (False, True)}
    assert given[False].suggested > 0 and (given[True].suggested, given[True].words) == (0, 0)


def test_full_marks_are_judged_as_they_are_given() -> None:
    """A hard hand's shift was counted for them, which they do not get: all wrong, and 0 % was reported."""
    chances = ((1.0, ((1.0, 0.99),)),)
    rows = [Marked(suggested=1.0, chances=chances, given=0.85, words=80) for _ in range(40)]
    report = calibrate(rows)
    assert report.calibration.accept == calibration.NEVER and report.after.coverage == 0


def test_answers_that_are_equally_sure_stand_or_fall_together() -> None:
    """The threshold stopped in the middle of them, where by chance few were wrong."""
    chances = ((1.0, ((0.5, 0.97), (0.5, 0.97))),)
    rows = [Marked(suggested=1.0, chances=chances, given=g, words=80) for g in [1.0] * 8 + [0.5] * 6]
    limit = calibration._threshold(rows, [shipped()] * len(rows), True, 0.03, 0.1)
    assert limit == calibration.NEVER


def test_identical_answers_are_clustered() -> None:
    """Their likeness was 1.0000000000000002: a negative distance, and every later run of the class failed."""
    texts = [
        "Or take out one or two layers.",
        "Use a smaller mini-batch, or lower the resolution of the images a bit.",
        "A filter slides over the image and sums what it finds there with weights that are learned in training.",
    ]
    for text in texts:
        found = clusters.clusters({"ann": text, "bob": text, "cyd": "Something else entirely was said."})
        assert ("ann", "bob") in found
