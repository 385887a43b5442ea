"""The table of claims and the histograms of targets, read back as the browser gets them."""

import numpy as np
import pytest

from explorer.core.claims import Claim, Verdict
from explorer.core.offers import Offer
from explorer.figures.claims import BINS, DELTAS, ROWS, claim_table, target_histograms
from explorer.figures.objects import MISSED
from tests.figures.reading import array, sent

LEVELS = ("P2", "P3", "P4")
OFFER = Offer(1.0, 0, (32, 32), "")


def claim(number, *by_level, verdict=Verdict.MATCHED):
    return Claim(number, (32, 32), by_level, 0, 0.8, OFFER, verdict, 0.7, 4)


def table(claims, selected=None):
    labels = tuple(f"thing {claim.object}" for claim in claims)
    return sent(claim_table(claims, labels, LEVELS, selected))


def test_a_row_an_object_and_a_column_a_level():
    _, (heat,), layout = table([claim(0, 0, 4, 11), claim(1, 1, 0, 0, verdict=Verdict.NO_SHAPE)])
    np.testing.assert_array_equal(
        array(heat["z"]).reshape(2, 3), [[np.nan, 4, 11], [1, np.nan, np.nan]]
    )
    assert layout["xaxis"]["ticktext"] == ["P2", "P3", "P4"]
    first, second = layout["yaxis"]["ticktext"]
    assert first == "1 thing 0 "
    assert "✗ 2 thing 1" in second
    assert MISSED in second
    assert layout["yaxis"]["range"] == [1.5, -0.5]  # the first object stands on top
    assert heat["y"] == layout["yaxis"]["tickvals"] == [0, 1]  # a click's y is the object


def test_the_selected_object_is_outlined():
    _, _, layout = table([claim(i, 1, 1, 1) for i in range(3)], selected=2)
    (outline,) = layout["shapes"]
    assert (outline["y0"], outline["y1"], outline["x0"], outline["x1"]) == (1.5, 2.5, -0.5, 2.5)
    assert [text.startswith("<b>") for text in layout["yaxis"]["ticktext"]] == [False, False, True]
    assert table([claim(0, 1, 1, 1)])[2]["shapes"] == []


def test_of_many_objects_the_first_rows_or_those_up_to_the_selected_are_shown():
    many = [claim(i, 0, 1, 0) for i in range(ROWS + 5)]
    _, _, layout = table(many)
    assert layout["yaxis"]["tickvals"] == list(range(ROWS))
    assert layout["title"]["text"] == f"Positive anchors: objects 1 to {ROWS} of {ROWS + 5}"
    _, (heat,), layout = table(many, selected=ROWS + 2)
    assert layout["yaxis"]["tickvals"] == list(range(3, ROWS + 3))
    assert heat["y"] == list(range(3, ROWS + 3))


def test_no_objects_have_a_table():
    _, (heat,), layout = table([])
    assert array(heat["z"]).size == 0
    assert layout["yaxis"]["ticktext"] == []


def bars(targets):
    _, (trace, words), layout = sent(
        target_histograms(np.array(targets, dtype=np.float32).reshape(-1, 4))
    )
    return trace, words, layout


def counts_of(trace, name):
    """Where one delta's bars stand, and what each counts."""
    found = [told == name for told, _ in trace["customdata"]]
    return array(trace["x"])[found], np.array([count for _, count in trace["customdata"]])[found]


def test_every_target_is_counted_once_and_where_it_lies():
    draw = np.random.default_rng(0).normal(0, [0.1, 0.1, 0.3, 0.3], (50, 4))
    trace, _, layout = bars(draw)
    reach = layout["xaxis"]["range"][1]
    assert layout["xaxis"]["range"][0] == -reach
    assert reach >= np.abs(draw).max()
    for place, name in enumerate(DELTAS):
        counts, edges = np.histogram(draw[:, place], BINS, (-reach, reach))
        middles, counted = counts_of(trace, name)
        np.testing.assert_array_equal(counted, counts[counts > 0])
        np.testing.assert_allclose(middles, ((edges[:-1] + edges[1:]) / 2)[counts > 0], atol=1e-6)
        assert counted.sum() == 50


def test_each_histogram_fills_its_row_and_no_other():
    trace, _, _ = bars(np.random.default_rng(1).normal(0, 0.2, (80, 4)))
    names = [name for name, _ in trace["customdata"]]
    assert [*dict.fromkeys(zip(names, array(trace["base"]).tolist(), strict=True))] == [
        ("dx", 3), ("dy", 2), ("dw", 1), ("dh", 0)
    ]  # fmt: skip
    heights = array(trace["y"])
    for name in DELTAS:
        own = heights[[told == name for told in names]]
        _, counted = counts_of(trace, name)
        np.testing.assert_allclose(own, 0.7 * counted / counted.max(), rtol=1e-6)
    assert len(set(trace["marker"]["color"])) == 4


def test_each_histogram_tells_mean_spread_and_its_highest_bar():
    _, words, layout = bars([[0.1, -0.2, 0, 0], [0.3, -0.2, 0, 1]])
    assert set(words["x"]) == {layout["xaxis"]["range"][0]}
    assert [*zip(words["text"], array(words["y"]), strict=True)] == [
        ("<b>dx</b>  mean +0.200, spread 0.100, highest bar 1", 3.7),
        ("<b>dy</b>  mean −0.200, spread 0.000, highest bar 2", 2.7),
        ("<b>dw</b>  mean +0.000, spread 0.000, highest bar 2", 1.7),
        ("<b>dh</b>  mean +0.500, spread 0.500, highest bar 1", 0.7),
    ]


def test_no_positives_have_empty_histograms():
    trace, words, _ = bars([])
    assert array(trace["y"]).size == 0
    assert words["text"][0] == "<b>dx</b>"


@pytest.mark.parametrize("value", [0.0, 1e-9])
def test_targets_of_zero_lie_in_the_middle_bar(value):
    trace, _, _ = bars([[value] * 4])
    for name in DELTAS:
        middles, counted = counts_of(trace, name)
        np.testing.assert_allclose(middles, [0], atol=1e-9)
        assert counted.tolist() == [1]
