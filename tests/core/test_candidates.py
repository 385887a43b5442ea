import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.candidates import (
    Candidates,
    Fate,
    HeadOutput,
    best_unfiltered,
    decode_all,
    select_candidates,
)
from explorer.core.images import Picture
from explorer.core.layout import AnchorSet, Grid, lay_anchors, lay_grid
from explorer.presets import CODE_BASES
from explorer.settings import Anchors, Codec, Filter
from tests.devices import DEVICES
from tests.reference import CANDIDATES_OF, plain_decode

NAN = math.nan
CPU = torch.device("cpu")


@dataclass
class World:
    """A small picture with its anchors and a head's say, as tensors and as the oracles' lists."""

    picture: Picture
    grid: Grid
    anchor_set: AnchorSet
    head: HeadOutput

    @property
    def anchors(self):
        return self.anchor_set.boxes.tolist()

    @property
    def logits(self):
        return self.head.logits.tolist()

    @property
    def scores(self):
        return self.head.scores.tolist()

    @property
    def deltas(self):
        return self.head.deltas.tolist()

    @property
    def level(self):
        return [level for level, count in enumerate(self.grid.counts) for _ in range(count)]

    @property
    def image_size(self):
        return self.grid.image_size

    @property
    def photo_scale(self):
        return self.picture.scale[0]

    def select(self, rules, codec=None):
        codec = codec or Codec()
        decoded = decode_all(lambda: self.anchor_set, self.head, codec, rules.order)
        return select_candidates(
            self.picture, self.grid, self.anchor_set, self.head, decoded, codec, rules
        )


def picture_of(height, width, scale=(1.0, 1.0)):
    """An input of this size, made of a photo that was `scale` (x, y) times smaller."""
    photo_size = round(height / scale[1]), round(width / scale[0])
    return Picture(np.zeros((height, width, 3), np.uint8), (0, 0, width, height), photo_size)


def random_world(anchors, seed, kind="plain", size=(48, 66), scale=1.0):
    """Random logits and deltas; with ties, NaN or both."""
    rng = torch.Generator().manual_seed(seed)
    picture = picture_of(*size, (scale, scale))
    grid = lay_grid(picture, anchors.strides, anchors.stride_rule, anchors.per_cell)
    anchor_set = lay_anchors(grid, anchors, CPU)
    count = grid.starts[-1]
    logits = torch.randn(count, generator=rng) * 3
    deltas = torch.randn(count, 4, generator=rng) * torch.tensor([1, 1, 2, 2])
    if "tied" in kind:
        logits = logits.round()
        logits[torch.rand(count, generator=rng) < 0.1] += 20  # the sigmoid merges 18 and 25
    if "NaN" in kind:
        logits[torch.rand(count, generator=rng) < 0.05] = NAN
        deltas[torch.rand(count, generator=rng) < 0.05] = NAN
    return World(picture, grid, anchor_set, HeadOutput(logits, logits.sigmoid(), deltas))


def small_anchors(preset):
    """The preset's conventions, at sizes that a small picture does not cut down to one."""
    anchors = CODE_BASES[preset].anchors
    if len(anchors.strides) == 1:
        return Anchors.model_validate(anchors.model_dump() | {"sizes": ((16, 32, 48),)})
    return Anchors.model_validate(
        anchors.model_dump() | {"strides": (8, 16, 32), "sizes": ((12,), (24,), (48,))}
    )


def replace_rules(rules, **changes):
    return Filter.model_validate(rules.model_dump() | changes)


def check(candidates, anchors, boxes, fates, world):
    """Candidates are exactly what an oracle says."""
    assert candidates.anchor_index.tolist() == anchors
    assert [Fate(fate).name for fate in candidates.fate.tolist()] == fates
    assert torch.allclose(candidates.boxes, torch.tensor(boxes).reshape(-1, 4), atol=1e-3)
    index = candidates.anchor_index
    for name in ("logits", "scores", "deltas"):
        expected = getattr(world.head, name)[index]
        assert torch.allclose(getattr(candidates, name), expected, rtol=0, atol=0, equal_nan=True)
    assert candidates.level.tolist() == [world.level[i] for i in anchors]
    assert candidates.valid.all()
    assert candidates.fate.dtype == torch.int8
    assert candidates.level.dtype == index.dtype == torch.int64


