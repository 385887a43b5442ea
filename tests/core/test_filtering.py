import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.filtering import best_n, clip_boxes, large_boxes, top_n
from tests.reference import plain_top_n

NAN, INF = float("nan"), float("inf")


def test_clipping_by_hand():
    boxes = torch.tensor(
        [[-5.0, -6.0, 20.0, 30.0], [90.0, 40.0, 130.0, 70.0], [-9.0, 60.0, -1.0, 80.0]]
    )
    expected = [[0, 0, 20, 30], [90, 40, 100, 50], [0, 50, 0, 50]]
    assert clip_boxes(boxes, (50, 100)).tolist() == expected


def test_a_box_exactly_on_the_border_stays():
    boxes = torch.tensor([[0.0, 0.0, 100.0, 50.0]])
    assert torch.equal(clip_boxes(boxes, (50, 100)), boxes)


def test_clipping_makes_new_boxes():
    boxes = torch.tensor([[-5.0, -5.0, 500.0, 500.0]])
    clip_boxes(boxes, (50, 100))
    assert boxes.tolist() == [[-5, -5, 500, 500]]


def test_clipping_no_boxes_gives_none():
    assert clip_boxes(torch.empty(0, 4), (50, 100)).shape == (0, 4)


def test_clipping_bounds_infinity_and_lets_nan_be_seen():
    clipped = clip_boxes(torch.tensor([[-INF, NAN, INF, 9.0]]), (50, 100))[0]
    assert clipped[[0, 2, 3]].tolist() == [0, 100, 9]
    assert clipped[1].isnan()


coordinate = st.floats(-200, 200, width=32)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(*[coordinate] * 4), min_size=1, max_size=8),
    st.integers(1, 120),
    st.integers(1, 120),
)
def test_clipped_boxes_lie_in_the_picture_and_clipping_again_changes_nothing(rows, height, width):
    clipped = clip_boxes(torch.tensor(rows), (height, width))
    expected = [
        [min(max(value, 0), limit) for value, limit in zip(row, (width, height) * 2, strict=True)]
        for row in rows
    ]
    assert clipped.tolist() == expected
    assert torch.equal(clip_boxes(clipped, (height, width)), clipped)


@pytest.mark.parametrize(("keep_equal", "expected"), [(True, [True, True]), (False, [True, False])])
def test_a_side_of_exactly_the_smallest_size_stays_as_keep_equal_says(keep_equal, expected):
    boxes = torch.tensor([[0.0, 0.0, 17.0, 17.0], [0.0, 0.0, 16.0, 20.0]])
    assert large_boxes(boxes, 16, keep_equal).tolist() == expected


def test_both_sides_have_to_be_large_enough():
    boxes = torch.tensor([[0.0, 0.0, 15.9, 99.0], [0.0, 0.0, 99.0, 15.9], [0.0, 0.0, 16.0, 16.0]])
    assert large_boxes(boxes, 16).tolist() == [False, False, True]


def test_strictly_above_0_drops_what_has_no_area():
    boxes = torch.tensor([[3.0, 3.0, 3.0, 9.0], [5.0, 5.0, 1.0, 9.0], [0.0, 0.0, 1e-6, 1e-6]])
    assert large_boxes(boxes, 0, keep_equal=False).tolist() == [False, False, True]
    assert large_boxes(boxes, 0).tolist() == [True, False, True]


def test_no_boxes_give_an_empty_mask_and_nan_is_never_large():
    assert large_boxes(torch.empty(0, 4), 16).shape == (0,)
    assert large_boxes(torch.tensor([[0.0, 0.0, NAN, 99.0]]), 0).tolist() == [False]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(*[st.integers(-20, 20).map(float)] * 4), min_size=1, max_size=8),
    st.integers(0, 12),
    st.booleans(),
)
def test_large_means_that_the_shorter_side_reaches_the_size(rows, min_size, keep_equal):
    shorter = [min(x2 - x1, y2 - y1) for x1, y1, x2, y2 in rows]
    expected = [s > min_size or (keep_equal and s == min_size) for s in shorter]
    assert large_boxes(torch.tensor(rows), min_size, keep_equal).tolist() == expected


