import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.anchors import (
    all_level_anchors,
    cell_anchors,
    grid_sizes,
    level_anchors,
    level_strides,
    pair_anchors,
)
from explorer.core.head import flatten_head_output
from tests.reference import anchors_by_loops

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
GRIDS = (200, 100, 50, 25, 13)


def pyramid(device="cpu"):
    return [torch.empty(1, 1, side, side, device=device) for side in GRIDS]


def test_the_default_generator_is_the_course_notebooks():
    generator = AnchorGenerator()
    assert str(generator.anchor_sizes) == "(32, 64, 128, 256, 512)"
    assert str(generator.aspect_ratios) == "(0.5, 1.0, 2.0)"
    assert str(generator.strides) == "(4, 8, 16, 32, 64)"
    assert generator.num_anchors_per_location() == (3, 3, 3, 3, 3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_picture_of_800_pixels_has_159882_anchors(device):
    anchors = AnchorGenerator()(pyramid(device), (800, 800))
    assert anchors.shape == (159_882, 4)
    assert anchors.dtype == torch.float32
    assert anchors.device.type == device
    # the second anchor of the first cell is a square of 32 around (2, 2); the last cell of P6 lies
    # around (800, 800), and its last anchor is twice as wide as high
    assert anchors[1].tolist() == [-14, -14, 18, 18]
    half = (512 * 2**0.5 / 2, 512 / 2**0.5 / 2)
    expected = [800 - half[0], 800 - half[1], 800 + half[0], 800 + half[1]]
    assert anchors[-1].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("ratio", "wider"), [("w/h", False), ("h/w", True)])
def test_a_ratio_of_one_half_is_wide_only_as_height_over_width(ratio, wider):
    x1, y1, x2, y2 = cell_anchors((64,), (0.5,), ratio=ratio)[0].tolist()
    assert (x2 - x1 > y2 - y1) is wider
    assert (x2 - x1) * (y2 - y1) == pytest.approx(64**2)


def test_torchvision_rounds_corners_half_to_even_and_turns_the_sizes_fastest():
    rules = {"ratio": "h/w", "rounding": "corners", "order": "ratio outer"}
    expected = [[91, 45], [181, 91], [64, 64], [128, 128], [45, 91], [91, 181]]
    cell = cell_anchors((128, 256), (0.5, 1, 2), **rules)
    assert cell[:, 2:].tolist() == expected
    assert torch.equal(cell[:, :2], -cell[:, 2:])
    assert cell_anchors((32,), (0.5,), **rules).tolist() == [[-23, -11, 23, 11]]
    assert cell_anchors((33, 35), (1,), **rules)[:, 2].tolist() == [16, 18]  # from 16.5 and 17.5


def test_py_faster_rcnn_rounds_the_sides_of_a_16_pixel_anchor():
    # the comment in its generate_anchors.py, with x2 and y2 moved by 1 to continuous coordinates
    expected = [
        [-84, -40, 100, 56],
        [-176, -88, 192, 104],
        [-360, -184, 376, 200],
        [-56, -56, 72, 72],
        [-120, -120, 136, 136],
        [-248, -248, 264, 264],
        [-36, -80, 52, 96],
        [-80, -168, 96, 184],
        [-168, -344, 184, 360],
    ]
    rules = {"ratio": "h/w", "rounding": "base16", "order": "ratio outer"}
    cell = cell_anchors((128, 256, 512), (0.5, 1, 2), **rules)
    assert level_anchors(cell, (1, 1), (16, 16)).tolist() == expected
    assert cell_anchors((16,), (0.5,), **rules).tolist() == [[-11.5, -6, 11.5, 6]]


def test_size_outer_turns_the_ratios_fastest():
    sides = [round((x2 - x1) * 2) for x1, _, x2, _ in cell_anchors((8, 16), (1, 4)).tolist()]
    assert sides == [16, 32, 32, 64]


def test_explicit_pairs_keep_their_sides():
    assert pair_anchors([(10, 13), (16, 30)]).tolist() == [[-5, -6.5, 5, 6.5], [-8, -15, 8, 15]]


def test_a_grid_covers_the_picture_to_the_last_pixel():
    assert grid_sizes((800, 801), (4, 64)) == ((200, 201), (13, 13))
    assert grid_sizes((1, 1), (64,)) == ((1, 1),)


def test_the_stride_is_fixed_or_the_picture_divided_by_the_grid():
    assert level_strides((800, 640), [(13, 10)], (64,)) == ((64, 64),)
    assert level_strides((800, 640), [(13, 10)], (64,), "image // grid") == ((61, 64),)


def test_torchvisions_generator_starts_at_zero_and_steps_by_61_on_p6():
    generator = AnchorGenerator(
        ratio="h/w", offset=0, rounding="corners", stride_rule="image // grid", order="ratio outer"
    )
    anchors = generator(pyramid(), (800, 800))
    assert anchors[0].tolist() == [-23, -11, 23, 11]
    centres = (anchors[-13 * 3 :: 3, 0] + anchors[-13 * 3 :: 3, 2]) / 2
    assert centres.tolist() == [61.0 * column for column in range(13)]


