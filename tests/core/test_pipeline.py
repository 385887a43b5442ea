import hashlib
import inspect
import io
import threading
from dataclasses import replace
from operator import attrgetter
from time import perf_counter

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from explorer.core import pipeline
from explorer.core.candidates import Fate, select_candidates
from explorer.core.counts import count_steps
from explorer.core.memo import Memo
from explorer.core.pipeline import STAGES, above, device_name, find, milliseconds, recipe, run
from explorer.core.truth import pack_boxes
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.any_settings import any_settings
from tests.devices import DEVICES
from tests.reference import greedy_suppression

SMALL = changed(
    Settings(),
    {
        "image.side": 64,
        "scores.source": "noise",  # the pyramid is a stage all the same, and costs nothing
        "filter.min_size": 4,
        "compute.device": "cpu",
    },
)
CHAIN = {
    "image",
    "grid",
    "anchors",
    "pyramid",
    "features",
    "head_output",
    "decoded",
    "candidates",
    "proposals",
}


@pytest.fixture
def ran(monkeypatch):
    """The stages that ran, in turn."""
    calls = []

    def counting(name, function):
        def call(*inputs, **needs):
            calls.append(name)
            return function(*inputs, **needs)

        return call

    for name, stage in STAGES.items():
        monkeypatch.setitem(STAGES, name, replace(stage, function=counting(name, stage.function)))
    return calls


def upload_of(colour):
    """A picture as a reader brings it: its name and its bytes."""
    file = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(file, "PNG")
    return f"upload:{hashlib.sha256(file.getvalue()).hexdigest()}", file.getvalue()


# The table


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_that_is_read_exists_and_none_reads_itself(name):
    assert {*STAGES[name].reads, *STAGES[name].uses} <= set(STAGES)
    assert set(STAGES[name].asks) <= set(STAGES[name].reads)
    upstream_first = above(name)  # a cycle would not end
    assert upstream_first[-1] == name
    for place, stage in enumerate(upstream_first):
        assert set(STAGES[stage].reads) <= set(upstream_first[:place])


@pytest.mark.parametrize("name", STAGES)
def test_every_setting_that_is_read_exists_and_none_is_of_the_view(name):
    for path in STAGES[name].settings:
        hash(attrgetter(path)(Settings()))
        assert not path.startswith(("view", "compute"))
    assert set(STAGES[name].needs) <= {"device", "uploads", "progress", "trained", "keep"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_takes_what_its_row_gives(name):
    stage = STAGES[name]
    parameters = list(inspect.signature(stage.function).parameters.values())
    by_name = parameters[len(stage.reads) + len(stage.uses) + len(stage.settings) :]
    required = {each.name for each in by_name if each.default is each.empty}
    assert required <= set(stage.needs) <= {each.name for each in by_name}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_stage_runs_under_every_preset(preset, device):
    settings, memo = PRESETS[preset].apply(SMALL), Memo(10**8)
    settings = changed(settings, {"compute.device": device})
    for name in STAGES:
        run(name, settings, memo)
        assert memo.peek(recipe(name, settings))


# What runs again when a slider moves


def test_the_first_run_runs_every_stage_once_and_the_second_none(ran):
    memo = Memo(10**9)
    first = run("proposals", SMALL, memo)
    assert sorted(ran) == sorted(CHAIN)
    ran.clear()
    assert run("proposals", SMALL, memo) is first
    assert ran == []


AFTER_HEAD = {"decoded", "candidates", "proposals"}
SELECTION = {"candidates", "proposals"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nms.iou_threshold": 0.5}, {"proposals"}),
        ({"nms.post_nms": 20}, {"proposals"}),
        ({"nms.score_threshold": 0.5}, {"proposals"}),
        ({"filter.pre_nms": 100}, SELECTION),
        ({"filter.nms_by_level": True}, SELECTION),
        ({"filter.order": "top-n first"}, AFTER_HEAD),
        ({"codec.max_log_scale": 1.0}, AFTER_HEAD),
        ({"anchors.sizes": ((16,), (32,), (48,), (64,), (96,))}, AFTER_HEAD | {"anchors"}),
        ({"anchors.ratios": (0.25, 1, 4)}, AFTER_HEAD | {"anchors"}),
        ({"anchors.offset": 0}, AFTER_HEAD | {"anchors"}),
        ({"anchors.strides": (4, 8, 16, 32, 48)}, CHAIN - {"image", "pyramid"}),
        ({"scores.seed": 1}, CHAIN - {"image", "grid", "anchors"}),
        ({"scores.source": "random"}, CHAIN - {"image", "grid", "anchors"}),
        ({"image.side": 96}, CHAIN),
        ({"image.picture": "coffee"}, CHAIN),
        ({"match.high": 0.8, "match.low": 0.1}, set()),
    ],
)
def test_a_slider_turns_its_link_and_those_after_it(changes, expected, ran, monkeypatch):
    # no real forward pass here: five small maps, resampled to whatever grid is asked for
    fake = (torch.zeros(1, 256, 4, 4),) * 5
    monkeypatch.setitem(
        STAGES,
        "pyramid",
        replace(STAGES["pyramid"], function=lambda *_, **__: ran.append("pyramid") or fake),
    )
    monkeypatch.setattr(pipeline.levels, "FPN_STRIDES", (1, 2, 3, 5, 7))
    memo = Memo(10**9)
    before = run("proposals", SMALL, memo)
    ran.clear()
    after = run("proposals", changed(SMALL, changes), memo)
    assert sorted(ran) == sorted(expected)
    ran.clear()
    assert run("proposals", SMALL, memo) is before
    assert run("proposals", changed(SMALL, changes), memo) is after
    assert ran == []  # moving it back runs nothing


