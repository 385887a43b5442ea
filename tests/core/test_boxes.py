import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import boxes as boxes_module
from explorer.core.boxes import box_area, box_iou
from tests.reference import plain_area, plain_iou

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
NAN, INF = float("nan"), float("inf")

# Whole numbers meet exactly: touching, identical, empty and turned-around boxes are common.
corner = st.integers(-6, 6).map(float)
any_box = st.tuples(corner, corner, corner, corner)


def as_boxes(rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def random_boxes(n, seed, scale=800.0):
    centre, side = torch.rand(2, n, 2, generator=torch.Generator().manual_seed(seed))
    return torch.cat([centre - side / 4, centre + side / 4], dim=1) * scale


def broadcast(a, b):
    """The usual IoU in one broadcast of corner pairs."""
    low = torch.max(a[:, None, :2], b[:, :2])
    high = torch.min(a[:, None, 2:], b[:, 2:])
    inter = (high - low).clamp(min=0).prod(dim=2)
    return inter / (box_area(a)[:, None] + box_area(b) - inter)


def test_areas_by_hand():
    assert box_area(as_boxes([[0, 0, 10, 20], [5, 5, 5, 9], [-3, -2, 1, 0]])).tolist() == [
        200,
        0,
        8,
    ]


def test_no_boxes_have_no_areas():
    assert box_area(torch.empty(0, 4)).shape == (0,)


def test_a_float16_area_does_not_overflow():
    area = box_area(torch.tensor([[0, 0, 512, 512]], dtype=torch.float16))
    assert area.dtype == torch.float32
    assert area.item() == 512 * 512


def test_areas_of_a_batch_keep_its_shape():
    assert box_area(torch.ones(2, 3, 4)).shape == (2, 3)


@pytest.mark.parametrize("shape", [(3,), (3, 5), ()])
def test_a_wrong_shape_is_named_with_the_expected_one(shape):
    with pytest.raises(ValueError, match=r"boxes must have shape \(\*, 4\), got \("):
        box_area(torch.zeros(shape))


def test_the_message_says_which_list_is_wrong():
    with pytest.raises(ValueError, match=r"^b must have shape \(N, 4\), got \(2, 5\)$"):
        box_iou(torch.zeros(1, 4), torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"^a must have shape \(N, 4\), got \(4,\)$"):
        box_iou(torch.zeros(4), torch.zeros(2, 4))


@pytest.mark.parametrize("device", DEVICES)
def test_iou_by_hand(device):
    a = as_boxes([[0, 0, 10, 10], [20, 20, 30, 30]]).to(device)
    b = as_boxes([[0, 0, 10, 10], [5, 0, 15, 10], [0, 0, 5, 10], [10, 0, 20, 10]]).to(device)
    expected = torch.tensor([[1, 1 / 3, 0.5, 0], [0, 0, 0, 0]], device=device)
    torch.testing.assert_close(box_iou(a, b), expected)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_an_empty_list_gives_an_empty_table(n, m):
    iou = box_iou(torch.zeros(n, 4), torch.zeros(m, 4))
    assert iou.shape == (n, m)
    assert iou.dtype == torch.float32


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "odd",
    [
        [5, 5, 5, 5],
        [5, 0, 5, 10],
        [9, 0, 1, 10],
        [9, 9, 1, 1],
        [NAN, 0, 10, 10],
        [0, 0, NAN, NAN],
        [-INF, -INF, INF, INF],
        [0, 0, INF, 10],
        [-3e38, 0, 3e38, 10],
        [-1e30, -1e30, 1e30, 1e30],
    ],
    ids=str,
)
def test_a_box_without_a_finite_area_overlaps_nothing_not_even_itself(odd, device):
    boxes = as_boxes([odd, [0, 0, 10, 10]]).to(device)
    assert box_iou(boxes, boxes).tolist() == [[0, 0], [0, 1]]


def test_far_apart_and_huge_boxes_stay_silent():
    huge = as_boxes([[-3e38, 0, -2.9e38, 1], [2.9e38, 0, 3e38, 1], [0, 0, 1.5e19, 1.5e19]])
    iou = box_iou(huge, huge)
    assert iou[0, 1] == 0
    assert iou.diag()[:2].tolist() == [1, 1]
    assert iou[2, 2] == 0  # the sum of both areas overflows


@settings(max_examples=60)
@given(st.lists(any_box, max_size=6), st.lists(any_box, max_size=6))
def test_areas_and_iou_equal_the_plain_sums(a, b):
    expected = torch.tensor([[plain_iou(p, q) for q in b] for p in a]).reshape(len(a), len(b))
    torch.testing.assert_close(box_iou(as_boxes(a), as_boxes(b)), expected, rtol=1e-6, atol=0)
    assert box_area(as_boxes(a)).tolist() == [plain_area(p) for p in a]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 800.0, 1e6]))
def test_iou_is_symmetric_within_0_and_1_and_1_with_itself(seed, scale):
    boxes = random_boxes(12, seed, scale)
    iou = box_iou(boxes, boxes)
    assert torch.equal(iou, iou.T)
    assert iou.min() >= 0
    assert iou.max() <= 1
    assert torch.equal(iou.diag(), (box_area(boxes) > 0).float())


@pytest.mark.parametrize(("n", "m"), [(3, 50), (50, 3), (7, 7), (1, 1), (30, 31)])
def test_iou_equals_the_broadcast_bit_for_bit_across_runs(monkeypatch, n, m):
    monkeypatch.setattr(boxes_module, "RUN", 8)  # several runs, the last one short
    a, b = random_boxes(n, 1), random_boxes(m, 2)
    assert torch.equal(box_iou(a, b), broadcast(a, b))


def test_the_path_of_an_accelerator_gives_the_same_bits():
    a = torch.cat([random_boxes(40, 3), as_boxes([[NAN, 0, 1, 1], [2, 2, 2, 2], [0, 0, INF, 9]])])
    b = torch.cat([random_boxes(60, 4), a[-3:]])
    assert torch.equal(boxes_module.broadcast_iou(a, b), box_iou(a, b))


def test_half_precision_boxes_are_measured_in_float32():
    boxes = as_boxes([[0, 0, 512, 512], [0, 0, 512, 256]])
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        assert torch.equal(box_iou(boxes.to(dtype), boxes.to(dtype)), box_iou(boxes, boxes))


def test_iou_of_boxes_that_carry_a_gradient_carries_none():
    boxes = random_boxes(3, 5).requires_grad_()
    assert not box_iou(boxes, boxes).requires_grad


def test_the_inputs_are_left_as_they_were():
    boxes = as_boxes([[NAN, 0, 10, 10], [0, 0, 10, 10]])
    before = boxes.numpy().copy()
    box_iou(boxes, boxes)
    np.testing.assert_array_equal(boxes.numpy(), before)
