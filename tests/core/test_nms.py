import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import defeats
from explorer.core.boxes import box_iou
from explorer.core.nms import batched_nms, nms, rank, suppress
from tests.devices import DEVICES
from tests.reference import greedy_suppression, plain_top_n, sweep_suppression

NAN, INF = float("nan"), float("inf")
THRESHOLDS = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1]


def as_boxes(rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def squares(corners, side):
    low = torch.tensor(corners, dtype=torch.float32)
    return torch.cat([low, low + side], dim=1)


def uniform(count, seed, picture=800.0):
    rng = torch.Generator().manual_seed(seed)
    centre, side = torch.rand(2, count, 2, generator=rng)
    side = 8 + side * 120
    boxes = torch.cat([centre * picture - side / 2, centre * picture + side / 2], dim=1)
    return boxes, torch.randperm(count, generator=rng).float()


def clustered(count, seed, objects=25):
    rng = torch.Generator().manual_seed(seed)
    which = torch.randint(objects, (count,), generator=rng)
    centre = torch.rand(objects, 2, generator=rng)[which] * 800
    side = 24 + 200 * torch.rand(objects, 2, generator=rng)[which]
    centre = centre + 8 * torch.randn(count, 2, generator=rng)
    side = side * (0.12 * torch.randn(count, 2, generator=rng)).exp()
    boxes = torch.cat([centre - side / 2, centre + side / 2], dim=1)
    return boxes, torch.randperm(count, generator=rng).float()


def oracle(boxes, scores, threshold, groups=None):
    """Survivors and winners, as lists of indices, box by box."""
    order = plain_top_n(scores.tolist(), len(boxes))
    ranked_groups = [0 if groups is None else groups[i].item() for i in order]
    with np.errstate(all="ignore"):
        ranked = [boxes[i].tolist() for i in order]
        survivors, winners = greedy_suppression(ranked, ranked_groups, threshold)
    suppressed_by = [-1] * len(boxes)
    for place, winner in zip(order, winners, strict=True):
        suppressed_by[place] = order[winner] if winner >= 0 else -1
    return [order[i] for i in survivors], suppressed_by


def check(boxes, scores, threshold, groups=None):
    result = suppress(boxes, scores, threshold, groups)
    assert (result.keep.tolist(), result.suppressed_by.tolist()) == oracle(
        boxes, scores, threshold, groups
    )


def chain(count, step, reverse=False):
    """Boxes of which each overlaps its neighbours alone, best first or worst first."""
    boxes = squares([[i * step, 0] for i in range(count)], 10)
    scores = torch.arange(count).float()
    return boxes, scores if reverse else -scores


# Every input that has broken an NMS: boxes and scores.
HARD = {
    "a chain": chain(70, 6),
    "a chain from its end": chain(70, 6, reverse=True),
    "a chain of longer links": chain(90, 2.5),
    "identical boxes": (as_boxes([[3, 4, 10, 12]] * 40), torch.arange(40).float()),
    "equal scores": (squares([[i % 7, i % 5] for i in range(40)], 10), torch.ones(40)),
    "zeros of both signs": (squares([[i % 7, 0] for i in range(20)], 10), torch.zeros(20) * -1),
    "scores that are no numbers": (
        squares([[i % 7, i % 5] for i in range(8)], 10),
        torch.tensor([1, NAN, INF, -INF, NAN, 0, INF, 2]),
    ),
    "boxes that are no numbers": (
        as_boxes(
            [
                [0, 0, 10, 10],
                [NAN, 0, 10, 10],
                [0, 0, INF, 10],
                [-INF, -INF, INF, INF],
                [0, 0, 10, 10],
                [0, NAN, 10, NAN],
                [1, 0, 10, 10],
                [-INF, 0, 10, 0],
            ]
        ),
        torch.arange(8).float(),
    ),
    "huge coordinates": (
        as_boxes([[1e30, 1e30, 3e30, 3e30], [1e30, 1e30, 2.9e30, 3e30], [0, 0, 1e19, 1e18]])
        .repeat(3, 1)
        .mul(torch.tensor([1.0, 1e-12, 1e8]).repeat_interleave(3)[:, None]),
        torch.arange(9).float(),
    ),
    "far from the origin": (
        squares([[2**23 + i % 5, 2**22] for i in range(30)], 4),
        -torch.ones(30),
    ),
    "areas that lose their digits": (
        squares([[i % 9 * 1e-22, i % 4 * 1e-23] for i in range(50)], 5e-22),
        torch.arange(50).float(),
    ),
    "areas of two quanta": (
        squares([[i % 9 * 7e-24, i % 2 * 1e-24] for i in range(40)], 5e-23),
        torch.arange(40).float(),
    ),
    "reaches that round down": (  # coordinates are whole numbers there
        as_boxes([[0, 0, 4, 4], [1, 0, 4, 4], [0, 1, 4, 4], [9, 9, 13, 13], [9, 10, 13, 13]])
        + 2**23,
        torch.arange(5).float(),
    ),
    "areas that vanish": (squares([[i * 1e-24, 0] for i in range(9)], 1e-23), torch.ones(9)),
    "boxes without area": (
        as_boxes([[5, 5, 5, 9], [5, 5, 5, 9], [0, 0, 10, 10], [5, 5, 5, 5], [5, 5, 5, 5]]),
        torch.arange(5).float(),
    ),
    "boxes turned around": (
        as_boxes(
            [
                [0, 0, 10, 10],
                [10, 0, 0, 10],
                [0, 10, 10, 0],
                [9, 0, 19, 1],
                [10, 10, 0, 0],
                [10, 10, 0, 0],
                [1, 0, 10, 10],
            ]
        ),
        torch.arange(7).float(),
    ),
    "a crowd turned around twice": (
        torch.cat(
            [
                as_boxes([[i + 10, 10, i, 0] for i in range(180)]),
                squares([[20 * i, 0] for i in range(10)], 12),
            ]
        ),
        torch.arange(190).float(),
    ),
    "touching boxes": (
        squares([[10 * (i % 6), 10 * (i // 6)] for i in range(36)], 10),
        torch.ones(36),
    ),
    "one wide box over many": (
        torch.cat([squares([[i, i % 3] for i in range(0, 600, 3)], 2), as_boxes([[0, 0, 700, 5]])]),
        torch.arange(201).float(),
    ),
}


def test_three_boxes_by_hand():
    boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 6], [20, 0, 30, 10]])
    result = suppress(boxes, torch.tensor([0.8, 0.9, 0.1]), 0.5)  # IoU of the first two is 0.6
    assert result.keep.tolist() == [1, 2]
    assert result.suppressed_by.tolist() == [1, -1, -1]


def test_a_suppressed_box_suppresses_nothing():
    boxes = squares([[0, 0], [4, 0], [8, 0]], 10)  # neighbours have IoU 3/7, the ends 1/9
    assert nms(boxes, torch.tensor([3.0, 2.0, 1.0]), 0.4).tolist() == [0, 2]


def test_the_winner_is_the_best_kept_box_that_overlaps():
    boxes = as_boxes([[0, 0, 10, 10], [6, 0, 16, 10], [3, 0, 13, 10]])
    result = suppress(boxes, torch.tensor([1.0, 2.0, 0.5]), 0.3)
    assert result.keep.tolist() == [1, 0]
    assert result.suppressed_by.tolist() == [-1, -1, 1]


@pytest.mark.parametrize("device", DEVICES)
def test_no_boxes_leave_nothing(device):
    nothing = suppress(torch.empty(0, 4, device=device), torch.empty(0, device=device), 0.5)
    assert nothing.keep.shape == nothing.suppressed_by.shape == (0,)
    assert nothing.keep.dtype == nothing.suppressed_by.dtype == torch.int64


def test_an_iou_exactly_on_the_threshold_survives():
    boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 5]])
    assert nms(boxes, torch.tensor([2.0, 1.0]), 0.5).tolist() == [0, 1]
    assert nms(boxes, torch.tensor([2.0, 1.0]), np.nextafter(0.5, 0)).tolist() == [0]


