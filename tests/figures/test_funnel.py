"""The funnel's bars and bands, their numbers, and the boxes of a band, read back."""

import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.candidates import Fate
from explorer.core.funnel import steps_of, trace_flow
from explorer.figures import theme
from explorer.figures.band import CROWD, band_boxes
from explorer.figures.funnel import funnel
from explorer.figures.pieces import BANDS, BAR, GAP, NECK, lay_out, piece_at
from tests.figures.reading import boxes_in, sent, told, world

PARTS = ("P2", "P3", "P4")
COLOURS = ["#000001", "#000002", "#000003"]


def flow_of(seed=0, count=400, order="decode first", threshold=0.0):
    rng = np.random.default_rng(seed)
    kinds = [f for f in Fate if threshold > 0 or f != Fate.LOW_SCORE]
    fates = torch.from_numpy(rng.choice(kinds, count).astype(np.int8))
    part = rng.choice(3, count, p=[0.7, 0.25, 0.05])
    return trace_flow(fates, part, PARTS, steps_of(order, threshold))


def width(ends):
    return ends[1] - ends[0]


@pytest.mark.parametrize("scale", ["by step", "linear"])
def test_every_width_is_a_count_in_the_unit_of_its_step(scale):
    flow = flow_of()
    totals = flow.entering.sum(axis=1)
    for piece in lay_out(flow, scale):
        step = int(piece.top)
        unit = 1 / (totals[0] if scale == "linear" else totals[step])
        next_unit = 1 / (totals[0] if scale == "linear" else totals[min(step + 1, 4)])
        assert width(piece.above) == pytest.approx(piece.count * unit)
        wanted = next_unit if piece.look == "neck" else unit
        assert width(piece.below) == pytest.approx(piece.count * wanted)


def test_by_step_each_bar_is_full_and_linear_it_is_its_share():
    flow = flow_of()
    for scale, shares in (("by step", [1] * 5), ("linear", flow.entering.sum(axis=1) / 400)):
        bars = [p for p in lay_out(flow, scale) if p.look == "bar" and p.top == int(p.top)]
        for step, share in enumerate(shares):
            here = sorted(p.above for p in bars if p.top == step)
            assert here[0][0] == 0
            assert here[-1][1] == pytest.approx(share)
            assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(here))


def test_bands_leave_a_bar_side_by_side_and_arrive_without_a_gap():
    flow = flow_of(seed=3)
    pieces = lay_out(flow, "by step")
    for step in range(len(flow.steps)):
        leaving = sorted(p.above for p in pieces if p.top == pytest.approx(step + BAR))
        assert leaving[0][0] == 0
        assert leaving[-1][1] == pytest.approx(1)
        assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(leaving))
        arriving = {
            look: sorted(p.below for p in pieces if p.look == look and int(p.top) == step)
            for look in ("kept", "lost")
        }
        assert arriving["lost"][0][0] == pytest.approx(arriving["kept"][-1][1] + GAP)
        assert arriving["lost"][-1][1] == pytest.approx(1 + GAP)


@settings(max_examples=60)
@given(st.integers(0, 9), st.sampled_from(["by step", "linear"]), st.floats(0, 1), st.data())
def test_a_click_inside_a_piece_finds_it_unless_another_lies_above(seed, scale, across, data):
    pieces = [p for p in lay_out(flow_of(seed), scale) if p.count]
    number = data.draw(st.integers(0, len(pieces) - 1))
    piece = pieces[number]
    y = piece.top + (piece.bottom - piece.top) * data.draw(st.floats(0.05, 0.95))
    left, right = piece.ends_at(y)
    found = piece_at(pieces, left + (right - left) * (0.1 + 0.8 * across), y)
    assert pieces.index(found) >= number
    if piece.look == "bar":
        assert found is piece


