import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.nms import nms
from explorer.core.soft_nms import METHODS, soft_nms
from tests.core.test_nms import INF, NAN, as_boxes, clustered, uniform
from tests.devices import DEVICES
from tests.reference import plain_soft_nms

A, HALF, FAR = [0, 0, 10, 2], [0, 0, 10, 1], [50, 50, 60, 60]  # IoU with A: 1/2 and 0
USUAL = {"iou_threshold": 0.3, "sigma": 0.5, "score_threshold": 0.0, "method": "linear"}


def soften(boxes, scores, **changes):
    softened = soft_nms(boxes, torch.as_tensor(scores), **USUAL | changes)
    return softened.keep.tolist(), softened.scores.tolist()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("method", "factor"), [("linear", 0.5), ("gaussian", math.exp(-0.25 / 0.5))]
)
def test_a_box_that_overlaps_a_better_one_sinks_and_may_fall_behind(method, factor, device):
    boxes, scores = as_boxes([A, HALF, FAR]).to(device), torch.tensor([0.9, 0.8, 0.6])
    softened = soft_nms(boxes, scores.to(device), **USUAL | {"method": method})
    assert softened.keep.tolist() == [0, 2, 1]
    assert softened.scores.tolist() == pytest.approx([0.9, 0.6, 0.8 * factor])
    assert softened.keep.dtype == torch.int64
    assert softened.scores.dtype == torch.float32
    assert softened.keep.device.type == softened.scores.device.type == device


def test_what_sinks_to_the_score_threshold_is_not_taken():
    boxes = as_boxes([A, HALF, FAR])  # the second sinks to exactly 0.25
    assert soften(boxes, [1, 0.5, 0.125], score_threshold=0.25)[0] == [0]
    assert soften(boxes, [1, 0.5, 0.125], score_threshold=0.24)[0] == [0, 1]
    assert soften(boxes, [0.0, 0.0, 0.0])[0] == []


def test_an_identical_box_sinks_to_nothing():
    assert soften(as_boxes([A, A]), [0.9, 0.8]) == ([0], [pytest.approx(0.9)])


@pytest.mark.parametrize("percent", [20, 30, 50, 70, 80])
def test_an_iou_of_exactly_the_threshold_counts_as_the_double_says(percent):
    boxes = as_boxes([[0, 0, 100, 1], [0, 0, percent, 1]])
    sinks = float(np.float32(percent / 100)) > percent / 100
    _, scores = soften(boxes, [1.0, 0.5], iou_threshold=percent / 100)
    assert (scores[1] < 0.5) == sinks


def test_the_gaussian_does_not_read_the_iou_threshold():
    boxes, scores = as_boxes([A, HALF]), [0.9, 0.8]
    assert soften(boxes, scores, method="gaussian", iou_threshold=1) == soften(
        boxes, scores, method="gaussian", iou_threshold=0
    )


@pytest.mark.parametrize("method", METHODS)
def test_equal_scores_take_the_lower_index_first(method):
    boxes = as_boxes([FAR, A, [20, 20, 30, 30]])
    assert soften(boxes, [0.5, 0.5, 0.5], method=method) == ([0, 1, 2], [0.5] * 3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("method", METHODS)
def test_no_boxes_give_no_boxes(method, device):
    softened = soft_nms(
        torch.empty(0, 4, device=device),
        torch.empty(0, device=device),
        **USUAL | {"method": method},
    )
    assert softened.keep.shape == softened.scores.shape == (0,)
    assert softened.keep.dtype == torch.int64


thresholds = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.7, 0.8, 1.0]) | st.floats(0, 1)


@settings(max_examples=60)
@given(
    st.sampled_from([uniform, clustered]), st.integers(0, 10**6), st.integers(1, 200), thresholds
)
def test_hard_is_nms(boxes_of, seed, count, threshold):
    boxes, scores = boxes_of(count, seed)
    scores = (scores / 3).floor() + 1  # with ties; a score of 0 is never taken
    keep, kept_scores = soften(boxes, scores, method="hard", iou_threshold=threshold)
    assert keep == nms(boxes, scores, threshold).tolist()
    assert kept_scores == scores[keep].tolist()


