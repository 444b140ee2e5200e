from __future__ import annotations

from handmade import Notebook, predicted

from grader.checks.claims import claim_table, claims


def test_stated_figures_stand_beside_the_measured_ones() -> None:
    prediction, labels = predicted(965, 1000)
    nb = Notebook().text(
        "The network has 44,426 parameters; test accuracy is **99.1%**, training took 3 minutes."
    )
    nb.code("train()", "Test accuracy: 96.2%\nTest accuracy: 80.0%\nTraining time: 999 s", seconds=20)
    nb.data("mnist", size=1000).model(parameters=61706, predictions=(prediction,))
    found = [(c.what, c.figure.digits, c.outcome) for c in claims(nb.case(labels=labels))]
    assert found == [
        ("test accuracy", "96.2", "agrees"),
        ("test accuracy", "80.0", "differs"),
        ("test accuracy", "99.1", "cannot be checked"),  # the author's own run was longer
        ("training time", "999", "differs"),
        ("training time", "3", "cannot be checked"),
        ("parameters", "44,426", "differs"),
    ]
    table = claim_table(nb.case(labels=labels))
    assert table is not None and table.marked == (1, 3, 5)
    assert table.rows[0] == (
        "test accuracy",
        "cell 2, output",
        "96.2 %",
        "96.5% of 1,000 held-out images",
        "agrees",
    )


def test_without_evidence_nothing_agrees() -> None:
    nb = Notebook().text("Test accuracy 99.1%, 44,426 parameters").code("train()", run=False)
    assert {c.outcome for c in claims(nb.case(execution=None))} == {"cannot be checked"}
    assert claim_table(Notebook().text("nothing").case()) is None
