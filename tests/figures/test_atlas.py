"""The map of sizes, its dots and lines, and the size beside its anchor, read back."""

import base64
import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from explorer.core.atlas import AXIS, lattice_of, size_chart
from explorer.figures import names, theme
from explorer.figures.atlas import object_dots, size_map
from explorer.figures.limits import LINES, iou_limit, stair
from explorer.settings import Anchors
from tests.figures.reading import array, sent, told

CHART = size_chart(lattice_of(Anchors()), "worst")


def traces_of(figure):
    length, traces, layout = sent(figure)
    return traces, layout, length


def test_the_map_shows_the_chart_on_one_scale_for_all_grids():
    made = size_map(CHART, (0.5, 0.7), title="a map", pin=(18, 9))
    (ground, _, ring, key), layout, length = traces_of(made)
    np.testing.assert_array_equal(array(ground["z"]).reshape(49, 49), CHART)
    np.testing.assert_array_equal(array(ground["x"]), AXIS)
    np.testing.assert_array_equal(array(ground["y"]), AXIS)
    assert (key["marker"]["cmin"], key["marker"]["cmax"]) == (0, 1)
    assert [each for _, each in key["marker"]["colorscale"]] == list(theme.HEAT_SCALE)
    contours = ground["contours"]
    assert contours["start"] + contours["size"] == pytest.approx(contours["end"]) == 0.7
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log"
    assert (ring["x"], ring["y"]) == ([18, 18], [9, 9])
    assert ring["marker"]["color"] == ["#000", theme.ACCENT]
    assert length < 22_000


def test_the_colours_are_the_chart_s_a_pixel_a_size_in_its_place():
    made = size_map(np.linspace(0, 1, 49 * 49).reshape(49, 49), (0.5,), title="", pin=(18, 9))
    (image,) = sent(made)[2]["images"]
    pixels = Image.open(io.BytesIO(base64.b64decode(image["source"].split(",")[1])))
    assert pixels.size == (49, 49)
    corners = [(48, 0), (0, 48)]  # the best is the widest and highest, at the top right
    shown = ["#" + bytes(pixels.convert("RGB").getpixel(at)).hex() for at in corners]
    assert shown == [theme.HEAT_SCALE[-1], theme.HEAT_SCALE[0]]
    step = image["sizex"] / 49  # in decades
    assert image["sizex"] == image["sizey"]
    assert 10 ** (image["x"] + step / 2) == pytest.approx(AXIS[0])
    assert 10 ** (image["y"] - step / 2) == pytest.approx(AXIS[-1])


def test_one_mark_is_one_line():
    for marks in ((0.5,), (0.5, 0.5)):
        (ground, *_), _, _ = traces_of(size_map(CHART, marks, title="", pin=(18, 9)))
        assert ground["contours"]["start"] == ground["contours"]["end"] == 0.5
        assert ground["contours"]["size"] > 0


def test_a_lines_iou_stands_on_the_line():
    made = size_map(CHART, (0.5, 0.7), title="", pin=(18, 9))
    words = sent(made)[1][1]
    assert words["text"] == ["0.5", "0.7"]
    for text, x, y in zip(words["text"], array(words["x"]), array(words["y"]), strict=True):
        row, column = np.flatnonzero(y == AXIS)[0], np.searchsorted(AXIS, x) - 1
        low, high = sorted(CHART[row, column : column + 2])
        assert low < float(text) <= high


def test_a_line_that_is_not_there_has_no_words():
    for chart in (np.zeros((49, 49)), np.ones((49, 49))):
        assert not sent(size_map(chart, (0.5, 0.7), title="", pin=(18, 9)))[1][1]["text"]


def test_the_followed_anchor_is_a_diamond():
    made = size_map(CHART, (0.5,), title="", pin=(18, 9), followed=(45, 23))
    marks = [trace["marker"]["symbol"] for trace in traces_of(made)[0][2:-1]]
    assert marks == ["diamond-open", "circle-open"]


