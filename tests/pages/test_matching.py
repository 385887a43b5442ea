"""Matching: thresholds, the chosen object, objects of one's own, the sampler's draw."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from explorer.core.claims import short_iou
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.core.truth import unpack_boxes
from tests.pages.test_objects import bring
from tests.pages.test_pages import errors, open_page, png, settings, unfold

SIDE = "256"


def open_matching(**query):
    view = {"image.side": SIDE, "scores.source": "planted", "image.picture": "coffee"}
    return open_page("matching.py", **view | query)


def seen(app) -> str:
    """All words of the page."""
    parts = [each.value for each in (*app.markdown, *app.info, *app.caption)]
    return "\n".join([*parts, *(each.proto.body for each in app.get("html"))])


def metric(app, label: str) -> str:
    return next(each.value for each in app.metric if each.label.startswith(label))


def stage(app, name: str):
    return run(name, settings(app), Memo(10**9), uploads=app.session_state["own"].uploads)


def button(app, label: str):
    return next(each for each in app.button if each.label == label)


def test_lower_thresholds_reach_more_objects():
    app, reached = open_matching(), []
    for high in (0.8, 0.5):
        app.slider(key="match.high").set_value(high).run()
        matches = stage(app, "matches")
        reached.append(int((matches.best_of_object >= high).sum()))
        label = f"Objects that an anchor reaches at IoU {high}"
        assert metric(app, label) == f"{reached[-1]} of 3"
        figure = app.get("bidi_component")[0].proto.bytes.decode()
        positives = int((matches.labels == 1).sum())
        assert f"{positives:,} of {len(matches.labels):,} anchors are positive" in figure
    assert reached[0] < reached[1]


def test_a_low_above_high_is_refused_and_what_was_there_stays():
    app = open_matching()
    app.slider(key="match.low").set_value(0.8).run()
    assert errors(app) == ["match.low must be at most match.high (0.7), got 0.8"]
    assert settings(app).match.low == 0.3
    assert app.slider(key="match.low").value == 0.3
    app.slider(key="match.high").set_value(0.2).run()
    assert errors(app) == ["match.low must be at most match.high (0.2), got 0.3"]
    assert settings(app).match.high == 0.7


def test_a_link_with_low_above_high_says_so():
    app = open_page(**{"match.low": "0.8", "match.high": "0.75"})
    (sentence,) = errors(app)
    assert "match.low must be at most match.high (0.75), got" in sentence
    app.switch_page("matching.py").run()
    assert (app.slider(key="match.high").value, app.slider(key="match.low").value) == (0.75, 0.3)
    assert not app.exception


def test_a_chosen_object_tells_who_claims_it_and_why_nobody_else():
    app = open_matching(**{"match.high": "0.5"})
    app.selectbox(key="claims.object").select(1).run()
    matches = stage(app, "matches")
    own = (matches.labels == 1) & (matches.matched == 1)
    words = seen(app)
    assert "**2 " in words
    count = int(own.sum())
    assert re.search(rf"\b{count} anchors? of P|\b\d+ of P", words)
    assert f"at each of {count:,} positives" in words
    assert app.query_params["claims.object"] == "1"


def test_a_chosen_object_that_is_not_there_is_told_and_all_are_shown():
    app = open_matching(**{"claims.object": "7"})
    assert "Object 8 is chosen, but there are only 3: all are shown." in seen(app)
    assert settings(app).claims.object == -1
    assert app.selectbox(key="claims.object").value == -1
    assert "claims.object" not in app.query_params


def test_the_best_anchor_of_an_object_can_be_followed():
    app = open_matching(**{"claims.object": "0"})
    button(app, "Follow the best one").click().run()
    matches = stage(app, "matches")
    own = ((matches.labels == 1) & (matches.matched == 0)).nonzero()[:, 0]
    followed = settings(app).view.follow
    assert followed in own.tolist()
    assert matches.best_iou[followed] == matches.best_iou[own].max()
    kind = "best-anchor rule" if matches.low_quality[followed] else "positive"
    iou = short_iou(float(matches.best_iou[followed]))
    assert f": {kind}, IoU {iou} with object 1 " in seen(app)


@pytest.mark.parametrize(("anchor", "words"), [("0", "negative"), ("99999999", "")])
def test_the_followed_anchor_is_told_where_there_is_one(anchor, words):
    app = open_matching(**{"view.follow": anchor if anchor == "0" else "1900000"})
    assert not app.exception
    assert ("**Followed** anchor 0 (P2, row 0, column 0): negative" in seen(app)) == bool(words)


def test_a_picture_without_objects_says_what_to_do():
    app = open_matching()
    uploader = next(each for each in app.file_uploader if each.key == "upload")
    uploader.upload("own.png", png(90, 60), "image/png").run()
    assert not app.exception
    assert "This picture has no objects: every anchor is negative." in seen(app)
    assert metric(app, "Positives drawn") == "0"
    assert metric(app, "Negatives drawn") == "256"


def own_objects(**query):
    app = open_matching(**query)
    return bring(app, "boxes.csv", "x1,y1,x2,y2\n10,10,90,90\n100,100,118,109\n300,50,500,300\n")


def boxes_in_force(app) -> np.ndarray:
    return unpack_boxes(app.session_state["own"].uploads[settings(app).truth.boxes]).numpy()


def test_an_object_that_no_anchor_matches_tells_the_reason_in_numbers():
    app = own_objects(**{"match.low_quality": "none"})
    app.selectbox(key="claims.object").select(1).run()
    assert "No anchor claims it; best IoU 0.0" in seen(app)
    # 18 x 9 pixels of the photo, 600 wide, are 8 x 4 of 256: 29.5 of P2's 1,024
    assert "8 x 4 px is smaller than any anchor: right on it, the best, P2's 45 x 23 px" in seen(
        app
    )
    assert "would have IoU 0.028, under 0.7" in seen(app)


def test_an_object_is_moved_and_resized_by_sliders_and_the_others_stay():
    app = own_objects(**{"claims.object": "1"})
    before = boxes_in_force(app)
    unfold(app, "mover").slider(key="object left").set_value(100.0).run()
    after = boxes_in_force(app)
    pixel = stage(app, "image").to_photo(torch.tensor([[0, 0, 1.0, 1]]))[0]
    across, down = (pixel[2:] - pixel[:2]).tolist()
    np.testing.assert_allclose(after[[0, 2]], before[[0, 2]])
    np.testing.assert_allclose(after[1], [100 * across, 100, 100 * across + 18, 109], atol=1e-3)
    assert app.slider(key="object left").value == 100
    app.slider(key="object height").set_value(60.0).run()
    np.testing.assert_allclose(boxes_in_force(app)[1, 3], 100 + 60 * down, atol=1e-3)
    assert errors(app) == []


def test_an_object_that_reaches_over_the_border_is_shifted_inside():
    app = own_objects(**{"claims.object": "2"})
    unfold(app, "mover").slider(key="object left").set_value(250.0).run()
    np.testing.assert_allclose(boxes_in_force(app)[2], [400, 50, 600, 300], atol=1e-2)
    assert errors(app) == []


def test_an_object_that_the_fit_cut_off_keeps_its_row():
    # in the middle square the first object, of the photo's left border, is out of sight
    app = open_matching(**{"image.fit": "crop"})
    app = bring(app, "boxes.csv", "x1,y1,x2,y2\n10,10,40,40\n300,100,400,200\n")
    assert metric(app, "Objects that").endswith("of 1")
    app.selectbox(key="claims.object").select(0).run()
    unfold(app, "mover").slider(key="object height").set_value(128.0).run()
    np.testing.assert_allclose(
        boxes_in_force(app), [[10, 10, 40, 40], [300, 100, 400, 300]], atol=0.5
    )


def test_another_draw_takes_other_anchors_and_the_share_bounds_the_positives():
    app = open_matching(**{"match.high": "0.3", "match.low": "0.2", "claims.sample": "1"})
    positives = int((stage(app, "matches").labels == 1).sum())
    assert positives > 13
    assert int(metric(app, "Positives drawn")) == min(positives, 128)
    before = app.get("bidi_component")[0].proto.bytes
    button(app, "Draw again").click().run()
    assert settings(app).claims.draw == 1
    assert app.get("bidi_component")[0].proto.bytes != before
    app.slider(key="match.positive_fraction").set_value(0.05).run()
    assert metric(app, "Positives drawn") == "12"
    assert metric(app, "Negatives drawn") == "244"
    assert metric(app, "Positive share") == "4.7%"


def test_a_kind_that_is_switched_off_is_not_drawn():
    app = open_matching()
    before = app.get("bidi_component")[0].proto.bytes
    app.toggle(key="claims.low_quality").set_value(False).run()
    after = app.get("bidi_component")[0].proto.bytes
    assert len(after) < len(before)
    assert app.query_params["claims.low_quality"] == "0"
