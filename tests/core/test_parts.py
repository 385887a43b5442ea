"""Levels and ratios as parts, against the anchors' own sides."""

import numpy as np
import pytest

from explorer.core.parts import MOST, part_index, parts_of
from explorer.presets import PRESETS
from explorer.settings import Anchors
from tests.figures.reading import grid_of, world


def ratio_of_each(boxes, ratio):
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    return width / height if ratio == "w/h" else height / width


@pytest.mark.parametrize("name", PRESETS)
def test_a_level_is_a_run_of_anchors(name):
    anchors, grid, _ = world(name, 96, 128)
    names, part = parts_of(grid, anchors, "level")
    assert names == anchors.level_names
    for number in range(len(part)):
        assert grid.starts[part[number]] <= number < grid.starts[part[number] + 1]
    assert len(part) == grid.starts[-1]


@pytest.mark.parametrize("name", ["notebook", "detectron2", "retinanet", "efficientdet-d0"])
def test_a_ratio_is_that_of_the_anchors_sides(name):
    anchors, grid, placed = world(name, 96, 128)
    names, part = parts_of(grid, anchors, "ratio")
    found = ratio_of_each(placed.boxes.numpy(), anchors.ratio)
    np.testing.assert_allclose(np.array(names, float)[part], found, rtol=1e-3)


@pytest.mark.parametrize("order", ["size outer", "ratio outer"])
def test_several_sizes_share_a_ratio_in_either_order(order):
    anchors = Anchors(strides=(32,), sizes=((16, 32),), ratios=(0.5, 2), order=order)
    names, part = parts_of(grid_of(anchors, 32, 32), anchors, "ratio")
    assert names == ("0.5", "2")
    assert part.tolist() == ([0, 1, 0, 1] if order == "size outer" else [0, 0, 1, 1])


def test_listed_shapes_are_parted_by_their_own_ratio_in_rising_order():
    anchors, grid, placed = world("ssd300", 96, 128)
    names, part = parts_of(grid, anchors, "ratio")
    assert names == ("0.33", "0.5", "1", "2", "3")
    found = ratio_of_each(placed.boxes.numpy(), "w/h")
    np.testing.assert_allclose(np.array(names, float)[part], found, rtol=0.02)


def test_many_listed_shapes_are_parted_by_octave():
    anchors, grid, placed = world("yolov3", 96, 128)  # nine shapes, nine ratios
    names, part = parts_of(grid, anchors, "ratio")
    assert len(names) <= MOST
    found = np.log2(ratio_of_each(placed.boxes.numpy(), "w/h"))
    assert (np.abs(np.log2(np.array(names, float))[part] - found) <= 0.5 + 1e-4).all()


def test_equal_ratios_are_one_part():
    anchors = Anchors(strides=(32,), sizes=((16,),), ratios=(1, 1, 2))
    names, part = parts_of(grid_of(anchors, 32, 32), anchors, "ratio")
    assert names == ("1", "2")
    assert part.tolist() == [0, 0, 1]


def test_a_part_that_is_not_there_is_none_and_all_is_every_part():
    assert part_index(("P2", "P3"), "P3") == 1
    assert part_index(("P2", "P3"), "P7") is None
    assert part_index(("P2", "P3"), "all") == -1