def test_the_best_come_first_and_equal_scores_keep_the_lower_index():
    scores = torch.tensor([0.2, 0.9, 0.5, 0.9, 0.5, 0.5])
    assert top_n(scores, 4).tolist() == [1, 3, 2, 4]


def test_nan_ranks_above_infinity_as_in_a_descending_sort():
    scores = torch.tensor([1.0, INF, NAN, -INF, NAN, INF])
    assert top_n(scores, 1).tolist() == [2]
    assert top_n(scores, 3).tolist() == [2, 4, 1]
    assert top_n(scores, 6).tolist() == [2, 4, 1, 5, 0, 3]


@pytest.mark.parametrize(("n", "kept"), [(0, 0), (3, 3), (4, 4), (5, 4), (10**6, 4)])
def test_n_past_the_end_keeps_all(n, kept):
    scores = torch.tensor([3.0, 1.0, 4.0, 1.0])
    assert top_n(scores, n).tolist() == [2, 0, 1, 3][:kept]
    assert best_n(scores, n).tolist() == sorted([2, 0, 1, 3][:kept])


def test_no_scores_have_no_best():
    assert best_n(torch.empty(0), 5).shape == (0,)
    indices = top_n(torch.empty(0), 5)
    assert indices.shape == (0,)
    assert indices.dtype == torch.int64


score = st.sampled_from([0.0, -0.0, 1.0, 0.5, -3.0, NAN, INF, -INF, 1e-45])


@settings(max_examples=100)
@given(st.lists(score, max_size=40), st.integers(0, 45))
def test_top_n_is_the_head_of_a_stable_sort(scores, n):
    values = torch.tensor(scores, dtype=torch.float32)
    chosen = top_n(values, n)
    assert chosen.tolist() == plain_top_n(values.tolist(), n)
    assert best_n(values, n).tolist() == sorted(chosen.tolist())
    assert torch.equal(chosen, torch.sort(values, stable=True, descending=True).indices[:n])


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str
)
def test_top_n_of_many_tied_scores_in_every_float_type(dtype):
    logits = torch.randn(20_000, generator=torch.Generator().manual_seed(0)).to(dtype)
    scores = logits.requires_grad_()  # as a head gives them
    expected = torch.sort(logits, stable=True, descending=True).indices
    for n in (1, 1000, 19_999):
        assert torch.equal(top_n(scores, n), expected[:n])
        assert torch.equal(best_n(scores, n), expected[:n].sort().values)


def test_doubles_that_float32_would_merge_stay_apart():
    scores = torch.tensor([1.0, 1.0 + 1e-12, 0.0], dtype=torch.float64)
    assert top_n(scores, 1).tolist() == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clip_boxes(torch.zeros(2, 3), (9, 9)), r"boxes .*\(\*, 4\), got \(2, 3\)"),
        (
            lambda: clip_boxes(torch.zeros(1, 4), (0, 9)),
            r"clip_boxes.image_size must be \(height, width\), both above 0, got \(0, 9\)",
        ),
        (lambda: clip_boxes(torch.zeros(1, 4), (3, 9, 9)), r"image_size .* got \(3, 9, 9\)"),
        (lambda: large_boxes(torch.zeros(2, 3), 1), r"boxes .*\(\*, 4\), got \(2, 3\)"),
        (
            lambda: large_boxes(torch.zeros(1, 4), -1),
            "large_boxes.min_size must be finite and >= 0, got -1",
        ),
        (lambda: large_boxes(torch.zeros(1, 4), NAN), "min_size .* got nan"),
        (lambda: top_n(torch.zeros(2, 3), 1), r"scores must have shape \(N,\), got \(2, 3\)"),
        (lambda: top_n(torch.zeros(2), -1), "top_n.n must be >= 0, got -1"),
        (lambda: best_n(torch.zeros(2, 3), 1), r"scores must have shape \(N,\), got \(2, 3\)"),
        (lambda: best_n(torch.zeros(2), -1), "top_n.n must be >= 0, got -1"),
    ],
)
def test_a_bad_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
