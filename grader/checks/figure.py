"""``figure``: what the fresh run drew, by the figure's artists: curves, panels, titles, labels, legend."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import Stemmer
from pydantic import Field, model_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, partial, review
from grader.checks.ran import Fault, absent, nothing_ran, obstacles
from grader.checks.stated import literals, typed_values
from grader.evidence.model import Axes, Figure, Image, Line

Size = tuple[int, int]


class FigureAsked(Criterion):
    """At least one of ``lines`` and ``images``; every other key that is given weighs like the content."""

    lines: int | None = Field(None, gt=0, description="different curves of two points or more")
    images: int | None = Field(None, gt=0, description="different panels that are not blank")
    image_size: tuple[Size, ...] = Field((), description="height and width of a panel: one of these")
    titled: bool = False
    xlabel: bool = False
    ylabel: bool = False
    legend: bool = False
    about: tuple[str, ...] = Field((), description="words of which one stands in a title, label or legend")
    figures: int = Field(1, gt=0, description="how many such figures are asked for")

    @model_validator(mode="after")
    def _asks_something(self) -> FigureAsked:
        if self.lines is None and self.images is None:
            raise ValueError("lines or images is needed")
        return self

    def title(self) -> str:
        if self.says:
            return self.says
        content = [f"{self.lines} curves"] if self.lines else []
        content += [f"{self.images} panels"] if self.images else []
        about = f" of {' or '.join(self.about)}" if self.about else ""
        return f"a figure with {' and '.join(content)}{about}"


_stemmer = Stemmer.Stemmer("english")


@cache
def _stems(text: str) -> tuple[str, ...]:
    return tuple(_stemmer.stemWords(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())))


def _says_any(texts: Sequence[str], about: Sequence[str]) -> bool:
    """Whether a word, or all stems of a phrase, stands in the texts; "acc" is the beginning of "accuracy"."""
    have = {s for t in texts for s in _stems(t)}

    def there(word: str) -> bool:
        return any(h == word or (len(h) >= 3 and word.startswith(h)) for h in have)

    return any((want := _stems(a)) and all(there(w) for w in want) for a in about)


def _axes_texts(figure: Figure, axes: Axes) -> list[str]:
    labels = [line.label for line in axes.lines if not line.label.startswith("_")]
    return [
        t for t in (axes.title, axes.xlabel, axes.ylabel, *axes.legend, *labels, *axes.texts) if t.strip()
    ]


# ---------------------------------------------------------------- content


def curves(axes: Sequence[Axes]) -> list[Line]:
    """Different lines of two points or more."""
    found: dict[tuple[float, ...], Line] = {}
    for a in axes:
        for line in a.lines:
            if max(line.points, len(line.y)) >= 2:
                found.setdefault(line.y, line)
    return list(found.values())


def _fits(shape: Sequence[int], sizes: Sequence[Size]) -> bool:
    return _plane(shape) in sizes


def _plane(shape: Sequence[int]) -> Size:
    """Height and width of an image array; channels may stand first or last."""
    if len(shape) == 3 and shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4):
        return shape[1], shape[2]
    return (shape[0], shape[1]) if len(shape) >= 2 else (0, 0)


def _tiles(length: int, size: int, pad: int) -> int:
    """How many panels of ``size`` fill ``length`` exactly, with ``pad`` between them and perhaps around."""
    for ends in (pad, -pad):
        n, rest = divmod(length - ends, size + pad)
        if rest == 0:
            return n
    return 0


def panels(images: Sequence[Image], sizes: Sequence[Size], asked: int, *, named: bool) -> tuple[int, bool]:
    """Number of different panels that are not blank, and whether one is a grid of such panels.

    make_grid puts 2 pixels around each panel unless told otherwise; 0 to 2 are tried. A picture whose
    size is a multiple of a panel's by chance (a map of 55×55 is no 25 filters of 11×11) is no grid: without
    space between panels the words of the figure (``named``) must say what they are, and where as many
    pictures as were ``asked`` for stand side by side, each is a panel.
    """
    real = {i.digest: i for i in images if not i.constant}
    count, grid = len(real), False
    if count >= asked:
        return count, grid
    for image in real.values():
        height, width = _plane(image.shape)
        for (h, w), pad in product(sizes, range(0 if named else 1, 3)):
            tiles = _tiles(height, h, pad) * _tiles(width, w, pad)
            if (height, width) not in sizes and tiles >= 2:
                count, grid = max(count, len(real) - 1 + tiles), True
    return count, grid


# ---------------------------------------------------------------- one candidate


@dataclass
class Looked:
    """How far figures taken together show what is asked."""

    figures: tuple[Figure, ...]
    shares: dict[str, float] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    content: float = 0.0
    doubt: str = ""
    grid: bool = False
    trust: float = 1.0
    """Share of the marks that are suggested where there is a doubt."""
    lines: list[Line] = field(default_factory=list)

    @property
    def share(self) -> float:
        return sum(self.shares.values()) / len(self.shares) if self.content else 0.0


def _look(c: FigureAsked, figures: Sequence[Figure]) -> Looked:
    result = Looked(tuple(figures))
    pairs = [(f, a) for f in figures for a in f.axes if a.lines or a.images or a.bars or a.points]
    suptitles = [f.title for f in figures if f.title.strip()]
    about = (
        [(f, a) for f, a in pairs if _says_any([*_axes_texts(f, a), f.title], c.about)] if c.about else pairs
    )
    sized = (
        [(f, a) for f, a in pairs if any(_fits(i.shape, c.image_size) for i in a.images)]
        if c.image_size
        else []
    )
    # Words choose the axes; where none stand there the size of the images does.
    chosen = about or sized or pairs
    if c.about and about and c.images:
        chosen = about
    axes = [a for _, a in chosen]
    images = [i for a in axes for i in a.images]
    if c.lines is not None:
        result.lines = curves(axes)
        n = len(result.lines)
        result.shares["lines"] = min(1.0, n / c.lines)
        asked_for = "" if n >= c.lines else f" of the {c.lines} asked for"
        result.words.append(f"{n} curve{'s' * (n != 1)}{asked_for}")
        with_content = [a for a in axes if curves([a])]
    else:
        with_content = [a for a in axes if a.images]
    grid = False
    if c.images is not None:
        n, grid = panels(images, c.image_size, c.images, named=bool(about and c.about))
        result.shares["images"] = min(1.0, n / c.images)
        asked_for = "" if n >= c.images else f" of the {c.images} asked for"
        result.words.append(f"{n} different panel{'s' * (n != 1)}{asked_for}")
        if n < c.images and not c.image_size and any(min(_plane(i.shape)) >= 100 for i in images):
            result.doubt, result.trust, result.grid = "an image may be a grid of panels", 1.0, True
    result.content = min(result.shares.values())
    first_titles = [a.title for a in with_content if a.title.strip()]
    checks = {
        "titled": (c.titled, bool(suptitles) or len(first_titles) * 2 >= max(len(with_content), 1)),
        "xlabel": (c.xlabel, any(a.xlabel.strip() for a in with_content)),
        "ylabel": (c.ylabel, any(a.ylabel.strip() for a in with_content)),
        "legend": (c.legend, any(_has_legend(a) for a in with_content)),
    }
    for name, (asked, there) in checks.items():
        if asked:
            result.shares[name] = float(there)
            result.words.append(f"{'a' if there else 'no'} {_NOUN[name]}")
    other = c.images and c.image_size and not grid and images and not sized
    if c.about and not about and not sized and not grid:
        result.doubt = f"nothing in it says that it is about {' or '.join(c.about)}"
        result.trust = 0.0 if other else 0.5
    elif other:
        found = sorted({"×".join(map(str, _plane(i.shape))) for i in images})
        result.doubt = f"its images are {', '.join(found[:3])} pixels, another size than expected"
        result.trust = 0.5
    return result


_NOUN = {
    "titled": "title",
    "xlabel": "label on the x axis",
    "ylabel": "label on the y axis",
    "legend": "legend",
}


def _has_legend(axes: Axes) -> bool:
    return any(entry.strip() and not entry.startswith("_") for entry in axes.legend)


# ---------------------------------------------------------------- judging


def judge(c: FigureAsked, case: Case) -> Verdict:
    """The best figures of the answer by the share of what is asked; panels may be spread over figures."""
    what = f"figure of {c.about[0]}" if c.about else "figure"
    if nothing_ran(case) or not case.figures:
        return absent(c, case, what)
    looks = [_look(c, [f]) for f in case.figures]
    if c.images is not None and c.figures == 1 and len(case.figures) > 1:
        looks.append(_look(c, _alike(c, case.figures)))
    looks.sort(key=lambda r: (r.share - 0.01 * bool(r.doubt), -len(r.figures)), reverse=True)
    best = looks[: c.figures]
    share = sum(r.share for r in best) / c.figures
    drawn = tuple(dict.fromkeys(f.png or str(id(f)) for r in best for f in r.figures))
    figures = tuple(f for r in best for f in r.figures)
    evidence: dict[str, Any] = {"figures": len(case.figures), "share": round(share, 4), "shown": len(drawn)}
    evidence |= {k: round(v, 4) for k, v in best[0].shares.items()}
    more: dict[str, Any] = {"evidence": evidence, "figures": figures}
    if all(r.share == 0 for r in best):
        content = [f"{c.lines} curves"] if c.lines else []
        content += [f"{c.images} different panels"] if c.images else []
        if best[0].grid and not obstacles(case):
            words = f"No figure with {' and '.join(content)} was seen, but an image may be a grid of panels."
            return review(c, 0.0, words, **more)
        verdict = absent(c, case, f"figure with {' and '.join(content)}")
        return verdict.model_copy(update={"figures": figures, "evidence": evidence})
    shown = "; ".join(dict.fromkeys(", ".join(r.words) for r in best))
    words = f"The figure shows {shown}"
    if len(looks) < c.figures:
        words += f"; {len(looks)} of {c.figures} figures"
    doubts = list(dict.fromkeys(r.doubt for r in best if r.doubt))
    lines = [line for r in best for line in r.lines]
    held = literals(case)
    if lines and sum(typed_values(line.y, held) for line in lines) * 2 > len(lines):
        private = "The values of the curves stand as literals in the code of the answer: typed, not computed."
        words += "; a person looks at how its values were obtained"
        return review(c, round(2 * c.marks * share) / 4, f"{words}.", private=private, **more)
    if doubts:
        trusted = share * min(r.trust for r in best)
        return review(c, round(4 * c.marks * trusted) / 4, f"{words}; {'; '.join(doubts)}.", **more)
    stops = [o for o in obstacles(case) if o.fault is Fault.OURS]
    if share < 1 and stops:
        return review(c, round(4 * c.marks * share) / 4, f"{words}. {stops[0].words}", **more)
    return earned(c, f"{words}.", **more) if share == 1 else partial(c, share, f"{words}.", **more)


def _alike(c: FigureAsked, figures: Sequence[Figure]) -> list[Figure]:
    """The figures whose words or image sizes fit, for panels drawn one to a figure."""
    fit = [
        f
        for f in figures
        if any(
            _says_any([*_axes_texts(f, a), f.title], c.about)
            or any(_fits(i.shape, c.image_size) for i in a.images)
            for a in f.axes
        )
    ]
    return fit or list(figures)


CHECK = Check(kind="figure", criterion=FigureAsked, judge=judge)
