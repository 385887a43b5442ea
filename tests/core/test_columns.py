import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.boxes import box_iou
from explorer.core.columns import (
    as_columns,
    columns_iou,
    float32_floor,
    meeting_boxes,
    walking_rows,
)
from tests.core.test_nms import uniform


def test_ious_are_those_of_box_iou_to_the_last_bit():
    (a, _), (b, _) = uniform(200, seed=1), uniform(200, seed=2)
    a_columns, b_columns = (as_columns(boxes.numpy())[:, :-1] for boxes in (a, b))
    iou = columns_iou(a_columns[:, :, None], b_columns[:, None])
    assert np.array_equal(np.maximum(iou, 0), box_iou(a, b).numpy())


@given(st.floats(0, 1))
@settings(max_examples=200)
def test_the_float32_threshold_decides_as_the_double_does(threshold):
    floor = float32_floor(threshold)
    assert floor.dtype == np.float32
    assert float(floor) <= threshold < float(np.nextafter(floor, np.float32(2)))


def test_groups_are_split_and_keep_their_order():
    boxes = torch.tensor([[0.0, 0, 1, 1]]).repeat(6, 1)
    boxes[3] = 0
    parts = meeting_boxes(as_columns(boxes.numpy()), np.array([7, -1, 7, 7, -1, 3]))
    assert [part.tolist() for part in parts] == [[1, 4], [5], [0, 2]]


def test_walking_rows_puts_numpy_back_as_it_was():
    before = np.getbufsize(), np.geterr()
    with walking_rows():
        assert np.getbufsize() < before[0]
        assert (np.float32([0]) / np.float32([0]) > 1).tolist() == [False]  # with no warning
    assert (np.getbufsize(), np.geterr()) == before
