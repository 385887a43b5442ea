"""Bands of boxes beside objects: what is left out cannot matter."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.core.bands import meetings
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
def test_the_meetings_are_the_whole_matrix(objects, many):
    few, boxes = as_boxes(objects), as_boxes(many)
    found = np.zeros((len(few), len(boxes)), dtype=np.float32)
    order = []
    for start, number, iou in meetings(box_columns(few), box_columns(boxes)):
        found[number, start : start + len(iou)] = iou
        order.append((start, number))
    np.testing.assert_array_equal(found, box_iou(few, boxes).numpy())
    assert order == sorted(order)


def test_a_band_out_of_reach_is_not_measured():
    few, many = as_boxes([[0, 0, 9, 9]]), as_boxes([[1, 1, 4, 4]] * 4 + [[40, 40, 9, 9]] * 4)
    starts = [start for start, _, _ in meetings(box_columns(few), box_columns(many))]
    assert starts == [0]
