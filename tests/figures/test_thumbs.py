"""The overview's small pictures: SVG that says what each step does."""

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from explorer.figures import theme, thumbs
from tests.figures.reading import boxes_in, crosses_in, world


def drawn_in(html):
    """The SVG that a thumb carries, parsed: its view box, and its elements."""
    data = re.search(r"data:image/svg\+xml;base64,([^\"]+)", html)[1]
    root = ET.fromstring(base64.b64decode(data).decode())
    return root.get("viewBox"), [(element.tag.split("}")[1], element) for element in root]


def elements(svg):
    return drawn_in(thumbs.thumb((600, 800), None, svg))[1]


def test_a_thumb_is_the_photo_dimmed_under_a_drawing_in_input_pixels():
    html = thumbs.thumb((600, 800), "/photo.png", '<rect width="5"/>')
    assert '<img src="/photo.png" alt="">' in html
    assert 'class="dim"' in html
    assert "aspect-ratio:800/600" in html
    view_box, [(tag, element)] = drawn_in(html)
    assert view_box == "0 0 800 600"
    assert (tag, element.get("width")) == ("rect", "5")


def test_a_thumb_without_a_photo_or_a_drawing():
    html = thumbs.thumb((600, 800), None)
    assert html.count("<img") == 1
    assert "dim" not in html
    assert drawn_in(html)[1] == []
    assert "dim" not in thumbs.thumb((600, 800), "/photo.png")


def test_the_anchors_thumb_shows_one_cells_anchors_of_every_level_about_the_middle():
    anchors, grid, laid = world("notebook", 800, 600)
    (_, tile), (_, cells), *levels = elements(thumbs.anchors(grid, laid, anchors.offset))
    assert place_of(tile) == [0, 0, 32, 32]  # P5's stride
    assert crosses_in(tile[0].get("d"))[0].tolist() == [[16, 16]]
    assert place_of(cells) == [0, 0, 19 * 32, 25 * 32]
    assert len(levels) == 5
    for level, (_, path) in enumerate(levels):
        boxes = boxes_in(path.get("d"))
        assert len(boxes) == 3
        np.testing.assert_allclose((boxes[:, :2] + boxes[:, 2:]) / 2, [[300, 400]] * 3, atol=0.06)
        assert path.get("stroke") == theme.level_colour(level)
    np.testing.assert_allclose(boxes_in(levels[0][1].get("d"))[1], [284, 384, 316, 416])


def test_the_cells_stand_where_the_offset_has_their_centres():
    _, grid, laid = world("torchvision", 800, 600)
    (_, tile), (_, cells), *_ = elements(thumbs.anchors(grid, laid, 0))
    down, across = grid.strides[3]
    assert place_of(tile) == [-across / 2, -down / 2, across, down]
    assert crosses_in(tile[0].get("d"))[0].tolist() == [[across / 2, down / 2]]
    rows, columns = grid.cells[3]
    assert place_of(cells) == [-across / 2, -down / 2, columns * across, rows * down]


def place_of(element):
    return [float(element.get(side)) for side in ("x", "y", "width", "height")]


def test_the_anchors_thumb_of_a_single_level():
    anchors, grid, laid = world("py-faster-rcnn", 100, 100)
    drawing = elements(thumbs.anchors(grid, laid, anchors.offset))
    assert [len(path.get("d").split("Z")) - 1 for _, path in drawing[2:]] == [9]


def test_boxes_take_their_levels_colours():
    boxes = np.array([[0, 0, 9, 9], [5, 5, 20, 30], [1, 1, 2, 2]], dtype=np.float32)
    paths = elements(thumbs.boxes(boxes, np.array([2, 0, 2])))
    assert [path.get("stroke") for _, path in paths] == [theme.LEVELS[0], theme.LEVELS[2]]
    assert boxes_in(paths[1][1].get("d")).tolist() == [[0, 0, 9, 9], [1, 1, 2, 2]]
    assert thumbs.boxes(boxes[:0], np.zeros(0, dtype=np.int64)) == ""


@pytest.mark.parametrize("side", [0.0, 0.001, 16.0, 512.0])
def test_the_minimum_size_is_a_square_in_the_middle_with_its_side_in_words(side):
    (_, square), (_, words) = elements(thumbs.size((600, 800), side))
    assert float(square.get("width")) == float(square.get("height")) == side
    assert float(square.get("x")) == 400 - side / 2
    assert float(square.get("y")) == 300 - side / 2
    assert words.text == f"{side:g} px"
    assert float(words.get("y")) < float(square.get("y"))


def test_bars_stand_on_the_ground_and_the_highest_is_85_percent():
    scores = np.repeat([0.0, 0.5, 1.0], [1, 7, 3])
    ((_, path),) = elements(thumbs.bars((600, 800), scores))
    bars = re.findall(r"M(\d+),600V(\d+)h20V600Z", path.get("d"))
    assert len(bars) == 40
    heights = {int(x): 600 - int(top) for x, top in bars if int(top) < 600}
    # log2 of 1 + count is 1, 3 and 2: a third, all and two thirds of 0.85 x 600
    assert heights == {0: 170, 400: 510, 780: 340}


@pytest.mark.parametrize("scores", [[], [0.5], [0.5] * 9])
def test_few_or_equal_scores_have_bars(scores):
    ((_, path),) = elements(thumbs.bars((600, 800), np.array(scores, dtype=np.float32)))
    assert path.get("d").count("Z") == 40
