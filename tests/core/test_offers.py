"""What a grid's shapes could do for an object at best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.layout import level_shapes
from explorer.core.offers import find_offer
from explorer.presets import PRESETS
from tests.reference import plain_iou


def shapes_of(*levels):
    """Anchors of one cell around (0, 0), from (width, height) pairs a level."""
    return tuple(
        np.array([[-w, -h, w, h] for w, h in level], dtype=np.float32) / 2 for level in levels
    )


NOTEBOOK = tuple(shape.numpy() for shape in level_shapes(PRESETS["notebook"].anchors))


def test_an_offer_by_hand():
    offer = find_offer(20, 10, shapes_of([(10, 10), (25, 10)], [(20, 20)]))
    # 10 x 10 shares 100 of 200, 25 x 10 shares 200 of 250, 20 x 20 shares 200 of 400
    assert offer.iou == pytest.approx(0.8)
    assert (offer.level, offer.sides) == (0, (25, 10))


def test_of_equal_shapes_the_one_of_the_objects_ratio_is_offered():
    # all three hold the whole object, and cover 32 x 32 pixels each
    assert find_offer(18, 9, NOTEBOOK).sides == pytest.approx((45.25, 22.63), abs=0.01)
    assert find_offer(9, 18, NOTEBOOK).sides == pytest.approx((22.63, 45.25), abs=0.01)
    assert find_offer(9, 9, NOTEBOOK).sides == (32, 32)
    assert find_offer(18, 9, NOTEBOOK).iou == pytest.approx(162 / 1024)


def test_of_equal_shapes_and_ratios_the_finer_level_is_offered():
    assert find_offer(10, 10, shapes_of([(30, 30)], [(20, 20)], [(20, 20)])).level == 1


def test_the_offered_shape_is_told_with_its_own_level():
    offer = find_offer(19, 21, shapes_of([(10, 10)], [(5, 5), (20, 20)], [(90, 90)]))
    assert offer.level == 1
    assert offer.sides == (20, 20)
    assert offer.iou == pytest.approx(19 * 20 / (400 + 19 * 21 - 19 * 20))


def test_a_shape_of_the_grids_own_is_offered_whole():
    offer = find_offer(32, 32, NOTEBOOK)
    assert (offer.iou, offer.level, offer.misfit) == (1, 0, "")


@pytest.mark.parametrize(
    ("width", "height", "misfit"),
    [
        (18, 9, "smaller"),
        (18, 18, "smaller"),
        (32, 32, ""),
        (600, 500, "larger"),
        (90, 30, "wider for its height"),
        (30, 90, "taller for its width"),
        (30, 3, "smaller and wider for its height"),
        (300, 1200, "larger and taller for its width"),
        (50, 45, ""),
    ],
)
def test_how_an_object_differs_from_every_shape(width, height, misfit):
    assert find_offer(width, height, NOTEBOOK).misfit == misfit


def test_a_shape_that_float32_rounds_does_not_differ_from_itself():
    for x1, y1, x2, y2 in np.concatenate(NOTEBOOK).tolist():
        assert find_offer(x2 - x1, y2 - y1, NOTEBOOK).misfit == ""


SIDES = st.floats(1, 2000)


@settings(max_examples=60)
@given(SIDES, SIDES, st.integers(0, 14), st.floats(-300, 300), st.floats(-300, 300))
def test_no_place_does_better_than_the_offer(width, height, shape, x, y):
    offer = find_offer(width, height, NOTEBOOK)
    anchor = np.concatenate(NOTEBOOK)[shape].tolist()
    placed = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    assert plain_iou(placed, anchor) <= offer.iou + 1e-6


@settings(max_examples=60)
@given(SIDES, SIDES)
def test_the_offer_is_what_the_shape_has_right_on_the_object(width, height):
    offer = find_offer(width, height, NOTEBOOK)
    w, h = offer.sides
    right_on = plain_iou(
        [-width / 2, -height / 2, width / 2, height / 2], [-w / 2, -h / 2, w / 2, h / 2]
    )
    assert right_on == pytest.approx(offer.iou, abs=1e-6)
    assert any(np.allclose([w, h], shape[2:] - shape[:2]) for shape in NOTEBOOK[offer.level])
