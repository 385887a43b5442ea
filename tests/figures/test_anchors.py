"""The anchor grid: where the cells' centres lie, and the notebook's figure of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.figures.anchors import READABLE, cell_step, centres, notebook_grid
from explorer.presets import PRESETS
from explorer.settings import Anchors
from tests.figures.reading import (
    array,
    grid_of,
    sent,
    world,
)


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        ((1, 1), 1),
        ((32, 32), 1),
        ((33, 5), 2),
        ((64, 64), 2),
        ((5, 65), 4),
        ((100, 100), 4),
        ((200, 200), 8),
        ((1024, 1024), 32),
    ],
)
def test_more_cells_are_shown_more_sparsely(cells, step):
    assert cell_step(cells) == step


@given(st.integers(1, 1024), st.integers(1, 1024))
def test_no_side_ever_shows_more_crosses_than_can_be_read(rows, columns):
    step = cell_step((rows, columns))
    across = max(len(range(0, rows, step)), len(range(0, columns, step)))
    assert across <= READABLE
    assert step == 1 or max(rows, columns) > READABLE * step / 2  # nor fewer than it must


def test_centres_by_hand():
    grid = grid_of(Anchors(strides=(8, 100), sizes=((32,), (64,))), 20, 30)  # 3 x 4 and 1 x 1 cells
    assert centres(grid, 0, 0.5, 2).tolist() == [[4, 4], [20, 4], [4, 20], [20, 20]]
    assert centres(grid, 0, 0, 3).tolist() == [[0, 0], [24, 0]]
    assert centres(grid, 1, 0.5, 1).tolist() == [[50, 50]]


def test_centres_are_the_anchors_own():
    anchors, grid, laid = world("torchvision", 200, 330)
    for level in range(len(anchors.strides)):
        start, end = grid.starts[level], grid.starts[level + 1]
        own = laid.boxes[start : end : anchors.per_cell[level]].numpy()
        found = centres(grid, level, anchors.offset, 1)
        np.testing.assert_allclose(found, (own[:, :2] + own[:, 2:]) / 2, atol=0.01)


def test_the_notebooks_figure_is_every_eighth_cell_of_p3():
    anchors = PRESETS["notebook"].anchors
    figure = notebook_grid(grid_of(anchors, 800, 800), 1, "P3", 0.5)
    _, (dots,), layout = sent(figure)
    expected = [((c + 0.5) * 8, (r + 0.5) * 8) for r in range(0, 100, 8) for c in range(0, 100, 8)]
    found = zip(array(dots["x"]).tolist(), array(dots["y"]).tolist(), strict=True)
    assert list(found) == expected  # the notebook's own two loops
    assert len(expected) == 169
    assert layout["title"]["text"] == "Anchor centres at P3 (stride 8), every 8th cell"
    assert layout["plot_bgcolor"] == "#1a1a2e"
    assert dots["marker"]["color"] == "cyan"
    assert layout["images"] == []


def test_the_notebooks_figure_thins_a_grid_that_the_notebook_has_not():
    grid = grid_of(Anchors(strides=(2,), sizes=((8,),)), 2048, 2048)
    _, (dots,), layout = sent(notebook_grid(grid, 0, "P1", 0.5))
    assert len(array(dots["x"])) == 32 * 32
    assert layout["title"]["text"].endswith("every 32nd cell")