# Each code base's own order of steps


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["plain", "tied", "tied, NaN"])
@pytest.mark.parametrize("preset", CODE_BASES)
def test_candidates_are_those_of_the_code_base_walked_box_by_box(preset, kind, seed):
    scale = 1.5 if preset == "py-faster-rcnn" else 1.0
    world = random_world(small_anchors(preset), seed, kind, scale=scale)
    rules = CODE_BASES[preset].filter
    for top_n in (1, 17, 40, rules.pre_nms):
        few = replace_rules(rules, pre_nms=top_n)
        expected = CANDIDATES_OF[preset](world, top_n, rules.min_size)
        check(world.select(few, CODE_BASES[preset].codec), *expected, world)


@pytest.mark.parametrize("preset", CODE_BASES)
def test_candidates_on_the_presets_own_grid(preset):
    world = random_world(CODE_BASES[preset].anchors, 5, "tied", size=(64, 64))
    rules = replace_rules(CODE_BASES[preset].filter, pre_nms=100)
    expected = CANDIDATES_OF[preset](world, 100, rules.min_size)
    check(world.select(rules, CODE_BASES[preset].codec), *expected, world)


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(CODE_BASES)),
    st.integers(0, 10_000),
    st.sampled_from(["plain", "tied", "NaN"]),
    st.integers(1, 150),
    st.sampled_from([0.0, 1.0, 8.0, 30.0, 500.0]),
)
def test_any_top_n_and_minimum_size_agree_with_the_code_base(preset, seed, kind, top_n, least):
    world = random_world(small_anchors(preset), seed, kind, size=(40, 24))
    rules = replace_rules(CODE_BASES[preset].filter, pre_nms=top_n, min_size=least)
    expected = CANDIDATES_OF[preset](world, top_n, least)
    check(world.select(rules, CODE_BASES[preset].codec), *expected, world)


# By hand


def hand_world(boxes, logits, deltas=None, size=(100, 100), scale=(1.0, 1.0), counts=None):
    """Given anchors, one a cell; on one level, or `counts` of them a level."""
    counts = counts or (len(boxes),)
    grid = Grid(size, tuple((1, c) for c in counts), ((1, 1),) * len(counts), (1,) * len(counts))
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    logits = torch.tensor(logits, dtype=torch.float32)
    deltas = torch.zeros(len(boxes), 4) if deltas is None else torch.tensor(deltas)
    head = HeadOutput(logits, logits.sigmoid(), deltas)
    return World(picture_of(*size, scale), grid, AnchorSet(boxes, ()), head)


def fates(candidates):
    return [Fate(fate).name for fate in candidates.fate.tolist()]


SMALL, LARGE, OUTSIDE = [0, 0, 10, 50], [0, 0, 40, 40], [90, 90, 150, 150]


def test_decoding_first_gives_the_places_of_small_boxes_to_large_ones():
    world = hand_world([SMALL, LARGE, OUTSIDE, LARGE, LARGE], [9, 1, 8, 3, 2])
    candidates = world.select(Filter(pre_nms=2))
    assert candidates.anchor_index.tolist() == [3, 4]
    assert fates(candidates) == ["TOO_SMALL", "BELOW_TOP_N", "TOO_SMALL", "KEPT", "KEPT"]


def test_top_n_first_lets_small_boxes_take_places():
    world = hand_world([SMALL, LARGE, OUTSIDE, LARGE, LARGE], [9, 1, 8, 3, 2])
    candidates = world.select(Filter(pre_nms=3, order="top-n first"))
    assert candidates.anchor_index.tolist() == [3]
    assert fates(candidates) == ["TOO_SMALL", "BELOW_TOP_N", "TOO_SMALL", "KEPT", "BELOW_TOP_N"]


def test_boxes_are_decoded_and_then_clipped():
    world = hand_world([[10, 10, 50, 50]], [0], [[1.0, 0.0, math.log(2), 10.0]])
    assert torch.allclose(world.select(Filter()).boxes, torch.tensor([[30.0, 0.0, 100.0, 100.0]]))


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
@pytest.mark.parametrize(("keep_equal", "left"), [(True, [0, 1]), (False, [1])])
def test_a_side_of_exactly_the_minimum(order, keep_equal, left):
    world = hand_world([[0, 0, 16, 16], [0, 0, 16.01, 17], [0, 0, 15.99, 40]], [3, 2, 1])
    rules = Filter(order=order, min_size=16, keep_equal=keep_equal)
    assert world.select(rules).anchor_index.tolist() == left


