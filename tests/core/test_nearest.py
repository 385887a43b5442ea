import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.core.layout import lay_anchors
from explorer.core.nearest import best_anchors
from explorer.presets import PRESETS
from explorer.settings import Anchors
from tests.core.test_layout import CPU, grid_of
from tests.devices import DEVICES
from tests.reference import best_by_matrix


def same_as_the_matrix(anchors, size, objects):
    grid = grid_of(anchors, *size)
    best, index = best_anchors(grid, anchors, objects)
    expected, first = best_by_matrix(lay_anchors(grid, anchors, CPU).boxes, objects)
    assert torch.equal(best, expected)
    assert torch.equal(index, first)


def as_boxes(rows):
    corner_and_size = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([corner_and_size[:, :2], corner_and_size.view(-1, 2, 2).sum(dim=1)], dim=1)


def places(number):
    return st.tuples(*[number(-300, 600)] * 2, *[number(0, 500)] * 2)


@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    strides=st.lists(st.integers(4, 70), min_size=1, max_size=3, unique=True).map(sorted),
    rule=st.sampled_from(["fixed", "image // grid"]),
    offset=st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1),
    ratio=st.sampled_from([0.5, 1.0]) | st.floats(0.1, 5),
    side=st.sampled_from([8.0, 32.0, 512.0]) | st.floats(4, 1024),
    rounding=st.sampled_from(["none", "corners"]),
    rows=st.lists(places(st.integers), max_size=8)
    | st.lists(places(lambda low, high: st.floats(low, high, width=32)), max_size=8),
)
def test_the_best_are_those_of_the_whole_matrix(
    size, strides, rule, offset, ratio, side, rounding, rows
):
    anchors = Anchors(
        strides=tuple(strides),
        sizes=tuple((side * 2**level, side) for level in range(len(strides))),
        ratios=(ratio, 1.0),
        offset=offset,
        stride_rule=rule,
        rounding=rounding,
    )
    same_as_the_matrix(anchors, size, as_boxes(rows))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset(preset):
    generator = torch.Generator().manual_seed(1)
    middle = torch.rand(60, 2, generator=generator) * 700 - 50
    half = torch.exp(torch.rand(60, 2, generator=generator) * 5.5)
    objects = torch.cat([middle - half, middle + half], dim=1)
    same_as_the_matrix(PRESETS[preset].anchors, (480, 640), objects)
    same_as_the_matrix(PRESETS[preset].anchors, (480, 640), objects.round())


def test_of_anchors_that_cover_an_object_alike_the_first_is_named():
    anchors = Anchors(strides=(4, 8), sizes=((1024.0,), (1024.0,)), ratios=(1.0,))
    objects = as_boxes([[40, 40, 10, 10], [0, 0, 80, 80], [200, 200, 10, 10]])
    same_as_the_matrix(anchors, (80, 80), objects)


@pytest.mark.parametrize("device", DEVICES)
def test_no_objects_and_objects_without_area_have_no_best(device):
    grid = grid_of(Anchors(), 64, 64)
    objects = torch.tensor([[10.0, 10, 10, 30], [30, 30, 10, 10], [float("nan"), 0, 9, 9]])
    best, index = best_anchors(grid, Anchors(), objects.to(device))
    assert (best.tolist(), index.tolist()) == ([0, 0, 0], [-1, -1, -1])
    best, index = best_anchors(grid, Anchors(), torch.zeros(0, 4, device=device))
    assert best.shape == index.shape == (0,)
    assert (best.device.type, index.dtype) == ("cpu", torch.int64)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"objects must .*got \(4,\)"):
        best_anchors(grid_of(Anchors(), 64, 64), Anchors(), torch.zeros(4))
