"""The histogram's counts, and the heat map's pixels."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.scores import BINS, heat_map, histogram
from explorer.settings import Anchors
from tests.figures.reading import array, grid_of, longest_array, sent


def bars(scores, parts=None, *, full_axis=False, log_counts=False):
    """The histogram as the browser gets it: its counts, its bin middles, and its layout."""
    parts = parts or [("all anchors", "#123456", scores)]
    made = histogram(scores, parts, full_axis=full_axis, log_counts=log_counts)
    _, traces, layout = sent(made)
    low, high = layout["xaxis"]["range"]
    edges = np.linspace(low, high, BINS + 1)
    counts = []
    for trace in traces:  # empty bins are not sent
        bins = np.searchsorted(edges, array(trace["x"])) - 1
        middles = (edges[bins] + edges[bins + 1]) / 2
        np.testing.assert_allclose(array(trace["x"]), middles, atol=1e-6)
        assert len(set(bins.tolist())) == len(bins)
        counts.append(np.zeros(BINS, dtype=int))
        counts[-1][bins] = array(trace["y"])
    return [each.tolist() for each in counts], array(traces[0]["x"]), traces, layout


scores_of = arrays(np.float32, st.integers(1, 300), elements=st.floats(0, 1, width=32))


@settings(max_examples=60)
@given(scores_of, st.booleans())
def test_counts_are_numpys(scores, full_axis):
    (counts,), middles, _, layout = bars(scores, full_axis=full_axis)
    expected, _ = np.histogram(scores, BINS, layout["xaxis"]["range"])
    assert counts == expected.tolist()
    assert sum(counts) == len(scores)  # none is lost at an end of the axis
    assert len(middles) == np.count_nonzero(expected)


@settings(max_examples=30)
@given(st.lists(st.integers(0, BINS), min_size=1, max_size=200))
def test_scores_exactly_on_an_edge_belong_to_the_bin_on_its_right(steps):
    # edges of 1/80: only the last bin holds its right edge as well
    scores = np.linspace(0, 1, BINS + 1)[np.array([0, BINS, *steps])]
    (counts,), _, _, _ = bars(scores, full_axis=True)
    expected = np.bincount(np.minimum([0, BINS, *steps], BINS - 1), minlength=BINS)
    assert counts == expected.tolist()


def test_counts_by_hand():
    scores = np.array([0, 0.0124, 0.0125, 0.5, 0.9875, 1, 1])  # bins of 0.0125
    (counts,), middles, (bar,), _ = bars(scores, full_axis=True)
    assert {i: n for i, n in enumerate(counts) if n} == {0: 2, 1: 1, 40: 1, 79: 3}
    assert middles[[0, -1]].tolist() == pytest.approx([0.00625, 0.99375])
    assert bar["width"] == pytest.approx(0.0125)


def test_the_axis_zooms_to_the_data_or_shows_it_all():
    scores = np.array([0.49, 0.5, 0.51], dtype=np.float32)
    _, _, _, layout = bars(scores)
    assert layout["xaxis"]["range"] == pytest.approx([0.49, 0.51], abs=1e-6)
    _, _, _, layout = bars(scores, full_axis=True)
    assert layout["xaxis"]["range"] == [0, 1]


def test_parts_share_the_bins_of_all_scores():
    scores = np.array([0.0, 0.2, 0.4, 0.8], dtype=np.float32)
    parts = [("P2", "#111111", scores[:2]), ("P3", "#222222", scores[2:]), ("P4", "#333333", [])]
    counts, _, traces, layout = bars(scores, parts)
    assert [sum(part) for part in counts] == [2, 2, 0]
    assert counts[1][-1] == 1  # 0.8 ends the axis, though not the first part
    assert [trace["name"] for trace in traces] == ["P2", "P3", "P4"]
    assert [trace["marker"]["color"] for trace in traces] == ["#111111", "#222222", "#333333"]
    assert layout["barmode"] == "overlay"
    assert layout["showlegend"] is True
    assert traces[1]["hovertemplate"].endswith("<extra>P3</extra>")
    _, _, _, alone = bars(scores)
    assert alone["showlegend"] is False


def test_a_logarithmic_axis_of_counts():
    scores = np.array([0.1, 0.9], dtype=np.float32)
    assert bars(scores, log_counts=True)[3]["yaxis"]["type"] == "log"
    linear = bars(scores)[3]
    assert linear["yaxis"]["type"] == "linear"
    assert linear["uirevision"] != bars(scores, log_counts=True)[3]["uirevision"]  # zoom restarts


@pytest.mark.parametrize("full_axis", [False, True])
@pytest.mark.parametrize(
    "scores",
    [
        [],
        [0.5],
        [0.5] * 1000,
        [0.0] * 3,
        [1.0] * 3,
        [0.5, 0.5 + 6e-8],
        np.linspace(0.9, 0.9 + 1.1e-5, 50),
    ],
    ids=["none", "one", "equal", "all 0", "all 1", "one step of float32", "within 1e-5"],
)
def test_few_or_equal_scores_have_a_histogram(scores, full_axis):
    scores = np.array(scores, dtype=np.float32)
    (counts,), _, _, layout = bars(scores, full_axis=full_axis)
    assert sum(counts) == len(scores)
    low, high = layout["xaxis"]["range"]
    assert low < high
    assert BINS == 80  # the notebook's


def test_a_histogram_of_all_anchors_is_small_to_send():
    scores = np.random.default_rng(0).normal(0.5, 0.01, 160_000).astype(np.float32)
    made = histogram(scores, [("all", "#123456", scores)], full_axis=False, log_counts=False)
    length, traces, layout = sent(made)
    assert length < 5_000
    assert longest_array(traces) <= BINS
    assert "160,000" in layout["meta"]["alt"]


# Heat map


def mapped(grid, scores, level=0, photo="/photo.png"):
    """The heat map as the browser gets it: its length, its picture, its traces and its layout."""
    length, traces, layout = sent(heat_map(grid, scores, level, "P3", photo))
    return length, picture_in(layout["images"][-2]), traces, layout


def picture_in(image):
    start, data = image["source"].split(",")
    assert start == "data:image/png;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def grid_with(rows, columns, per_cell=1, stride=8, size=None):
    size = size or (rows * stride, columns * stride)
    return Grid(size, ((rows, columns),), ((stride, stride),), (per_cell,))


def test_a_cell_takes_the_best_of_its_anchors_and_its_colour_from_the_scale():
    # 1 x 5 cells of 2 anchors: best 0, 1/4, 1/2, 3/4, 1, which are the scale's five colours
    scores = np.array([0, -1, 0.25, 0.2, 0.5, 0.5, 0.7, 0.75, 1, 0], dtype=np.float32)
    _, picture, _, _ = mapped(grid_with(1, 5, per_cell=2), scores)
    block = picture.shape[1] // 5
    assert picture.shape == (block, 5 * block, 3)
    for cell, colour in enumerate(theme.HEAT_SCALE):
        pixels = picture[:, cell * block : (cell + 1) * block].reshape(-1, 3)
        assert (pixels == pixels[0]).all()  # a block of one colour, not blurred
        np.testing.assert_allclose(pixels[0], rgb(colour), atol=3)  # 256 steps


@settings(max_examples=25)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3)),
        elements=st.floats(0, 1, width=32),
    )
)
def test_blocks_grow_lighter_with_the_score(scores):
    rows, columns, per_cell = scores.shape
    _, picture, _, _ = mapped(grid_with(rows, columns, per_cell), scores.reshape(-1))
    block = picture.shape[0] // rows
    assert picture.shape == (rows * block, columns * block, 3)
    light = picture[block // 2 :: block, block // 2 :: block].astype(float) @ [0.2126, 0.7152, 0.07]
    best = scores.max(axis=2).reshape(-1)
    order = np.argsort(best, kind="stable")
    assert (np.diff(light.reshape(-1)[order]) > -2).all()


def test_the_map_covers_its_grid_even_where_that_reaches_past_the_input():
    grid = grid_with(4, 5, stride=8, size=(30, 36))
    _, _, _, layout = mapped(grid, np.zeros(20, dtype=np.float32))
    photo, shown, _ = layout["images"]
    assert (photo["sizex"], photo["sizey"]) == (36, 30)
    assert shown["sizex"] == pytest.approx(40, abs=0.01)
    assert shown["sizey"] == pytest.approx(32, abs=0.01)
    assert shown["sizing"] == "stretch"
    assert layout["xaxis"]["range"] == [0, 36]  # the axes cut it


def test_the_map_takes_the_level_that_it_is_given():
    grid = grid_of(Anchors(), 256, 256)
    scores = np.arange(8 * 8 * 3, dtype=np.float32)
    _, picture, _, layout = mapped(grid, scores, level=3)
    assert picture.shape[0] % 8 == 0
    assert layout["title"]["text"] == "P3: best score of each of 64 cells"


def test_the_key_spans_the_scores():
    scores = np.array([0.25, 0.5, 0.4, 0.3], dtype=np.float32)
    _, _, traces, layout = mapped(grid_with(2, 2), scores)
    assert traces == []
    assert [(word["y"], word["text"]) for word in layout["annotations"]] == [
        (0, "0.250"),
        (0.5, "0.375"),
        (1, "0.500"),
    ]
    key = picture_in(layout["images"][-1])[:, 0]
    assert key[[-1, 0]].tolist() == [
        rgb(colour) for colour in theme.HEAT_SCALE[::4]
    ]  # low is below
    assert layout["meta"]["alt"].endswith("from 0.250 to 0.500")


def test_on_the_blank_canvas_the_map_is_opaque():
    grid, scores = grid_with(2, 2), np.array([0, 1, 0, 1], dtype=np.float32)
    assert mapped(grid, scores, photo=None)[3]["images"][0]["opacity"] == 1
    assert mapped(grid, scores)[3]["images"][1]["opacity"] < 1


def test_equal_scores_and_a_single_cell_have_a_map():
    _, picture, _, layout = mapped(grid_with(3, 3), np.full(9, 0.5, dtype=np.float32))
    assert (picture == picture[0, 0]).all()
    assert {word["text"] for word in layout["annotations"]} == {"0.500"}
    _, picture, _, _ = mapped(grid_with(1, 1), np.ones(1, dtype=np.float32))
    assert (picture == picture[0, 0]).all()


def test_the_finest_level_is_small_to_send():
    grid = grid_of(Anchors(), 800, 800)
    scores = np.random.default_rng(0).random(grid.counts[0]).astype(np.float32)
    length, _, traces, _ = mapped(grid, scores)
    assert length < 100_000
    assert longest_array(traces) < 100


# The followed anchor


def test_the_followed_score_is_a_line_with_its_number():
    scores = np.array([0.2, 0.4, 0.8], dtype=np.float32)
    made = histogram(
        scores, [("all", "#123456", scores)], full_axis=True, log_counts=True, followed=0.4
    )
    _, _, layout = sent(made)
    (line,) = layout["shapes"]
    assert (line["x0"], line["x1"], line["y0"], line["y1"]) == (0.4, 0.4, 0, 1)
    assert line["yref"] == "paper"  # a logarithmic axis of counts has no 0
    (word,) = layout["annotations"]
    assert (word["text"], word["x"], word["xanchor"]) == ("followed: 0.4", 0.4, "left")


@pytest.mark.parametrize("followed", [None, float("nan")])
def test_without_a_followed_score_there_is_no_line(followed):
    scores = np.array([0.2, 0.4, 0.8], dtype=np.float32)
    made = histogram(
        scores, [("all", "#123456", scores)], full_axis=True, log_counts=False, followed=followed
    )
    assert sent(made)[2]["shapes"] == sent(made)[2]["annotations"] == []


@pytest.mark.parametrize("level", [0, 2])
def test_the_followed_cell_is_outlined_on_every_levels_map(level):
    grid = grid_of(Anchors(), 256, 256)
    scores = np.linspace(0, 1, grid.counts[level], dtype=np.float32)
    made = heat_map(grid, scores, level, "P?", None, (1, 3, 10))
    halo, line = sent(made)[2]["shapes"]
    square, *arms = line["path"].partition("Z")
    # level 1 has stride 8: row 3 starts at 24 px, column 10 at 80
    assert square + "Z" == "M80,24H88V32H80Z"
    assert "".join(arms) == "ZM67.2,28H80M88,28H100.8M84,11.2V24M84,32V44.8"
    assert line["line"]["color"] == theme.ACCENT
    assert halo["path"] == line["path"]
    assert sent(heat_map(grid, scores, level, "P?", None))[2]["shapes"] == []
