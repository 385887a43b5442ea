import dataclasses

import numpy as np
import pytest
import torch

from explorer.core.candidates import Fate, HeadOutput, decode_all, select_candidates
from explorer.core.coder import encode_boxes
from explorer.core.images import Picture
from explorer.core.layout import AnchorSet, Grid
from explorer.core.misses import Reason, explain_misses
from explorer.core.planted import plant_scores
from explorer.core.proposals import candidate_overlaps, propose
from explorer.core.recall import find_hits
from explorer.settings import Codec, Filter, Nms
from tests.devices import DEVICES
from tests.reference import best_by_matrix, plain_miss

SIDE = 100
CODEC = Codec()


class Chain:
    """Head output to misses on a picture of 100 x 100; half the anchors on each of two levels."""

    def __init__(self, anchors, truths, logits, moved=None, *, rules=None, nms=None, device="cpu"):
        anchors = torch.as_tensor(anchors, dtype=torch.float32).to(device)
        self.truths = torch.as_tensor(truths, dtype=torch.float32).reshape(-1, 4).to(device)
        logits = torch.as_tensor(logits, dtype=torch.float32).to(device)
        deltas = torch.zeros_like(anchors)
        if moved is not None:
            deltas = encode_boxes(anchors, torch.as_tensor(moved).float().to(device))
        half = len(anchors) // 2
        self.rules = Filter(**{"min_size": 4.0, **(rules or {})})
        self.head = HeadOutput(logits, logits.sigmoid(), deltas)
        self.grid = Grid((SIDE, SIDE), ((1, half), (1, len(anchors) - half)), ((1, 1),) * 2, (1, 1))
        self.anchors = AnchorSet(anchors, ())
        self.nms = Nms(**(nms or {}))
        self.propose()

    def propose(self):
        picture = Picture(np.zeros((SIDE, SIDE, 3), np.uint8), (0, 0, SIDE, SIDE), (SIDE, SIDE))
        decoded = decode_all(lambda: self.anchors, self.head, CODEC, self.rules.order)
        self.candidates = select_candidates(
            picture, self.grid, self.anchors, self.head, decoded, CODEC, self.rules
        )
        overlaps = candidate_overlaps(self.candidates, self.rules)
        self.proposals = propose(self.candidates, overlaps, self.rules, self.nms)

    def misses(self, threshold=0.5, **more):
        self.hits = find_hits(self.proposals.boxes, self.truths, threshold)
        parts = (self.grid, self.anchors, self.head, self.candidates, self.proposals)
        best = best_by_matrix(self.anchors.boxes, self.truths)
        return explain_misses(self.hits, self.truths, best, *parts, CODEC, self.rules, **more)


NO_BEST = torch.zeros(0), torch.zeros(0, dtype=torch.int64)
A, A_HALF, B = [0, 0, 20, 20], [0, 0, 20, 12], [50, 50, 70, 70]


def only(misses):
    (miss,) = misses
    return miss


def test_no_anchor_tells_the_best_one():
    miss = only(Chain([B, [0, 0, 20, 5]], [A], [1, 2]).misses())
    assert (miss.object, miss.reason, miss.anchor_index) == (0, Reason.NO_ANCHOR, 1)
    assert miss.iou == pytest.approx(0.25)
    assert miss.sentence == "no anchor overlaps it by IoU 0.3: the best has 0.25"


def test_an_anchor_exactly_at_the_bound_is_one():
    chain = Chain([B, [0, 0, 20, 5]], [A], [1, 2])
    assert only(chain.misses(anchor_iou=0.25)).reason == Reason.NO_BOX
    assert only(chain.misses(anchor_iou=0.2500001)).reason == Reason.NO_ANCHOR


def test_no_anchor_that_touches_has_no_number():
    miss = only(Chain([B, B], [A], [1, 2]).misses())
    assert (miss.reason, miss.anchor_index, miss.iou) == (Reason.NO_ANCHOR, -1, 0)


def test_no_box_tells_what_the_best_box_reaches():
    miss = only(Chain([B, A], [A], [1, 2], moved=[B, [0, 0, 20, 9]]).misses())
    assert (miss.reason, miss.anchor_index) == (Reason.NO_BOX, 1)
    assert miss.iou == pytest.approx(0.45)
    assert miss.sentence == "no anchor's box reaches IoU 0.5: the best has 0.449"