@pytest.mark.parametrize(
    ("source", "number", "looked_at"),
    [
        ("noise", 4, [4]),
        ("noise", 1, [1, 2, 3, 4]),  # one stream: what follows is drawn anew
        ("random", 4, [4]),
        ("random", 1, [1]),
        ("random", 0, [0]),
    ],
)
def test_the_head_looks_at_the_levels_that_a_stride_changes(source, number, looked_at, monkeypatch):
    fake = tuple(torch.full((1, 256, side, side), 1.0) for side in (16, 8, 4, 2, 1))
    stage = replace(STAGES["pyramid"], function=lambda *_, **__: fake)
    if source == "random":
        monkeypatch.setitem(STAGES, "pyramid", stage)
    before = changed(SMALL, {"scores.source": source})
    strides = [*before.anchors.strides]
    strides[number] = strides[number] * 3 // 4
    after = changed(before, {"anchors.strides": tuple(strides)})
    expected = run("head_output", after, Memo(10**9))
    memo, seen, look = Memo(10**9), [], pipeline.levels.Features.draw
    run("head_output", before, memo)
    monkeypatch.setattr(
        pipeline.levels.Features,
        "draw",
        lambda self, level, noise: seen.append(level) or look(self, level, noise),
    )
    found = run("head_output", after, memo)
    assert seen == looked_at
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.deltas, expected.deltas)


