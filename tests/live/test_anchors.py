"""What the browser gets to draw anchors: settings, never the anchors themselves."""

import json

from explorer.live.anchors import anchor_data
from explorer.presets import PRESETS
from explorer.settings import Anchors, View

COLOURS = {"levels": ["#56B4E9"], "shapes": ["#E69F00"], "accent": "#FFD400"}


def sent(anchors: Anchors = PRESETS["notebook"].anchors, view: View = View(), side: int = 800):  # noqa: B008
    return anchor_data((side, side), "/photo.jpg", anchors, view, COLOURS)


def test_the_settings_of_the_anchors_are_sent_as_they_are():
    for preset in PRESETS.values():
        data = json.loads(json.dumps(sent(preset.anchors)))
        assert Anchors.model_validate(data["anchors"]) == preset.anchors


def test_picture_cell_and_followed_anchor_are_sent():
    data = sent(view=View(level=2, row=7, column=-1, follow=123))
    assert (data["image"], data["photo"]) == ((800, 800), "/photo.jpg")
    assert (data["level"], data["cell"], data["follow"]) == (2, (7, -1), 123)


def test_a_level_that_is_not_there_is_the_last_one():
    assert sent(PRESETS["py-faster-rcnn"].anchors, View(level=7))["level"] == 0
    assert sent(view=View(level=4))["level"] == 4


def test_a_million_anchors_are_no_more_to_send_than_a_hundred():
    few = sent(Anchors(strides=(128,) * 5), side=256)
    many = sent(side=2048)
    assert len(json.dumps(many)) < len(json.dumps(few)) + 10 < 2000


def test_the_largest_settings_stay_small_to_send():
    level = tuple(range(100, 116))
    anchors = Anchors(strides=(64,) * 8, sizes=(level,) * 8, ratios=tuple(range(1, 17)))
    assert len(json.dumps(sent(anchors, side=2048))) < 3000
