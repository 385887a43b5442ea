import numpy as np

from explorer.figures.recall import MISSED, object_shapes, recall_curve


def test_found_and_missed_objects_are_told_apart_and_dashed():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 20, 20.0]])
    shapes = object_shapes(boxes, np.array([False, True]))
    dashed = [shape for shape in shapes if shape["line"].get("dash") == "dash"]
    assert [shape["path"] for shape in dashed] == ["M0,0H10V10H0Z", "M5,5H20V20H5Z"]
    assert dashed[1]["line"]["color"] == MISSED
    assert dashed[1]["line"]["width"] > dashed[0]["line"]["width"]


def test_no_objects_draw_nothing():
    assert object_shapes(np.zeros((0, 4)), np.zeros(0, bool)) == []


def test_the_curve_ends_with_the_proposals_and_shows_the_ceiling():
    counts = np.array([1, 2, 5, 10])
    figure = recall_curve(counts, np.array([0.1, 0.2, 0.3, 0.3]), 0.75, 0.5, proposals=5)
    curve, ceiling = figure.data
    assert list(curve.x) == [1, 2, 5]
    assert list(ceiling.y) == [0.75, 0.75]


def test_a_curve_without_objects_or_proposals_is_a_figure():
    recall_curve(np.array([1, 2]), np.array([np.nan, np.nan]), float("nan"), 0.5, proposals=0)