def test_the_minimum_size_counts_pixels_of_the_input_or_of_the_photo():
    boxes = [[0, 0, 32, 8], [10, 10, 42, 18], [0, 0, 31, 8], [0, 0, 32, 7.9], [0, 0, 20, 20]]
    world = hand_world(boxes, [5, 4, 3, 2, 1], scale=(2.0, 0.5))
    at_photo = world.select(Filter(min_size=16, min_size_at="photo"))
    assert at_photo.anchor_index.tolist() == [0, 1]  # from 32 wide and 8 high
    assert torch.equal(at_photo.boxes, torch.tensor(boxes[:2]).float())
    at_input = world.select(Filter(min_size=16))
    assert at_input.anchor_index.tolist() == [4]


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_where_every_box_is_too_small_there_are_no_candidates(order):
    world = hand_world([SMALL] * 4, [4, 3, 2, 1])
    candidates = world.select(Filter(order=order, pre_nms=3))
    assert candidates.boxes.shape == candidates.deltas.shape == (0, 4)
    for name in ("scores", "logits", "anchor_index", "level", "valid"):
        assert getattr(candidates, name).shape == (0,)
    last = "BELOW_TOP_N" if order == "top-n first" else "TOO_SMALL"
    assert fates(candidates) == ["TOO_SMALL"] * 3 + [last]


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_a_top_n_beyond_all_anchors_keeps_all(order):
    world = hand_world([LARGE] * 3, [1, 3, 2])
    candidates = world.select(Filter(order=order, pre_nms=4))
    assert candidates.anchor_index.tolist() == [1, 2, 0]
    assert fates(candidates) == ["KEPT"] * 3


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_equal_scores_keep_the_lower_anchors(order):
    world = hand_world([LARGE] * 40, [1.0] * 30 + [2.0] * 10)
    candidates = world.select(Filter(order=order, pre_nms=20))
    assert candidates.anchor_index.tolist() == [*range(30, 40), *range(10)]


def test_by_level_each_level_keeps_its_own_best():
    world = hand_world([LARGE] * 6, [6, 5, 4, 1, 3, 2], counts=(3, 1, 2))
    rules = Filter(order="top-n first", pre_nms=1, top_n_by_level=True)
    candidates = world.select(rules)
    assert candidates.anchor_index.tolist() == [0, 4, 3]
    assert candidates.level.tolist() == [0, 2, 1]
    assert world.select(Filter(order="top-n first", pre_nms=3)).anchor_index.tolist() == [0, 1, 2]


def test_logits_rank_what_the_sigmoid_merges():
    world = hand_world([LARGE] * 3, [20.0, 30.0, 25.0])
    assert world.scores == [1, 1, 1]
    for by, first, all_ranked in [("scores", 0, [0, 1, 2]), ("logits", 1, [1, 2, 0])]:
        rules = Filter(order="top-n first", pre_nms=1, top_n_by=by)
        assert world.select(rules).anchor_index.tolist() == [first]
        rules = Filter(order="top-n first", nms_by=by)
        assert world.select(rules).anchor_index.tolist() == all_ranked


@pytest.mark.parametrize("order", ["decode first", "top-n first"])
def test_nan_scores_rank_first_and_boxes_of_nan_count_as_too_small(order):
    deltas = [[0.0] * 4, [0.0] * 4, [NAN, 0, 0, 0], [0.0] * 4]
    world = hand_world([LARGE, LARGE, LARGE, SMALL], [1, NAN, 5, NAN], deltas)
    candidates = world.select(Filter(order=order, min_size=11))
    assert candidates.anchor_index.tolist() == [1, 0]
    assert fates(candidates) == ["KEPT", "KEPT", "TOO_SMALL", "TOO_SMALL"]


def test_levels_may_have_different_numbers_of_explicit_anchors():
    pairs = (((20, 20), (30, 18)), ((40, 40),), ((50, 25), (25, 50), (60, 60)))
    anchors = Anchors(strides=(16, 32, 64), pairs=pairs)
    world = random_world(anchors, 3, "tied", size=(64, 64))
    assert world.grid.counts == (32, 4, 3)
    rules = replace_rules(CODE_BASES["torchvision"].filter, pre_nms=5)
    expected = CANDIDATES_OF["torchvision"](world, 5, rules.min_size)
    check(world.select(rules, CODE_BASES["torchvision"].codec), *expected, world)


