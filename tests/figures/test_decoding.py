"""The histograms of the deltas, read back from the figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.figures import theme
from explorer.figures.decoding import BINS, DELTAS, MARK, count_deltas, delta_histogram
from tests.figures.reading import array, sent
from tests.figures.test_theme import contrast

deltas_of = arrays(
    np.float32,
    st.tuples(st.integers(1, 60), st.just(4)),
    elements=st.floats(-8, 8, width=32, allow_subnormal=False),
)
NONE = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)


def normal(count, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (count, 4)).astype(np.float32)


def shown(counts, place, value=0.25):
    """Both rows' counts, the bins' middles, and the layout."""
    _, (above, below), layout = sent(delta_histogram(counts, place, value))
    rows = array(above["y"]).tolist(), array(below["y"]).tolist()
    np.testing.assert_array_equal(array(above["x"]), array(below["x"]))
    return rows, array(above["x"]), layout


@settings(max_examples=50)
@given(deltas_of, st.data())
def test_counts_are_numpys_and_none_is_lost(deltas, data):
    kept = np.array(data.draw(st.lists(st.integers(0, len(deltas) - 1), unique=True)), np.int64)
    counts = count_deltas(deltas, kept)
    assert counts.sizes == (len(deltas), len(kept))
    for place in range(4):
        (everyone, proposals), middles, layout = shown(counts, place)
        low, high = layout["xaxis"]["range"]
        column = deltas[:, place]
        assert everyone == np.histogram(column, BINS, (low, high))[0].tolist()
        assert proposals == np.histogram(column[kept], BINS, (low, high))[0].tolist()
        assert sum(everyone) == len(deltas)
        assert sum(proposals) == len(kept)
        assert len(middles) == BINS


def test_shifts_share_an_axis_and_so_do_scales():
    deltas = np.array([[-1, 0, 0, 0], [0, 3, 0, 0.5], [0, 0, -2, 0]], np.float32)
    counts = count_deltas(deltas, np.array([1]))
    ranges = [shown(counts, place)[2]["xaxis"]["range"] for place in range(4)]
    assert ranges == [[-1, 3], [-1, 3], [-2, 0.5], [-2, 0.5]]


def test_by_hand():
    deltas = np.array([[0, 0, 0, 0], [6, 0, 0, 0], [0.05, 0, 1, 0]], np.float32)
    (everyone, kept), middles, _ = shown(count_deltas(deltas, np.array([2])), 0)
    assert {i: n for i, n in enumerate(everyone) if n} == {0: 2, BINS - 1: 1}  # bins of 0.1
    assert {i: n for i, n in enumerate(kept) if n} == {0: 1}
    assert middles[0] == pytest.approx(0.05)


def test_what_is_not_finite_counts_nowhere():
    deltas = normal(5)
    deltas[0] = np.nan
    deltas[1] = np.inf
    (everyone, kept), _, _ = shown(count_deltas(deltas, np.array([0, 2])), 1)
    assert sum(everyone) == 3
    assert sum(kept) == 1


@pytest.mark.parametrize("deltas", [NONE[0], np.full((3, 4), 0.5, np.float32)])
def test_none_or_equal_deltas_have_a_figure(deltas):
    (everyone, kept), _, layout = shown(count_deltas(deltas, NONE[1]), 2)
    assert sum(everyone) == len(deltas)
    assert sum(kept) == 0
    low, high = layout["xaxis"]["range"]
    assert low < high


def test_the_shown_anchors_own_delta_is_a_line_through_both_rows():
    counts = count_deltas(normal(50), np.arange(5))
    for place, name in enumerate(DELTAS):
        _, _, layout = shown(counts, place, -0.125)
        (line,) = layout["shapes"]
        assert (line["x0"], line["x1"], line["y0"], line["y1"]) == (-0.125, -0.125, 0, 1)
        assert line["yref"] == "paper"
        assert line["line"]["color"] == MARK
        (heading,) = layout["annotations"]
        assert heading["text"] == f"<b>{name}</b>: this anchor's is −0.125"
    assert shown(counts, 0, float("nan"))[2]["shapes"] == []


def test_the_rows_say_how_many_they_count_on_logarithmic_axes():
    _, _, layout = shown(count_deltas(normal(1234), np.arange(7)), 0)
    assert layout["yaxis"]["title"]["text"] == "1,234 anchors"
    assert layout["yaxis2"]["title"]["text"] == "7 kept"
    assert layout["yaxis"]["type"] == layout["yaxis2"]["type"] == "log"
    assert layout["yaxis"]["domain"][0] > layout["yaxis2"]["domain"][1]


def test_all_anchors_are_few_bytes_to_send():
    counts = count_deltas(normal(160_000), np.arange(1000))
    length, _, _ = sent(delta_histogram(counts, 0, 0.1))
    assert length < 4_000


def test_the_line_stands_out_in_light_and_dark():
    assert contrast(MARK, "#ffffff") >= 3
    assert contrast(MARK, "#0e1117") >= 3
    assert theme.FONT_SIZE >= 15
