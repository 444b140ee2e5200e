"""An assignment small enough to be graded in seconds, with a rubric, references and notebooks of its own."""

from __future__ import annotations

import json
from pathlib import Path

SECRET = "the zeppelin clause"
"""Words of the reference that stand nowhere else: they must never reach a student."""

RUBRIC = """\
id: tiny-sums
title: Sums and solids
questions:
  - id: q1
    title: The sum of the first numbers
    marks: 6
    reference: q01_sum.py
    prompt: Write a program that prints the sum of the whole numbers from 1 to 10.
    signs: [sum, range, total]
    criteria:
      - {check: runs, marks: 2, says: The program runs, hint: Restart the kernel and run all cells.}
      - {check: quantity, marks: 3, says: The sum is right, expect: 55, near: [sum, total], hint: Add them up by hand.}
      - check: code
        marks: 1
        hidden: true
        says: Found by the built-in function
        all: [{says: the built-in sum is called, calls: [sum]}]
  - id: q2
    title: Faces of a cube
    marks: 4
    prose: true
    reference: q02_cube.md
    prompt: How many faces and how many edges does a cube have?
    signs: [cube, faces, edges]
    criteria:
      - {check: quantity, marks: 2, says: The number of faces, expect: 6, near: [face, faces], hint: Look at a die.}
      - {check: quantity, marks: 2, says: The number of edges, expect: 12, near: [edge, edges], hint: Count those at the top first.}
"""

REFERENCE = {
    "q01_sum.py": '# %%\ntotal = sum(range(1, 11))  # {SECRET}\nprint("The sum is", total)\n'.replace(
        "{SECRET}", SECRET
    ),
    "q02_cube.md": f"A cube has 6 faces. It has 12 edges, says {SECRET}.\n",
}

Q1 = "## Question 1: the sum of the first numbers"
Q2 = "## Question 2: faces of a cube"
SUM = 'total = sum(range(1, 11))\nprint("The sum is", total)'
CUBE = "A cube has 6 faces and 12 edges."
GOOD = [Q1, ("code", SUM), Q2, CUBE]
BAD = [
    Q1,
    ("code", 'total = sum(rnage(1, 11))\nprint("The sum is", total)'),
    Q2,
    "A cube has 6 faces and 8 edges.",
]
OTHER = ["# Apple pie", "Peel four apples, knead butter and flour, and bake for an hour."]

Cells = list[str | tuple[str, str]]


def assignment(
    folder: Path, *, rubric: str = RUBRIC, references: bool = True, name: str = "tiny-sums"
) -> Path:
    """Writes the rubric and its references below ``folder``; returns the folder of rubrics."""
    rubrics = folder / "rubrics"
    rubrics.mkdir(parents=True, exist_ok=True)
    (rubrics / f"{name}.yaml").write_text(rubric, encoding="utf-8")
    if references:
        home = folder / "reference" / name
        home.mkdir(parents=True, exist_ok=True)
        for file, text in REFERENCE.items():
            (home / file).write_text(text, encoding="utf-8")
    return rubrics


def notebook(path: Path, cells: Cells) -> Path:
    """Writes a notebook: a plain string is a markdown cell, ``("code", …)`` a code cell."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append({"cell_type": "markdown", "metadata": {}, "source": cell})
        else:
            made.append(
                {
                    "cell_type": "code",
                    "metadata": {},
                    "source": cell[1],
                    "outputs": [],
                    "execution_count": None,
                }
            )
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path
