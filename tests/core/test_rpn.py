import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.boxes import box_iou
from explorer.core.coder import decode_boxes
from explorer.core.head import RPNHead, flatten_head_output
from explorer.core.rpn import RegionProposalNetwork

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


class SaidHead(nn.Module):
    """A head that says what a test wants it to say."""

    def __init__(self, logits, deltas=None):
        super().__init__()
        self.logits = logits
        self.deltas = deltas or [torch.zeros(len(x), 4 * x.shape[1], *x.shape[2:]) for x in logits]

    def forward(self, feature_maps):
        return self.logits, self.deltas


def small_network(images=1, device="cpu", **arguments):
    """Three anchors a cell on grids of 8 and 4, and features to look at."""
    generator = AnchorGenerator((16, 32), strides=(8, 16))
    rng = torch.Generator().manual_seed(3)
    maps = [torch.randn(images, 8, side, side, generator=rng) * 40 for side in (8, 4)]
    rpn = RegionProposalNetwork(RPNHead(8, 3, seed=0), generator, min_sz=1, **arguments)
    return rpn.to(device), [level.to(device) for level in maps]


def slow_proposals(rpn, anchors, logits, deltas, image_size):
    """The notebook's steps, box by box in Python."""
    height, width = image_size
    ranked = []
    for index, box in enumerate(decode_boxes(anchors, deltas).tolist()):
        x1, y1, x2, y2 = (
            min(max(v, 0), side) for v, side in zip(box, (width, height) * 2, strict=True)
        )
        if x2 - x1 >= rpn.min_sz and y2 - y1 >= rpn.min_sz:
            ranked.append((-logits[index].sigmoid().item(), index, [x1, y1, x2, y2]))
    kept = []
    for _, _, box in sorted(ranked)[: rpn.pre_nms]:
        box = torch.tensor([box])
        if all(box_iou(box, other).item() <= rpn.nms_thr for other in kept):
            kept.append(box)
    return torch.cat([torch.empty(0, 4), *kept[: rpn.post_nms]])


@pytest.mark.parametrize("device", DEVICES)
def test_proposals_of_the_notebooks_feature_maps_are_a_thousand(device):
    rng = torch.Generator().manual_seed(0)
    sides = (200, 100, 50, 25, 13)
    maps = [torch.randn(1, 256, s, s, generator=rng).to(device) for s in sides]
    rpn = RegionProposalNetwork(RPNHead(seed=0), AnchorGenerator()).to(device)
    with torch.inference_mode():
        proposals, losses = rpn(maps, (800, 800))
    assert [tuple(each.shape) for each in proposals] == [(1000, 4)]
    assert proposals[0].device.type == device
    assert losses == {}


def test_one_object_told_by_the_head_is_the_first_proposal():
    # one anchor a cell, 16 x 16, centres 4 and 12; the head wants the last cell's, moved left by
    # a quarter of its side and half as high
    logits = torch.tensor([[[[0.0, 1], [2, 3]]]])
    deltas = torch.zeros(1, 4, 2, 2)
    deltas[0, :, 1, 1] = torch.tensor([-0.25, 0, 0, math.log(0.5)])
    generator = AnchorGenerator((16,), (1.0,), (8,))
    rpn = RegionProposalNetwork(SaidHead([logits], [deltas]), generator, min_sz=8)
    proposals, _ = rpn([torch.zeros(1, 1, 2, 2)], (16, 16))
    expected = [[0, 8, 16, 16], [0, 4, 12, 16], [4, 0, 16, 12], [0, 0, 12, 12]]
    torch.testing.assert_close(proposals[0], torch.tensor(expected, dtype=torch.float32))


def test_a_side_of_exactly_the_minimum_stays():
    generator = AnchorGenerator((16,), (1.0,), (8,))
    said = SaidHead([torch.zeros(1, 1, 2, 2)])
    maps = [torch.zeros(1, 1, 2, 2)]
    for min_sz, count in ((12, 4), (12.1, 0)):  # clipped to the picture, a side of 16 is 12
        rpn = RegionProposalNetwork(said, generator, min_sz=min_sz)
        assert rpn(maps, (16, 16))[0][0].shape == (count, 4)


def test_an_overlap_of_exactly_the_threshold_stays():
    boxes = torch.tensor([[0.0, 0, 32, 32], [0, 0, 32, 16]])  # IoU 1 / 2
    said = SaidHead([torch.zeros(1, 2, 1, 1)])
    for threshold, count in ((0.5, 2), (0.49, 1)):
        rpn = RegionProposalNetwork(said, lambda maps, size: boxes, nms_thr=threshold)
        assert rpn([torch.zeros(1, 1, 1, 1)], (32, 32))[0][0].tolist() == boxes[:count].tolist()


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    pre=st.integers(0, 120),
    post=st.integers(0, 60),
)
def test_proposals_equal_the_steps_taken_box_by_box(seed, threshold, pre, post):
    rng = torch.Generator().manual_seed(seed)
    logits = [torch.randn(1, 3, side, side, generator=rng).round(decimals=1) for side in (4, 2)]
    deltas = [torch.randn(1, 12, side, side, generator=rng) for side in (4, 2)]
    generator = AnchorGenerator((16, 32), strides=(8, 16))
    rpn = RegionProposalNetwork(SaidHead(logits, deltas), generator, pre, post, threshold, 6)
    proposals, _ = rpn(logits, (32, 30))
    anchors = generator(logits, (32, 30))
    expected = slow_proposals(rpn, anchors, *flatten_head_output(logits, deltas), (32, 30))
    torch.testing.assert_close(proposals[0], expected)


