import pytest
import torch

from explorer.core.candidates import Fate
from explorer.core.differences import Chain, Why, final_fate, find_lacking
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.reference import plain_iou

SMALL = changed(Settings(), {"image.side": 256, "scores.source": "noise"})
MEMO = Memo(10**9)


def chain(settings):
    return Chain(*(run(name, settings, MEMO) for name in ("grid", "candidates", "proposals")))


def by_hand(one, other, same=0.9):
    """Rank and reason of each lacking proposal, box by box."""
    rows = []
    for rank, box in enumerate(one.proposals.boxes.tolist()):
        best = max((plain_iou(box, each) for each in other.proposals.boxes.tolist()), default=0.0)
        if best >= same:
            continue
        anchor = int(one.proposals.anchor_index[rank])
        if (one.grid.cells, one.grid.per_cell) != (other.grid.cells, other.grid.per_cell):
            why = Why.OTHER_GRID
        elif anchor in other.proposals.anchor_index.tolist():
            why = Why.MOVED
        elif anchor in other.candidates.anchor_index.tolist():
            place = other.candidates.anchor_index.tolist().index(anchor)
            why = Why(int(other.proposals.fate[place]))
        else:
            why = Why(int(other.candidates.fate[anchor]))
        rows.append((rank, why))
    return rows


@pytest.mark.parametrize("name", ["torchvision", "detectron2", "py-faster-rcnn", "retinanet"])
def test_what_a_code_base_lacks_is_found_box_by_box(name):
    few = {"nms.post_nms": 60}
    one, other = chain(changed(SMALL, few)), chain(PRESETS[name].apply(changed(SMALL, few)))
    for a, b in ((one, other), (other, one)):
        found, expected = find_lacking(a, b), by_hand(a, b)
        assert found.rank.tolist() == [rank for rank, _ in expected]
        assert found.why.tolist() == [why for _, why in expected]


def test_a_chain_lacks_nothing_of_itself():
    one = chain(SMALL)
    assert len(find_lacking(one, one).rank) == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"nms.post_nms": 10}, Why.OVER_CAP),
        ({"filter.pre_nms": 50}, Why.BELOW_TOP_N),
        ({"filter.min_size": 200}, Why.TOO_SMALL),
        ({"nms.iou_threshold": 0.05}, Why.SUPPRESSED),
    ],
)
def test_the_step_that_was_moved_is_the_reason(changes, why):
    lacking = find_lacking(chain(SMALL), chain(changed(SMALL, changes)))
    assert lacking.why.tolist().count(why) > len(lacking.why) / 2
    assert len(lacking.why) > 5


def test_no_proposals_lack_nothing_and_everything_is_lacked_by_none():
    none = chain(changed(SMALL, {"filter.min_size": 500}))
    assert len(none.proposals.boxes) == 0
    assert len(find_lacking(none, chain(SMALL)).rank) == 0
    everything = find_lacking(chain(SMALL), none)
    assert len(everything.rank) == len(chain(SMALL).proposals.boxes)


def test_every_anchor_has_one_final_fate():
    one = chain(SMALL)
    fate = final_fate(one)
    assert len(fate) == one.grid.starts[-1]
    assert int((fate == Fate.KEPT).sum()) == len(one.proposals.boxes)
    kept = torch.nonzero(fate == Fate.KEPT).flatten()
    assert sorted(one.proposals.anchor_index.tolist()) == kept.tolist()
