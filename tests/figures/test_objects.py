import numpy as np

from explorer.figures.objects import MISSED, object_shapes


def test_found_and_missed_objects_are_told_apart_and_dashed():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 20, 20.0]])
    shapes = object_shapes(boxes, np.array([False, True]))
    dashed = [shape for shape in shapes if shape["line"].get("dash") == "dash"]
    assert [shape["path"] for shape in dashed] == ["M0,0H10V10H0Z", "M5,5H20V20H5Z"]
    assert dashed[1]["line"]["color"] == MISSED
    assert dashed[1]["line"]["width"] > dashed[0]["line"]["width"]


def test_no_objects_draw_nothing():
    assert object_shapes(np.zeros((0, 4)), np.zeros(0, bool)) == []
