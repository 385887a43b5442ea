"""Every box's life, against the chain walked box by box in plain Python."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.biography import Place, place_among, trace_box
from explorer.core.candidates import Fate
from explorer.core.endings import apart, tell_end
from explorer.core.proposals import candidate_overlaps, propose
from explorer.settings import Codec, Filter, Nms
from tests.core.test_candidates import picture_of, random_world, small_anchors
from tests.reference import plain_decode, plain_iou, plain_top_n

NAN = math.nan
FEW = {"pre_nms": 60, "min_size": 12}
RULES = {  # every rule that changes how a place is counted
    "decode first": Filter(**FEW),
    "decode first, by level": Filter(**FEW | {"pre_nms": 30}, top_n_by_level=True),
    "top-n first": Filter(
        **FEW | {"pre_nms": 140}, order="top-n first", keep_equal=False, nms_by_level=True
    ),
    "top-n first, by level": Filter(
        **FEW | {"pre_nms": 30}, order="top-n first", top_n_by_level=True, top_n_by="logits"
    ),
    "at the photo's size": Filter(**FEW | {"min_size": 7}, min_size_at="photo", nms_by="logits"),
}
NMS = Nms(iou_threshold=0.3, post_nms=5, score_threshold=0.75)


def world_of(kind="plain", seed=3):
    return random_world(small_anchors("notebook"), seed, kind, size=(64, 96), scale=1.7)


def chain(world, rules, nms=NMS, codec=None):
    """What `trace_box` reads of a run."""
    codec = codec or Codec()
    candidates = world.select(rules, codec)
    proposals = propose(candidates, candidate_overlaps(candidates, rules), rules, nms)
    stages = world.picture, world.grid, world.anchor_set, world.head, candidates, proposals
    return *stages, codec, rules


def plain_lives(world, rules, nms, codec):
    """Fate, places and winner of every anchor, one step and one box after the other."""
    height, width = world.image_size
    boxes, sides = [], []
    for anchor, deltas in zip(world.anchors, world.deltas, strict=True):
        x1, y1, x2, y2 = plain_decode(anchor, deltas, codec.weights, codec.max_log_scale)
        box = [
            min(max(v, 0.0), end) if v == v else NAN
            for v, end in zip((x1, y1, x2, y2), (width, height) * 2, strict=True)
        ]
        x, y = world.picture.scale if rules.min_size_at == "photo" else (1, 1)
        boxes.append(box)
        sides.append(min((box[2] - box[0]) / x, (box[3] - box[1]) / y))
    everyone, level = range(len(boxes)), world.level
    large = [s >= rules.min_size if rules.keep_equal else s > rules.min_size for s in sides]
    ranked_by, nms_by = getattr(world, rules.top_n_by), getattr(world, rules.nms_by)
    lives = {i: {"fate": Fate.BELOW_TOP_N, "box": boxes[i], "side": sides[i]} for i in everyone}

    entering = []
    for group in sorted(set(level)) if rules.top_n_by_level else [None]:
        there = [i for i in everyone if group is None or level[i] == group]
        if rules.order == "decode first":
            there = [i for i in there if large[i]]
        best = [there[k] for k in plain_top_n([ranked_by[i] for i in there], len(there))]
        for place, i in enumerate(best):
            lives[i]["in_top_n"] = Place(place, len(best))
        entering += best[: rules.pre_nms]
    for i in everyone:
        if not large[i] and (rules.order == "decode first" or i in entering):
            lives[i]["fate"] = Fate.TOO_SMALL
    entering = sorted(i for i in entering if large[i])
    candidates = [entering[k] for k in plain_top_n([nms_by[i] for i in entering], len(entering))]

    survivors = []
    for rank, i in enumerate(candidates):
        lives[i]["in_candidates"] = Place(rank, len(candidates))
        if world.scores[i] < nms.score_threshold:
            lives[i]["fate"] = Fate.LOW_SCORE
            continue
        rivals = [w for w in survivors if not rules.nms_by_level or level[w] == level[i]]
        over = (w for w in rivals if plain_iou(boxes[w], boxes[i]) > nms.iou_threshold)
        winner = next(over, None)
        if winner is None:
            survivors.append(i)
        else:
            iou = plain_iou(boxes[winner], boxes[i])
            lives[i] |= {"fate": Fate.SUPPRESSED, "winner": (winner, iou)}
    for place, i in enumerate(survivors):
        fate = Fate.KEPT if place < nms.post_nms else Fate.OVER_CAP
        lives[i] |= {"fate": fate, "in_survivors": Place(place, len(survivors))}
    return lives


@pytest.mark.parametrize("kind", ["plain", "tied, NaN"])
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
def test_every_life_is_that_of_the_chain_walked_box_by_box(rules, kind):
    world, codec = world_of(kind), Codec(weights=(2, 2, 1, 1), max_log_scale=1.0)
    expected = plain_lives(world, rules, NMS, codec)
    stages = chain(world, rules, codec=codec)
    for number, plain in expected.items():
        life = trace_box(number, *stages)
        assert life.fate == plain["fate"], number
        for name in ("in_top_n", "in_candidates", "in_survivors"):
            assert getattr(life, name) == plain.get(name), (number, name)
        same = pytest.approx(plain["box"], abs=1e-3, nan_ok=True)
        assert life.box == life.arithmetic.clipped == same
        assert life.shorter_side == pytest.approx(plain["side"], abs=1e-3, nan_ok=True)
        if plain["fate"] == Fate.SUPPRESSED:
            winner, iou = plain["winner"]
            assert life.winner.anchor_index == winner
            assert life.winner.candidate == expected[winner]["in_candidates"].rank
            assert life.winner.iou == pytest.approx(iou, abs=1e-4)
            assert life.winner.box == pytest.approx(expected[winner]["box"], abs=1e-3)
            assert life.winner.score == pytest.approx(world.scores[winner], nan_ok=True)
        else:
            assert life.winner is None
    ends = {plain["fate"] for plain in expected.values()}
    assert ends == set(Fate)


def test_where_it_comes_from_and_what_the_head_said():
    world = world_of()
    stages = chain(world, RULES["decode first"])
    grid = world.grid
    number = grid.starts[1] + (2 * grid.cells[1][1] + 3) * 3 + 1  # level 1, row 2, column 3
    life = trace_box(number, *stages)
    assert (life.level, life.row, life.column, life.shape) == (1, 2, 3, 1)
    assert life.arithmetic.anchor == tuple(world.anchors[number])
    assert life.arithmetic.deltas == tuple(world.deltas[number])
    assert life.logit == world.logits[number]
    assert life.score == pytest.approx(1 / (1 + math.exp(-life.logit)))
    start, end = grid.starts[1:3]
    of_level = plain_top_n(world.scores[start:end], end)
    assert life.in_level == Place(of_level.index(number - start), end - start)
    assert life.in_all == Place(plain_top_n(world.scores, 10**6).index(number), grid.starts[-1])


scores_with_ties = st.lists(st.sampled_from([0.0, 0.5, -1.0, 2.0, NAN]), min_size=1, max_size=30)


@settings(max_examples=60)
@given(scores_with_ties)
def test_places_are_those_of_a_stable_sort_with_nan_first(scores):
    order = plain_top_n(scores, len(scores))
    places = [place_among(torch.tensor(scores), index).rank for index in range(len(scores))]
    assert [order[place] for place in places] == list(range(len(scores)))


@pytest.mark.parametrize("number", [-1, 600, 10**9])
def test_an_anchor_that_is_not_there_is_refused(number):
    world = world_of()
    last = world.grid.starts[-1] - 1
    stages = chain(world, RULES["decode first"])
    assert trace_box(last, *stages).anchor_index == last
    if number == 600:
        number = last + 1
    message = rf"anchor_index must be in \[0, {last:,}\], got {number:,}"
    with pytest.raises(ValueError, match=message):
        trace_box(number, *stages)


def test_nothing_becomes_of_any_box_where_all_are_too_small():
    world = world_of()
    rules = Filter(min_size=500)
    life = trace_box(7, *chain(world, rules))
    assert life.fate == Fate.TOO_SMALL
    assert (life.in_top_n, life.in_candidates, life.in_survivors) == (None, None, None)
    assert "at least 500 to go on" in tell_end(life, rules, NMS)


# The end in words


def ends(rules, kind="plain", nms=NMS):
    """One life and its sentence for every fate."""
    world = world_of(kind)
    stages = chain(world, rules, nms)
    lives = [trace_box(number, *stages) for number in range(world.grid.starts[-1])]
    return {life.fate: (life, tell_end(life, rules, nms)) for life in lives}


def test_each_end_is_told_with_its_own_numbers():
    told = ends(RULES["decode first"])
    life, sentence = told[Fate.KEPT]
    place, of = life.in_survivors.rank + 1, min(5, life.in_survivors.of)
    assert sentence.startswith(f"Kept: proposal {place} of {of}. ")
    assert sentence.endswith("No kept box that ranks higher overlaps it by more than 0.3.")
    life, sentence = told[Fate.BELOW_TOP_N]
    place, of = life.in_top_n.rank + 1, life.in_top_n.of
    words = f"number {place} of the {of} boxes that are large enough, and the first 60 go on."
    assert sentence == f"Dropped by the top-n: it is {words}"
    life, sentence = told[Fate.TOO_SMALL]
    side = f"{life.shorter_side:.2f} px"
    assert f"its shorter side is {side}, and it takes at least 12 to go on." in sentence
    life, sentence = told[Fate.LOW_SCORE]
    assert sentence == (
        f"Dropped by the score threshold: it scores {life.score:.2f}, "
        "and boxes from 0.75 on take part in NMS."
    )
    life, sentence = told[Fate.SUPPRESSED]
    assert sentence == (
        f"Suppressed by candidate #{life.winner.candidate + 1}, which ranks higher and overlaps "
        f"it by IoU {life.winner.iou:.2f}, more than 0.3."
    )
    life, sentence = told[Fate.OVER_CAP]
    place, of = life.in_survivors.rank + 1, life.in_survivors.of
    words = f"number {place} of {of}, and the first 5 become proposals."
    assert sentence == f"Cut by the cap: it survives NMS as {words}"


def test_what_the_rules_count_is_said():
    assert (
        "boxes of its level, and the first"
        in (ends(RULES["top-n first, by level"])[Fate.BELOW_TOP_N][1])
    )
    told = ends(RULES["top-n first"])
    assert "No kept box of its level" in told[Fate.KEPT][1]
    assert "it takes more than 12 to go on" in told[Fate.TOO_SMALL][1]
    assert (
        " px of the photo, and it takes" in (ends(RULES["at the photo's size"])[Fate.TOO_SMALL][1])
    )


def test_a_box_without_numbers_has_no_size():
    world = world_of()
    deltas = world.head.deltas.clone()
    deltas[5] = NAN
    world.head = replace(world.head, deltas=deltas)
    life = trace_box(5, *chain(world, RULES["decode first"]))
    assert life.fate == Fate.TOO_SMALL
    assert "its deltas are no numbers" in tell_end(life, RULES["decode first"], NMS)


def test_a_number_never_reads_as_if_it_stood_on_the_other_side_of_its_limit():
    assert apart(15.3, 16) == "15.30"
    assert apart(15.99999, 16) == "15.99999"
    assert apart(16.0, 16) == "16.00"
    assert apart(0.70000005, 0.7) == "0.70000005"
    assert apart(0.7000001, 0.7) == "0.7000001"
    assert apart(16 - 1e-12, 16) == repr(16 - 1e-12)


@settings(max_examples=60)
@given(st.floats(0, 1000, width=32), st.floats(0, 1000))
def test_the_printed_number_lies_where_the_number_lies(value, limit):
    text = float(apart(value, limit))
    assert (text > limit, text < limit) == (value > limit, value < limit)


def test_the_side_is_counted_as_the_rule_counts_it():
    world = world_of()
    world.picture = picture_of(64, 96, (2.0, 4.0))
    rules = RULES["at the photo's size"]
    life = trace_box(40, *chain(world, rules))
    x1, y1, x2, y2 = life.box
    assert life.shorter_side == pytest.approx(min((x2 - x1) / 2, (y2 - y1) / 4), abs=1e-4)
