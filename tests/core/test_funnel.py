"""Where the anchors go, against their fates one anchor at a time."""

from collections import Counter

import numpy as np
import pytest
import torch

from explorer.core.candidates import Candidates, Fate, HeadOutput
from explorer.core.counts import count_steps
from explorer.core.funnel import ALL, best_of, boxes_of, final_fates, steps_of, trace_flow
from explorer.core.learned import load_learned
from explorer.core.memo import Memo
from explorer.core.parts import parts_of
from explorer.core.pipeline import run
from explorer.core.proposals import Proposals
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Codec, Settings
from tests.figures.reading import world

MEMO = Memo(200_000_000)
F = Fate


def chain(**values):
    """Settings and the results of a small chain."""
    small = {"image.side": 128, "image.picture": "coffee", "compute.device": "cpu"}
    preset = PRESETS[values.pop("preset", "notebook")]
    settings = changed(preset.apply(changed(Settings(), small)), values)
    names = ("grid", "anchors", "head_output", "candidates", "proposals")
    trained = {"learned": load_learned()} if settings.scores.source == "learned" else {}
    return settings, {name: run(name, settings, MEMO, trained=trained) for name in names}


def flow_of(settings, results, split):
    fates = final_fates(results["candidates"], results["proposals"])
    names, part = parts_of(results["grid"], settings.anchors, split)
    steps = steps_of(settings.filter.order, settings.nms.score_threshold)
    return trace_flow(fates, part, names, steps), fates, part


def sources(preset):
    three = set(PRESETS[preset].anchors.per_cell) == {3}
    return ["noise", "planted", "random"] + ["learned"] * three


def slow_ends(results):
    """What became of each anchor, one after the other."""
    candidates, proposals = results["candidates"], results["proposals"]
    place = {
        int(anchor): number
        for number, anchor in enumerate(candidates.anchor_index)
        if candidates.valid[number]
    }
    ends = []
    for anchor, fate in enumerate(candidates.fate.tolist()):
        in_nms = fate == F.KEPT
        ends.append(F(int(proposals.fate[place[anchor]])) if in_nms else F(fate))
    return ends


@pytest.mark.parametrize(
    ("preset", "source"), [(preset, source) for preset in PRESETS for source in sources(preset)]
)
def test_the_bands_add_up_at_every_node_and_equal_the_fates(preset, source):
    values = {"scores.source": source, "nms.score_threshold": 0.5, "nms.post_nms": 40}
    settings, results = chain(preset=preset, **values, **{"filter.pre_nms": 150})
    ends = slow_ends(results)
    for split in ("level", "ratio"):
        flow, _, part = flow_of(settings, results, split)
        assert (flow.entering[:-1] == flow.lost + flow.entering[1:]).all()
        assert flow.entering[0].tolist() == np.bincount(part, minlength=len(flow.parts)).tolist()
        assert flow.entering[-1].sum() == len(results["proposals"].boxes)
        slow, parts = Counter(zip(ends, part.tolist(), strict=True)), range(len(flow.parts))
        for number, step in enumerate(flow.steps):
            assert flow.lost[number].tolist() == [slow[step.fate, each] for each in parts]
        assert flow.entering[-1].tolist() == [slow[F.KEPT, each] for each in parts]


@pytest.mark.parametrize("preset", ["notebook", "torchvision"])
@pytest.mark.parametrize("threshold", [0, 0.5])
def test_the_funnel_counts_what_the_overview_counts(preset, threshold):
    settings, results = chain(
        preset=preset, **{"scores.source": "noise", "nms.score_threshold": threshold}
    )
    flow, _, _ = flow_of(settings, results, "level")
    counted = count_steps(
        results["candidates"], results["proposals"], settings.filter.order, threshold
    )
    names = [ALL, *(step.kept for step in flow.steps)]
    assert list(zip(names, flow.entering.sum(axis=1).tolist(), strict=True)) == [
        (step.name, step.left) for step in counted
    ]


def test_the_steps_stand_in_the_order_in_which_they_run():
    names = [step.lost for step in steps_of("decode first", 0)]
    assert names == ["too small", "below top-n", "suppressed", "over the cap"]
    names = [step.lost for step in steps_of("top-n first", 0.1)]
    assert names == ["below top-n", "too small", "low score", "suppressed", "over the cap"]


FATES = torch.tensor(
    [F.KEPT, F.KEPT, F.OVER_CAP, F.SUPPRESSED, F.BELOW_TOP_N, F.BELOW_TOP_N, F.TOO_SMALL],
    dtype=torch.int8,
)


def test_a_hand_made_flow():
    part = np.array([0, 1, 1, 0, 0, 1, 1])
    flow = trace_flow(FATES, part, ("P2", "P3"), steps_of("decode first", 0))
    assert flow.entering.tolist() == [[3, 4], [3, 3], [2, 2], [1, 2], [1, 1]]
    assert flow.lost.tolist() == [[0, 1], [1, 1], [1, 0], [0, 1]]


