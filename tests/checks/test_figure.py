from __future__ import annotations

from typing import Any

from handmade import Notebook

from grader.checks.base import State, Verdict
from grader.checks.figure import FigureAsked, judge
from grader.evidence.model import Axes, Figure, Image, Line, RunState


def drawn(*figures: Figure, answer: Notebook | None = None, **keys: Any) -> Verdict:
    nb = (answer or Notebook()).code("plt.show()", figures=figures)
    return judge(FigureAsked.model_validate({"check": "figure", "marks": 4, **keys}), nb.case())


def line(label: str = "", y: tuple[float, ...] = (0.1, 0.5, 0.7)) -> Line:
    return Line(label=label, x=tuple(range(len(y))), y=y, points=len(y))


def image(name: str, *shape: int, constant: bool = False) -> Image:
    return Image(shape=shape, digest=name, constant=constant)


CURVES = {"lines": 2, "xlabel": True, "ylabel": True, "legend": True, "about": ["accuracy"]}


def curves(**more: Any) -> Figure:
    axes: dict[str, Any] = {
        "title": "GoogLeNet on CIFAR-10",
        "xlabel": "Epoch",
        "ylabel": "Accuracy (%)",
        "legend": ("Train", "Validation"),
        "lines": (line("Train"), line("Validation", (0.1, 0.4, 0.5))),
    }
    return Figure(piece=0, axes=(Axes(**(axes | more)),))


def test_two_labelled_curves() -> None:
    assert drawn(curves(), **CURVES).state is State.EARNED


def test_a_figure_without_labels_and_legend_loses_their_share() -> None:
    v = drawn(curves(xlabel="", legend=()), **CURVES)
    assert (v.state, v.mark) == (State.PARTIAL, 2)
    assert "no label on the x axis" in v.reason and "no legend" in v.reason


def test_one_curve_twice_is_one_curve() -> None:
    v = drawn(curves(lines=(line("Train"), line("Validation"))), **CURVES)
    assert "1 curve of the 2 asked for" in v.reason and v.state is State.PARTIAL


def test_a_line_of_one_point_is_no_curve() -> None:
    v = drawn(curves(lines=(line("Train", (0.5,)), line("Validation", (0.4,)))), **CURVES)
    assert v.state is State.LOST


def test_loss_curves_are_not_about_accuracy_and_a_person_looks() -> None:
    v = drawn(curves(ylabel="Loss", title="Loss"), **CURVES)
    assert v.state is State.REVIEW and "nothing in it says" in v.reason


def test_the_accuracy_axes_are_told_from_the_loss_axes_of_one_figure() -> None:
    loss = Axes(
        title="Loss",
        xlabel="Epoch",
        ylabel="Loss",
        lines=(line("Train", (2, 1)), line("Validation", (2, 1.5))),
    )
    alone = Axes(title="Acc", xlabel="Epoch", ylabel="Acc", lines=(line("Train"),), legend=("Train",))
    assert "1 curve of the 2 asked for" in drawn(Figure(piece=0, axes=(alone, loss)), **CURVES).reason


FILTERS = {"images": 4, "titled": True, "about": ["filter", "kernel"], "image_size": [[11, 11]]}


def panels(
    n: int, *shape: int, title: str = "Filter {}", suptitle: str = "", constant: bool = False
) -> Figure:
    axes = tuple(
        Axes(
            title=title.format(i),
            images=(image(f"{title}{0 if constant else i}", *shape, constant=constant),),
        )
        for i in range(n)
    )
    return Figure(piece=0, title=suptitle, axes=axes)


def test_panels_of_filters() -> None:
    assert drawn(panels(8, 11, 11, 3), **FILTERS).state is State.EARNED
    v = drawn(panels(2, 11, 11, 3), **FILTERS)
    assert v.state is State.PARTIAL and "2 different panels of the 4 asked for" in v.reason


def test_blank_or_equal_panels_do_not_count() -> None:
    assert drawn(panels(8, 11, 11, 3, constant=True), **FILTERS).state is State.LOST
    same = Figure(piece=0, title="Filters", axes=tuple(Axes(images=(image("a", 11, 11),)) for _ in range(6)))
    assert "1 different panel of the 4 asked for" in drawn(same, **FILTERS).reason


def test_panels_without_words_are_known_by_their_size() -> None:
    v = drawn(panels(8, 11, 11, title=""), **(FILTERS | {"titled": False}))
    assert v.state is State.EARNED
    v = drawn(panels(8, 64, 64, title=""), **(FILTERS | {"titled": False}))
    assert v.state is State.REVIEW


