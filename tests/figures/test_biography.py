"""The anchor, its box and the lines between, read back from the figure."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.arithmetic import decode_one
from explorer.figures import theme
from explorer.figures.biography import (
    ANCHOR,
    BOX,
    FAR,
    RIVAL,
    Rival,
    close_up,
    decoded_box,
    followed_shapes,
)
from tests.figures.reading import boxes_in, sent
from tests.figures.test_theme import VISIONS, contrast, difference

SIZE = (300, 400)
ANCHOR_BOX = [100.0, 100.0, 140.0, 160.0]
LINE = re.compile(r"M(-?[\d.]+),(-?[\d.]+)L(-?[\d.]+),(-?[\d.]+)")


def decoded(deltas=(0.5, 0.25, 0.4, -0.3), clamp=4.0, anchor=ANCHOR_BOX):
    four = torch.tensor(anchor), torch.tensor(deltas, dtype=torch.float32)
    return decode_one(*four, (1, 1, 1, 1), clamp, SIZE)


def shown(done, **changes):
    """The figure's shapes by name or colour, and its layout."""
    _, traces, layout = sent(decoded_box(done, SIZE, title="A box", photo_url="/p.jpg", **changes))
    assert traces == []
    lines = [shape for shape in layout["shapes"] if not shape["line"]["color"].startswith("rgba")]
    return {shape.get("name", shape["line"]["color"]): shape for shape in lines}, layout


def test_the_anchor_is_dotted_and_its_box_solid():
    done = decoded()
    shapes, layout = shown(done)
    assert boxes_in(shapes[ANCHOR]["path"]).tolist() == [ANCHOR_BOX]
    assert shapes[ANCHOR]["line"]["dash"] == "dot"
    np.testing.assert_allclose(boxes_in(shapes["box"]["path"])[0], done.clipped, atol=0.05)
    assert "dash" not in shapes["box"]["line"]
    assert shapes["box"]["line"]["color"] == BOX
    assert shapes["box"]["line"]["width"] > shapes[ANCHOR]["line"]["width"]
    assert layout["title"]["text"] == layout["meta"]["alt"] == "A box"
    assert [image["source"] for image in layout["images"]] == ["/p.jpg"]


def test_lines_lead_from_each_corner_of_the_anchor_to_the_same_corner_of_the_box():
    done = decoded()
    shapes, _ = shown(done)
    found = np.array(LINE.findall(shapes["links"]["path"]), dtype=float)
    assert found.shape == (4, 4)
    corners = [(i, j) for i in (0, 2) for j in (1, 3)]
    expected = [
        [done.anchor[i], done.anchor[j], done.corners[i], done.corners[j]] for i, j in corners
    ]
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_what_the_clip_cuts_off_is_drawn_thinly():
    done = decoded((-4.0, 0.0, 1.0, 0.0))
    assert done.corners != done.clipped
    shapes, _ = shown(done)
    np.testing.assert_allclose(boxes_in(shapes["whole"]["path"])[0], done.corners, atol=0.05)
    assert shapes["whole"]["line"]["width"] < shapes["box"]["line"]["width"]


def test_every_line_has_a_halo():
    _, layout = shown(decoded(), rival=Rival((10, 10, 60, 60), "winner"))
    halos, lines = layout["shapes"][::2], layout["shapes"][1::2]
    assert [shape["path"] for shape in halos] == [shape["path"] for shape in lines]
    assert all(shape["line"]["color"].startswith("rgba(0,0,0") for shape in halos)
    assert [shape.get("name") for shape in halos] == [shape.get("name") for shape in lines]


def test_a_rival_is_dashed_and_named():
    shapes, layout = shown(decoded(), rival=Rival((10, 20, 60, 80), "winner, #3"))
    assert boxes_in(shapes[RIVAL]["path"]).tolist() == [[10, 20, 60, 80]]
    assert shapes[RIVAL]["line"]["dash"] == "dash"
    words = {word["text"]: word for word in layout["annotations"]}
    assert set(words) == {"anchor", "its box", "winner, #3"}
    assert words["winner, #3"]["font"]["color"] == RIVAL
    assert words["its box"]["name"] == "box"
    assert all(word["font"]["size"] >= theme.FONT_SIZE for word in words.values())
    assert RIVAL not in shown(decoded())[0]