PLANTED = changed(SMALL, {"scores.source": "planted"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"planted.noise": 0.3}, AFTER_HEAD | {"planted"}),
        ({"planted.regression": 0.3}, AFTER_HEAD | {"planted"}),
        ({"codec.weights": (10, 10, 5, 5)}, AFTER_HEAD | {"planted", "full_deltas"}),
        ({"codec.max_log_scale": 1.0}, AFTER_HEAD),
        ({"nms.iou_threshold": 0.3}, {"proposals"}),
        ({"scores.seed": 3}, AFTER_HEAD | {"planted", "drawn"}),
        (
            {"anchors.offset": 0},
            AFTER_HEAD | {"planted", "full_deltas", "closest", "anchors"},
        ),
        ({"scores.source": "noise"}, AFTER_HEAD | {"pyramid", "features", "head_output"}),
    ],
)
def test_planted_scores_take_the_networks_place(changes, expected, ran):
    memo = Memo(10**9)
    before = run("proposals", PLANTED, memo)
    first = {"image", "grid", "anchors", "truth", "closest", "drawn", "full_deltas", "planted"}
    assert set(ran) == first | AFTER_HEAD
    assert len(ran) == len(set(ran))
    assert run("head_output", PLANTED, memo) is run("planted", PLANTED, memo)
    ran.clear()
    after = run("proposals", changed(PLANTED, changes), memo)
    assert sorted(ran) == sorted(expected)
    ran.clear()
    assert run("proposals", PLANTED, memo) is before
    assert run("proposals", changed(PLANTED, changes), memo) is after
    assert ran == []


def test_planted_deltas_point_at_the_objects_whatever_the_coders_weights():
    sure = changed(PLANTED, {"planted.noise": 0, "planted.regression": 1})
    weighted = changed(sure, {"codec.weights": (10, 10, 5, 5)})
    one, other = (run("decoded", each, Memo(10**9)) for each in (sure, weighted))
    assert torch.allclose(one, other, atol=1e-3)


def test_what_a_stage_uses_depends_on_no_more_than_itself():
    """Else it might use what belongs to other settings, or a result that came before its own."""
    for name, stage in STAGES.items():
        for used in stage.uses:
            assert name not in above(used)
            assert set(above(used)) - {used} <= set(above(name))
            assert set(pipeline._all_settings(used, "random")) <= set(
                pipeline._all_settings(name, "random")
            )


@pytest.mark.parametrize("by_level", [False, True])
def test_a_threshold_reuses_the_overlaps_where_they_are_known_and_asks_for_none(
    ran, monkeypatch, by_level
):
    settings, memo = changed(SMALL, {"filter.nms_by_level": by_level}), Memo(10**9)
    directly = run("proposals", settings, memo)
    assert "overlaps" not in ran
    overlaps, fresh = run("overlaps", settings, memo), Memo(10**9)
    run("overlaps", settings, fresh)
    ran.clear()

    def no_search(*_):
        raise AssertionError("the pairs were there already")

    monkeypatch.setattr("explorer.core.proposals.suppress_ranked", no_search)
    monkeypatch.setattr("explorer.core.proposals.FEW_PAIRS", 1000)  # any number of pairs is few
    from_pairs = run("proposals", settings, fresh)
    lower = run("proposals", changed(settings, {"nms.iou_threshold": 0.3}), fresh)
    assert ran == ["proposals", "proposals"]
    assert len(overlaps.iou) > 0
    assert lower.survivors < from_pairs.survivors
    for name in ("boxes", "candidate_index", "fate", "suppressed_by"):
        assert torch.equal(getattr(from_pairs, name), getattr(directly, name)), name


def test_overlaps_of_other_candidates_are_not_used():
    memo, fresh = Memo(10**9), Memo(10**9)
    run("overlaps", SMALL, memo)
    moved = changed(SMALL, {"filter.pre_nms": 100, "nms.iou_threshold": 0.3})
    assert torch.equal(run("proposals", moved, memo).boxes, run("proposals", moved, fresh).boxes)


def test_another_number_of_anchors_a_cell_builds_the_head_anew_on_the_same_pyramid(ran):
    memo = Memo(10**9)
    run("proposals", SMALL, memo)
    ran.clear()
    run("proposals", changed(SMALL, {"anchors.ratios": (0.5, 2)}), memo)
    assert "head_output" in ran
    assert "pyramid" not in ran
    assert "image" not in ran


@given(any_settings())
@examples(max_examples=50)
def test_what_is_only_shown_changes_no_recipe(other):
    groups = ("view", "decoding", "steps", "atlas", "funnel", "compare", "claims", "lesson")
    seen = SMALL.model_copy(update={group: getattr(other, group) for group in groups})
    assert all(recipe(name, seen) == recipe(name, SMALL) for name in STAGES)


