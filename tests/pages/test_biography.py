"""The biography on the Proposals page, and the line that names the followed box on every page."""

from __future__ import annotations

import re

import pytest

from explorer.core import pipeline
from explorer.core.candidates import Fate
from explorer.core.memo import Memo
from tests.pages.numbers import clips, tables
from tests.pages.test_pages import errors, open_page, settings

NOISE = {"scores.source": "noise", "filter.pre_nms": "200", "nms.iou_threshold": "0.4"}


def stages(app, *names):
    memo = Memo(1 << 28)
    return [pipeline.run(name, settings(app), memo) for name in names]


def open_biography(**query):
    return open_page("proposals.py", **NOISE | query)


def facts(app) -> dict[str, str]:
    """The rows of the table of facts."""
    (body,) = [e.proto.body for e in app.get("html") if 'class="facts"' in e.proto.body]
    return dict(re.findall(r"<th>(.*?)</th><td>(.*?)</td>", body))


def ending(app) -> str:
    (text,) = [t.value for t in app.markdown if "-badge[kept]" in t.value or "[dropped]" in t.value]
    return text


def numbers(text):
    return [float(each.replace("−", "-")) for each in re.findall(r"−?\d+\.\d+", text)]


def test_without_a_followed_box_one_sentence_asks_for_one():
    app = open_biography()
    assert any(t.value.startswith("Click a box above, or give a rank") for t in app.markdown)
    assert tables(app) == []


def test_a_rank_follows_that_candidate_and_its_numbers_are_the_cores():
    app = open_biography()
    app.number_input(key="follow_rank").set_value(5).run()
    grid, anchors, head, candidates = stages(app, "grid", "anchors", "head_output", "candidates")
    number = int(candidates.anchor_index[4])
    assert settings(app).view.follow == number
    assert app.query_params["view.follow"] == str(number)
    assert app.number_input(key="follow_number").value == number
    told = facts(app)
    place = {name: int(v) for name, v in grid.place_of(number).items()}
    level = settings(app).anchors.level_names[place["level"]]
    assert told["where"] == f"{level}, row {place['row']}, column {place['column']}"
    assert numbers(told["deltas"]) == pytest.approx(head.deltas[number].tolist(), abs=6e-5)
    x1, y1, x2, y2 = anchors.boxes[number].tolist()
    sides = [x2 - x1, y2 - y1, (x1 + x2) / 2, (y1 + y2) / 2]
    assert numbers(told["anchor"].partition(": ")[2]) == pytest.approx(sides, abs=0.006)
    size = settings(app).anchors.sizes[place["level"]][0]
    ratio = settings(app).anchors.ratios[place["shape"]]
    assert told["anchor"].startswith(f"size {size:g} at ratio {ratio:g} (w/h): ")
    power, score, logit = numbers(told["score"])
    assert (-power, score, logit) == pytest.approx(
        (float(head.logits[number]), float(head.scores[number]), float(head.logits[number])),
        abs=6e-5,
    )
    assert "5 of 200 candidates" in told["rank"]
    assert clips(app) == pytest.approx(candidates.boxes[4].tolist(), abs=0.0051)
    for name, again, result in tables(app)[0]:
        assert again == pytest.approx(result, rel=2e-3, abs=0.06), name


def test_a_suppressed_box_leads_to_the_box_that_won():
    app = open_biography()
    candidates, proposals = stages(app, "candidates", "proposals")
    loser = int((proposals.fate == Fate.SUPPRESSED).nonzero()[0])
    app.number_input(key="follow_rank").set_value(loser + 1).run()
    winner = int(proposals.suppressed_by[loser])
    assert f"Suppressed by candidate #{winner + 1}," in ending(app)
    app.button(key="follow_winner").click().run()
    assert settings(app).view.follow == int(candidates.anchor_index[winner])
    assert app.number_input(key="follow_rank").value == winner + 1
    assert "Kept: proposal" in ending(app)
    assert not any(button.key == "follow_winner" for button in app.button)


def test_an_anchor_that_never_became_a_candidate_has_a_life_too():
    app = open_biography()
    (candidates,) = stages(app, "candidates")
    dropped = int((candidates.fate == Fate.BELOW_TOP_N).nonzero()[0])
    app.number_input(key="follow_number").set_value(dropped).run()
    assert "Dropped by the top-n: it is number" in ending(app)
    assert app.number_input(key="follow_rank").value is None
    assert "candidates" not in facts(app)["rank"]
    app.number_input(key="follow_number").set_value(None).run()
    assert settings(app).view.follow == -1


def test_a_new_threshold_tells_the_box_its_new_end():
    app = open_biography()
    (proposals,) = stages(app, "proposals")
    loser = int((proposals.fate == Fate.SUPPRESSED).nonzero()[0])
    app.number_input(key="follow_rank").set_value(loser + 1).run()
    app.slider(key="nms.iou_threshold").set_value(1.0).run()
    assert "Kept: proposal" in ending(app)
    app.slider(key="nms.score_threshold").set_value(1.0).run()
    assert "Dropped by the score threshold" in ending(app)


@pytest.mark.parametrize("preset", ["ssd300", "retinanet", "torchvision"])
def test_every_convention_has_a_biography(preset):
    app = open_biography(**{"view.follow": "100"})
    app.selectbox(key="preset").select(preset).run()
    assert not app.exception
    assert errors(app) == []
    shape = {"ssd300": "pair ", "retinanet": "size ", "torchvision": "size "}[preset]
    assert facts(app)["anchor"].startswith(shape)


def test_a_number_that_the_new_settings_no_longer_contain_says_so_and_shows_nothing_else():
    app = open_biography(**{"view.follow": "4000"})
    assert len(tables(app)) == 1
    app.switch_page("anchors.py").run()
    app.slider(key="stride 0").set_value(16).run()
    app.switch_page("proposals.py").run()
    assert not app.exception
    (sentence,) = [info.value for info in app.info]
    total = stages(app, "grid")[0].starts[-1]
    assert sentence.startswith("Anchor 4,000 is followed, but these settings have only ")
    assert f"{total:,} anchors" in sentence
    assert tables(app) == []
    assert app.number_input(key="follow_number").value is None


# The line above every page


@pytest.mark.parametrize("file", ["overview.py", "decoding.py", "about.py"])
def test_every_page_says_which_anchor_is_followed_and_lets_it_go(file):
    app = open_page(file, **NOISE | {"view.follow": "3100"})
    (place,) = [stages(app, "grid")[0].place_of(3100)]
    where = f"(P3, row {place['row']}, column {place['column']})"
    (line,) = [t.value for t in app.markdown if t.value.startswith("**Following")]
    assert line == f"**Following anchor 3,100 {where}**"
    app.button(key="stop_following").click().run()
    assert not app.exception
    assert settings(app).view.follow == -1
    assert not any(t.value.startswith("**Following") for t in app.markdown)


def test_the_line_says_when_there_is_no_such_anchor():
    app = open_page(**NOISE | {"view.follow": "1999999"})
    assert not app.exception
    assert any(t.value.startswith("Anchor 1,999,999 is followed, but") for t in app.markdown)


@pytest.mark.parametrize("file", ["overview.py", "scores.py", "recall.py"])
def test_a_followed_box_changes_the_figures_of_a_page(file):
    plots = [
        [e.proto.bytes for e in open_page(file, **NOISE | query).get("bidi_component")]
        for query in ({}, {"view.follow": "3100"})
    ]
    without, marked = plots
    assert without[0] != marked[0]
