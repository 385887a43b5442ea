"""The drawn boxes: which, in which colour, what they tell, and how much there is to send."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.layout import shape_names
from explorer.figures import theme
from explorer.figures.proposals import CROWD, DrawnBoxes, top_boxes
from explorer.presets import PRESETS
from tests.figures.reading import array, boxes_in, grid_of, longest_array, sent, told


def drawn(count, grid, seed=0):
    """Random boxes, best first."""
    draw = np.random.default_rng(seed)
    height, width = grid.image_size
    corners = np.sort(draw.uniform(0, [width, height], (count, 2, 2)), axis=1)
    scores = np.sort(draw.uniform(0.4, 0.6, count))[::-1]
    anchor_index = draw.choice(grid.starts[-1], count, replace=False)
    boxes = corners.reshape(-1, 4).astype(np.float32)
    return DrawnBoxes(boxes, scores.astype(np.float32), anchor_index, np.arange(1, count + 1))


def shown(boxes, preset="notebook", colour="level", side=800, **changes):
    """The figure as the browser gets it."""
    anchors = PRESETS[preset].anchors
    figure = top_boxes(
        boxes,
        grid_of(anchors, side, side),
        anchors.level_names,
        shape_names(anchors),
        colour=colour,
        title="After NMS",
        photo_url="/photo.png",
        **changes,
    )
    return sent(figure)


def grid_for(preset="notebook", side=800):
    return grid_of(PRESETS[preset].anchors, side, side)


# two boxes of P2 and one of P6: anchor 4 is row 0, column 1, ratio 1; 159,879 starts P6's last cell
BY_HAND = DrawnBoxes(
    boxes=np.array([[0, 0, 40, 20], [300.4, 310, 420.8, 500], [10, 10, 30, 30]], dtype=np.float32),
    scores=np.array([0.9, 0.5, 0.5], dtype=np.float32),
    anchor_index=np.array([4, 159_881, 600]),
    rank=np.array([1, 2, 3]),
)


def test_boxes_are_drawn_in_their_levels_colour_above_one_halo():
    _, _, layout = shown(BY_HAND)
    halo, p2, p6 = layout["shapes"]
    assert boxes_in(p2["path"]).tolist() == [[0, 0, 40, 20], [10, 10, 30, 30]]
    assert p2["line"]["color"] == theme.level_colour(0)
    np.testing.assert_allclose(boxes_in(p6["path"]), [[300.4, 310, 420.8, 500]], atol=1e-6)
    assert p6["line"]["color"] == theme.level_colour(4)
    assert len(boxes_in(halo["path"])) == 3
    assert halo["line"]["width"] > p2["line"]["width"]


def test_the_best_scores_are_drawn_last_and_lightest():
    _, _, layout = shown(BY_HAND, colour="score")
    _, worst, best = layout["shapes"]
    assert boxes_in(best["path"]).tolist() == [[0, 0, 40, 20]]
    assert best["line"]["color"] == theme.SCORE_SCALE[-1]
    assert len(boxes_in(worst["path"])) == 2
    assert worst["line"]["color"] == theme.SCORE_SCALE[0]


def test_five_equal_steps_of_score():
    # in steps of 1/8 from 0 to 1: 0.2 ends the first step, and the best stays in the last
    scores = np.arange(8, -1, -1, dtype=np.float32) / 8
    boxes = np.tile(np.array([0, 0, 9, 9], dtype=np.float32), (9, 1)) + np.arange(9)[:, None]
    nine = DrawnBoxes(boxes.astype(np.float32), scores, np.arange(9), np.arange(1, 10))
    _, _, layout = shown(nine, colour="score")
    counts = {s["line"]["color"]: len(boxes_in(s["path"])) for s in layout["shapes"][1:]}
    assert counts == dict(zip(theme.SCORE_SCALE, (2, 2, 1, 2, 2), strict=True))


def test_the_hover_tells_rank_score_cell_shape_and_size():
    _, (points,), _ = shown(BY_HAND)
    assert [told(points, number) for number in range(3)] == [
        "<b>#1</b>  score 0.9000<br>P2, row 0, column 1<br>shape 1<br>40 x 20 px",
        "<b>#2</b>  score 0.5000<br>P6, row 12, column 12<br>shape 2<br>120 x 190 px",
        "<b>#3</b>  score 0.5000<br>P2, row 1, column 0<br>shape 0.5<br>20 x 20 px",
    ]
    assert array(points["x"]).tolist() == [20, 361, 20]
    assert points["customdata"][1][:4] == pytest.approx([300.4, 310, 420.8, 500])


def test_several_sizes_a_level_are_told_in_the_hover():
    index = np.array([3])  # the second size's first ratio
    one = DrawnBoxes(np.ones((1, 4)) * [0, 0, 9, 9], np.array([0.5]), index, np.array([1]))
    _, (points,), _ = shown(one, "retinanet")
    assert "shape 40.3175 at 0.5<br>" in told(points, 0)
    _, (points,), _ = shown(one, "ssd300")
    assert "shape 21.2132 x 42.4264<br>" in told(points, 0)


@settings(max_examples=25)
@given(st.integers(0, 60), st.sampled_from(["level", "score"]), st.integers(0, 10**6))
def test_every_box_is_drawn_once(count, colour, seed):
    boxes = drawn(count, grid_for(), seed)
    _, (points,), layout = shown(boxes, colour=colour)
    paths = [boxes_in(shape["path"]) for shape in layout["shapes"][1:]]
    found = np.concatenate([np.zeros((0, 4)), *paths])
    np.testing.assert_allclose(
        found[np.lexsort(found.T)], (b := boxes.boxes.round(1))[np.lexsort(b.T)], atol=0.01
    )
    assert len(points["customdata"]) == count


@pytest.mark.parametrize("colour", ["level", "score"])
def test_no_boxes_have_a_figure(colour):
    none = DrawnBoxes(
        boxes=np.zeros((0, 4), dtype=np.float32),
        scores=np.zeros(0, dtype=np.float32),
        anchor_index=np.zeros(0, dtype=np.int64),
        rank=np.zeros(0, dtype=np.int64),
    )
    _, (points,), layout = shown(none, colour=colour)
    assert layout["shapes"] == []
    assert points["customdata"] == []
    assert layout["title"]["text"] == "After NMS"


def test_equal_scores_are_one_step():
    boxes = drawn(5, grid_for())
    equal = DrawnBoxes(boxes.boxes, np.full(5, 0.5, "f4"), boxes.anchor_index, boxes.rank)
    _, _, layout = shown(equal, colour="score")
    assert len(layout["shapes"]) == 2  # the halo, and one colour


def test_a_crowd_is_drawn_at_whole_pixels_without_a_halo():
    few, many = drawn(CROWD, grid_for()), drawn(CROWD + 1, grid_for())
    paths = [shape["path"] for shape in shown(few, colour="score")[2]["shapes"]]
    assert len(paths) == 1 + len(theme.SCORE_SCALE)
    assert "." in paths[0]
    paths = [shape["path"] for shape in shown(many, colour="score")[2]["shapes"]]
    assert len(paths) == len(theme.SCORE_SCALE)
    assert not any("." in path for path in paths)
    assert sum(len(boxes_in(path)) for path in paths) == CROWD + 1


@pytest.mark.parametrize("preset", ["notebook", "retinanet", "ssd300"])
@pytest.mark.parametrize("colour", ["level", "score"])
def test_a_thousand_boxes_are_at_most_100_kb(preset, colour):
    length, traces, layout = shown(drawn(1000, grid_for(preset)), preset, colour)
    assert length < 100_000
    assert longest_array([traces, layout]) <= 10_000


def test_a_thousand_boxes_on_the_largest_picture_are_at_most_100_kb():
    length, _, _ = shown(drawn(1000, grid_for(side=2048)), side=2048)
    assert length < 100_000