def test_delta_weights_reach_the_decoder():
    world = hand_world([[10, 10, 50, 50]], [0], [[1.0, 2.0, 0.5, 0.5]])
    codec = Codec(weights=(10, 10, 5, 5))
    expected = plain_decode([10, 10, 50, 50], [1.0, 2.0, 0.5, 0.5], (10, 10, 5, 5), 4.0)
    for order in ("decode first", "top-n first"):
        boxes = world.select(Filter(order=order), codec).boxes
        assert boxes[0].tolist() == pytest.approx(expected, abs=1e-4)


def test_all_are_decoded_only_where_decoding_comes_first():
    world = hand_world([LARGE, OUTSIDE], [0, 0])
    assert decode_all(lambda: world.anchor_set, world.head, Codec(), "top-n first") is None
    decoded = decode_all(lambda: world.anchor_set, world.head, Codec(), "decode first")
    assert decoded.tolist() == [LARGE, OUTSIDE]  # not clipped yet


def test_the_notebooks_figure_ranks_all_anchors_and_filters_nothing():
    world = hand_world([SMALL, LARGE, OUTSIDE, LARGE], [9, 1, 8, 9])
    boxes, index = best_unfiltered(world.picture, world.anchor_set, world.head, Codec(), 3)
    assert index.tolist() == [0, 3, 2]
    assert boxes.tolist() == [SMALL, LARGE, [90, 90, 100, 100]]
    boxes, index = best_unfiltered(world.picture, world.anchor_set, world.head, Codec())
    assert len(boxes) == len(index) == 4


def test_nothing_that_came_in_is_changed():
    world = random_world(small_anchors("notebook"), 1, "tied")
    before = [part.clone() for part in (world.anchor_set.boxes, *vars(world.head).values())]
    for order in ("decode first", "top-n first"):
        world.select(Filter(order=order, pre_nms=20))
    after = [world.anchor_set.boxes, *vars(world.head).values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


# On an accelerator


def on_device(world, device):
    head = HeadOutput(*(part.to(device) for part in vars(world.head).values()))
    boxes = world.anchor_set.boxes.to(device)
    return World(world.picture, world.grid, replace(world.anchor_set, boxes=boxes), head)


def without_fillers(candidates):
    """The rows that got through, on the CPU."""
    rows = candidates.valid.cpu()
    parts = {name: part.cpu() for name, part in vars(candidates).items()}
    fate = parts.pop("fate")
    return Candidates(**{name: part[rows] for name, part in parts.items()}, fate=fate)


@pytest.fixture(params=["cpu as an accelerator", *DEVICES[1:]])
def accelerator(request, monkeypatch):
    """A device that takes the accelerator's branch, or a CPU that passes for one."""
    if request.param in DEVICES:
        return torch.device(request.param)
    monkeypatch.setattr("explorer.core.candidates._may_wait", lambda tensor: False)
    return CPU


@pytest.mark.parametrize("kind", ["plain", "tied", "tied, NaN"])
@pytest.mark.parametrize("preset", CODE_BASES)
def test_an_accelerator_gives_the_same_candidates_and_fillers_behind_them(
    preset, kind, accelerator, monkeypatch
):
    world = random_world(small_anchors(preset), 7, kind, scale=1.5)
    for top_n, least in [(30, 16), (30, 500), (5000, 16)]:
        rules = replace_rules(CODE_BASES[preset].filter, pre_nms=top_n, min_size=least)
        got = on_device(world, accelerator).select(rules, CODE_BASES[preset].codec)
        levels = world.grid.counts if rules.top_n_by_level else [sum(world.grid.counts)]
        assert len(got.boxes) == sum(min(top_n, count) for count in levels)  # a fixed shape
        assert not got.valid[1:].cpu().logical_and(~got.valid[:-1].cpu()).any()  # fillers last
        with monkeypatch.context() as undone:
            undone.setattr("explorer.core.candidates._may_wait", lambda tensor: True)
            expected = world.select(rules, CODE_BASES[preset].codec)
        for name, part in vars(without_fillers(got)).items():
            assert torch.allclose(part, getattr(expected, name), equal_nan=True), name