# Whole numbers make ties, identical boxes and IoUs that are exactly a threshold.
whole = st.integers(0, 10).map(float)
odd = st.sampled_from([NAN, INF, -INF, 3e38, -3e38, 1e19, 1e-20, 1e-38, 1e-45, 0.1])
any_box = st.tuples(*[whole | odd] * 4)
box = st.builds(lambda x, y, w, h: [x, y, x + w, y + h], *[st.integers(0, 5)] * 2, *[whole] * 2)
soft_score = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1e30, 1e-45]) | st.floats(0, 1, width=32)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(box | box | any_box, soft_score), max_size=12),
    thresholds,
    st.sampled_from([0.5, 0.01, 30.0, 1e-50, 5e-324, INF]),
    st.sampled_from([0.0, 0.05, 0.25]),
    st.sampled_from(METHODS),
)
def test_any_boxes_sink_as_in_the_plain_loop(rows, threshold, sigma, score_threshold, method):
    boxes, scores = as_boxes([row[0] for row in rows]), [row[1] for row in rows]
    with np.errstate(all="ignore"):
        keep, sunk = plain_soft_nms(
            boxes.tolist(), scores, threshold, sigma, score_threshold, method
        )
    scores = torch.tensor(scores, dtype=torch.float32)
    values = (threshold, sigma, score_threshold, method)
    softened = soft_nms(boxes, scores, *values)
    assert softened.keep.tolist() == keep
    torch.testing.assert_close(softened.scores, torch.tensor(sunk), rtol=1e-6, atol=0)


def test_the_scores_given_stay_as_they_were():
    boxes, scores = clustered(30, seed=1)
    before = scores.clone()
    soft_nms(boxes, scores, **USUAL)
    assert torch.equal(scores, before)
    learned = scores.clone().requires_grad_()
    assert not soft_nms(boxes, learned, **USUAL).scores.requires_grad


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iou_threshold": 1.7}, r"^nms.iou_threshold must be in \[0, 1\], got 1.7$"),
        ({"sigma": 0}, r"^soft_nms.sigma must be above 0, got 0$"),
        ({"sigma": NAN}, r"^soft_nms.sigma must be above 0, got nan$"),
        ({"score_threshold": -1}, r"^soft_nms.score_threshold must be at least 0, got -1$"),
        (
            {"method": "cubic"},
            r"^soft_nms.method must be one of linear, gaussian, hard, got 'cubic'$",
        ),
    ],
)
def test_a_wrong_value_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        soften(as_boxes([A]), [0.5], **changes)


@pytest.mark.parametrize("bad", [NAN, INF, -0.5])
def test_a_score_that_cannot_sink_is_named(bad):
    with pytest.raises(ValueError, match=rf"^soft_nms.scores must be finite and .*, got {bad}$"):
        soften(as_boxes([A, FAR]), [0.5, bad])


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"^nms.scores must have shape \(1,\), got \(2,\)$"):
        soften(as_boxes([A]), [0.5, 0.4])


@pytest.mark.parametrize("method", METHODS)
def test_to_stop_early_takes_what_the_whole_loop_takes_first(method):
    boxes, scores = clustered(120, seed=4)
    scores = scores / scores.max()
    keep, sunk = soften(boxes, scores, method=method, score_threshold=0.01)
    assert len(keep) > 20
    for most in (0, 1, 20, len(keep), 500):
        first = soften(boxes, scores, method=method, score_threshold=0.01, most=most)
        assert first == (keep[:most], sunk[:most])


@pytest.mark.parametrize("method", METHODS)
def test_boxes_of_different_groups_never_meet(method):
    boxes, scores = clustered(90, seed=5)
    groups = torch.arange(90) % 3
    keep, sunk = soften(boxes, scores, method=method, groups=groups)
    apart = []
    for group in range(3):
        inside = (groups == group).nonzero()[:, 0]
        some, their_scores = soften(boxes[inside], scores[inside], method=method)
        apart += zip((-score for score in their_scores), inside[some].tolist(), strict=True)
    assert [(-score, i) for score, i in zip(sunk, keep, strict=True)] == sorted(apart)
