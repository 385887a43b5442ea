"""The numbers between an anchor and its box, and the way back from a target."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.arithmetic import decode_one, encode_and_back
from explorer.core.coder import decode_boxes
from tests.reference import plain_decode, plain_encode

ANCHOR = torch.tensor([0.0, 0.0, 10.0, 20.0])
ONES = (1.0, 1.0, 1.0, 1.0)
NAN, INF = math.nan, math.inf

corner = st.floats(-300, 300, width=32)
side = st.floats(1, 300, width=32)
box = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
delta = st.floats(-5, 5, width=32)
weights_of_four = st.tuples(*[st.sampled_from([1.0, 5.0, 10.0])] * 4)
clamps = st.sampled_from([None, 0.5, 4.0, math.log(1000 / 16)])


def decode(deltas, weights=ONES, clamp=4.0, size=(40, 30)):
    return decode_one(ANCHOR, torch.tensor(deltas), weights, clamp, size)


def test_every_step_by_hand():
    done = decode([0.5, -0.25, math.log(2), 0.0])
    assert done.anchor == (0, 0, 10, 20)
    assert done.anchor_centre == (5, 10, 10, 20)
    assert done.scaled == done.deltas == pytest.approx((0.5, -0.25, math.log(2), 0))
    assert done.exponents == pytest.approx((math.log(2), 0))
    assert done.centre == pytest.approx((10, 5, 20, 20))
    assert done.corners == pytest.approx((0, -5, 20, 15))
    assert done.clipped == pytest.approx((0, 0, 20, 15))


def test_the_clip_knows_height_from_width():
    done = decode([3.0, 3.0, 1.0, 1.0], size=(40, 30))
    assert done.clipped[2:] == (30, 40)


def test_weights_divide_every_delta():
    done = decode([1.0, 2.0, 3.0, 4.0], weights=(10, 5, 2, 4))
    assert done.deltas == (1, 2, 3, 4)
    assert done.scaled == pytest.approx((0.1, 0.4, 1.5, 1))
    assert done.weights == (10, 5, 2, 4)


def test_the_clamp_acts_past_its_own_value_and_upwards_alone():
    assert decode([0.0, 0.0, 4.0, 4.5]).exponents == (4, 4)
    assert decode([0.0, 0.0, -9.0, 3.5]).exponents == (-9, 3.5)
    assert decode([0.0, 0.0, 9.0, 3.5], clamp=None).exponents == (9, 3.5)


@settings(max_examples=30)
@given(box, st.tuples(delta, delta, delta, delta), weights_of_four, clamps)
def test_the_box_is_the_cores_and_every_step_is_the_plain_sum(anchor, deltas, weights, clamp):
    done = decode_one(torch.tensor(anchor), torch.tensor(deltas), weights, clamp, (200, 300))
    (box_of_core,) = decode_boxes(
        torch.tensor([anchor]), torch.tensor([deltas]), weights, clamp
    ).tolist()
    assert list(done.corners) == box_of_core
    exact = plain_decode(anchor, deltas, weights, clamp)
    x1, y1, x2, y2 = exact
    middle = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    torch.testing.assert_close(
        torch.tensor(done.centre), torch.tensor(middle), rtol=1e-4, atol=1e-2
    )
    for i in (0, 1):  # each printed line follows from the ones above it
        x, a, w = done.centre[i], done.anchor_centre[i], done.anchor_centre[i + 2]
        assert x == pytest.approx(a + done.scaled[i] * w, rel=1e-5, abs=1e-3)
        length = done.centre[i + 2]
        assert length == pytest.approx(w * math.exp(done.exponents[i]), rel=1e-5)
        assert done.corners[i] == pytest.approx(x - length / 2, rel=1e-5, abs=1e-2)
        assert done.corners[i + 2] == pytest.approx(x + length / 2, rel=1e-5, abs=1e-2)
        end = (300, 200)[i]
        assert done.clipped[i] == min(max(done.corners[i], 0), end)
        assert done.clipped[i + 2] == min(max(done.corners[i + 2], 0), end)


def test_a_box_past_float32_is_infinite_and_clips_to_the_picture():
    done = decode([0.0, 0.0, 200.0, 0.0], clamp=None)
    assert done.centre[2] == INF
    assert done.corners[0] == -INF
    assert done.clipped == (0, 0, 30, 20)


def test_a_delta_that_is_no_number_stays_so():
    done = decode([NAN, 0.0, 0.0, 0.0])
    assert math.isnan(done.centre[0])
    assert math.isnan(done.clipped[0])
    assert done.clipped[1] == 0


def test_a_bad_argument_is_named():
    with pytest.raises(ValueError, match=r"decode_one.deltas must have shape \(4,\), got \(1, 4\)"):
        decode_one(ANCHOR, torch.zeros(1, 4), ONES, 4.0, (40, 30))
    with pytest.raises(ValueError, match=r"decode_one.anchor must have shape \(4,\), got \(3,\)"):
        decode_one(torch.zeros(3), torch.zeros(4), ONES, 4.0, (40, 30))
    with pytest.raises(ValueError, match="weights must be four numbers above 0"):
        decode([0.0, 0.0, 0.0, 0.0], weights=(1, 1, 0, 1))


# There and back


def test_a_target_by_hand():
    found = encode_and_back(ANCHOR, torch.tensor([10.0, 10.0, 30.0, 20.0]), ONES, 4.0)
    assert found.deltas == pytest.approx((1.5, 0.25, math.log(2), math.log(0.5)))
    assert found.back == pytest.approx((10, 10, 30, 20))
    assert found.error < 1e-5


@settings(max_examples=30)
@given(box, box, weights_of_four)
def test_without_a_clamp_every_target_comes_back(anchor, target, weights):
    found = encode_and_back(torch.tensor(anchor), torch.tensor(target), weights, None)
    torch.testing.assert_close(
        torch.tensor(found.deltas),
        torch.tensor(plain_encode(anchor, target, weights)),
        rtol=1e-4,
        atol=1e-3,
    )
    apart = torch.tensor(found.back) - torch.tensor(target)  # in float32, as the core has it
    assert found.error == float(apart.abs().max())
    assert found.error < 5e-3


def test_a_target_past_the_clamp_does_not_come_back():
    target = torch.tensor([-500.0, 0.0, 510.0, 20.0])  # 101 times as wide: dw 4.6
    assert encode_and_back(ANCHOR, target, ONES, None).error < 1e-3
    found = encode_and_back(ANCHOR, target, ONES, 4.0)
    assert found.error == pytest.approx((1010 - 10 * math.exp(4)) / 2, abs=0.01)
    assert found.deltas[2] == pytest.approx(math.log(101))


@pytest.mark.parametrize("target", [[5.0, 5.0, 5.0, 9.0], [5.0, 5.0, 9.0, 4.0], [NAN, 0, 1, 1]])
def test_a_target_without_a_size_is_refused(target):
    with pytest.raises(ValueError, match="a target must have sides above 0, got"):
        encode_and_back(ANCHOR, torch.tensor(target), ONES, 4.0)