def test_panels_one_to_a_figure() -> None:
    figures = [
        Figure(piece=0, axes=(Axes(title=f"filter {i}", images=(image(str(i), 11, 11),)),)) for i in range(5)
    ]
    assert drawn(*figures, **FILTERS).state is State.EARNED


def test_feature_maps_alone_are_not_taken_for_grids_of_filters() -> None:
    # 55 is five times 11: each map could be cut into 25 tiles of a filter's size.
    maps = tuple(Axes(images=(image(f"m{i}", 55, 55),)) for i in range(32))
    v = drawn(Figure(piece=0, title="32 of 64 feature maps", axes=maps), **FILTERS)
    assert v.state is State.REVIEW and v.mark == 0
    one = drawn(Figure(piece=0, axes=(Axes(images=(image("m", 55, 55),)),)), **FILTERS)
    assert one.state is not State.EARNED and one.mark < 2


def test_one_filter_beside_a_figure_of_maps_is_not_several_filters() -> None:
    maps = tuple(Axes(images=(image(f"m{i}", 55, 55),)) for i in range(32))
    single = Figure(piece=0, title="A filter", axes=(Axes(images=(image("f", 11, 11, 3),)),))
    v = drawn(single, Figure(piece=0, title="32 of 64 feature maps", axes=maps), **FILTERS)
    assert v.state is not State.EARNED and v.mark < 4


def test_a_grid_image_counts_as_its_panels() -> None:
    # make_grid of 64 filters, 8 in a row: 8 × 11 + 9 × 2 pixels.
    grid = Figure(piece=0, axes=(Axes(title="Filters of conv1", images=(image("g", 106, 106, 3),)),))
    assert drawn(grid, **FILTERS).state is State.EARNED
    one = Figure(piece=0, axes=(Axes(title="Filters of conv1", images=(image("g", 12, 12, 3),)),))
    assert drawn(one, **FILTERS).state is not State.EARNED


def test_no_title_loses_its_share_and_a_suptitle_is_one() -> None:
    assert drawn(panels(8, 11, 11, title=""), **FILTERS).mark == 2
    assert drawn(panels(8, 11, 11, title="", suptitle="Filters"), **FILTERS).mark == 4


def test_filters_and_maps_are_two_figures() -> None:
    maps = panels(8, 55, 55, title="Map {}", suptitle="Feature maps")
    filters = panels(8, 11, 11, 3, suptitle="Conv layer filters")
    about_maps = {"images": 4, "about": ["feature map", "activation"], "image_size": [[55, 55]]}
    assert drawn(filters, maps, **FILTERS).figures[0].title == "Conv layer filters"
    assert drawn(filters, maps, **about_maps).figures[0].title == "Feature maps"
    assert drawn(filters, **about_maps).state is not State.EARNED


def test_no_figure_says_why() -> None:
    nb = Notebook().code(
        "Image.open('sample.jpg')", error=("UnidentifiedImageError", "cannot identify image file")
    )
    v = judge(FigureAsked.model_validate({"check": "figure", "marks": 4, **FILTERS}), nb.case())
    assert v.state is State.LOST and "cannot identify image file" in v.reason


def test_curves_of_typed_numbers_are_for_a_person() -> None:
    nb = Notebook().code(
        "train = [41.2, 63.9, 95.9]\nval = [40.1, 58.3, 75.2]\nplt.plot(train)\nplt.plot(val)"
    )
    typed = curves(lines=(line("Train", (41.2, 63.9, 95.9)), line("Validation", (40.1, 58.3, 75.2))))
    v = drawn(typed, answer=nb, **CURVES)
    assert (v.state, v.mark) == (State.REVIEW, 2)
    assert "typed" not in v.reason and "typed, not computed" in v.private


def test_panels_of_another_size_under_the_right_words_are_for_a_person() -> None:
    v = drawn(panels(8, 5, 5), **FILTERS)
    assert (v.state, v.mark) == (State.REVIEW, 2)
    assert "5×5 pixels" in v.reason


def test_a_figure_that_our_limit_left_unfinished_is_for_a_person() -> None:
    nb = Notebook().code("train_and_plot()", state=RunState.LIMIT, figures=(curves(legend=(), xlabel=""),))
    v = judge(FigureAsked.model_validate({"check": "figure", "marks": 4, **CURVES}), nb.case())
    assert (v.state, v.mark) == (State.REVIEW, 2) and "limit" in v.reason
    nb = Notebook().code("train_and_plot()", state=RunState.LIMIT, figures=(panels(1, 30, 30),))
    v = judge(FigureAsked.model_validate({"check": "figure", "marks": 4, **CURVES}), nb.case())
    assert v.state is State.UNGRADED
