"""Colours that everybody tells apart, and the layout that all figures share."""

from itertools import combinations

import numpy as np
import pytest

from explorer.figures import theme
from tests.figures.reading import sent

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]


def linear(colour):
    """#rrggbb to linear RGB in [0, 1]."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Linear RGB to CIELAB, white D65."""
    x = np.array(XYZ) @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(a, b, vision):
    seen = [lab(np.array(VISIONS[vision]) @ linear(colour)) for colour in (a, b)]
    return np.linalg.norm(seen[0] - seen[1])


def contrast(a, b):
    """The ratio of WCAG 2.2, from 1 to 21."""
    low, high = sorted(linear(colour) @ XYZ[1] + 0.05 for colour in (a, b))
    return high / low


def test_the_yardsticks_measure():
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=0.01)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for vision in VISIONS:  # a grey is a grey to all
        assert difference("#808080", "#808080", vision) == 0
        seen = np.array(VISIONS[vision]) @ linear("#808080")
        assert seen == pytest.approx(linear("#808080"), abs=0.001)
    assert difference("#ff0000", "#00b400", "all cones") > 100
    assert difference("#a05000", "#507000", "deuteranopia") < 15  # a red and a green alike


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_levels_can_be_told_apart_by_all_eyes(vision):
    for a, b in combinations(theme.LEVELS, 2):
        assert difference(a, b, vision) > 15, (a, b)


@pytest.mark.parametrize("colour", [*theme.LEVELS, *theme.SCORE_SCALE, theme.ACCENT])
def test_every_line_stands_out_from_the_blank_canvas(colour):
    assert contrast(colour, theme.CANVAS) >= 3  # WCAG 1.4.11, graphics


@pytest.mark.parametrize("scale", [theme.SCORE_SCALE, theme.HEAT_SCALE])
@pytest.mark.parametrize("vision", VISIONS)
def test_a_scale_grows_lighter_step_by_step_to_all_eyes(scale, vision):
    lightness = [lab(np.array(VISIONS[vision]) @ linear(colour))[0] for colour in scale]
    assert (np.diff(lightness) > 3).all()


def test_eight_levels_have_colours_of_their_own():
    assert len({theme.level_colour(level) for level in range(8)}) == 8
    assert theme.level_colour(8) == theme.level_colour(0)


def test_every_figure_shares_a_layout_and_may_change_it():
    assert theme.layout()["uirevision"] == "kept"  # zoom stays while a slider moves
    assert theme.layout(uirevision="new")["uirevision"] == "new"
    assert theme.layout()["font"]["size"] >= 15
    theme.layout()["margin"]["l"] = 99
    assert theme.layout()["margin"]["l"] != 99


def test_an_empty_figure_is_a_figure():
    made = theme.figure([], title={"text": "nothing"})
    length, traces, layout = sent(made)
    assert traces == []
    assert layout["title"]["text"] == "nothing"
    assert length < 1000