def test_a_click_beside_the_drawing_finds_nothing():
    pieces = lay_out(flow_of(), "by step")
    assert piece_at(pieces, 1.3, 0.5) is None
    assert piece_at(pieces, 0.5, -1) is None
    assert piece_at(pieces, 0.5, 99) is None


def test_a_piece_without_boxes_is_never_found_nor_drawn():
    fates = torch.full((10,), int(Fate.TOO_SMALL), dtype=torch.int8)
    flow = trace_flow(fates, np.zeros(10, int), PARTS, steps_of("decode first", 0))
    pieces = lay_out(flow, "by step")
    assert piece_at(pieces, 0.0, 2.05) is None
    paths = [s["path"] for s in drawn(flow)["shapes"]]
    assert len(paths) == 2  # the bars and the one band of P2, as one path each


def drawn(flow, scale="by step", chosen=("proposals", None), followed=None):
    pieces = lay_out(flow, scale)
    made = funnel(flow, pieces, COLOURS, title="t", chosen=chosen, followed=followed)
    return sent(made)[2]


@pytest.mark.parametrize("scale", ["by step", "linear"])
def test_the_numbers_are_the_true_counts_in_the_order_of_the_steps(scale):
    flow = flow_of(threshold=0.5, order="top-n first")
    words = sorted((a["y"], a["text"]) for a in drawn(flow, scale)["annotations"])
    texts = [text for _, text in words]
    entering, lost = flow.entering.sum(axis=1), flow.lost.sum(axis=1)
    assert texts[0] == "<b>400</b><br>anchors"
    assert texts[1] == f"−{lost[0]}<br>below top-n"
    assert texts[2] == f"<b>{entering[1]}</b><br>pre-NMS top-n"
    assert texts[5] == f"−{lost[2]}<br>low score"
    assert texts[6] == f"<b>{entering[3]}</b><br>over score<br>threshold"
    assert texts[-1] == f"<b>{entering[-1]}</b><br>proposals"


def test_a_step_that_takes_nothing_says_0():
    fates = torch.zeros(10, dtype=torch.int8)
    flow = trace_flow(fates, np.zeros(10, int), PARTS, steps_of("decode first", 0))
    assert "0<br>too small" in [a["text"] for a in drawn(flow)["annotations"]]


def test_every_piece_is_drawn_once_in_its_parts_colour():
    flow = flow_of()
    layout = drawn(flow)
    pieces = [p for p in lay_out(flow, "by step") if p.count]
    for part, colour in enumerate(COLOURS):
        paths = "".join(s["path"] for s in layout["shapes"] if s.get("fillcolor") == colour)
        assert paths.count("M") == sum(p.part == part for p in pieces)
        for piece in pieces:
            assert (piece.path() in paths) == (piece.part == part)


