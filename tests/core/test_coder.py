import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.coder import decode_boxes, encode_boxes
from tests.reference import plain_decode, plain_encode

ANCHOR = torch.tensor([[0.0, 0.0, 10.0, 20.0]])

corner = st.floats(-500, 500, width=32)
side = st.floats(1, 500, width=32)
box = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
delta = st.floats(-6, 6, width=32)
weight = st.sampled_from([1.0, 5.0, 10.0])
weights_of_four = st.tuples(weight, weight, weight, weight)


def test_encoding_by_hand():
    target = torch.tensor([[10.0, 10.0, 30.0, 20.0]])
    expected = torch.tensor([[1.5, 0.25, math.log(2), math.log(0.5)]])
    torch.testing.assert_close(encode_boxes(ANCHOR, target), expected)


def test_the_weights_multiply_what_is_encoded_and_divide_what_is_decoded():
    target = torch.tensor([[10.0, 10.0, 30.0, 20.0]])
    weights = (10, 10, 5, 5)
    plain = encode_boxes(ANCHOR, target)
    weighted = encode_boxes(ANCHOR, target, weights)
    torch.testing.assert_close(weighted, plain * torch.tensor([10.0, 10.0, 5.0, 5.0]))
    torch.testing.assert_close(decode_boxes(ANCHOR, weighted, weights), target)


def test_decoding_by_hand():
    deltas = torch.tensor([[0.5, -0.25, math.log(2), 0.0]])
    expected = torch.tensor([[0.0, -5.0, 20.0, 15.0]])
    torch.testing.assert_close(decode_boxes(ANCHOR, deltas), expected)


def test_deltas_of_zero_give_the_anchor_back():
    assert torch.equal(decode_boxes(ANCHOR, torch.zeros(1, 4)), ANCHOR)


def test_no_anchors_give_no_boxes():
    none = torch.empty(0, 4)
    assert decode_boxes(none, none).shape == (0, 4)
    assert encode_boxes(none, none).shape == (0, 4)


@pytest.mark.parametrize("clamp", [4.0, math.log(1000 / 16)])
def test_the_clamp_acts_past_its_own_value_and_upwards_alone(clamp):
    def width(log_scale, **keywords):
        deltas = torch.tensor([[0.0, 0.0, log_scale, 0.0]])
        x1, _, x2, _ = decode_boxes(ANCHOR, deltas, **keywords)[0].tolist()
        return x2 - x1

    at_the_clamp = width(clamp, max_log_scale=clamp)
    assert at_the_clamp == pytest.approx(10 * math.exp(clamp))
    assert width(clamp - 0.01, max_log_scale=clamp) < at_the_clamp
    assert width(clamp + 5, max_log_scale=clamp) == at_the_clamp
    assert width(float("inf"), max_log_scale=clamp) == at_the_clamp
    assert width(-8.0, max_log_scale=clamp) == pytest.approx(10 * math.exp(-8.0), rel=1e-3)
    assert width(clamp + 1, max_log_scale=None) == pytest.approx(10 * math.exp(clamp + 1))


def test_the_clamp_is_4_unless_told_and_bounds_both_sides():
    deltas = torch.tensor([[0.0, 0.0, 9.0, 9.0]])
    assert torch.equal(
        decode_boxes(ANCHOR, deltas),
        decode_boxes(ANCHOR, deltas.clamp(max=4.0), max_log_scale=None),
    )


def test_the_clamp_follows_the_weights():
    deltas = torch.tensor([[0.0, 0.0, 15.0, 0.0]])  # a log-scale of 3 once divided by 5
    x1, _, x2, _ = decode_boxes(ANCHOR, deltas, weights=(10, 10, 5, 5))[0].tolist()
    assert x2 - x1 == pytest.approx(10 * math.exp(3))


@settings(max_examples=50)
@given(st.lists(st.tuples(box, box), min_size=1, max_size=5), weights_of_four)
def test_decoding_undoes_encoding_and_both_equal_the_plain_sums(pairs, weights):
    anchors, targets = torch.tensor(pairs).unbind(dim=1)
    deltas = encode_boxes(anchors, targets, weights)
    exact = [plain_encode(a, t, weights) for a, t in pairs]
    torch.testing.assert_close(deltas, torch.tensor(exact), rtol=1e-4, atol=1e-3)
    back = decode_boxes(anchors, deltas, weights, max_log_scale=None)
    torch.testing.assert_close(back, targets, rtol=1e-4, atol=5e-3)


@settings(max_examples=50)
@given(
    box,
    st.tuples(delta, delta, delta, delta),
    weights_of_four,
    st.sampled_from([None, 0.0, 4.0, math.log(1000 / 16)]),
)
def test_decoding_equals_the_plain_sums(anchor, deltas, weights, clamp):
    decoded = decode_boxes(torch.tensor([anchor]), torch.tensor([deltas]), weights, clamp)
    exact = plain_decode(anchor, deltas, weights, clamp)
    torch.testing.assert_close(decoded, torch.tensor([exact]), rtol=1e-4, atol=1e-2)


def test_decoding_part_of_the_anchors_gives_that_part_of_all():
    generator = torch.Generator().manual_seed(0)
    anchors = torch.rand(200, 4, generator=generator) * 50 + torch.tensor([0.0, 0.0, 60.0, 60.0])
    deltas = torch.randn(200, 4, generator=generator)
    some = torch.randperm(200, generator=generator)[:50]
    assert torch.equal(
        decode_boxes(anchors[some], deltas[some]), decode_boxes(anchors, deltas)[some]
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_both_ways_stay_float32_for_half_inputs_and_under_autocast(dtype):
    anchors = torch.tensor([[0.0, 0.0, 512.0, 512.0]])
    deltas = torch.tensor([[0.5, -0.5, 0.25, 0.5]], dtype=dtype)  # exact in either type
    expected = decode_boxes(anchors, deltas.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        decoded, encoded = decode_boxes(anchors, deltas), encode_boxes(anchors, anchors)
    assert decoded.dtype == encoded.dtype == torch.float32
    assert torch.equal(decoded, expected)


def test_gradients_flow_to_the_deltas():
    deltas = torch.zeros(1, 4, requires_grad=True)
    decode_boxes(ANCHOR, deltas).sum().backward()
    assert deltas.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decode_boxes(torch.zeros(2, 5), ANCHOR), r"^anchors .*\(\*, 4\), got \(2, 5\)$"),
        (lambda: decode_boxes(ANCHOR, torch.zeros(3)), r"^deltas must .* \(\*, 4\), got \(3,\)$"),
        (lambda: encode_boxes(ANCHOR, torch.zeros(2, 5)), r"^targets .*\(\*, 4\), got \(2, 5\)$"),
        (
            lambda: decode_boxes(ANCHOR, torch.zeros(2, 4)),
            r"^deltas must have the anchors' shape \(1, 4\), got \(2, 4\)$",
        ),
        (
            lambda: decode_boxes(ANCHOR, ANCHOR, (1, 1, 0, 1)),
            "weights must be four numbers above 0",
        ),
        (lambda: encode_boxes(ANCHOR, ANCHOR, (1, 1, 1)), "weights must be four numbers above 0"),
        (
            lambda: decode_boxes(ANCHOR, ANCHOR, max_log_scale=-1),
            "decode_boxes.max_log_scale must be None or >= 0, got -1",
        ),
        (
            lambda: decode_boxes(ANCHOR, ANCHOR, max_log_scale=float("nan")),
            "decode_boxes.max_log_scale must be None or >= 0, got nan",
        ),
    ],
)
def test_a_bad_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
