"""The anchor grid: where the cells' centres lie, and the anchors of one cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.layout import level_shapes, shape_names
from explorer.figures import theme
from explorer.figures.anchors import READABLE, anchor_grid, cell_step, centres, notebook_grid
from explorer.presets import PRESETS
from explorer.settings import Anchors
from tests.figures.reading import (
    array,
    cell_only,
    crosses_in,
    grid_of,
    longest_array,
    sent,
    told,
    world,
)


def shown(preset="notebook", level=1, cell=(50, 50), side=800, offset=None):
    """The anchor grid of a preset as the browser gets it."""
    anchors = PRESETS[preset].anchors
    grid = grid_of(anchors, side, side)
    figure = anchor_grid(
        grid,
        cell_only(anchors),
        shape_names(anchors),
        level=level,
        level_name=anchors.level_names[level],
        cell=cell,
        offset=anchors.offset if offset is None else offset,
        photo_url="/photo.png",
    )
    return sent(figure)


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


def test_the_crosses_lie_on_the_centres_in_the_levels_colour():
    _, _, layout = shown()
    halo, crosses, *_, picked = layout["shapes"]
    found, arms = crosses_in(crosses["path"])
    expected = [[x, y] for y in range(4, 800, 32) for x in range(4, 800, 32)]
    np.testing.assert_allclose(found, expected, atol=0.06)
    assert set(arms.round(2)) == {3.2}
    assert crosses["line"]["color"] == theme.level_colour(1)
    assert halo["path"] == crosses["path"]
    chosen, _ = crosses_in(picked["path"])
    assert chosen.tolist() == [[404, 404]]
    assert picked["line"]["color"] == theme.ACCENT


def test_the_anchors_of_the_chosen_cell_by_hand():
    _, _, layout = shown(level=1, cell=(10, 20))  # centre (164, 84), size 64
    lines = [shape for shape in layout["shapes"] if shape["type"] == "rect"][1::2]
    corners = [[s[side] for side in ("x0", "y0", "x1", "y1")] for s in lines]
    short, long = 64 * 0.5**0.5 / 2, 64 * 2**0.5 / 2
    expected = [
        [164 - short, 84 - long, 164 + short, 84 + long],
        [132, 52, 196, 116],
        [164 - long, 84 - short, 164 + long, 84 + short],
    ]
    np.testing.assert_allclose(corners, expected, atol=1e-3)
    assert len({shape["line"]["color"] for shape in lines}) == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_the_drawn_anchors_are_the_cells_own(preset):
    anchors, grid, laid = world(preset, 200, 200)
    level = len(anchors.strides) - 1
    row, column = (side // 2 for side in grid.cells[level])
    _, (points,), layout = shown(preset, level, (row, column), side=200)
    lines = [shape for shape in layout["shapes"] if shape["type"] == "rect"][1::2]
    corners = [[s[side] for side in ("x0", "y0", "x1", "y1")] for s in lines]
    a = anchors.per_cell[level]
    first = grid.starts[level] + (row * grid.cells[level][1] + column) * a
    own = laid.boxes[first : first + a].numpy()
    np.testing.assert_allclose(corners, own, atol=0.01)
    # a point at each right upper corner, where the centres would all be one
    np.testing.assert_allclose(array(points["x"]), own[:, 2], atol=0.01)
    np.testing.assert_allclose(array(points["y"]), own[:, 1], atol=0.01)
    np.testing.assert_allclose([row[:4] for row in points["customdata"]], own, atol=0.06)


def test_the_hover_tells_ratio_size_and_cell():
    _, (points,), _ = shown(level=1, cell=(10, 20))
    assert [told(points, number) for number in range(3)] == [
        "<b>0.5</b><br>45.3 x 90.5 px<br>P3, row 10, column 20",
        "<b>1</b><br>64.0 x 64.0 px<br>P3, row 10, column 20",
        "<b>2</b><br>90.5 x 45.3 px<br>P3, row 10, column 20",
    ]


@pytest.mark.parametrize(
    ("preset", "level", "side", "title"),
    [
        ("notebook", 1, 800, "P3: every 4th cell, and the 3 anchors of one"),
        ("notebook", 3, 800, "P5: every cell, and the 3 anchors of one"),
        ("notebook", 2, 800, "P4: every 2nd cell, and the 3 anchors of one"),
        ("notebook", 0, 800, "P2: every 8th cell, and the 3 anchors of one"),
        ("fcos", 0, 800, "P3: every 4th cell, and the anchor of one"),
        ("ssd300", 0, 300, "P3: every 2nd cell, and the 4 anchors of one"),
    ],
)
def test_the_title_says_what_is_shown(preset, level, side, title):
    _, _, layout = shown(preset, level, (0, 0), side)
    assert layout["title"]["text"] == layout["meta"]["alt"] == title


def test_the_largest_grid_stays_small_to_send():
    anchors = Anchors(strides=(2,), sizes=((8, 16, 32),) * 1, ratios=(0.5,) * 5)
    grid = grid_of(anchors, 2048, 2048)
    figure = anchor_grid(
        grid,
        cell_only(anchors),
        shape_names(anchors),
        level=0,
        level_name="P1",
        cell=(0, 0),
        offset=0.5,
        photo_url=None,
    )
    length, _, layout = sent(figure)
    assert layout["title"]["text"].startswith("P1: every 32nd cell")
    assert length < 100_000
    assert longest_array([figure.to_dict()["data"]]) < 10_000


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


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 64), st.floats(0, 1))
def test_any_small_grid_has_a_figure(height, width, stride, offset):
    anchors = Anchors(strides=(stride,), sizes=((16,),))
    grid = grid_of(anchors, height, width)
    figure = anchor_grid(
        grid,
        cell_only(anchors),
        shape_names(anchors),
        level=0,
        level_name="L1",
        cell=(0, 0),
        offset=offset,
        photo_url=None,
    )
    _, _, layout = sent(figure)
    found, _ = crosses_in(layout["shapes"][1]["path"])
    assert len(found) == len(centres(grid, 0, offset, cell_step(grid.cells[0])))
    assert len(level_shapes(anchors)[0]) == 3