def test_a_path_has_the_ends_that_the_click_test_has():
    for piece in lay_out(flow_of(), "by step"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+(?:e-\d+)?", piece.path())]
        ax, ay, bx = numbers[:3]
        assert (ax, bx) == pytest.approx(piece.ends_at(ay), abs=1e-3)
        middle = (piece.top + piece.bottom) / 2
        halves = [(a + b) / 2 for a, b in zip(piece.above, piece.below, strict=True)]
        assert piece.ends_at(middle) == pytest.approx(halves)


def test_the_chosen_band_is_outlined_and_of_all_its_parts_the_bars():
    flow = flow_of()
    pieces = [p for p in lay_out(flow, "by step") if p.band == "below top-n" and p.count]
    one = drawn(flow, chosen=("below top-n", 1))["shapes"][-1]
    assert one["line"]["color"] == theme.ACCENT
    assert one["path"] == "".join(p.path() for p in pieces if p.part == 1)
    every = drawn(flow, chosen=("below top-n", -1))["shapes"][-1]
    assert every["path"] == "".join(p.path() for p in pieces if p.look == "bar")
    none = drawn(flow, chosen=("below top-n", None))["shapes"]
    assert all(shape["line"]["color"] != theme.ACCENT for shape in none)


def test_the_followed_line_runs_through_its_pieces_to_its_end():
    flow = flow_of()
    line = drawn(flow, followed=(Fate.SUPPRESSED, 1))["shapes"][-1]
    points = [tuple(map(float, p.split(","))) for p in line["path"][1:].split("L")]
    assert points[0][1] == 0
    assert points[-1][1] == pytest.approx(2 + NECK)
    pieces = lay_out(flow, "by step")
    ways = {"anchors", "large enough", "pre-NMS top-n", "suppressed"}
    for x, y in points:
        assert any(
            p.part == 1
            and p.band in ways
            and p.top - 1e-6 <= y <= p.bottom + 1e-6
            and p.ends_at(y)[0] - 1e-3 <= x <= p.ends_at(y)[1] + 1e-3
            for p in pieces
        )
    assert points == sorted(points, key=lambda point: point[1])
    assert BAR < BANDS < NECK


def test_hovering_tells_the_true_count_of_a_piece_without_outlining_it():
    flow = flow_of()
    pieces = lay_out(flow, "linear")
    made = funnel(flow, pieces, COLOURS, title="t", chosen=("proposals", -1))
    (trace,) = sent(made)[1]
    shown = [p for p in pieces if p.count and p.look != "neck"]
    words = [told(trace, number) for number in range(len(shown))]
    assert words == [f"<b>{PARTS[p.part]}</b>: {p.count:,} {p.band}" for p in shown]
    assert all(len(facts) < 4 for facts in trace["customdata"])  # four would be a box's sides


def test_the_drawing_is_light():
    assert len(str(drawn(flow_of(count=159_882)))) < 30_000


def test_no_anchors_are_a_drawing():
    none = torch.zeros(0, dtype=torch.int8)
    flow = trace_flow(none, np.zeros(0, int), PARTS, steps_of("decode first", 0))
    assert drawn(flow)["annotations"][0]["text"] == "<b>0</b><br>anchors"


FACTS = [1, 0.5, "P3", 2, 3, "0.5", "suppressed"]


def test_the_boxes_of_a_band_are_drawn_in_their_parts_colours():
    _, grid, _ = world("notebook", 64, 64)
    boxes = np.array([[0, 0, 10, 10], [5, 5, 20, 20], [1, 2, 3, 4.0]])
    part = np.array([1, 0, 1])
    made = band_boxes(boxes, part, COLOURS, [FACTS] * 3, grid, title="t", photo_url=None)
    halo, first, second = sent(made)[2]["shapes"]
    assert boxes_in(halo["path"]).tolist() == boxes.tolist()
    assert boxes_in(first["path"]).tolist() == boxes[[1]].tolist()
    assert boxes_in(second["path"]).tolist() == boxes[[0, 2]].tolist()
    assert (first["line"]["color"], second["line"]["color"]) == tuple(COLOURS[:2])
    hover = told(sent(made)[1][0], 0)
    assert all(word in hover for word in ("#1", "0.5000", "P3, row 2, column 3", "suppressed"))


def test_a_crowd_has_no_halo_and_no_boxes_are_a_figure():
    _, grid, _ = world("notebook", 64, 64)
    many = np.tile([0.0, 0, 9, 9], (CROWD + 1, 1))
    rest = {"title": "t", "photo_url": None}
    crowd = band_boxes(many, np.zeros(CROWD + 1, int), COLOURS, [FACTS] * (CROWD + 1), grid, **rest)
    assert len(sent(crowd)[2]["shapes"]) == 1
    mark = {"type": "path", "path": "M0,0H1V1H0Z", "line": {"color": "#fff"}}
    none = band_boxes(many[:0], np.zeros(0, int), COLOURS, [], grid, marks=[mark], **rest)
    assert [shape["path"] for shape in sent(none)[2]["shapes"]] == [mark["path"]]