def test_a_box_exactly_at_the_threshold_reaches():
    chain = Chain([B, [0, 0, 20, 10]], [A], [2, 1], rules={"pre_nms": 1})
    assert only(chain.misses(0.5)).reason == Reason.BELOW_TOP_N
    assert only(chain.misses(0.5000001)).reason == Reason.NO_BOX


def test_boxes_under_the_minimum_are_too_small():
    miss = only(Chain([B, A, A_HALF, A], [A], [0, 1, 2, 3], rules={"min_size": 30}).misses())
    assert (miss.reason, miss.anchor_index, miss.limit) == (Reason.TOO_SMALL, 1, 30)
    assert miss.iou == 1
    assert miss.sentence == "every box that reaches it is dropped as too small, under 30 px"


def test_one_box_that_is_large_enough_and_low_is_scored_too_low():
    anchors = [B, [0, 0, 20, 11], [0, 0, 20, 15], [60, 0, 80, 20]]
    rules = {"min_size": 15, "pre_nms": 2}
    miss = only(Chain(anchors, [A], [5, 4, 1, 3], rules=rules).misses())
    assert (miss.reason, miss.anchor_index) == (Reason.BELOW_TOP_N, 2)
    assert (miss.rank, miss.limit) == (2, 2)  # the small one does not count before it
    text = "scored too low: its best box is #3, and the first 2 go on"
    assert miss.sentence == text


def test_the_best_scored_of_the_low_boxes_speaks_and_equal_scores_rank_by_number():
    anchors = [B, A, A_HALF, A]
    miss = only(Chain(anchors, [A], [9, 3, 4, 4], rules={"pre_nms": 1}).misses())
    assert (miss.reason, miss.anchor_index, miss.rank) == (Reason.BELOW_TOP_N, 2, 1)


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_ranks_count_within_the_level_where_the_top_n_does(order):
    anchors = [B, B, B, B, [60, 0, 80, 20], A, B, B]
    rules = {"pre_nms": 1, "top_n_by_level": True, "order": order}
    miss = only(Chain(anchors, [A], [9, 8, 7, 6, 3, 2, 1, 0], rules=rules).misses())
    assert (miss.reason, miss.anchor_index, miss.rank) == (Reason.BELOW_TOP_N, 5, 1)


def test_a_box_under_the_score_threshold_tells_its_score():
    nms = {"score_threshold": 0.9}
    miss = only(Chain([B, A_HALF, A, B], [A], [9, 1, 2, 0], nms=nms).misses())
    assert (miss.reason, miss.anchor_index, miss.rank) == (Reason.LOW_SCORE, 2, 1)
    assert miss.sentence == "under the score threshold: its best box, #2, scores 0.88"


def test_a_box_of_the_score_threshold_is_not_under_it():
    assert Chain([B, A], [A], [9, 0], nms={"score_threshold": 0.5}).misses() == []


def test_a_suppressed_box_tells_by_whom():
    neighbour = [0, 0, 20, 30]  # IoU 2/3 with A
    chain = Chain([B, neighbour, A, B], [A], [9, 5, 4, 0], nms={"iou_threshold": 0.6})
    miss = only(chain.misses(0.7))
    assert (miss.reason, miss.anchor_index, miss.rank, miss.by) == (Reason.SUPPRESSED, 2, 2, 1)
    assert miss.by_iou == pytest.approx(2 / 3)
    assert miss.iou == 1
    assert miss.sentence == "suppressed: its best box, #3, overlaps #2 by IoU 0.666"


def test_a_box_behind_the_cap_tells_its_rank_after_nms():
    chain = Chain([B, B, [60, 0, 80, 20], A], [A], [9, 8, 7, 1], nms={"post_nms": 2})
    miss = only(chain.misses())
    assert (miss.reason, miss.anchor_index, miss.rank, miss.limit) == (Reason.OVER_CAP, 3, 2, 2)
    assert miss.sentence == "cut by the cap: its best box is #3 after NMS, and 2 are kept"


def test_an_object_whose_proposal_found_its_neighbour_is_taken():
    two = [A, [0, 0, 20, 16]]
    miss = only(Chain([A, B], two, [9, 8]).misses())
    assert (miss.object, miss.reason, miss.rank, miss.by) == (1, Reason.TAKEN, 0, 0)
    assert miss.iou == pytest.approx(0.8)
    assert miss.sentence == "taken: its best box, #1, found an object that it overlaps more"


