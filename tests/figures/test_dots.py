"""Anchors as dots: where, in which colour, and how much there is to send."""

import base64
import io

import numpy as np
from PIL import Image

from explorer.figures.dots import ALPHA, RIM_ALPHA, SIDE, Dots, dots_layer
from tests.figures.reading import world


def pixels_of(layer):
    """(H, W, 4) what the browser lays over the photo."""
    data = base64.b64decode(layer["source"].removeprefix("data:image/png;base64,"))
    return np.array(Image.open(io.BytesIO(data)).convert("RGBA"))


def boxes(*centres, side=10.0):
    x, y = np.array(centres, dtype=np.float32).reshape(-1, 2).T
    return np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1)


def coloured(pixels, colour, alpha=255):
    """(K, 2) x and y of the pixels of one colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)] + [alpha]
    rows, columns = np.nonzero((pixels == wanted).all(axis=2))
    return np.stack([columns, rows], axis=1)


def test_a_dot_lies_on_its_anchors_centre_within_a_dark_rim():
    (layer,) = dots_layer([Dots(boxes((50, 30)), "#CCCCCC")], (100, 200))
    pixels = pixels_of(layer)
    assert pixels.shape == (100, 200, 4)
    dot = coloured(pixels, "#CCCCCC")
    np.testing.assert_allclose(dot.mean(axis=0), [50, 30], atol=1)
    rim = coloured(pixels, "#000000", RIM_ALPHA)
    assert len(rim) == (np.sqrt(len(dot)) + 2) ** 2 - len(dot)
    assert (layer["sizex"], layer["sizey"]) == (200, 100)
    assert (pixels[..., 3] > 0).sum() == len(dot) + len(rim)  # the photo shows through elsewhere


def test_larger_anchors_have_larger_dots():
    small, large = (
        len(
            coloured(
                pixels_of(
                    dots_layer([Dots(boxes((400, 400), side=side), "#009E73")], (800, 800))[0]
                ),
                "#009E73",
            )
        )
        for side in (32, 128)
    )
    assert large > small > 1


def test_faint_dots_are_single_translucent_pixels():
    centres = [(10.5, 20.5), (30.5, 20.5), (31.5, 20.5)]
    (layer,) = dots_layer([Dots(boxes(*centres), "#56B4E9", faint=True)], (64, 64))
    found = coloured(pixels_of(layer), "#56B4E9", ALPHA)
    assert sorted(found.tolist()) == [[10, 20], [30, 20], [31, 20]]


def test_later_groups_lie_above_earlier_ones():
    under, over = Dots(boxes((20, 20)), "#56B4E9", faint=True), Dots(boxes((20, 20)), "#CC79A7")
    (layer,) = dots_layer([under, over], (64, 64))
    assert len(coloured(pixels_of(layer), "#56B4E9", ALPHA)) == 0
    assert len(coloured(pixels_of(layer), "#CC79A7")) > 0


def test_what_lies_outside_is_cut_off():
    outside = boxes((-5, 30), (30, -5), (100, 30), (30, 100), (63.9, 63.9))
    (layer,) = dots_layer([Dots(outside, "#56B4E9", faint=True)], (64, 64))
    assert coloured(pixels_of(layer), "#56B4E9", ALPHA).tolist() == [[63, 63]]


def test_no_anchors_have_no_layer():
    assert dots_layer([], (64, 64)) == []
    assert dots_layer([Dots(np.zeros((0, 4)), "#56B4E9")], (64, 64)) == []


def test_a_large_picture_has_no_larger_image_and_its_dots_still_fit():
    (layer,) = dots_layer([Dots(boxes((1024, 512)), "#CCCCCC")], (1024, 2048))
    pixels = pixels_of(layer)
    assert pixels.shape == (SIDE // 2, SIDE, 4)
    np.testing.assert_allclose(coloured(pixels, "#CCCCCC").mean(axis=0), [512, 256], atol=1)
    assert layer["sizex"] == 2048


def test_all_anchors_of_the_default_grid_are_few_bytes():
    _, _, every = world("notebook")
    (layer,) = dots_layer([Dots(every.boxes.numpy(), "#56B4E9", faint=True)], (800, 800))
    assert len(layer["source"]) < 20_000