def test_anchors_lie_in_the_order_that_flattens_the_heads_output():
    rows, columns, k = 2, 3, 2
    number = torch.arange(rows * columns * k).view(1, rows, columns, k).permute(0, 3, 1, 2)
    cell = pair_anchors([(2, 2), (4, 4)])
    anchors = level_anchors(cell, (rows, columns), (10, 100), offset=0)
    flat, _ = flatten_head_output([number], [torch.zeros(1, 4 * k, rows, columns)])
    assert flat.tolist() == list(range(12))
    # row 1, column 2, second anchor: the last number, around (200, 10)
    assert anchors[flat[-1]].tolist() == [198, 8, 202, 12]
    assert anchors[flat[1]].tolist() == [-2, -2, 2, 2]


@settings(max_examples=40)
@given(
    grids=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3),
    sizes=st.lists(st.floats(1, 500), min_size=1, max_size=3),
    ratios=st.lists(st.floats(0.1, 10), min_size=1, max_size=3),
    offset=st.floats(0, 1),
    stride=st.integers(1, 64),
)
def test_every_anchor_is_where_a_loop_over_cells_puts_it(grids, sizes, ratios, offset, stride):
    levels = len(grids)
    generator = AnchorGenerator((sizes,) * levels, ratios, (stride,) * levels, offset=offset)
    maps = [torch.empty(1, 1, *grid) for grid in grids]
    expected = anchors_by_loops(generator.cells, grids, ((stride, stride),) * levels, offset)
    torch.testing.assert_close(generator(maps, (800, 800)), expected)


@settings(max_examples=40)
@given(size=st.floats(1, 1000), ratio=st.floats(0.05, 20), order=st.sampled_from(["w/h", "h/w"]))
def test_an_anchor_has_the_area_of_its_size_and_the_sides_of_its_ratio(size, ratio, order):
    x1, y1, x2, y2 = cell_anchors((size,), (ratio,), ratio=order)[0].double().tolist()
    width, height = x2 - x1, y2 - y1
    assert width * height == pytest.approx(size**2, rel=1e-5)
    first, second = (width, height) if order == "w/h" else (height, width)
    assert first / second == pytest.approx(ratio, rel=1e-5)
    assert x1 == -x2
    assert y1 == -y2


def test_levels_may_have_sizes_and_ratios_of_their_own():
    generator = AnchorGenerator(
        anchor_sizes=((32, 40, 50), (64,)), aspect_ratios=((1.0,), (0.5, 2.0)), strides=(8, 16)
    )
    assert generator.num_anchors_per_location() == (3, 2)
    maps = [torch.empty(1, 1, 2, 2), torch.empty(1, 1, 1, 1)]
    assert len(generator(maps, (16, 16))) == 2 * 2 * 3 + 2


@pytest.mark.parametrize("grid", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_grid_has_no_anchors(grid):
    assert level_anchors(cell_anchors((32,), (1,)), grid, (8, 8)).shape == (0, 4)


def test_no_levels_have_no_anchors():
    assert all_level_anchors([], [], []).shape == (0, 4)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["anchor_sizes", "aspect_ratios", "strides"])
def test_an_impossible_number_is_refused_by_name(name, bad):
    with pytest.raises(ValueError, match=rf"{name} must be positive and finite, got \(.*{bad}"):
        AnchorGenerator(**{name: (8, 16, 32, 64, bad)})


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ({"anchor_sizes": (32, 64)}, "got 2, 2 and 5"),
        ({"strides": (4, 8, 16)}, "got 5, 5 and 3"),
        ({"aspect_ratios": ((1,), (2,))}, "got 5, 2 and 5"),
    ],
)
def test_lists_of_different_lengths_are_refused(arguments, counts):
    with pytest.raises(ValueError, match=f"must agree on the number of levels, {counts}"):
        AnchorGenerator(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"anchor_sizes": ()}, "number of levels, got 0"),
        ({"aspect_ratios": ()}, "aspect_ratios must be positive"),
        ({"ratio": "w:h"}, "ratio must be one of w/h, h/w, got 'w:h'"),
        ({"rounding": "up"}, "rounding must be one of none, corners, base16, got 'up'"),
        ({"order": "any"}, "order must be one of size outer, ratio outer, got 'any'"),
        ({"stride_rule": "free"}, "stride_rule must be one of fixed, image // grid, got 'free'"),
        (
            {"aspect_ratios": (0.0001,), "rounding": "base16", "ratio": "h/w"},
            "anchors must have an area after rounding",
        ),
    ],
)
def test_impossible_conventions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AnchorGenerator(**arguments)


def test_maps_and_levels_must_agree():
    with pytest.raises(ValueError, match="strides must be one a level, got 5 for 4 levels"):
        AnchorGenerator()(pyramid()[:4], (800, 800))
    with pytest.raises(ValueError, match="one cell, grid and stride a level, got 1, 2 and 1"):
        all_level_anchors([pair_anchors([(1, 1)])], [(1, 1), (1, 1)], [(4, 4)])


def test_the_other_doors_name_what_they_refuse():
    with pytest.raises(ValueError, match=r"anchor_pairs must be positive and finite, got \(8, 0\)"):
        pair_anchors([(8, 0)])
    with pytest.raises(ValueError, match="image_size must be positive and finite"):
        grid_sizes((0, 10), (4,))
    with pytest.raises(ValueError, match="offset must be finite, got nan"):
        AnchorGenerator(offset=math.nan)(pyramid(), (800, 800))
    with pytest.raises(ValueError, match=r"image // grid must be positive .* got \(0, 2\)"):
        level_strides((3, 8), [(4, 4)], (1,), "image // grid")
