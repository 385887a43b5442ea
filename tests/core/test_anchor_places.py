"""Where an object may lie on several grids at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.anchor_places import STEPS, even_places, worst_places

STRIDES = st.lists(st.sampled_from([2, 3, 4, 6, 8, 12, 16, 31, 32, 62, 64]), min_size=1, max_size=4)
OFFSETS = st.sampled_from([0.0, 0.25, 0.3, 0.5, 1.0])


def distances(x, strides, offset):
    """From a place to the nearest centre of each level, centre by centre."""
    found = []
    for stride in strides:
        centres = [(i + offset) * stride for i in range(-2, int(x / stride) + 3)]
        found.append(min(abs(x - centre) for centre in centres))
    return np.array(found)


def test_one_grid_is_cut_into_equal_parts():
    places, shares = even_places((31,), 0.0)
    assert places[:, 0].tolist() == list(range(16))  # 1 to 15 px away on either side, and 0
    assert shares == pytest.approx([1 / 31] + 15 * [2 / 31])


@settings(max_examples=60)
@given(STRIDES, OFFSETS)
def test_every_level_sees_its_own_cell_evenly(strides, offset):
    places, shares = even_places(tuple(strides), offset)
    assert shares.sum() == pytest.approx(1)
    count = round(1 / shares.min())
    count = next(n for n in (count, 2 * count) if np.allclose(shares * n, (shares * n).round()))
    for level, stride in enumerate(strides):
        one_by_one = np.repeat(places[:, level], (shares * count).round().astype(int))
        step = stride / len(one_by_one)
        first = distances(0, [stride], offset)[0]
        cell = sorted(distances(first + k * step, [stride], 0)[0] for k in range(len(one_by_one)))
        assert sorted(one_by_one) == pytest.approx(cell, abs=1e-6)


def test_with_an_offset_of_a_half_all_levels_are_farthest_at_once():
    places, shares = worst_places((4, 8, 16, 32, 64), 0.5)
    assert places.tolist() == [[2, 4, 8, 16, 32]]
    assert shares.tolist() == [1]


@pytest.mark.parametrize("offset", [0.0, 0.1, 0.3, 0.5, 0.77, 1.0])
def test_one_grid_is_farthest_in_the_middle_between_centres_wherever_the_parts_end(offset):
    assert worst_places((3,), offset)[0].tolist() == [[1.5]]
    places, _ = worst_places((4, 64), offset)
    assert places.max(axis=0).tolist() == [2, 32]


def test_with_no_offset_the_centre_of_a_coarse_cell_is_one_of_a_finer_one():
    places, _ = worst_places((4, 8), 0.0)
    assert not (places == [2, 4]).all(axis=1).any()  # never both at once
    assert places[:, 0].max() == 2
    assert places[:, 1].max() == 4


@settings(max_examples=100)
@given(STRIDES, OFFSETS, st.floats(0, 1))
def test_no_place_is_farther_than_the_worst_places(strides, offset, share):
    places, shares = worst_places(tuple(strides), offset)
    here = distances(share * math.lcm(*strides), strides, offset)
    assert (places >= here - 1e-6).all(axis=1).any()
    assert shares.sum() == pytest.approx(1)


@settings(max_examples=60)
@given(STRIDES, OFFSETS)
def test_the_worst_places_are_no_farther_than_a_part_of_the_period_allows(strides, offset):
    period = math.lcm(*strides)
    places, _ = worst_places(tuple(strides), offset)
    if period > STEPS * min(strides):
        assert places.tolist() == [[stride / 2 for stride in strides]]
        return
    step = period / STEPS
    every = np.array([distances(k * step / 2, strides, offset) for k in range(2 * STEPS)])
    for place in places:
        assert (every >= place - step - 1e-6).all(axis=1).any()


def test_a_period_too_long_to_walk_counts_every_level_at_its_farthest():
    places, _ = worst_places((7, 9, 11, 13), 0.0)  # 9,009 pixels
    assert places.tolist() == [[3.5, 4.5, 5.5, 6.5]]
