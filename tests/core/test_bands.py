"""Bands of boxes beside objects: what is left out cannot matter."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.core.bands import best_of_each, iou_bounds, meetings
from explorer.core.boxes import box_columns, box_iou

sides = st.tuples(*[st.integers(-5, 60)] * 2, *[st.integers(0, 40)] * 2)
some_boxes = st.lists(sides, max_size=24)


@pytest.fixture(autouse=True)
def short_bands(monkeypatch):
    monkeypatch.setattr("explorer.core.bands.BAND", 4)


def as_boxes(rows):
    corner_and_size = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([corner_and_size[:, :2], corner_and_size.view(-1, 2, 2).sum(dim=1)], dim=1)


@given(some_boxes, some_boxes)
def test_no_iou_exceeds_its_bands_bound(objects, many):
    few, boxes = as_boxes(objects), as_boxes(many)
    bounds = iou_bounds(box_columns(few), box_columns(boxes))
    assert bounds.shape == (len(few), -(-len(boxes) // 4))
    each = np.repeat(bounds, 4, axis=1)[:, : len(boxes)]
    assert (box_iou(few, boxes).numpy() <= each * (1 + 1e-6)).all()


@given(some_boxes, some_boxes)
def test_the_meetings_are_the_whole_matrix(objects, many):
    few, boxes = as_boxes(objects), as_boxes(many)
    found = np.zeros((len(few), len(boxes)), dtype=np.float32)
    order = []
    for start, number, iou in meetings(box_columns(few), box_columns(boxes)):
        found[number, start : start + len(iou)] = iou
        order.append((start, number))
    np.testing.assert_array_equal(found, box_iou(few, boxes).numpy())
    assert order == sorted(order)


@given(some_boxes, some_boxes)
def test_the_best_of_each_is_the_first_of_the_equals(objects, many):
    few, boxes = as_boxes(objects), as_boxes([*many, *many[::-1]])
    best, index = best_of_each(box_columns(few), box_columns(boxes))
    for iou, found, first in zip(box_iou(few, boxes).numpy(), best, index, strict=True):
        assert found == iou.max(initial=0)
        assert first == (iou.argmax() if found > 0 else -1)


def test_areas_that_float32_cannot_tell_apart_have_no_bound():
    few = torch.tensor([[0, 0, 1.1e-22, 1.3e-22]])
    boxes = torch.tensor([[0, 0, 1.1e-22, 1.4e-22], [0, 0, 1.0e-22, 1.2e-22], [0, 0, 9, 9]])
    best, index = best_of_each(box_columns(few), box_columns(boxes))
    iou = box_iou(few, boxes)[0].numpy()
    assert (best[0], index[0]) == (iou.max(), iou.argmax())
    assert iou_bounds(box_columns(few), box_columns(boxes)).tolist() == [[1]]
