"""Figures as a notebook draws them, whatever backend it asks for."""

from __future__ import annotations

import io

from kernels import Notebook
from PIL import Image

PLOT = "import matplotlib.pyplot as plt\n"


def test_titles_labels_lines_legend_and_images_are_recorded(notebook: Notebook) -> None:
    ran = notebook(
        PLOT + "plt.plot([1, 2, 3], [3, 2.5, 1], label='train loss'); plt.plot([3, 2, 2], label='val loss')\n"
        "plt.title('Loss'); plt.xlabel('epoch'); plt.ylabel('loss'); plt.legend(); plt.show()",
        "import numpy as np\nfig, axes = plt.subplots(2, 2); fig.suptitle('Filters')\n"
        "for i, a in enumerate(axes.flat): a.imshow(np.random.rand(11, 11, 3)); a.axis('off'); a.set_title(f'f{i}')",
    )
    (figure,) = ran[0].figures
    (axes,) = figure.axes
    assert (axes.title, axes.xlabel, axes.ylabel) == ("Loss", "epoch", "loss")
    assert axes.legend == ("train loss", "val loss") == tuple(line.label for line in axes.lines)
    assert (
        axes.lines[0].x == (1.0, 2.0, 3.0)
        and axes.lines[0].y == (3.0, 2.5, 1.0)
        and axes.lines[1].points == 3
    )
    (grid,) = ran[1].figures  # without plt.show()
    assert grid.title == "Filters" and len(grid.axes) == 4 and not grid.axes[0].visible_axis
    assert {i.shape for a in grid.axes for i in a.images} == {(11, 11, 3)}
    assert len({i.digest for a in grid.axes for i in a.images}) == 4
    for shown in (figure, grid):
        assert shown.png is not None
        with Image.open(io.BytesIO(ran.blobs[shown.png])) as picture:
            assert picture.format == "PNG" and picture.width > 100


def test_whatever_backend_is_asked_for_figures_are_seen(notebook: Notebook) -> None:
    draw = "plt.plot([1, 2]); plt.title('{}')\n"
    ran = notebook(
        PLOT + "%matplotlib inline\n" + draw.format("inline"),
        "%matplotlib notebook\n" + draw.format("notebook") + "plt.show()",
        "import matplotlib; matplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n"
        + draw.format("tk")
        + "plt.show()",
        "plt.switch_backend('Agg')\n" + draw.format("agg") + "plt.show()",
        draw.format("twice") + "plt.show()\n" + draw.format("again") + "plt.show(); plt.show()",
        draw.format("closed") + "plt.close('all')",
        "plt.figure(); plt.show()",
    )
    assert ran.states == ["ok"] * 7
    titles = [[f.axes[0].title for f in ran[i].figures] for i in range(7)]
    assert titles == [["inline"], ["notebook"], ["tk"], ["agg"], ["twice", "again"], [], []]


def test_too_many_figures_are_cut_and_odd_data_is_no_error(notebook: Notebook) -> None:
    ran = notebook(
        PLOT + "for i in range(40):\n    plt.figure(); plt.plot([i])",
        "import numpy as np\nplt.plot([float('nan'), 1, float('inf')]); plt.title('odd')\nplt.show()",
        "plt.imshow(np.zeros((5, 5))); plt.plot(range(100000)); plt.show()",
    )
    assert ran.states == ["ok"] * 3
    assert len(ran[0].figures) == 24
    assert ran[1].figures[0].axes[0].lines[0].y == (0.0, 1.0, 0.0)
    last = ran[2].figures[0].axes[0]
    assert last.images[0].constant and last.lines[0].points == 100_000 and len(last.lines[0].y) <= 200
