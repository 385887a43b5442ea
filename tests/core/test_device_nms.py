"""The accelerator's path, on every device here; on the CPU it only runs in these tests."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import device_nms
from explorer.core.device_nms import ROUNDS, suppress_exactly, suppress_on_device
from explorer.core.nms import suppress
from tests.core.test_nms import HARD, THRESHOLDS, as_boxes, chain, clustered, some_boxes
from tests.core.test_no_host_waits import ACCELERATORS, no_host_waits
from tests.devices import DEVICES

LINK = 6  # the step of a chain: neighbours have IoU 1/4
thresholds = st.sampled_from(THRESHOLDS) | st.floats(0, 1)
on_each_device = pytest.mark.parametrize("device", DEVICES)


def moved(device, *parts):
    return [None if part is None else part.to(device) for part in parts]


def same_as_the_cpu(kept, lost_to, boxes, scores, threshold, groups=None):
    expected = suppress(boxes, scores, threshold, groups)
    assert kept.dtype == torch.bool
    assert lost_to.dtype == torch.int64
    assert lost_to.tolist() == expected.suppressed_by.tolist()
    assert kept.tolist() == [winner == -1 for winner in lost_to.tolist()]


@on_each_device
def test_what_overlaps_a_better_box_goes_and_says_to_whom(device):
    boxes = as_boxes([[5, 0, 15, 2], [0, 0, 10, 1], [0, 0, 10, 2], [50, 50, 60, 60]])
    scores = torch.tensor([0.2, 0.3, 0.9, 0.4])  # IoU with the third: 1/3, 1/2 and 0
    kept, lost_to, converged = suppress_on_device(*moved(device, boxes, scores), 0.4)
    assert kept.tolist() == [True, False, True, True]
    assert lost_to.tolist() == [-1, 2, -1, -1]
    assert converged.item()


@on_each_device
def test_no_boxes_are_decided_at_once(device):
    boxes, scores = torch.empty(0, 4, device=device), torch.empty(0, device=device)
    kept, lost_to, converged = suppress_on_device(boxes, scores, 0.5, valid=scores > 0)
    assert kept.shape == lost_to.shape == (0,)
    assert converged.item()


@on_each_device
def test_any_boxes_are_decided_as_on_the_cpu(device):
    @settings(max_examples=100, deadline=None)
    @given(some_boxes, thresholds, st.booleans())
    def check(rows, threshold, grouped):
        boxes, scores, groups = zip(*rows, strict=True)
        boxes, scores = as_boxes(boxes), torch.tensor(scores)
        groups = torch.tensor(groups) if grouped else None
        got = suppress_exactly(*moved(device, boxes, scores), threshold, *moved(device, groups))
        same_as_the_cpu(*got, boxes, scores, threshold, groups)

    check()


@on_each_device
@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_are_decided_as_on_the_cpu(name, device):
    boxes, scores = HARD[name]
    for threshold in THRESHOLDS:
        got = suppress_exactly(*moved(device, boxes, scores), threshold)
        same_as_the_cpu(*got, boxes, scores, threshold)


@on_each_device
@pytest.mark.parametrize("rows", [7, 1024])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("threshold", [0, 0.2, 0.5, 0.7, 1])
def test_crowds_are_decided_as_on_the_cpu_in_any_pieces(
    device, rows, grouped, threshold, monkeypatch
):
    monkeypatch.setattr(device_nms, "ROWS", rows)
    boxes, scores = clustered(1100 if rows == 1024 else 100, seed=5)
    groups = torch.arange(len(boxes)) % 3 if grouped else None
    got = suppress_exactly(*moved(device, boxes, scores), threshold, *moved(device, groups))
    same_as_the_cpu(*got, boxes, scores, threshold, groups)


@on_each_device
def test_a_chain_as_long_as_the_rounds_is_decided(device):
    boxes, scores = chain(ROUNDS, LINK)
    kept, lost_to, converged = suppress_on_device(*moved(device, boxes, scores), 0.2)
    assert converged.item()
    same_as_the_cpu(kept, lost_to, boxes, scores, 0.2)


@on_each_device
@pytest.mark.parametrize("count", [ROUNDS + 1, ROUNDS + 2, 4 * ROUNDS + 3, 500])
def test_a_longer_chain_says_that_it_is_undecided_and_is_decided_in_more_rounds(device, count):
    boxes, scores = chain(count, LINK)
    on_device = moved(device, boxes, scores)
    *_, converged = suppress_on_device(*on_device, 0.2)
    assert converged.shape == ()
    assert not converged.item()
    same_as_the_cpu(*suppress_exactly(*on_device, 0.2), boxes, scores, 0.2)


@on_each_device
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6), threshold=thresholds, grouped=st.booleans(), share=st.floats(0, 1)
)
def test_fillers_neither_stay_nor_suppress(device, seed, threshold, grouped, share):
    boxes, scores = clustered(40, seed, objects=3)
    valid = torch.rand(40, generator=torch.Generator().manual_seed(seed)) < share
    groups = torch.arange(40) % 3 if grouped else None
    given_parts = moved(device, groups, valid)
    kept, lost_to, converged = suppress_on_device(
        *moved(device, boxes, scores), threshold, *given_parts, rounds=64
    )
    assert converged.item()
    place = valid.nonzero().flatten()
    groups = None if groups is None else groups[place]
    alone = suppress(boxes[place], scores[place], threshold, groups)
    winner = alone.suppressed_by
    expected = torch.where(winner == -1, -1, place[winner]) if len(place) else winner
    assert not kept[~valid].any()
    assert torch.equal(kept.cpu().nonzero().flatten(), place[alone.keep].sort().values)
    assert torch.equal(lost_to.cpu()[place], expected)


@pytest.mark.parametrize("device", ["cpu", *ACCELERATORS])
@pytest.mark.parametrize("rounds", [1, 100])
def test_no_number_of_rounds_makes_the_host_wait(device, rounds):
    boxes, scores, groups = moved(device, *clustered(50, seed=1), torch.arange(50) % 3)
    with no_host_waits(device):
        kept, lost_to, converged = suppress_on_device(boxes, scores, 0.2, groups, rounds=rounds)
    assert {part.device.type for part in (kept, lost_to, converged)} == {device}


@on_each_device
def test_gradients_are_left_behind(device):
    boxes, scores = (part.to(device).requires_grad_() for part in clustered(20, seed=2))
    assert not any(part.requires_grad for part in suppress_on_device(boxes, scores, 0.5))