def test_an_exploded_box_has_places_that_a_browser_can_draw():
    done = decoded((0.0, 0.0, 200.0, float("nan")), clamp=None)
    shapes, layout = shown(done, view=close_up(SIZE, [done.anchor, done.clipped]))
    assert max(abs(v) for v in boxes_in(shapes["whole"]["path"]).ravel()) <= FAR
    assert all(np.isfinite([word["x"], word["y"]]).all() for word in layout["annotations"])


def test_words_stay_inside_what_is_shown():
    done = decoded((-4.0, -4.0, 3.0, 3.0))
    view = close_up(SIZE, [done.anchor], air=1)
    _, layout = shown(done, view=view)
    (left, right), (top, bottom) = view
    assert layout["xaxis"]["range"] == [left, right]
    assert layout["yaxis"]["range"] == [bottom, top]  # y grows downwards
    for word in layout["annotations"]:
        assert left <= word["x"] <= right
        assert top < word["y"] < bottom


def test_another_place_starts_its_zoom_anew_and_the_same_one_keeps_it():
    here = shown(decoded(), view=close_up(SIZE, [ANCHOR_BOX]))[1]["uirevision"]
    same = shown(decoded((0, 0, 1, 1)), view=close_up(SIZE, [ANCHOR_BOX]))[1]["uirevision"]
    there = shown(decoded(), view=close_up(SIZE, [[0, 0, 9, 9]]))[1]["uirevision"]
    assert here == same != there


# What is shown

sides = st.integers(64, 2048)
places = st.floats(-1e6, 1e6)
any_box = st.tuples(places, places, st.floats(0, 1e6), st.floats(0, 1e6)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(max_examples=100)
@given(sides, sides, st.lists(any_box, min_size=1, max_size=3), st.floats(0, 3))
def test_a_close_up_has_the_pictures_shape_and_stays_near_it(height, width, boxes, air):
    (left, right), (top, bottom) = close_up((height, width), boxes, air=air)
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.02)
    assert 0.19 <= (right - left) / width <= 4 / 3 + 0.01
    assert left >= -width / 6 - 0.2
    assert right <= width * 7 / 6 + 0.2


@settings(max_examples=100)
@given(st.data(), st.floats(0, 2))
def test_a_close_up_holds_every_box_inside_the_picture(data, air):
    numbers = [
        data.draw(st.lists(st.floats(0, end), min_size=2, max_size=2).map(sorted))
        for end in (400, 300)
    ]
    (x1, x2), (y1, y2) = numbers
    (left, right), (top, bottom) = close_up(SIZE, [(x1, y1, x2, y2)], air=air)
    assert left - 0.2 <= x1 <= x2 <= right + 0.2
    assert top - 0.2 <= y1 <= y2 <= bottom + 0.2
    assert -0.2 <= left <= right <= 400.2  # no empty border without need
    assert -0.2 <= top <= bottom <= 300.2


def test_a_close_up_shows_what_sticks_out():
    (left, right), _ = close_up(SIZE, [(-40, 100, 60, 160)], air=0.1)
    assert left <= -40
    assert right - left < 200


def test_the_whole_picture_is_a_close_up_too():
    (left, right), (top, bottom) = close_up(SIZE, [(0, 0, 400, 300)], air=0)
    assert (left, right, top, bottom) == (0, 400, 0, 300)


# The mark of a followed box on any figure


def test_a_followed_box_is_outlined_in_the_colour_of_what_the_reader_picked():
    halo, line = followed_shapes(np.array([10.0, 20.0, 30.0, 60.0]))
    assert boxes_in(line["path"]).tolist() == [[10, 20, 30, 60]]
    assert line["line"]["color"] == theme.ACCENT
    assert halo["path"] == line["path"]


@pytest.mark.parametrize("vision", VISIONS)
def test_anchor_box_and_rival_are_told_apart_by_all_eyes(vision):
    for one, other in ((ANCHOR, BOX), (ANCHOR, RIVAL), (BOX, RIVAL)):
        assert difference(one, other, vision) > 15
    assert all(contrast(colour, theme.CANVAS) >= 3 for colour in (ANCHOR, BOX, RIVAL))
