from dataclasses import replace

import torch

from explorer.core.candidates import Candidates, Fate
from explorer.core.counts import count_steps
from explorer.core.proposals import Proposals


def results(fates, survivors, kept):
    """Candidates and proposals that hold nothing but numbers."""
    none = torch.empty(0)
    fate = torch.tensor(fates, dtype=torch.int8)
    candidates = Candidates(none, none, none, none, none, none, none, fate)
    boxes = torch.zeros(kept, 4)
    return candidates, Proposals(boxes, none, none, none, none, survivors, none, none)


FATES = [Fate.KEPT] * 5 + [Fate.BELOW_TOP_N] * 3 + [Fate.TOO_SMALL] * 2


def test_counts_where_decoding_comes_first():
    steps = count_steps(*results(FATES, 4, 3), "decode first")
    assert [(step.name, step.left) for step in steps] == [
        ("anchors", 10),
        ("large enough", 8),
        ("pre-NMS top-n", 5),
        ("survive NMS", 4),
        ("proposals", 3),
    ]


def test_counts_where_the_top_n_comes_first():
    steps = count_steps(*results(FATES, 4, 3), "top-n first")
    assert [(step.name, step.left) for step in steps] == [
        ("anchors", 10),
        ("pre-NMS top-n", 7),
        ("large enough", 5),
        ("survive NMS", 4),
        ("proposals", 3),
    ]


def test_a_score_threshold_is_a_step_of_its_own_and_0_is_none():
    candidates, proposals = results(FATES, 3, 2)
    fate = [Fate.KEPT] * 2 + [Fate.OVER_CAP] + [Fate.LOW_SCORE] * 2
    proposals = replace(proposals, fate=torch.tensor(fate, dtype=torch.int8))
    for order in ("decode first", "top-n first"):
        steps = count_steps(candidates, proposals, order, 0.1)
        assert [(step.name, step.left) for step in steps[2:]] == [
            (steps[2].name, 5),
            ("over score threshold", 3),
            ("survive NMS", 3),
            ("proposals", 2),
        ]
        assert len(count_steps(candidates, proposals, order, 0)) == len(steps) - 1


def test_where_all_are_too_small_nothing_is_left():
    steps = count_steps(*results([Fate.TOO_SMALL] * 4, 0, 0), "decode first")
    assert [step.left for step in steps] == [4, 0, 0, 0, 0]


def test_every_step_names_a_page():
    for order in ("decode first", "top-n first"):
        pages = {step.page for step in count_steps(*results(FATES, 4, 3), order)}
        assert pages == {"anchors", "proposals"}
