"""Ways to say what a rubric's points ask, kept beside the rubric so that it stays short enough to read.

``rubrics/phrases/<name>.yaml`` belongs to ``rubrics/<name>.yaml``. It names, for each question, statements of the
rubric (``says``) and further ways to say them, which count like those under ``also``::

    q1:
      each neuron is connected only to a small local region:
        - looks at one window of the picture at a time
        - a unit never sees the whole image
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from grader.rubric.validation import LOADER, NOT_YAML, meant, not_yaml
from grader.text.points import alternatives

Report = Callable[[int, str, str], None]
"""Takes a line, a key and what is wrong with it."""


def phrases_of(rubric: Path) -> Path:
    """Where the phrases of a rubric are, if it has any."""
    return rubric.parent / "phrases" / f"{rubric.stem}.yaml"


def add_phrases(questions: Sequence[Any], text: str, report: Report) -> None:
    """Puts the phrases into the questions' plain data, under ``also``; what does not fit is reported."""
    try:
        root = yaml.compose(text, Loader=LOADER)
    except NOT_YAML as error:
        line, what = not_yaml(error)
        report(line, "", what)
        return
    by_id: dict[str, Any] = {str(q.get("id")): q for q in questions if isinstance(q, dict)}
    for key, question, listed in _entries(root, report):
        line = key.start_mark.line + 1
        if question not in by_id:
            report(line, question, f"no question of the rubric has this id{meant(question, by_id)}")
            continue
        stated = list(_statements(by_id[question]))
        for says, phrases in listed:
            holders = [s for s in stated if s["says"] == says.value]
            if not holders:
                known = [s["says"] for s in stated]
                what = f"no point or part of {question} says this{meant(says.value, known)}"
                report(says.start_mark.line + 1, says.value, what)
            for holder in holders:
                also = holder.get("also", [])
                holder["also"] = [*([also] if isinstance(also, str) else also), *phrases]


def _entries(
    root: yaml.Node | None, report: Report
) -> Iterator[tuple[yaml.ScalarNode, str, list[tuple[yaml.ScalarNode, list[str]]]]]:
    """Question ids and, for each, its statements with their phrases."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        listed: list[tuple[yaml.ScalarNode, list[str]]] = []
        if not isinstance(value, yaml.MappingNode):
            report(
                key.start_mark.line + 1, str(key.value), "expected statements, each with a list of phrases"
            )
            continue
        for says, phrases in value.value:
            given = phrases.value if isinstance(phrases, yaml.SequenceNode) else []
            if not given or not all(isinstance(p, yaml.ScalarNode) and p.value.strip() for p in given):
                report(says.start_mark.line + 1, str(says.value), "expected a list of phrases")
                continue
            listed.append((says, [str(p.value) for p in given]))
        yield key, str(key.value), listed


def _statements(question: Any) -> Iterator[dict[str, Any]]:
    """All points and parts of a question that say something, as plain data.

    A part written as one string, alternatives separated by ``|``, becomes a mapping that can take more.
    """
    for criterion in question.get("criteria") or ():
        for point in criterion.get("points") or () if isinstance(criterion, dict) else ():
            if not isinstance(point, dict):
                continue
            parts = point.get("parts")
            if isinstance(parts, list):
                point["parts"] = [_mapping(p) for p in parts]
            parts = [*(point.get("parts") or ()), *(point.get("lesser") or ())]
            own = [r for r in parts if isinstance(r, dict) and isinstance(r.get("says"), str)]
            if isinstance(point.get("says"), str) and all(r["says"] != point["says"] for r in own):
                yield point  # else its part of the same words takes the phrases
            yield from own


def _mapping(part: Any) -> Any:
    if not isinstance(part, str) or not (said := alternatives(part)):
        return part
    return {"says": said[0], "also": list(said[1:])}