@pytest.mark.parametrize(("source", "shared"), [("learned", True), ("noise", False)])
def test_readers_who_differ_in_a_seed_share_what_has_none(source, shared):
    one, other = (changed(SMALL, {"scores.source": source, "scores.seed": seed}) for seed in (3, 4))
    assert all((recipe(n, one) == recipe(n, other)) == shared for n in ("pyramid", "proposals"))
    assert recipe("anchors", one) == recipe("anchors", other)


def test_the_device_by_name_and_the_automatic_one_share_a_recipe(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    automatic = changed(SMALL, {"compute.device": "auto"})
    assert recipe("head_output", automatic) == recipe("head_output", SMALL)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert recipe("head_output", automatic) != recipe("head_output", SMALL)


def test_what_the_memo_dropped_is_made_anew_and_equal(ran):
    proposals = run("proposals", SMALL, Memo(0))
    assert len(ran) > len(CHAIN)  # nothing is kept: stages that two read run twice
    again = run("proposals", SMALL, Memo(10**9))
    assert torch.equal(proposals.boxes, again.boxes)


def test_two_readers_at_once_run_every_stage_once(ran):
    memo, got = Memo(10**9), []
    threads = [
        threading.Thread(target=lambda: got.append(run("proposals", SMALL, memo))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] is got[1]
    assert sorted(ran) == sorted(CHAIN)


def test_a_reader_who_leaves_during_the_forward_pass_leaves_nothing_behind():
    settings, memo = changed(SMALL, {"scores.source": "random"}), Memo(10**9)

    class Left(BaseException):
        pass

    def leave(share, text):
        raise Left

    with pytest.raises(Left):
        run("head_output", settings, memo, progress=leave)
    assert memo.peek(recipe("pyramid", settings)) is None
    assert not memo._being_made


def test_a_stage_costs_what_it_and_all_above_it_cost():
    memo = Memo(10**9)
    assert milliseconds("proposals", SMALL, memo) == 0
    run("proposals", SMALL, memo)
    entries = [memo.peek(recipe(name, SMALL)).milliseconds for name in CHAIN]
    assert milliseconds("proposals", SMALL, memo) == pytest.approx(sum(entries))
    assert 0 < milliseconds("grid", SMALL, memo) < milliseconds("proposals", SMALL, memo)


def test_what_a_stage_asks_for_is_not_counted_twice():
    memo, settings = Memo(10**9), changed(SMALL, {"image.side": 800})
    start = perf_counter()
    run("decoded", settings, memo)
    assert milliseconds("decoded", settings, memo) < 1e3 * (perf_counter() - start)


def test_top_n_first_lays_no_anchors_but_those(ran):
    memo, settings = Memo(10**9), changed(SMALL, {"filter.order": "top-n first"})
    found = run("candidates", settings, memo)
    assert "anchors" not in ran
    anchors, head = run("anchors", settings, memo), run("head_output", settings, memo)
    picture, grid = (run(name, settings, memo) for name in ("image", "grid"))
    again = select_candidates(picture, grid, anchors, head, None, settings.codec, settings.filter)
    assert torch.equal(found.boxes, again.boxes)


@pytest.mark.parametrize("device", DEVICES)
def test_the_device_has_a_name_in_words(device):
    assert len(device_name(changed(SMALL, {"compute.device": device}))) >= 3


def test_there_is_no_such_stage():
    with pytest.raises(KeyError, match="second_stage"):
        run("second_stage", SMALL, Memo(0))


# Pictures that readers bring


def test_two_uploads_never_share_a_recipe_nor_a_result():
    (red, red_bytes), (blue, blue_bytes) = upload_of("red"), upload_of("blue")
    reds, blues = (changed(SMALL, {"image.picture": name}) for name in (red, blue))
    for name in STAGES:
        assert recipe(name, reds) != recipe(name, blues)
    memo = Memo(10**9)
    first = run("image", reds, memo, uploads={red: red_bytes})
    second = run("image", blues, memo, uploads={blue: blue_bytes})
    assert first.pixels[32, 32].tolist() == [255, 0, 0]
    assert second.pixels[32, 32].tolist() == [0, 0, 255]


def test_what_the_memo_holds_is_found_and_what_it_lacks_is_not_made():
    memo = Memo(10**9)
    assert find("grid", SMALL, memo, {}) is None
    assert len(memo) == 0
    grid = run("grid", SMALL, memo)
    assert find("grid", SMALL, memo, {}).value is grid


@pytest.mark.parametrize("uploads", [None, {}, dict([upload_of("blue")])])
@pytest.mark.parametrize("name", ["image", "anchors", "proposals"])
def test_an_upload_that_this_reader_did_not_bring_is_one_sentence(name, uploads):
    red, red_bytes = upload_of("red")
    settings = changed(SMALL, {"image.picture": red})
    memo = Memo(10**9)
    for _ in range(2):  # the second time the memo knows the other reader's result
        with pytest.raises(ValueError) as error:  # noqa: PT011 the whole sentence is compared
            run(name, settings, memo, uploads=uploads)
        expected = "the uploaded picture is gone: upload it again, or pick another"
        assert str(error.value) == expected
        with pytest.raises(ValueError, match="the uploaded picture is gone"):
            find(name, settings, memo, uploads or {})
        run(name, settings, memo, uploads={red: red_bytes})


def test_boxes_that_this_reader_did_not_bring_are_one_sentence_where_they_count():
    name, boxes = f"boxes:{'0' * 64}", torch.tensor([[10.0, 10.0, 200.0, 300.0]])
    settings, memo = changed(PLANTED, {"truth.boxes": name}), Memo(10**9)
    for _ in range(2):  # the second time the memo knows the other reader's result
        with pytest.raises(ValueError, match="the boxes of your own are gone: bring them again"):
            run("proposals", settings, memo)
        run("proposals", settings, memo, uploads={name: pack_boxes(boxes)})
    run("proposals", changed(settings, {"scores.source": "noise"}), memo)  # which reads none


def test_a_sample_is_never_taken_from_the_uploads():
    mine = run("image", SMALL, Memo(10**9), uploads={"astronaut": upload_of("red")[1]})
    assert (mine.pixels == run("image", SMALL, Memo(10**9)).pixels).all()


def test_an_unknown_sample_and_a_broken_upload_are_sentences():
    with pytest.raises(ValueError, match=r"sample must be one of astronaut, .* got 'nobody'"):
        run("proposals", changed(SMALL, {"image.picture": "nobody"}), Memo(0))
    name = f"upload:{hashlib.sha256(b'no picture').hexdigest()}"
    with pytest.raises(ValueError, match="the file is not a picture that can be read"):
        run("proposals", changed(SMALL, {"image.picture": name}), Memo(0), uploads={name: b"no"})


# Known numbers


def test_the_notebook_has_159_882_anchors_at_800():
    settings = PRESETS["notebook"].apply(Settings())
    assert len(run("anchors", settings, Memo(10**9)).boxes) == 159_882


def test_torchvisions_stride_at_p6_is_61():
    settings = PRESETS["torchvision"].apply(Settings())
    assert run("grid", settings, Memo(10**9)).strides[-1] == (61, 61)


# The whole chain

strides_and_sizes = st.sampled_from(
    [
        ((4, 8, 16, 32, 64), ((8,), (16,), (24,), (32,), (64,))),
        ((8, 16), ((8, 12), (30,))),
        ((7,), ((20,),)),
        ((5, 23), ((10,), (40, 60))),
    ]
)


@st.composite
def any_settings(draw):
    strides, sizes = draw(strides_and_sizes)
    return changed(
        SMALL,
        {
            "image.side": draw(st.sampled_from([64, 72])),
            "image.fit": draw(st.sampled_from(["pad", "crop", "keep", "stretch"])),
            "image.picture": draw(st.sampled_from(["astronaut", "coffee"])),
            "scores.seed": draw(st.integers(0, 2**31 - 1)),
            "anchors.strides": strides,
            "anchors.sizes": sizes,
            "anchors.ratios": draw(st.sampled_from([(1,), (0.5, 2), (0.5, 1, 2)])),
            "filter.order": draw(st.sampled_from(["decode first", "top-n first"])),
            "filter.pre_nms": draw(st.integers(1, 300)),
            "filter.top_n_by_level": draw(st.booleans()),
            "filter.min_size": draw(st.sampled_from([0, 8, 24, 512])),
            "filter.min_size_at": draw(st.sampled_from(["input", "photo"])),
            "filter.nms_by_level": draw(st.booleans()),
            "filter.nms_by": draw(st.sampled_from(["scores", "logits"])),
            "nms.iou_threshold": draw(st.sampled_from([0, 0.3, 0.7, 1]) | st.floats(0, 1)),
            "nms.post_nms": draw(st.integers(1, 60)),
            "nms.score_threshold": draw(st.sampled_from([0, 0, 0.49, 0.5, 0.51])),
        },
    )


@examples(max_examples=25)
@given(any_settings())
def test_the_whole_chain_keeps_its_promises(settings):
    memo = Memo(10**8)
    head, grid = run("head_output", settings, memo), run("grid", settings, memo)
    candidates = run("candidates", settings, memo)
    proposals = run("proposals", settings, memo)
    height, width = grid.image_size

    # every anchor has one fate, and the candidates are those that were kept
    assert len(candidates.fate) == len(head.logits) == grid.starts[-1]
    kept = (candidates.fate == Fate.KEPT).nonzero()[:, 0]
    assert sorted(candidates.anchor_index.tolist()) == kept.tolist()
    assert set(candidates.fate.tolist()) <= {Fate.KEPT, Fate.BELOW_TOP_N, Fate.TOO_SMALL}

    # every candidate has one fate, and the proposals are those that were kept
    kept = (proposals.fate == Fate.KEPT).nonzero()[:, 0]
    assert proposals.candidate_index.tolist() == kept.tolist()
    over = int((proposals.fate == Fate.OVER_CAP).sum())
    assert over == 0 or len(kept) == settings.nms.post_nms
    assert len(kept) + over == proposals.survivors
    assert len(kept) <= settings.nms.post_nms
    low = proposals.fate == Fate.LOW_SCORE
    assert torch.equal(low, candidates.scores < settings.nms.score_threshold)
    lost = proposals.suppressed_by >= 0
    assert torch.equal(lost, proposals.fate == Fate.SUPPRESSED)
    assert (proposals.suppressed_by[lost] < lost.nonzero()[:, 0]).all()

    # proposals stand best first, lie within the picture, and overlap no more than allowed
    ranked_by = getattr(head, settings.filter.nms_by)[proposals.anchor_index]
    assert (ranked_by.diff() <= 0).all()
    assert torch.equal(proposals.level, grid.level_of(proposals.anchor_index))
    boxes = proposals.boxes
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([width, height] * 2)).all()
    groups = proposals.level.tolist() if settings.filter.nms_by_level else [0] * len(boxes)
    again, _ = greedy_suppression(boxes.tolist(), groups, settings.nms.iou_threshold)
    assert again == list(range(len(boxes)))

    order, lowest = settings.filter.order, settings.nms.score_threshold
    left = [step.left for step in count_steps(candidates, proposals, order, lowest)]
    assert left == sorted(left, reverse=True)
    assert left[0] == grid.starts[-1]
    assert left[2] == len(candidates.boxes)
    assert left[-2:] == [proposals.survivors, len(boxes)]
