"""The Decoding page: its arithmetic against the core, its sliders, targets and followed anchors."""

from __future__ import annotations

import math

import pytest
import torch

from explorer.core import pipeline
from explorer.core.coder import decode_boxes, encode_boxes
from explorer.core.filtering import clip_boxes
from explorer.core.memo import Memo
from explorer.pages import _show
from tests.pages.numbers import clips, results, tables
from tests.pages.test_pages import errors, open_page, settings

DELTAS = ("dx", "dy", "dw", "dh")
NOISE = {"scores.source": "noise"}
NEAR = {"rel": 2e-3, "abs": 0.06}  # of a sum of printed, and so rounded, numbers


def open_decoding(**query):
    return open_page("decoding.py", **NOISE | query)


def anchor_of(app, number):
    """(4,) an anchor of the page's grid, from the stage itself."""
    return stage(app, "anchors").boxes[number]


def stage(app, name):
    """A stage's result under a page's settings."""
    return pipeline.run(name, settings(app), Memo(1 << 28))


def shown_deltas(app):
    return torch.tensor([[getattr(settings(app).decoding, name) for name in DELTAS]])


@pytest.mark.parametrize(
    ("clamp", "query"),
    [
        ("log(1000/16)", {}),
        ("4", {"decoding.dx": "-1.37", "decoding.dy": "2", "decoding.dh": "1.15"}),
        ("none", {"decoding.dw": "5.55", "decoding.dh": "-6", "view.level": "0"}),
        ("4", {"decoding.dw": "5.55", "decoding.dh": "-6", "view.level": "0"}),
        ("log(1000/16)", {"decoding.dw": "4.5", "codec.weights": "10_10_1_5"}),
        ("none", {"decoding.dw": "4.5", "codec.weights": "10_10_5_5", "image.fit": "keep"}),
    ],
)
def test_the_arithmetic_on_the_page_is_the_cores(clamp, query):
    app = open_decoding(**query | {"decoding.clamp": clamp})
    (table,) = tables(app)
    for name, again, result in table:  # every line adds up
        assert again == pytest.approx(result, **NEAR), name
    grid, weights = stage(app, "grid"), settings(app).codec.weights
    level = settings(app).view.level
    rows, columns = grid.cells[level]
    number = grid.starts[level] + (rows // 2 * columns + columns // 2) * 3
    limit = {"none": None, "4": 4.0, "log(1000/16)": math.log(1000 / 16)}[clamp]
    box = decode_boxes(anchor_of(app, number)[None], shown_deltas(app), weights, limit)
    (x1, y1, x2, y2) = box[0].tolist()
    found = results(app)
    corners = [r for name, _, r in table if name.startswith(("x1 =", "y1 =", "x2 =", "y2 ="))]
    assert corners == pytest.approx([x1, y1, x2, y2], rel=1e-3, abs=0.0051)
    assert found["w"] == pytest.approx(x2 - x1, rel=1e-2, abs=0.01)
    assert clips(app) == pytest.approx(clip_boxes(box, grid.image_size)[0].tolist(), abs=0.0051)


def test_a_slider_moves_the_box_and_the_link():
    app = open_decoding()
    before = results(app)
    app.slider(key="decoding.dx").set_value(1.0).run()
    moved = results(app)
    width = tables(app)[0][2][2] / math.exp(0.4)  # of the anchor
    assert moved["x"] - before["x"] == pytest.approx(0.8 * width, abs=0.05)
    assert moved["w"] == before["w"]
    assert app.query_params["decoding.dx"] == "1"


def test_the_clamp_can_be_taken_off():
    app = open_decoding(**{"decoding.dw": "6"})
    before = results(app)["w"]
    app.segmented_control(key="decoding.clamp").set_value("none").run()
    assert results(app)["w"] / before == pytest.approx(math.exp(6) / (1000 / 16), rel=1e-2)
    app.segmented_control(key="decoding.clamp").set_value("4").run()
    assert results(app)["w"] / before == pytest.approx(math.exp(4) / (1000 / 16), rel=1e-2)


def test_the_sliders_take_the_heads_own_deltas():
    app = open_decoding(**{"view.level": "2", "view.row": "1", "view.column": "3"})
    app.button(key="take_deltas").click().run()
    grid = stage(app, "grid")
    number = grid.starts[2] + (grid.cells[2][1] + 3) * 3
    deltas = stage(app, "head_output").deltas[number]
    assert shown_deltas(app)[0].tolist() == pytest.approx(deltas.tolist(), abs=1e-5)
    assert not app.exception
    assert errors(app) == []


def test_deltas_beyond_the_sliders_are_said_in_words():
    planted = {"scores.source": "planted", "planted.regression": "1"}
    app = open_decoding(**planted)
    grid, head = stage(app, "grid"), stage(app, "head_output")
    number = int(head.deltas[: grid.starts[1], :2].abs().max(dim=1).values.argmax())
    place = {name: str(int(value)) for name, value in grid.place_of(number).items()}
    app = open_decoding(**planted, **{f"view.{name}": text for name, text in place.items()})
    deltas = head.deltas[number].tolist()
    assert max(map(abs, deltas[:2])) > 2  # the case is what it should be
    app.button(key="take_deltas").click().run()
    ends = [max(-2, min(2, delta)) for delta in deltas[:2]]
    assert shown_deltas(app)[0, :2].tolist() == pytest.approx(ends, abs=1e-5)
    assert any("beyond the sliders, which stop at their ends" in c.value for c in app.caption)


def test_a_target_is_encoded_and_the_way_back_leads_to_it():
    app = open_decoding(**{"decoding.target": "20_30_70_110"})
    deltas = results(app, table=1)
    grid = stage(app, "grid")
    rows, columns = grid.cells[1]
    anchor = anchor_of(app, grid.starts[1] + (rows // 2 * columns + columns // 2) * 3)
    expected = encode_boxes(anchor[None], torch.tensor([[20.0, 30.0, 70.0, 110.0]]))[0].tolist()
    assert [deltas[name] for name in DELTAS] == pytest.approx(expected, abs=6e-5)
    for name, again, result in tables(app)[1]:
        assert again == pytest.approx(result, abs=1e-3), name
    (off,) = [metric.value for metric in app.metric]
    assert 0 <= float(off.removesuffix(" px")) < 1e-4
    app.button(key="reach_target").click().run()
    assert clips(app) == pytest.approx([20, 30, 70, 110], abs=0.01)
    app.button(key="forget_target").click().run()
    assert settings(app).decoding.target is None
    assert len(tables(app)) == 1


def test_a_target_past_the_clamp_says_so():
    small = {"anchors.sizes": "4~8~16~32~64", "view.level": "0", "decoding.clamp": "4"}
    app = open_decoding(**{"image.side": "256", "decoding.target": "0_0_256_40", **small})
    assert any("The clamp stops at 4" in text.value for text in app.markdown)
    assert float(app.metric[0].value.removesuffix(" px")) > 1


def test_an_object_of_the_picture_can_be_the_target():
    app = open_decoding()
    app.button(key="take_object").click().run()
    target = settings(app).decoding.target
    objects = stage(app, "truth").boxes
    assert (objects - torch.tensor(target)).abs().max(dim=1).values.min() < 0.01
    assert errors(app) == []


@pytest.mark.parametrize("target", ["300_300_400_400", "10_10_10_90", "50_50_40_90", "-9_-9_0_5"])
def test_a_target_without_a_size_in_this_picture_is_refused_in_a_sentence(target):
    app = open_decoding(**{"decoding.target": target})
    assert not app.exception
    assert ["no size inside this picture" in info.value for info in app.info] == [True]
    assert len(tables(app)) == 1


def test_a_followed_anchor_is_the_one_that_is_shown():
    app = open_decoding(**{"view.follow": "3100"})
    (text,) = [t.value for t in app.markdown if "This is the followed anchor" in t.value]
    place = stage(app, "grid").place_of(torch.tensor([3100]).numpy())
    assert f"row {place['row'][0]}, column {place['column'][0]}, shape" in text
    x1, _, x2, _ = anchor_of(app, 3100).tolist()
    assert tables(app)[0][0][1] == pytest.approx((x1 + x2) / 2 + 0.2 * (x2 - x1), abs=0.06)
    assert not any(each.key == "view.row" for each in app.number_input)


def test_a_followed_number_that_is_not_there_leaves_the_chosen_cell():
    app = open_decoding(**{"view.follow": "150000"})
    assert not app.exception
    assert any(each.key == "view.row" for each in app.number_input)


def test_moving_a_slider_counts_no_histogram_anew(monkeypatch):
    app = open_decoding()
    calls = []
    monkeypatch.setattr(_show.Memo, "_put", lambda self, entry: calls.append(entry.key[0]))
    app.slider(key="decoding.dx").set_value(-1.0).run()
    assert calls == []
    app.number_input(key="scores.seed").set_value(1).run()
    assert "delta counts" in calls