def test_the_step_that_lost_the_last_box_is_the_reason():
    """One box is too low, one is suppressed, one is cut: the cap alone kept the object away."""
    anchors = [B, [0, 0, 20, 40], [0, 0, 20, 22], [0, 1, 20, 20], [2, 2, 18, 20], A]
    logits = [9, 8, 7, 6, 5, -9]
    settings = {"rules": {"pre_nms": 5}, "nms": {"iou_threshold": 0.5, "post_nms": 2}}
    miss = only(Chain(anchors, [[2, 2, 18, 20]], logits, **settings).misses(0.72))
    fates = Chain(anchors, [A], logits, **settings).proposals.fate.tolist()
    assert fates == [Fate.KEPT, Fate.KEPT, Fate.SUPPRESSED, Fate.OVER_CAP, Fate.SUPPRESSED]
    assert (miss.reason, miss.anchor_index, miss.rank) == (Reason.OVER_CAP, 3, 2)


def test_found_objects_and_no_objects_have_no_misses():
    assert Chain([A, B], [A, B], [1, 2]).misses() == []
    assert Chain([A, B], [], [1, 2]).misses() == []


def test_without_candidates_every_object_still_has_a_reason():
    miss = only(Chain([A, B], [A], [1, 2], rules={"min_size": 50}).misses())
    assert miss.reason == Reason.TOO_SMALL


def test_hits_of_other_proposals_are_refused():
    chain = Chain([A, B], [A], [1, 2])
    chain.misses()
    parts = (chain.grid, chain.anchors, chain.head, chain.candidates, chain.proposals)
    with pytest.raises(ValueError, match="hits must be of 2 proposals and 0 objects, got 2 and 1"):
        explain_misses(chain.hits, torch.zeros(0, 4), NO_BEST, *parts, CODEC, chain.rules)


def world(seed, order, by_level, device="cpu", lowest=0.0):
    """Anchors around some objects, scored at random or by the ground truth, with narrow limits."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(6, 2, generator=generator) * 60
    truths = torch.cat([corner, corner + 8 + 30 * torch.rand(6, 2, generator=generator)], 1)
    owner = torch.randint(6, (60,), generator=generator)
    jitter = torch.randn(60, 4, generator=generator) * 5
    anchors = truths[owner] + jitter
    anchors[:, 2:] = torch.maximum(anchors[:, 2:], anchors[:, :2] + 2)
    head = plant_scores(anchors, truths, 6, 0.2, seed)
    rules = {"order": order, "top_n_by_level": by_level, "nms_by_level": by_level}
    rules |= {"pre_nms": 9 if by_level else 18, "min_size": 14.0}
    nms = {"iou_threshold": 0.4, "post_nms": 5, "score_threshold": lowest}
    chain = Chain(anchors, truths, head.logits, rules=rules, nms=nms, device=device)
    chain.head = HeadOutput(*(part.to(device) for part in vars(head).values()))
    chain.propose()
    return chain


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("by_level", [False, True])
@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_reasons_are_those_of_the_plain_walk(order, by_level, device):
    for seed in range(25):
        chain = world(seed, order, by_level, device, lowest=seed % 2 * 0.5)
        misses = chain.misses(0.6)
        found_by = chain.hits.found_by.tolist()
        assert [miss.object for miss in misses] == [g for g, by in enumerate(found_by) if by == -1]
        for miss in misses:
            expected = plain_miss(chain, miss.object, 0.6, 0.3)
            assert (miss.reason.name, miss.anchor_index) == expected


def test_the_plain_walk_meets_every_reason_but_the_first():
    """Else the test above would prove little."""
    chains = [world(seed, "decode first", False, lowest=seed % 2 * 0.5) for seed in range(25)]
    seen = {miss.reason for chain in chains for miss in chain.misses(0.6) + chain.misses(0.3)}
    assert set(Reason) - seen <= {Reason.NO_ANCHOR}


def test_every_reason_has_a_sentence_without_gaps():
    miss = only(Chain([B, B], [A], [1, 2]).misses())
    for reason in Reason:
        sentence = dataclasses.replace(miss, reason=reason, rank=1233, limit=1000, by=7).sentence
        assert "{" not in sentence
        assert sentence[-1] not in ".:"
