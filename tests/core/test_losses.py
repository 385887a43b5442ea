import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.losses import rpn_loss
from tests.reference import plain_cross_entropy, plain_smooth_l1

NONE = torch.empty(0, dtype=torch.int64)


def index(*values):
    return torch.tensor(values, dtype=torch.int64)


def test_both_losses_by_hand():
    logits = torch.tensor([0.0, 2.0, 5.0, -1.0])
    deltas = torch.zeros(4, 4)
    targets = torch.tensor([[1.0, 0.0, -2.0, 1 / 18]])
    losses = rpn_loss(logits, deltas, targets, index(1), index(0, 3))
    softplus = [math.log(1 + math.exp(x)) for x in (-2, 0, -1)]
    assert losses["rpn_cls"].item() == pytest.approx(sum(softplus) / 3)
    # beyond beta: |d| - beta / 2; within: d^2 / (2 beta)
    box = (1 - 1 / 18) + (2 - 1 / 18) + (1 / 18) ** 2 * 4.5
    assert losses["rpn_box"].item() == pytest.approx(box / 3)


def test_smooth_l1_meets_itself_exactly_at_beta():
    def box(difference):
        targets = torch.tensor([[difference, 0.0, 0.0, 0.0]])
        return rpn_loss(torch.zeros(1), torch.zeros(1, 4), targets, index(0), NONE)[
            "rpn_box"
        ].item()

    assert box(1 / 9) == pytest.approx(1 / 18)
    assert box(1 / 9 - 1e-4) == pytest.approx(1 / 18, abs=1e-4)
    assert box(1 / 9 + 1e-4) == pytest.approx(1 / 18, abs=1.1e-4)


def test_a_beta_of_0_is_l1():
    losses = rpn_loss(
        torch.zeros(1), torch.zeros(1, 4), torch.full((1, 4), 0.01), index(0), NONE, 0
    )
    assert losses["rpn_box"].item() == pytest.approx(0.04)


def test_without_positives_the_box_loss_is_exactly_0_and_still_differentiable():
    logits, deltas = torch.zeros(5, requires_grad=True), torch.randn(5, 4, requires_grad=True)
    losses = rpn_loss(logits, deltas, torch.empty(0, 4), NONE, index(1, 2))
    assert losses["rpn_box"].item() == 0
    assert losses["rpn_cls"].item() == pytest.approx(math.log(2))
    sum(losses.values()).backward()
    assert deltas.grad.abs().sum() == 0
    assert logits.grad.tolist() == [0, 0.25, 0.25, 0, 0]


@pytest.mark.parametrize("n", [0, 5])
def test_without_sampled_anchors_both_are_exactly_0_and_differentiable(n):
    logits, deltas = torch.zeros(n, requires_grad=True), torch.zeros(n, 4, requires_grad=True)
    losses = rpn_loss(logits, deltas, torch.empty(0, 4), NONE, NONE)
    assert [loss.item() for loss in losses.values()] == [0, 0]
    sum(losses.values()).backward()
    assert logits.grad.tolist() == [0] * n


def test_anchors_that_are_not_sampled_have_no_say_not_even_with_nan():
    logits = torch.tensor([0.5, float("nan"), -0.5], requires_grad=True)
    deltas = torch.tensor([[0.1] * 4, [float("nan")] * 4, [9.0] * 4], requires_grad=True)
    losses = rpn_loss(logits, deltas, torch.zeros(1, 4), index(0), index(2))
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert logits.grad[1] == 0
    assert deltas.grad[1:].abs().sum() == 0


def test_extreme_logits_do_not_overflow():
    losses = rpn_loss(
        torch.tensor([200.0, -200.0]), torch.zeros(2, 4), torch.zeros(1, 4), index(1), index(0)
    )
    assert losses["rpn_cls"].item() == 200


def test_half_precision_outputs_give_float32_losses():
    losses = rpn_loss(
        torch.zeros(3, dtype=torch.bfloat16),
        torch.zeros(3, 4, dtype=torch.bfloat16),
        torch.ones(1, 4),
        index(0),
        index(1, 2),
    )
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert {loss.shape for loss in losses.values()} == {()}


number = st.floats(-8, 8, width=32)
row = st.tuples(number, number, number, number)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(number, row, row), max_size=6),
    st.lists(number, max_size=6),
    st.sampled_from([1 / 9, 0.5, 1.0]),
)
def test_the_losses_equal_the_plain_sums_and_are_never_negative(positives, negatives, beta):
    sampled = max(1, len(positives) + len(negatives))
    logits = torch.tensor([logit for logit, _, _ in positives] + negatives)
    deltas = torch.tensor([d for _, d, _ in positives] + [(0.0,) * 4] * len(negatives))
    targets = torch.tensor([t for _, _, t in positives]).reshape(-1, 4)
    split = len(positives)
    order = torch.arange(len(logits))
    losses = rpn_loss(logits, deltas.reshape(-1, 4), targets, order[:split], order[split:], beta)
    cls = sum(plain_cross_entropy(p[0], True) for p in positives)
    cls += sum(plain_cross_entropy(logit, False) for logit in negatives)
    box = sum(
        plain_smooth_l1(d - t, beta) for _, ds, ts in positives for d, t in zip(ds, ts, strict=True)
    )
    assert losses["rpn_cls"].item() == pytest.approx(cls / sampled, rel=1e-4, abs=1e-5)
    assert losses["rpn_box"].item() == pytest.approx(box / sampled, rel=1e-4, abs=1e-5)
    assert min(losses["rpn_cls"].item(), losses["rpn_box"].item()) >= 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3, 1), torch.zeros(3, 4), torch.zeros(1, 4), index(0), NONE), "logits must"),
        ((torch.zeros(3), torch.zeros(12), torch.zeros(1, 4), index(0), NONE), "deltas must have"),
        (
            (torch.zeros(3), torch.zeros(2, 4), torch.zeros(1, 4), index(0), NONE),
            "deltas must have one row a logit, 3, got 2",
        ),
        (
            (torch.zeros(3), torch.zeros(3, 4), torch.zeros(3, 4), index(0), NONE),
            "targets must have one row a sampled positive, 1, got 3",
        ),
        (
            (torch.zeros(3), torch.zeros(3, 4), torch.zeros(1, 4), index(0), NONE, -1),
            "rpn_loss.beta must be >= 0, got -1",
        ),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        rpn_loss(*arguments)