def test_a_dot_tells_its_object_and_lies_at_its_size():
    sides = np.array([[120.0, 60.0], [2.0, 1500.0]])
    trace = sent(size_map(CHART, (0.5,), title="", pin=(4, 4), objects=[
        object_dots(sides, ("cup", "rope"), ("story one", "story two"))
    ]))[1][2]  # fmt: skip
    assert (array(trace["x"]).tolist(), array(trace["y"]).tolist()) == ([120, 4], [60, 1024])
    assert told(trace, 0) == "<b>cup</b>, 120 x 60 px<br>story one"
    assert told(trace, 1) == "<b>rope</b>, 2 x 1500 px<br>story two"  # its own size at the edge
    assert trace["text"] == ["cup", "rope"]


def test_many_dots_have_no_names_and_none_are_a_figure():
    many = object_dots(np.full((13, 2), 64.0), ("cup",) * 13, ("",) * 13)
    assert many["mode"] == "markers"
    assert "text" not in many
    none = object_dots(np.zeros((0, 2)), (), ())
    assert len(none["x"]) == 0
    sent(size_map(CHART, (0.5,), title="", pin=(4, 4), objects=[none]))


def test_names_cover_no_dot_and_no_other_name_where_there_is_room():
    at = np.array([[150, 800], [150, 420], [560, 750], [370, 260], [1000, 30], [5, 5]], float)
    labels = ["flag", "shuttle", "man", "helmet", "rail", "gem"]
    places = names.name_places(at, labels)
    taken = [names._beside(*np.log10(each), names.LETTER * len(label))[place]
             for each, label, place in zip(at, labels, places, strict=True)]  # fmt: skip
    for a, b in combinations(taken, 2):
        assert names._hidden(a, [b]) == 0
    low, high = np.log10(AXIS[[0, -1]])
    assert all(low <= min(each) and max(each) <= high for each in taken)


def test_a_dot_on_the_right_sends_a_name_to_the_left():
    at = np.array([[64.0, 64], [80, 64]])
    assert names.name_places(at, ["cup", "saucer"]) == ["middle left", "middle right"]


def test_a_name_without_room_stays_inside_the_map():
    assert names.name_places(np.full((9, 2), 64.0), ["elephant"] * 9)[-1] == "middle right"
    assert names.name_places(np.array([[900.0, 64]] * 9), ["elephant"] * 9)[-1] == "middle left"


def test_another_networks_line_is_its_own_chart_at_the_mark_with_a_halo():
    halo, line = iou_limit("ssd300", CHART, 0.5)
    np.testing.assert_allclose(line["z"] / 200, CHART, atol=0.0026)
    assert line["contours"]["start"] == line["contours"]["end"] == 100
    assert line["line"]["color"] == LINES["ssd300"][0]
    assert halo["line"]["width"] > line["line"]["width"]


def test_the_lines_differ_in_colour_or_dash():
    assert len({colour for colour, _ in LINES.values()}) == len(LINES)
    contours = [LINES[name][1] for name in ("retinanet", "ssd300", "yolov2")]
    assert len(set(contours)) == 3


def test_a_stair_fences_off_its_levels_and_names_those_in_sight():
    line = np.array([[4.0, 8], [8, 8], [128, 8], [128, 16]])
    ends = [128, 256, 512, 1024, np.inf]
    halo, drawn, fence, words = stair("fcos", line, ends, "ABCDE")
    assert drawn["x"].tolist() == halo["x"].tolist() == line[:, 0].tolist()
    assert fence["x"][:4] == [128, 128, AXIS[0], None]
    assert fence["y"][:4] == [AXIS[0], 128, 128, None]
    assert words["text"] == list("ABCD")  # E begins where the map ends
    assert words["x"].tolist() == pytest.approx([512**0.5, 2**7.5, 2**8.5, 2**9.5])
