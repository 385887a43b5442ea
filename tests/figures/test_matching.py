"""The picture of the Matching page: which anchors it draws, how, and what they tell."""

import numpy as np
import pytest
import torch

from explorer.core.labels import Kind, anchor_kinds
from explorer.core.layout import shape_names
from explorer.core.matching import match_boxes
from explorer.figures import theme
from explorer.figures.matching import COLOURS, MOST, Labelled, matching_picture
from explorer.figures.objects import FOUND, MISSED, Objects
from tests.figures.reading import boxes_in, sent, told, world

ANCHORS, GRID, ALL = world("notebook", 256, 256)
OBJECTS = np.array([[20, 12, 84, 76], [120, 100, 138, 109], [100, 150, 250, 250]], dtype=np.float32)
EVERY = tuple(Kind)


def labelled(objects=OBJECTS, high=0.7, low=0.3, rule="first", of=(ANCHORS, GRID, ALL)):
    matches = match_boxes(of[2].boxes, torch.from_numpy(objects), high, low, rule)
    kinds = anchor_kinds(matches)
    return Labelled(of[2].boxes.numpy(), kinds, matches.matched.numpy(), matches.best_iou.numpy())


LABELLED = labelled()


def shown(anchors=LABELLED, objects=OBJECTS, of=(ANCHORS, GRID, ALL), kinds=EVERY, **changes):
    """The figure as the browser gets it."""
    reached = np.arange(len(objects)) != 1
    names, levels = shape_names(of[0]), of[0].level_names
    look = {"shown": kinds, "title": "Matching", "photo_url": "/photo.jpg"} | changes
    return sent(matching_picture(anchors, Objects(objects, reached), of[1], levels, names, **look))


def drawn(layout, colour, **line):
    """(N, 4) boxes drawn in a colour."""
    found = [
        boxes_in(shape["path"])
        for shape in layout["shapes"]
        if shape["line"]["color"] == colour and line.items() <= shape["line"].items()
    ]
    return np.concatenate([np.zeros((0, 4)), *found])


def same(found, boxes):
    boxes = np.asarray(boxes).round(1)
    np.testing.assert_allclose(found[np.lexsort(found.T)], boxes[np.lexsort(boxes.T)], atol=0.01)


def of_kind(kind, anchors=LABELLED):
    return np.flatnonzero(anchors.kinds == kind)


def test_positives_and_the_rules_own_are_boxes_of_their_colours():
    _, _, layout = shown()
    for kind in (Kind.POSITIVE, Kind.LOW_QUALITY):
        index = of_kind(kind)
        assert len(index)
        same(drawn(layout, COLOURS[kind]), LABELLED.boxes[index])


@pytest.mark.parametrize("left_out", [Kind.POSITIVE, Kind.LOW_QUALITY])
def test_a_kind_that_is_not_shown_is_not_drawn(left_out):
    _, (points,), layout = shown(kinds=[kind for kind in Kind if kind != left_out])
    assert len(drawn(layout, COLOURS[left_out])) == 0
    assert len(points["customdata"]) == len(of_kind(5 - left_out))  # the other of the two


def test_ignored_and_negative_anchors_are_one_image():
    for kinds, images in (((), 1), ((Kind.IGNORED,), 2), ((Kind.IGNORED, Kind.NEGATIVE), 2)):
        _, _, layout = shown(kinds=kinds)
        assert len(layout["images"]) == images
        assert len(layout["shapes"]) <= 4  # the objects alone


def test_objects_are_numbered_and_dashed_white_or_vermilion():
    _, _, layout = shown()
    same(drawn(layout, FOUND, dash="dash"), OBJECTS[[0, 2]])
    same(drawn(layout, MISSED, dash="dash"), OBJECTS[[1]])
    numbers = layout["annotations"]
    assert [number["text"] for number in numbers] == ["<b>1</b>", "<b>2</b>", "<b>3</b>"]
    assert [number["font"]["color"] for number in numbers] == [FOUND, MISSED, FOUND]
    assert [(number["x"], number["y"]) for number in numbers] == [(20, 12), (120, 100), (100, 150)]