def test_each_image_of_a_batch_gets_the_proposals_it_has_alone():
    rpn, maps = small_network(images=3)
    together, _ = rpn(maps, (64, 64))
    for image in range(3):
        alone, _ = rpn([level[image : image + 1] for level in maps], (64, 64))
        torch.testing.assert_close(together[image], alone[0], rtol=1e-4, atol=1e-3)


def test_no_images_give_no_proposals():
    rpn, maps = small_network(images=0)
    assert rpn(maps, (64, 64)) == ([], {})


def test_proposals_carry_no_gradient_and_losses_do():
    rpn, maps = small_network()
    rpn.train()
    proposals, losses = rpn(maps, (64, 64), [{"boxes": torch.tensor([[8.0, 8, 40, 40]])}])
    assert not proposals[0].requires_grad
    (losses["rpn_cls"] + losses["rpn_box"]).backward()
    assert all(parameter.grad.any() for parameter in rpn.parameters())


@pytest.mark.parametrize("device", DEVICES)
def test_losses_of_a_silent_head_are_ln_2_and_the_known_offset(device):
    # cells of 8 with one anchor of 16: the object is the anchor of cell (1, 1), moved right by 1
    # pixel, IoU 240 / 272 = 0.88; the cells above, below and right of it have 0.306, 0.306 and
    # 0.391 and are ignored, the other 12 lie under 0.3: 13 are sampled
    generator = AnchorGenerator((16,), (1.0,), (8,))
    logits = torch.zeros(1, 1, 4, 4, device=device)
    said = SaidHead([logits], [torch.zeros(1, 4, 4, 4, device=device)])
    rpn = RegionProposalNetwork(said, generator).train()
    _, losses = rpn([logits], (32, 32), [{"boxes": torch.tensor([[5.0, 4, 21, 20]])}])
    assert losses["rpn_cls"].item() == pytest.approx(math.log(2))
    # smooth L1 of dx = 1 / 16 with beta 1 / 9
    assert losses["rpn_box"].item() == pytest.approx(0.5 * (1 / 16) ** 2 * 9 / 13, rel=1e-4)


def test_an_object_that_no_anchor_fits_makes_its_first_best_anchor_positive():
    generator = AnchorGenerator((16,), (1.0,), (8,))
    logits = torch.zeros(1, 1, 4, 4)
    rpn = RegionProposalNetwork(SaidHead([logits]), generator).train()
    # 2 x 2 around (10, 10), within four anchors (IoU 4 / 256), the first of them around (4, 4)
    _, losses = rpn([logits], (32, 32), [{"boxes": torch.tensor([[9.0, 9, 11, 11]])}])
    deltas = (6 / 16, 6 / 16, math.log(16 / 2), math.log(16 / 2))
    expected = sum(delta - 1 / 18 for delta in deltas) / 16  # one positive, fifteen negatives
    assert losses["rpn_box"].item() == pytest.approx(expected, rel=1e-5)


def test_an_image_without_objects_has_negatives_alone_and_no_box_loss():
    rpn, maps = small_network()
    rpn.train()
    _, losses = rpn(maps, (64, 64), [{"boxes": torch.empty(0, 4)}])
    assert losses["rpn_box"].item() == 0
    assert math.isfinite(losses["rpn_cls"].item())
    assert losses["rpn_cls"].item() > 0
    sum(losses.values()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in rpn.parameters())


def test_an_empty_image_beside_one_with_objects_halves_its_box_loss():
    rpn, maps = small_network()
    twice = [level.repeat(2, 1, 1, 1) for level in maps]
    boxes, nothing = {"boxes": torch.tensor([[8.0, 8, 40, 40]])}, {"boxes": torch.empty(0, 4)}
    rpn.train()
    _, alone = rpn(maps, (64, 64), [boxes])
    _, both = rpn(twice, (64, 64), [boxes, nothing])
    # 240 anchors an image: both sample all their negatives, so the divisor about doubles
    assert both["rpn_box"].item() == pytest.approx(alone["rpn_box"].item() / 2, rel=0.1)


def test_the_same_seed_samples_the_same_anchors_and_another_call_others():
    def losses_of(seed, calls):
        rpn, maps = small_network(seed=seed)
        generator = AnchorGenerator((16, 32), strides=(2, 4))
        maps = [level.repeat_interleave(4, 2).repeat_interleave(4, 3) for level in maps]
        rpn.anchor_gen = generator
        target = [{"boxes": torch.tensor([[8.0, 8, 40, 40]])}]
        return [rpn(maps, (64, 64), target)[1]["rpn_cls"].item() for _ in range(calls)]

    first, second = losses_of(7, 2)
    assert losses_of(7, 1) == [first]
    assert losses_of(8, 1) != [first]
    assert second != first


def test_it_starts_in_evaluation_mode_and_refuses_training_without_targets():
    rpn, maps = small_network()
    assert not rpn.training
    rpn.train()
    with pytest.raises(ValueError, match="targets must be given in training mode, got None"):
        rpn(maps, (64, 64))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "targets must be one an image, 1, got 0"),
        ([{"labels": torch.empty(0)}], r"targets must have the key 'boxes', got \['labels'\]"),
        ([{"boxes": torch.zeros(2, 5)}], r"targets.boxes must have shape \(N, 4\), got \(2, 5\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets, message):
    rpn, maps = small_network()
    with pytest.raises(ValueError, match=message):
        rpn(maps, (64, 64), targets)


def test_a_head_with_another_number_of_anchors_is_refused():
    rpn, maps = small_network()
    rpn.anchor_gen = AnchorGenerator((16, 32), (1.0,), (8, 16))
    with pytest.raises(ValueError, match="head must give one logit an anchor, got 240 for 80"):
        rpn(maps, (64, 64))
