"""FCOS's points and YOLOv1's cells, against points and cells one at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.without_anchors import crowded, point_level, point_limit, point_share
from explorer.presets.anchor_free import FCOS, YOLOV1


def test_a_level_answers_up_to_its_farthest_distance_itself_included():
    widths, heights = np.array([128, 129, 10, 1024, 1025]), np.array([5, 5, 300, 1, 1])
    assert point_level(widths, heights, FCOS.farthest).tolist() == [0, 1, 2, 3, 4]
    assert point_level(np.array([9000]), np.array([9000]), FCOS.farthest).tolist() == [4]


def test_the_sources_numbers_are_kept():
    assert FCOS.strides == (8, 16, 32, 64, 128)
    assert FCOS.farthest[:4] == (64, 128, 256, 512)
    assert (YOLOV1.cells, YOLOV1.side, YOLOV1.objects) == (7, 448, 1)
    assert len(FCOS.level_names) == len(FCOS.strides) == len(FCOS.farthest)


@pytest.mark.parametrize("size", [(18, 9), (5, 6), (300, 20), (128, 8), (129, 8), (700, 700)])
def test_the_share_is_that_of_places_with_a_point_inside(size):
    width, height = size
    level = next(i for i, end in enumerate(FCOS.farthest) if max(size) / 2 <= end)
    stride, inside = FCOS.strides[level], 0
    places = (np.arange(40) + 0.5) / 40 * stride
    for x in places:
        for y in places:
            left, top = x - width / 2, y - height / 2
            across = np.floor((left + width) / stride) - np.ceil(left / stride) + 1
            down = np.floor((top + height) / stride) - np.ceil(top / stride) + 1
            inside += across > 0 and down > 0
    share = point_share(np.array([width]), np.array([height]), FCOS.strides, FCOS.farthest)[0]
    assert share == pytest.approx(inside / 1600, abs=0.06)


def least_height(width, share):
    """The least height from which an object of a width is seen at a share of places."""
    low, high = 0.0, width
    for _ in range(40):
        height = (low + high) / 2
        sides = np.array([width]), np.array([height])
        seen = point_share(*sides, FCOS.strides, FCOS.farthest)[0] >= share
        low, high = (low, height) if seen else (height, high)
    return high


@pytest.mark.parametrize("share", [0.5, 1.0])
@settings(max_examples=60)
@given(data=st.data())
def test_the_limit_is_where_the_share_is_reached(share, data):
    line = point_limit(FCOS.strides, FCOS.farthest, share, 1024)
    np.testing.assert_array_equal(line, line[::-1, ::-1])  # tall as wide
    wide = line[len(line) // 2 :]
    assert wide[-1, 0] == 1024
    width = data.draw(st.floats(8 * share**0.5, 1023).filter(lambda w: w not in wide[:, 0]))
    assert np.interp(width, *wide.T) == pytest.approx(least_height(width, share), rel=0.01)


def test_objects_whose_centres_share_a_cell_are_told():
    # 70 px in 7 cells of 10: two centres in the first cell, one beside it
    boxes = np.array([[0, 0, 4, 4], [2, 2, 14, 14], [8, 0, 20, 4], [60, 60, 70, 70]], float)
    assert crowded(boxes, (70, 70), 7).tolist() == [True, True, False, False]


def test_cells_follow_a_picture_that_is_no_square_and_its_border_belongs_to_the_last():
    boxes = np.array([[139, 69, 141, 71], [131, 66, 133, 68], [0, 0, 8, 8]], float)
    assert crowded(boxes, (70, 140), 7).tolist() == [True, True, False]


def test_no_objects_share_nothing():
    assert crowded(np.zeros((0, 4)), (70, 70), 7).shape == (0,)