def test_a_selected_object_shows_its_own_anchors_alone_and_can_be_dragged():
    _, (points,), layout = shown(selected=0)
    own = of_kind(Kind.POSITIVE)
    own = own[LABELLED.matched[own] == 0]
    assert 0 < len(own) < len(of_kind(Kind.POSITIVE)) + len(of_kind(Kind.LOW_QUALITY))
    same(drawn(layout, COLOURS[Kind.POSITIVE]), LABELLED.boxes[own])
    assert len(drawn(layout, COLOURS[Kind.LOW_QUALITY])) == 0
    assert {fact[6] for fact in points["customdata"]} == {1}
    same(drawn(layout, FOUND, width=4.5), OBJECTS[[0]])
    same(drawn(layout, FOUND, dash="dash"), OBJECTS[[2]])
    assert layout["meta"]["movable"] == OBJECTS[0].tolist()
    assert "movable" not in shown()[2]["meta"]


def test_the_sample_is_thick_the_others_are_faint_and_its_negatives_are_boxes():
    positive, negative = of_kind(Kind.POSITIVE), of_kind(Kind.NEGATIVE)
    assert len(positive) > 2
    _, (points,), layout = shown(sample=np.concatenate([positive[:2], negative[:3]]))
    green = [s for s in layout["shapes"] if s["line"]["color"] == COLOURS[Kind.POSITIVE]]
    faint, thick = sorted(green, key=lambda shape: shape["line"]["width"])
    same(boxes_in(thick["path"]), LABELLED.boxes[positive[:2]])
    same(boxes_in(faint["path"]), LABELLED.boxes[positive[2:]])
    assert faint["opacity"] < 1
    assert "opacity" not in thick
    same(drawn(layout, COLOURS[Kind.NEGATIVE]), LABELLED.boxes[negative[:3]])
    words = {fact[11]: fact[4] for fact in points["customdata"]}
    assert words[positive[0]] == "positive, in the sample"
    assert words[positive[2]] == "positive"
    assert words[negative[0]] == "negative, in the sample"


def test_the_sample_of_a_selected_object_is_its_own():
    beside = np.flatnonzero((LABELLED.kinds == 0) & (LABELLED.matched == 2) & (LABELLED.iou > 0))
    far = np.flatnonzero((LABELLED.kinds == 0) & (LABELLED.iou == 0))
    sample = np.sort(np.concatenate([beside[:4], far[:4]]))
    _, _, layout = shown(selected=2, sample=sample)
    same(drawn(layout, COLOURS[Kind.NEGATIVE]), LABELLED.boxes[beside[:4]])


def test_the_followed_anchor_is_marked_and_tells_its_kind():
    anchor = int(of_kind(Kind.IGNORED)[0])
    _, (points,), layout = shown(followed=anchor)
    same(drawn(layout, theme.ACCENT), LABELLED.boxes[[anchor]])
    (words,) = [fact[4] for fact in points["customdata"] if fact[11] == anchor]
    assert words == "ignored"


def test_the_hover_tells_kind_iou_object_cell_and_shape():
    # P3's square anchor at row 5, column 6 is object 1 itself: anchor 3 (64² + 5 x 32 + 6) + 1
    anchor = 3 * (64 * 64 + 5 * 32 + 6) + 1
    _, (points,), _ = shown()
    number = [fact[11] for fact in points["customdata"]].index(anchor)
    assert told(points, number) == (
        "<b>positive</b>, IoU 1.000 with object 1<br>P3, row 5, column 6"
        f"<br>shape 1, anchor {anchor:,}"
    )


def test_of_a_crowd_the_best_are_boxes_and_the_others_dots():
    crowd = labelled(high=0.05, low=0.01)
    index = of_kind(Kind.POSITIVE, crowd)
    assert len(index) > 2 * MOST
    _, _, layout = shown(crowd, kinds=(Kind.POSITIVE,))
    boxes = drawn(layout, COLOURS[Kind.POSITIVE])
    assert len(boxes) == MOST
    best = index[np.argsort(-crowd.iou[index], kind="stable")[:MOST]]
    same(boxes, crowd.boxes[best])
    assert len(layout["images"]) == 2


def test_no_objects_and_no_anchors_have_a_figure():
    none = np.zeros((0, 4), dtype=np.float32)
    _, (points,), layout = shown(labelled(none), none)
    assert layout["shapes"] == []
    assert points["customdata"] == []
    assert not layout.get("annotations")


@pytest.mark.parametrize("high", [0.7, 0.35])
def test_the_default_picture_is_at_most_100_kb(high):
    of = world("notebook")
    draw = np.random.default_rng(0)
    centres, sides = draw.uniform(80, 720, (20, 2)), draw.uniform(20, 150, (20, 2))
    objects = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).astype(np.float32)
    anchors = labelled(objects, high=high, of=of)
    sample = np.flatnonzero(anchors.kinds == Kind.NEGATIVE)[::600][:256]
    length, _, _ = shown(anchors, objects, of, sample=sample)
    assert length < 100_000