def test_a_band_holds_the_fates_of_all_that_went_through_it():
    flow = trace_flow(FATES, np.zeros(7, int), ("all",), steps_of("decode first", 0))
    assert set(flow.fates(ALL)) == set(Fate)
    assert flow.fates("too small") == [F.TOO_SMALL]
    assert set(flow.fates("large enough")) == {F.BELOW_TOP_N, F.SUPPRESSED, F.OVER_CAP, F.KEPT}
    assert set(flow.fates("survive NMS")) == {F.OVER_CAP, F.KEPT}
    assert flow.fates("proposals") == [F.KEPT]
    assert flow.fates("low score") == []  # no threshold, no such step
    for number, step in enumerate(flow.steps):
        held = int(np.isin(FATES.numpy(), flow.fates(step.kept)).sum())
        assert held == flow.entering[number + 1].sum()


@pytest.mark.parametrize(
    ("fate", "way"),
    [
        (F.TOO_SMALL, ["anchors", "too small"]),
        (F.SUPPRESSED, ["anchors", "large enough", "pre-NMS top-n", "suppressed"]),
        (F.KEPT, ["anchors", "large enough", "pre-NMS top-n", "survive NMS", "proposals"]),
    ],
)
def test_the_way_of_a_box_ends_where_its_fate_says(fate, way):
    flow = trace_flow(FATES, np.zeros(7, int), ("all",), steps_of("decode first", 0))
    assert flow.way(fate) == way
    assert set(way) <= set(flow.bands)


def test_every_band_can_be_named_in_the_settings():
    for order in ("decode first", "top-n first"):
        flow = trace_flow(FATES, np.zeros(7, int), ("all",), steps_of(order, 0.5))
        for band in flow.bands:
            assert changed(Settings(), {"funnel.band": band}).funnel.band == band


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("split", ["level", "ratio"])
def test_every_part_can_be_named_in_the_settings(preset, split):
    anchors, grid, _ = world(preset, 64, 64)
    for name in parts_of(grid, anchors, split)[0]:
        assert changed(Settings(), {"funnel.part": name}).funnel.part == name


def test_fillers_of_a_fixed_shape_keep_their_anchors_fate():
    none = torch.zeros(0)
    fate = torch.tensor([F.KEPT, F.TOO_SMALL, F.KEPT], dtype=torch.int8)
    index, valid = torch.tensor([2, 0, 1]), torch.tensor([True, True, False])
    candidates = Candidates(none, none, none, none, index, none, valid, fate)
    ends = torch.tensor([F.KEPT, F.SUPPRESSED, F.TOO_SMALL], dtype=torch.int8)
    proposals = Proposals(none, none, none, none, none, 1, ends, none)
    assert final_fates(candidates, proposals).tolist() == [F.SUPPRESSED, F.TOO_SMALL, F.KEPT]
    assert candidates.fate.tolist() == [F.KEPT, F.TOO_SMALL, F.KEPT]  # not changed in place


def test_no_candidates_leave_nothing_after_the_first_steps():
    settings, results = chain(**{"scores.source": "noise", "filter.min_size": 512})
    flow, _, _ = flow_of(settings, results, "level")
    assert flow.lost[0].sum() == flow.entering[0].sum() == results["grid"].starts[-1]
    assert flow.entering[1:].sum() == 0


def test_the_best_of_some_stand_best_first_and_ties_keep_the_lower_number():
    scores = torch.tensor([0.1, 0.9, 0.5, 0.9, 0.7])
    chosen = np.array([True, True, False, True, True])
    assert best_of(chosen, scores, 3).tolist() == [1, 3, 4]
    assert best_of(chosen, scores, 99).tolist() == [1, 3, 4, 0]
    assert best_of(np.zeros(5, bool), scores, 3).tolist() == []


def test_the_boxes_of_candidates_are_the_candidates_boxes():
    settings, results = chain(**{"scores.source": "planted", "codec.max_log_scale": 0.1})
    candidates = results["candidates"]
    index = candidates.anchor_index.numpy()
    rest = results["grid"], results["anchors"], results["head_output"], settings.codec
    assert len(index) > 100
    np.testing.assert_allclose(boxes_of(index, *rest), candidates.boxes.numpy(), atol=1e-4)


def test_no_boxes_are_no_boxes():
    _, grid, anchors = world("notebook", 64, 64)
    count = len(anchors.boxes)
    head = HeadOutput(torch.zeros(count), torch.zeros(count), torch.zeros(count, 4))
    assert boxes_of(np.zeros(0, np.int64), grid, anchors, head, Codec()).shape == (0, 4)
