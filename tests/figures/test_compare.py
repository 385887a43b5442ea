import numpy as np
import pytest

from explorer.figures.compare import SIDES, Side, apart, counts_of_steps, ghosts, recalls
from tests.figures.reading import BOX, sent

BOXES = np.array([[10, 20, 110, 90], [5.5, 6, 30, 200]], np.float32)
NONE = np.zeros((0, 4), np.float32)


def boxes_in(layout, colour, axis):
    return [
        [float(n) for n in match]
        for shape in layout["shapes"]
        if shape["line"]["color"] == colour and shape["xref"] == axis
        for match in BOX.findall(shape["path"])
    ]


def test_each_picture_has_its_own_boxes_in_its_own_colour():
    sides = [Side("A", NONE, BOXES[:1], ["why A"]), Side("B", BOXES[:1], BOXES[1:], ["why B"])]
    _, traces, layout = sent(apart((200, 300), "/photo.jpg", sides))
    first = boxes_in(layout, SIDES[0], "x")
    second = boxes_in(layout, SIDES[1], "x2")
    assert [box[:4] for box in first] == [[10, 20, 110, 90]]
    assert [box[:4] for box in second] == [[5.5, 6, 30, 200]]
    assert boxes_in(layout, SIDES[0], "x2") == []
    assert [trace["customdata"][0][4] for trace in traces] == ["why A", "why B"]
    assert [trace["xaxis"] for trace in traces] == ["x", "x2"]


def test_zooming_one_picture_zooms_the_other():
    _, _, layout = sent(apart((200, 300), None, [Side(n, NONE, NONE, []) for n in "AB"]))
    assert layout["xaxis2"]["matches"] == "x"
    assert layout["yaxis2"]["matches"] == "y"
    assert layout["xaxis"]["range"] == layout["xaxis2"]["range"] == [0, 300]
    assert layout["images"] == []


def test_the_photo_lies_under_both():
    _, _, layout = sent(apart((200, 300), "/photo.jpg", [Side(n, NONE, NONE, []) for n in "AB"]))
    assert [image["xref"] for image in layout["images"]] == ["x", "x2"]


def test_ghosts_are_seen_close_up_and_whole():
    cells = [("one", BOXES[:1], (60.0, 55.0)), ("two", BOXES[1:] + 40, (70.0, 60.0))]
    _, traces, layout = sent(ghosts((800, 800), None, cells))
    every = np.concatenate([boxes for _, boxes, _ in cells])
    (left, right), (bottom, top) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    assert left < every[:, 0].min() < every[:, 2].max() < right
    assert top < every[:, 1].min() < every[:, 3].max() < bottom
    assert right - left == pytest.approx(bottom - top)
    dashes = [shape["line"].get("dash") for shape in layout["shapes"] if "dash" in shape["line"]]
    assert dashes == ["dash"]
    assert [trace["customdata"][0][4] for trace in traces] == [1, 1]


def test_a_recall_curve_ends_with_its_proposals():
    counts = np.array([1, 10, 100, 1000])
    curves = [("A", np.array([0.1, 0.2, 0.3, 0.4]), 100), ("B", np.zeros(4), 0)]
    figure = recalls(counts, curves, 0.5)
    assert list(figure["data"][0]["x"]) == [1, 10, 100]
    assert list(figure["data"][1]["x"]) == [1]
    assert [trace["line"]["color"] for trace in figure["data"]] == list(SIDES)


def test_counts_are_told_exactly_and_zero_too():
    sides = [("A", {"anchors": 1234, "proposals": 0}), ("B", {"anchors": 1234, "low": 7})]
    figure = counts_of_steps(sides)
    assert list(figure["data"][0]["y"]) == ["anchors", "proposals"]
    assert list(figure["data"][0]["x"]) == [1234, 0.4]  # written ",d", as whole numbers
    assert figure["data"][0]["texttemplate"] == "%{x:,d}"
    assert list(figure["data"][1]["y"]) == ["anchors", "low"]
