"""What IoU a grid offers to an object, against real anchors one object at a time."""

import math

import numpy as np
import pytest
import torch

from explorer.core.anchors import all_level_anchors
from explorer.core.atlas import AXIS, Lattice, lattice_of, offered_iou, serve, size_chart
from explorer.core.boxes import box_iou
from explorer.core.layout import level_shapes
from explorer.presets import PRESETS
from explorer.settings import Anchors

THREE = {"strides": (4, 8, 16), "sizes": ((16,), (32,), (64,))}
SIZES = [(9, 9), (30, 14), (21, 47), (60, 100)]


def one_shape(width, height, stride, offset=0.5):
    sides = np.array([[width, height]], np.float32)
    return Lattice(((stride, stride),), offset, sides, np.zeros(1, np.int64))


def over_real_anchors(anchors, size, strides, step=0.5, side=192):
    """The best IoU at every place of a period in the middle of a real grid."""
    grids = [(math.ceil(side / down), math.ceil(side / across)) for down, across in strides]
    boxes = all_level_anchors(level_shapes(anchors), grids, strides, anchors.offset)
    spans = [math.lcm(*each) for each in zip(*strides, strict=True)]  # down, across
    down, across = (side // 2 + np.arange(0, span, step) for span in spans)
    y, x = (each.ravel() for each in np.meshgrid(down, across, indexing="ij"))
    width, height = size
    objects = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    return box_iou(torch.from_numpy(objects).float(), boxes).max(dim=1).values.numpy()


@pytest.mark.parametrize("offset", [0.5, 0.0, 0.3])
@pytest.mark.parametrize("size", SIZES)
def test_both_readings_equal_a_real_grid_walked_place_by_place(offset, size):
    anchors = Anchors(**THREE, offset=offset)
    lattice = lattice_of(anchors)
    found = over_real_anchors(anchors, size, lattice.strides)
    mean, worst = (
        offered_iou([size[0]], [size[1]], lattice, reading)[0] for reading in ("mean", "worst")
    )
    assert mean == pytest.approx(found.mean(), abs=0.002)
    assert worst <= found.min() + 1e-5  # a promise
    if offset == 0.5:
        assert worst == pytest.approx(found.min(), abs=1e-5)  # and no less than it could be
    else:
        assert worst == pytest.approx(found.min(), abs=0.02)


@pytest.mark.parametrize("strides", [((5, 4), (10, 8)), ((4, 6), (8, 6))])
def test_strides_that_differ_down_and_across_count_each_on_their_own_axis(strides):
    anchors = Anchors(strides=(4, 8), sizes=((16,), (32,)))
    lattice = lattice_of(anchors, strides)
    found = over_real_anchors(anchors, (30, 14), strides)
    assert offered_iou([30], [14], lattice, "mean")[0] == pytest.approx(found.mean(), abs=0.003)
    assert offered_iou([30], [14], lattice, "worst")[0] == pytest.approx(found.min(), abs=1e-5)
    turned = offered_iou([30], [14], lattice_of(anchors, tuple(s[::-1] for s in strides)), "worst")
    assert turned[0] != pytest.approx(found.min(), abs=1e-3)


def test_the_tiny_object_of_the_default_grid_reaches_sixteen_hundredths_anywhere():
    lattice = lattice_of(Anchors())
    for reading in ("mean", "worst"):
        # an anchor of area 32 x 32 holds it whole, wherever it lies: 18 x 9 of 1,024 pixels
        assert offered_iou([18], [9], lattice, reading)[0] == pytest.approx(162 / 1024, abs=1e-6)


def test_an_object_like_an_anchor_is_half_a_stride_off_both_ways_at_worst():
    iou = offered_iou([32], [32], one_shape(32, 32, 8), "worst")[0]
    assert iou == pytest.approx(28 * 28 / (2 * 32 * 32 - 28 * 28))


def test_an_object_that_no_anchor_touches_is_offered_nothing():
    lattice = one_shape(10, 10, 100)
    assert offered_iou([6], [6], lattice, "worst").tolist() == [0]
    assert 0 < offered_iou([6], [6], lattice, "mean")[0] < 0.05


def test_no_objects_are_offered_nothing():
    for reading in ("mean", "worst"):
        assert offered_iou([], [], lattice_of(Anchors()), reading).shape == (0,)


@pytest.mark.parametrize("name", PRESETS)
def test_the_worst_place_is_never_better_than_the_mean_and_a_subset_never_better(name):
    lattice = lattice_of(PRESETS[name].anchors)
    widths, heights = (part.ravel() for part in np.meshgrid(AXIS[::6], AXIS[::6]))
    mean, worst = (offered_iou(widths, heights, lattice, each) for each in ("mean", "worst"))
    assert (worst <= mean + 1e-5).all()
    assert (worst >= 0).all()
    assert (mean <= 1 + 1e-5).all()
    first = lattice.level == 0
    finest = Lattice(
        lattice.strides[:1], lattice.offset, lattice.sides[first], lattice.level[first]
    )
    assert (offered_iou(widths, heights, finest, "mean") <= mean + 0.01).all()
    assert (offered_iou(widths, heights, finest, "worst") <= worst + 0.02).all()


def test_the_chart_has_heights_down_and_widths_across_and_scales():
    chart = size_chart(one_shape(64, 16, 1), "worst")
    row, column = np.unravel_index(chart.argmax(), chart.shape)
    assert (AXIS[column], AXIS[row]) == (pytest.approx(64, rel=0.13), pytest.approx(16, rel=0.13))
    twice = size_chart(one_shape(64, 16, 1), "worst", scale=2)
    row, column = np.unravel_index(twice.argmax(), twice.shape)
    assert (AXIS[column], AXIS[row]) == (pytest.approx(128, rel=0.13), pytest.approx(32, rel=0.13))
    np.testing.assert_allclose(twice[6:, 6:], chart[:-6, :-6], atol=1e-6)  # an octave on


def test_of_shapes_that_serve_alike_the_one_of_the_nearest_ratio_is_shown():
    lattice = lattice_of(Anchors())
    wide, tall = serve(18, 9, lattice, "worst"), serve(9, 18, lattice, "mean")
    assert wide.sides == pytest.approx((32 * 2**0.5, 32 / 2**0.5))
    assert tall.sides == wide.sides[::-1]
    assert (wide.level, wide.alike, tall.alike) == (0, 2, 2)
    assert wide.away == (2, 2)  # the corner of four cells


@pytest.mark.parametrize("offset", [0.5, 0.0])
@pytest.mark.parametrize("size", SIZES)
def test_the_anchor_of_the_worst_place_has_the_iou_that_the_map_shows(offset, size):
    lattice = lattice_of(Anchors(**THREE, offset=offset))
    served = serve(*size, lattice, "worst")
    shared = [
        max(0, min(side, anchor, (side + anchor) / 2 - away))
        for side, anchor, away in zip(size, served.sides, served.away, strict=True)
    ]
    inter = shared[0] * shared[1]
    iou = inter / (size[0] * size[1] + served.sides[0] * served.sides[1] - inter)
    assert iou == pytest.approx(offered_iou([size[0]], [size[1]], lattice, "worst")[0], abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_the_anchor_of_the_mean_is_the_one_that_alone_would_offer_most(size):
    lattice = lattice_of(Anchors(**THREE))
    alone = [
        offered_iou(
            [size[0]],
            [size[1]],
            Lattice((lattice.strides[level],), 0.5, sides[None], np.zeros(1, np.int64)),
            "mean",
        )[0]
        for sides, level in zip(lattice.sides, lattice.level, strict=True)
    ]
    served = serve(*size, lattice, "mean")
    best = int(np.argmax(alone))
    assert served.sides == pytest.approx(lattice.sides[best].tolist())
    assert served.level == lattice.level[best]
