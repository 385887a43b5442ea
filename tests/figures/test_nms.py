import numpy as np
import pytest

from explorer.figures import theme
from explorer.figures.nms import (
    BACK,
    KEPT,
    LABELS,
    STROKES,
    Rescored,
    rescored_boxes,
    survivors_curve,
)
from tests.figures.reading import array, boxes_in, sent, told

THRESHOLDS = np.arange(101) / 100


def curve(survivors=None, threshold=0.7, survive=70, candidates=100):
    survivors = np.arange(101) if survivors is None else survivors
    now = {"threshold": threshold, "survive": survive, "cap": 40, "candidates": candidates}
    return sent(survivors_curve(THRESHOLDS, survivors, **now))


def test_the_curve_has_every_threshold_the_cap_and_the_threshold_in_force():
    size, (line, cap, now), layout = curve()
    np.testing.assert_allclose(array(line["x"]), THRESHOLDS, atol=1e-6)
    assert array(line["y"]).tolist() == list(range(101))
    assert cap["y"] == [40, 40]
    assert cap["x"] == [0, 1]
    assert cap["name"] == "cap of 40"
    assert set(now["x"]) == {0.7}
    assert now["y"][1] == 70
    assert now["text"][1] == "<b>70</b>"
    assert now["y"][2] == layout["yaxis"]["range"][1] > 100
    assert "70 of 100 at 0.7, cap 40" in layout["meta"]["alt"]
    assert size < 4000


@pytest.mark.parametrize(("threshold", "survive"), [(0, 0), (1, 100), (0.295, 29)])
def test_the_point_in_force_is_what_survives_there(threshold, survive):
    _, (_, _, now), _ = curve(threshold=threshold, survive=survive)
    assert set(now["x"]) == {threshold}
    assert now["y"][1] == survive
    assert now["text"][1] == f"<b>{survive}</b>"


def test_no_candidates_make_an_empty_curve():
    _, (line, _, now), layout = curve(np.zeros(101), survive=0, candidates=0)
    assert set(array(line["y"]).tolist()) == {0}
    assert now["y"][1] == 0
    assert layout["yaxis"]["range"][1] > 0


def rescored(count, back=None, boxes=None):
    corner = np.arange(count)[:, None] * [37.0, 53.0] % 180
    boxes = np.hstack([corner, corner + 20]) if boxes is None else boxes
    before, after = np.linspace(0.9, 0.5, count), np.linspace(0.8, 0.1, count)
    back = np.arange(count) % 3 == 1 if back is None else back
    return Rescored(boxes, before, after, np.arange(count) * 2 + 1, back)


def drawn(taken):
    return sent(rescored_boxes(taken, (200, 200), "/input/x.jpg", "some boxes"))


def test_every_box_is_drawn_in_the_colour_of_what_hard_nms_does_with_it():
    taken = rescored(9)
    _, _, layout = drawn(taken)
    by_colour = {shape["line"]["color"]: boxes_in(shape["path"]) for shape in layout["shapes"]}
    np.testing.assert_array_equal(by_colour[BACK], taken.boxes[taken.back].round())
    np.testing.assert_array_equal(by_colour[KEPT], taken.boxes[~taken.back].round())


def test_the_hover_tells_both_scores_and_hard_nms_of_a_box():
    _, (points,), _ = drawn(rescored(3))
    assert told(points, 1) == "<b>#3</b><br>score 0.700 → 0.450<br>hard NMS suppresses it"
    assert "hard NMS keeps it" in told(points, 2)


def test_labels_are_final_scores_that_do_not_crowd_and_stay_inside():
    taken = rescored(30)
    _, _, layout = drawn(taken)
    labels = layout["annotations"]
    assert 3 < len(labels) <= LABELS
    assert labels[0]["text"] == "<b>0.80</b>"
    for label in labels:
        assert 0 <= label["x"] <= 170
        assert label["y"] >= 16
    places = [(label["x"], label["y"]) for label in labels]
    for i, (x, y) in enumerate(places):
        assert all(abs(x - u) >= 200 / 6 or abs(y - v) >= 200 / 11 for u, v in places[:i])
    same = rescored(5, boxes=np.tile([10.0, 20.0, 60.0, 70.0], (5, 1)))
    assert len(drawn(same)[2]["annotations"]) == 1


def test_no_boxes_are_a_picture_alone():
    _, (points,), layout = drawn(rescored(0))
    assert points["customdata"] == []
    assert layout["shapes"] == []
    assert len(layout["images"]) == 1


def test_the_strokes_of_the_live_picture_are_of_the_palette():
    for name, (colour, opacity) in STROKES.items():
        assert colour in {*theme.LEVELS, theme.ACCENT, "#000000"}
        assert 0 < opacity <= 1, name
    loud = [STROKES[name][0] for name in ("winner", "gone", "kept", "cut", "undecided")]
    assert len(set(loud)) == len(loud)