@pytest.mark.parametrize(
    ("tenths", "survives"), [(2, False), (3, False), (5, True), (7, True), (8, False)]
)
def test_the_threshold_is_a_double_as_in_the_reference(tenths, survives):
    boxes = as_boxes([[0, 0, 10, 1], [0, 0, tenths, 1]])
    assert box_iou(boxes, boxes)[0, 1] == np.float32(tenths / 10)
    assert survives == (np.float32(tenths / 10).item() <= tenths / 10)  # float32's 0.2 is over 0.2
    assert len(nms(boxes, torch.tensor([2.0, 1.0]), tenths / 10)) == 1 + survives


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_are_decided_as_box_by_box(name, threshold):
    check(*HARD[name], threshold)


@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_are_decided_so_without_blocks(name, monkeypatch):
    monkeypatch.setattr(defeats, "BLOCK", 1)
    monkeypatch.setattr(defeats, "FEW", 0)
    monkeypatch.setattr(defeats, "PAYS", 10**9)  # no block ever pays: sweep after the first
    for threshold in THRESHOLDS:
        check(*HARD[name], threshold)


@pytest.mark.parametrize("name", HARD)
def test_groups_of_hard_inputs_never_meet(name):
    boxes, scores = HARD[name]
    for groups in (torch.arange(len(boxes)) % 3, -(10**15) * (torch.arange(len(boxes)) // 2)):
        for threshold in (0, 0.3, 0.7):
            check(boxes, scores, threshold, groups)


def test_more_groups_than_are_decided_side_by_side_never_meet(monkeypatch):
    monkeypatch.setattr(defeats, "CELLS", 3000)  # groups of up to 64 boxes go one by one
    boxes, scores = clustered(1500, seed=5)
    check(boxes, scores, 0.5, torch.arange(1500) ** 2 % 23)


number = st.one_of(st.integers(0, 12).map(float), st.floats(0, 12, width=32))
a_box = st.tuples(number, number, number, number).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
some_boxes = st.lists(
    st.tuples(a_box, st.integers(0, 5).map(float), st.integers(0, 1)), min_size=1, max_size=40
)


@given(some_boxes, st.one_of(st.sampled_from(THRESHOLDS), st.floats(0, 1)))
@settings(max_examples=100)
def test_any_boxes_are_decided_as_box_by_box(rows, threshold):
    boxes, scores, groups = zip(*rows, strict=True)
    boxes, scores, groups = as_boxes(boxes), torch.tensor(scores), torch.tensor(groups)
    check(boxes, scores, threshold)
    check(boxes, scores, threshold, groups)


@given(some_boxes, st.floats(0, 1))
@settings(max_examples=50)
def test_survivors_never_overlap_more_than_the_threshold_and_losers_do(rows, threshold):
    boxes, scores, _ = zip(*rows, strict=True)
    boxes, scores = as_boxes(boxes), torch.tensor(scores)
    result = suppress(boxes, scores, threshold)
    over = box_iou(boxes, boxes).double() > threshold
    assert not over[result.keep[:, None], result.keep].triu(1).any()
    lost = (result.suppressed_by >= 0).nonzero().flatten()
    assert over[lost, result.suppressed_by[lost]].all()
    assert (scores[lost] <= scores[result.suppressed_by[lost]]).all()
    assert sorted([*result.keep.tolist(), *lost.tolist()]) == list(range(len(boxes)))


@pytest.mark.parametrize("threshold", [0, 0.05, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("boxes_of", [uniform, clustered])
def test_many_boxes_are_decided_as_one_sweep_after_the_other(boxes_of, threshold):
    boxes, scores = boxes_of(2500, seed=3)
    result = suppress(boxes, scores, threshold)
    keep, suppressed_by = sweep_suppression(boxes.numpy(), scores.numpy(), threshold)
    assert result.keep.tolist() == keep
    assert result.suppressed_by.tolist() == suppressed_by


def test_a_crowd_behind_lone_boxes_does_not_become_a_list_of_all_its_pairs(monkeypatch):
    lone = squares([[30 * i, 0] for i in range(150)], 10)
    crowd = squares([[0, 100]], 50).repeat(400, 1)
    boxes, scores = torch.cat([lone, crowd]), -torch.arange(550).float()
    monkeypatch.setattr(defeats, "MAX_EDGES", 1000)  # the crowd has 79,800 pairs
    result = suppress(boxes, scores, 0.5)
    assert result.keep.tolist() == list(range(151))
    assert (result.suppressed_by[151:] == 150).all()


def test_a_chain_of_thousands_is_decided():
    boxes, scores = chain(3000, 6)
    assert nms(boxes, scores, 0.2).tolist() == list(range(0, 3000, 2))


def test_groups_are_suppressed_as_if_alone():
    boxes, scores = clustered(600, seed=1)
    groups = torch.arange(600) % 5
    alone = [(groups == g).nonzero().flatten() for g in range(5)]
    kept = torch.cat([index[nms(boxes[index], scores[index], 0.6)] for index in alone])
    assert torch.equal(batched_nms(boxes, scores, groups, 0.6), kept[rank(scores[kept])])


def test_groups_keep_their_coordinates():
    boxes = squares([[0, 0], [0.1, 0]], 0.3).repeat(2, 1)
    groups = torch.tensor([10**12, 10**12, 3, 3])
    assert batched_nms(boxes, torch.tensor([4.0, 3, 2, 1]), groups, 0.49).tolist() == [0, 2]
    assert batched_nms(boxes, torch.tensor([4.0, 3, 2, 1]), groups, 0.51).tolist() == [0, 1, 2, 3]


def test_equal_scores_of_different_groups_keep_the_lower_index_first():
    boxes = squares([[0, 0], [20, 0], [40, 0]], 10)
    assert batched_nms(boxes, torch.ones(3), torch.tensor([2, 0, 1]), 0.5).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("count", [0, 5, 17, 1000])
def test_ranking_is_stable_and_puts_nan_first(count, dtype):
    scores = torch.randint(-3, 4, (count,), generator=torch.Generator().manual_seed(0)).to(dtype)
    scores[1::9], scores[::7], scores[3::11], scores[4::13] = -0.0, NAN, INF, -INF
    scores[5::17] = -scores[:1].sum()  # a NaN of the other sign
    assert rank(scores).tolist() == plain_top_n(scores.tolist(), count)


@given(st.lists(st.floats(width=32), max_size=30))
def test_any_scores_are_ranked_as_torch_sorts(scores):
    scores = torch.tensor(scores, dtype=torch.float32)
    expected = torch.sort(scores, descending=True, stable=True).indices
    assert torch.equal(rank(scores), expected)


def test_inputs_with_a_gradient_or_in_half_precision_are_taken():
    boxes, scores = uniform(50, seed=0)
    expected = nms(boxes.half().float(), scores, 0.3)
    assert torch.equal(nms(boxes.half(), scores.half(), 0.3), expected)
    boxes, scores = boxes.half().float().requires_grad_(), scores.requires_grad_()
    assert torch.equal(nms(boxes, scores, 0.3), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_the_result_lies_where_the_boxes_do(device):
    boxes, scores = clustered(300, seed=2)
    result = suppress(boxes.to(device), scores.to(device), 0.5)
    assert result.keep.device.type == result.suppressed_by.device.type == device
    expected = suppress(boxes, scores, 0.5)
    assert torch.equal(result.keep.cpu(), expected.keep)
    assert torch.equal(result.suppressed_by.cpu(), expected.suppressed_by)


@pytest.mark.parametrize("threshold", [-0.1, 1.7, NAN])
def test_a_threshold_outside_the_range_is_named(threshold):
    message = rf"nms\.iou_threshold must be in \[0, 1\], got {threshold}"
    with pytest.raises(ValueError, match=message):
        nms(torch.zeros(1, 4), torch.zeros(1), threshold)


def test_wrong_shapes_are_named_with_the_expected_ones():
    with pytest.raises(ValueError, match=r"nms\.boxes must have shape \(N, 4\), got \(2, 5\)"):
        nms(torch.zeros(2, 5), torch.zeros(2), 0.5)
    with pytest.raises(ValueError, match=r"nms\.scores must have shape \(2,\), got \(2, 1\)"):
        nms(torch.zeros(2, 4), torch.zeros(2, 1), 0.5)
    with pytest.raises(ValueError, match=r"nms\.groups must have shape \(2,\), got \(3,\)"):
        batched_nms(torch.zeros(2, 4), torch.zeros(2), torch.zeros(3), 0.5)
