import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.images import Picture
from explorer.core.layout import (
    Grid,
    Unlaid,
    anchors_at,
    lay_anchors,
    lay_grid,
    level_shapes,
    shape_names,
)
from explorer.presets import PRESETS
from explorer.settings import Anchors
from tests.devices import DEVICES
from tests.reference import anchors_by_loops

CPU = torch.device("cpu")


def blank(height, width):
    return Picture(np.zeros((height, width, 3), np.uint8), (0, 0, width, height), (height, width))


def grid_of(anchors, height, width):
    return lay_grid(blank(height, width), anchors.strides, anchors.stride_rule, anchors.per_cell)


TWO_LEVELS = Grid((4, 6), ((2, 3), (1, 2)), ((2, 2), (4, 4)), (2, 5))  # 12 and 10 anchors


def test_levels_start_where_the_one_before_ends():
    assert TWO_LEVELS.counts == (12, 10)
    assert TWO_LEVELS.starts == (0, 12, 22)


def test_an_anchors_number_tells_its_level_row_column_and_shape():
    place = TWO_LEVELS.place_of(np.array([0, 1, 2, 6, 11, 12, 16, 17, 21]))
    assert place["level"].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert place["row"].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert place["column"].tolist() == [0, 0, 1, 0, 2, 0, 0, 1, 1]
    assert place["shape"].tolist() == [0, 1, 0, 0, 1, 0, 4, 0, 4]


@pytest.mark.parametrize("device", DEVICES)
def test_levels_of_anchors_on_a_device(device):
    level = TWO_LEVELS.level_of(torch.tensor([21, 12, 11, 0], device=device))
    assert level.tolist() == [1, 1, 0, 0]
    assert level.dtype == torch.int64
    assert level.device.type == device


def test_no_anchors_have_no_places():
    assert TWO_LEVELS.level_of(torch.empty(0, dtype=torch.int64)).tolist() == []
    place = TWO_LEVELS.place_of(np.empty(0, dtype=np.int64))
    assert {name: each.tolist() for name, each in place.items()} == {key: [] for key in place}


def test_a_single_level_needs_no_search():
    grid = Grid((4, 6), ((2, 3),), ((2, 2),), (2,))
    assert grid.level_of(torch.arange(12)).tolist() == [0] * 12
    assert grid.place_of(np.arange(12))["level"].tolist() == [0] * 12


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)), min_size=1),
)
def test_places_count_up_in_the_pinned_order(levels):
    cells, per_cell = [(r, c) for r, c, _ in levels], [a for *_, a in levels]
    grid = Grid((9, 9), tuple(cells), ((1, 1),) * len(cells), tuple(per_cell))
    expected = [
        (level, row, column, shape)
        for level, (rows, columns, shapes) in enumerate(levels)
        for row in range(rows)
        for column in range(columns)
        for shape in range(shapes)
    ]
    place = grid.place_of(np.arange(grid.starts[-1]))
    assert list(zip(*(each.tolist() for each in place.values()), strict=True)) == expected
    assert list(place) == ["level", "row", "column", "shape"]
    assert grid.level_of(torch.arange(grid.starts[-1])).tolist() == place["level"].tolist()


def test_the_notebooks_grid_at_800():
    grid = grid_of(Anchors(), 800, 800)
    assert grid.cells == ((200, 200), (100, 100), (50, 50), (25, 25), (13, 13))
    assert grid.counts == (120_000, 30_000, 7_500, 1_875, 507)
    assert grid.strides == tuple((s, s) for s in (4, 8, 16, 32, 64))
    assert grid.starts[-1] == 159_882


def test_torchvision_divides_the_picture_by_the_grid():
    grid = grid_of(PRESETS["torchvision"].anchors, 800, 1000)
    assert grid.cells[-1] == (13, 16)
    assert grid.strides[-1] == (61, 62)  # down 800 // 13, across 1000 // 16


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [(64, 64), (1, 64), (50, 33)])
def test_anchors_lie_in_the_order_of_their_numbers(preset, size):
    anchors = PRESETS[preset].anchors
    grid = grid_of(anchors, *size)
    laid = lay_anchors(grid, anchors, CPU)
    cells = [torch.from_numpy(shape) for shape in laid.shapes]
    expected = anchors_by_loops(cells, grid.cells, grid.strides, anchors.offset)
    assert torch.allclose(laid.boxes, expected, atol=1e-4)
    assert len(laid.boxes) == grid.starts[-1]
    assert tuple(map(len, laid.shapes)) == grid.per_cell == anchors.per_cell


@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    strides=st.lists(st.integers(2, 70), min_size=1, max_size=3, unique=True).map(sorted),
    rule=st.sampled_from(["fixed", "image // grid"]),
    offset=st.floats(0, 1),
    ratio=st.floats(0.1, 5),
    side=st.floats(4, 1024),
)
def test_some_anchors_are_those_that_all_of_them_hold(size, strides, rule, offset, ratio, side):
    sizes = tuple((side * 2**level, side) for level in range(len(strides)))
    anchors = Anchors(
        strides=tuple(strides), sizes=sizes, ratios=(ratio, 1.0), offset=offset, stride_rule=rule
    )
    grid = lay_grid(blank(*size), anchors.strides, rule, anchors.per_cell)
    laid = lay_anchors(grid, anchors, CPU)
    index = torch.arange(grid.starts[-1])[::3]
    assert torch.equal(anchors_at(grid, anchors, index), laid.at(index))
    assert torch.equal(anchors_at(grid, anchors, index.flip(0)), laid.at(index.flip(0)))
    unlaid = Unlaid(grid, anchors, pytest.fail)
    assert torch.equal(unlaid.at(index), laid.at(index))
    assert unlaid.at(index[:0]).shape == (0, 4)


def test_explicit_shapes_may_be_of_different_number_a_level():
    anchors = Anchors(strides=(8, 16), pairs=(((10, 20),), ((30, 40), (50, 20))))
    first, second = level_shapes(anchors)
    assert first.tolist() == [[-5, -10, 5, 10]]
    assert second.tolist() == [[-15, -20, 15, 20], [-25, -10, 25, 10]]
    grid = grid_of(anchors, 32, 32)
    assert grid.per_cell == (1, 2)
    boxes = lay_anchors(grid, anchors, CPU).boxes
    assert boxes.shape == (16 + 8, 4)
    assert boxes[16:18].tolist() == [[-7, -12, 23, 28], [-17, -2, 33, 18]]
    assert shape_names(anchors) == [["10 x 20"], ["30 x 40", "50 x 20"]]


@pytest.mark.parametrize("order", ["size outer", "ratio outer"])
@pytest.mark.parametrize("meaning", ["w/h", "h/w"])
def test_names_tell_size_and_ratio_of_the_shape_at_their_place(order, meaning):
    anchors = Anchors(
        strides=(8, 16),
        sizes=((16, 24, 32), (64,)),
        ratios=(0.5, 1, 4),
        ratio=meaning,
        order=order,
    )
    named, shaped = shape_names(anchors), level_shapes(anchors)
    assert [len(level) for level in named] == [9, 3]
    assert named[1] == ["0.5", "1", "4"]
    for name, (x1, y1, x2, y2) in zip(named[0], shaped[0].tolist(), strict=True):
        size, ratio = map(float, name.split(" at "))
        width, height = x2 - x1, y2 - y1
        assert (width * height) ** 0.5 == pytest.approx(size, rel=1e-5)
        quotient = width / height if meaning == "w/h" else height / width
        assert quotient == pytest.approx(ratio, rel=1e-5)
