"""Presets: the numbers of their sources, counted by hand."""

import math

import pytest

from explorer.core.anchors import grid_sizes
from explorer.core.layout import level_shapes
from explorer.editing import changed
from explorer.presets import CODE_BASES, LITERATURE, PRESETS, name_of
from explorer.presets.preset import DETECTOR_GROUPS
from explorer.settings import MAX_ANCHORS, MAX_CANDIDATES, MAX_SIDE, Settings


def counts(name, side):
    """Anchors of each level over a square picture."""
    anchors = PRESETS[name].anchors
    cells = grid_sizes((side, side), anchors.strides)
    levels = zip(cells, anchors.per_cell, strict=True)
    return [rows * columns * each for (rows, columns), each in levels]


def sides(name, level):
    """(width, height) of each anchor of a cell, to a tenth of a pixel."""
    x1, y1, x2, y2 = level_shapes(PRESETS[name].anchors)[level].T
    pairs = zip((x2 - x1).tolist(), (y2 - y1).tolist(), strict=True)
    return [(round(width, 1), round(height, 1)) for width, height in pairs]


# All of them


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_the_detector_and_leaves_the_rest(name):
    own = changed(Settings(), {"image.picture": "coffee", "scores.seed": 7, "view.top_k": 9})
    made = PRESETS[name].apply(own)
    assert name_of(made) == name
    for group in Settings.model_fields:
        source = PRESETS[name] if group in DETECTOR_GROUPS else own
        assert getattr(made, group) == getattr(source, group)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("side", [64, 800, MAX_SIDE])
def test_a_preset_fits_every_picture(name, side):
    made = PRESETS[name].apply(changed(Settings(), {"image.side": side}))
    total = counts(name, side)
    assert sum(total) <= MAX_ANCHORS
    least = made.filter.pre_nms
    levels = total if made.filter.top_n_by_level else [sum(total)]
    assert sum(min(least, level) for level in levels) <= MAX_CANDIDATES


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_tells_what_it_is_and_where_it_comes_from(name):
    preset = PRESETS[name]
    assert preset.title
    assert preset.sentence.endswith(".")
    assert 60 < len(preset.sentence) < 220
    assert len(preset.source) > 30


def test_no_two_presets_are_alike():
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)
    assert PRESETS.keys() == CODE_BASES.keys() | LITERATURE.keys()
    assert len(PRESETS) == len(CODE_BASES) + len(LITERATURE) == 11


def test_settings_of_ones_own_have_no_name():
    assert name_of(Settings()) == "notebook"
    assert name_of(changed(Settings(), {"nms.iou_threshold": 0.65})) is None
    assert name_of(changed(Settings(), {"view.blank": True})) == "notebook"


def test_a_preset_that_does_not_go_with_the_scores_says_so_in_a_sentence():
    trained = changed(Settings(), {"scores.source": "learned"})
    with pytest.raises(ValueError, match=r"^scores.source learned must [^\n]*, got 9$"):
        PRESETS["retinanet"].apply(trained)
    assert PRESETS["torchvision"].apply(trained).scores.source == "learned"


# Counts: each line is the sum that its comment does


@pytest.mark.parametrize(
    ("name", "side", "total"),
    [
        ("notebook", 800, 159_882),  # 3 x (200² + 100² + 50² + 25² + 13²)
        ("torchvision", 800, 159_882),
        ("detectron2", 800, 159_882),
        ("mask-rcnn", 800, 159_882),
        ("mask-rcnn", 1024, 261_888),  # its own size: 3 x (256² + 128² + 64² + 32² + 16²)
        ("py-faster-rcnn", 800, 22_500),  # 9 x 50²
        ("retinanet", 800, 120_087),  # 9 x (100² + 50² + 25² + 13² + 7²)
        ("efficientdet-d0", 512, 49_104),  # 9 x (64² + 32² + 16² + 8² + 4²)
        ("efficientdet-d0", 800, 120_087),
        ("ssd300", 300, 8_732),  # 4 x 38² + 6 x (19² + 10² + 5²) + 4 x (3² + 1)
        ("ssd300", 800, 60_056),  # 4 x 100² + 6 x (50² + 25² + 13²) + 4 x (8² + 3²)
        ("yolov2", 416, 845),  # 5 x 13²
        ("yolov2", 800, 3_125),  # 5 x 25²
        ("yolov3", 416, 10_647),  # 3 x (52² + 26² + 13²)
        ("yolov3", 800, 39_375),  # 3 x (100² + 50² + 25²)
        ("fcos", 800, 13_343),  # 100² + 50² + 25² + 13² + 7²
    ],
)
def test_a_preset_makes_as_many_anchors_as_its_source(name, side, total):
    assert sum(counts(name, side)) == total


@pytest.mark.parametrize(
    ("name", "per_cell"),
    [
        ("notebook", (3,) * 5),
        ("torchvision", (3,) * 5),
        ("detectron2", (3,) * 5),
        ("mask-rcnn", (3,) * 5),
        ("py-faster-rcnn", (9,)),
        ("retinanet", (9,) * 5),
        ("efficientdet-d0", (9,) * 5),
        ("ssd300", (4, 6, 6, 6, 4, 4)),
        ("yolov2", (5,)),
        ("yolov3", (3, 3, 3)),
        ("fcos", (1,) * 5),
    ],
)
def test_a_cell_carries_as_many_anchors_as_in_the_source(name, per_cell):
    assert PRESETS[name].anchors.per_cell == per_cell


# Shapes


def test_ratio_two_lies_in_the_notebook_and_stands_in_detectron2():
    assert sides("notebook", 0) == [(22.6, 45.3), (32, 32), (45.3, 22.6)]
    assert sides("detectron2", 0) == [(45.3, 22.6), (32, 32), (22.6, 45.3)]
    assert sides("torchvision", 0) == [(46, 22), (32, 32), (22, 46)]  # corners of 22.6 and 11.3
    assert sides("mask-rcnn", 0) == sides("notebook", 0)


def test_py_faster_rcnns_anchors_are_those_of_its_generate_anchors_file():
    # the file's own list of corners, plus 1: inclusive corners
    assert sides("py-faster-rcnn", 0) == [
        *((184, 96), (368, 192), (736, 384)),
        *((128, 128), (256, 256), (512, 512)),
        *((88, 176), (176, 352), (352, 704)),
    ]


def test_retinanets_sizes_are_thirds_of_an_octave_apart():
    squares = [side for level in range(5) for side, _ in sides("retinanet", level)[1::3]]
    assert squares == [
        *(32, 40.3, 50.8),
        *(64, 80.6, 101.6),
        *(128, 161.3, 203.2),
        *(256, 322.5, 406.4),
        *(512, 645.1, 812.7),
    ]
    assert sides("retinanet", 0)[:3] == [(45.3, 22.6), (32, 32), (22.6, 45.3)]
    assert PRESETS["retinanet"].anchors.strides == (8, 16, 32, 64, 128)


def test_efficientdets_anchors_are_four_strides_wide_square_first():
    anchors = PRESETS["efficientdet-d0"].anchors
    assert [sizes[0] for sizes in anchors.sizes] == [4 * stride for stride in anchors.strides]
    # 1.4 x 0.7 of the size in its paper's code, by roots of 2 and 1/2 in the code of today
    assert sides("efficientdet-d0", 0)[:3] == [(32, 32), (45.3, 22.6), (22.6, 45.3)]
    assert anchors.offset == 0.5


def test_ssd300s_boxes_are_those_of_its_prior_boxes():
    assert sides("ssd300", 0) == [(30, 30), (42.4, 42.4), (42.4, 21.2), (21.2, 42.4)]
    assert sides("ssd300", 1) == [
        *((60, 60), (81.6, 81.6), (84.9, 42.4), (42.4, 84.9)),  # 81.6² = 60 x 111
        *((103.9, 34.6), (34.6, 103.9)),  # 60 x and / the root of 3
    ]
    firsts = [sides("ssd300", level)[0] for level in range(6)]
    assert firsts == [(size, size) for size in (30, 60, 111, 162, 213, 264)]
    assert sides("ssd300", 5)[1] == (288.4, 288.4)  # the root of 264 x 315
    assert [len(sides("ssd300", level)) for level in range(6)] == [4, 6, 6, 6, 4, 4]
    assert grid_sizes((300, 300), PRESETS["ssd300"].anchors.strides) == tuple(
        (cells, cells) for cells in (38, 19, 10, 5, 3, 1)
    )


def test_ssd300s_scales_are_equally_spaced_in_the_paper():
    squares = [sides("ssd300", level)[0][0] / 300 for level in range(6)]
    assert squares == pytest.approx([0.1, 0.2, 0.37, 0.54, 0.71, 0.88])


def test_yolos_shapes_are_those_of_its_config_files():
    cells = [(round(w / 32, 3), round(h / 32, 3)) for w, h in PRESETS["yolov2"].anchors.pairs[0]]
    assert cells == [
        *((0.573, 0.677), (1.874, 2.063), (3.338, 5.474)),
        *((7.883, 3.528), (9.771, 9.168)),
    ]
    assert [sides("yolov3", level) for level in range(3)] == [
        [(10, 13), (16, 30), (33, 23)],
        [(30, 61), (62, 45), (59, 119)],
        [(116, 90), (156, 198), (373, 326)],
    ]


def test_fcos_has_one_square_of_the_strides_size_at_each_point():
    for level, stride in enumerate((8, 16, 32, 64, 128)):
        assert sides("fcos", level) == [(stride, stride)]
    assert PRESETS["fcos"].anchors.offset == 0.5  # its points: stride // 2 into the cell


@pytest.mark.parametrize("name", ["ssd300", "yolov2", "yolov3"])
def test_listed_shapes_leave_sizes_to_go_on_from(name):
    anchors = PRESETS[name].anchors
    assert len(anchors.sizes) == len(anchors.strides)
    for (size,), pairs in zip(anchors.sizes, anchors.pairs, strict=True):
        areas = [math.sqrt(width * height) for width, height in pairs]
        assert min(areas) <= size <= max(areas)
    assert changed(PRESETS[name].apply(Settings()), {"anchors.pairs": None})


# The steps after the head


@pytest.mark.parametrize(
    ("name", "order", "pre_nms", "threshold", "post_nms", "high", "low", "best"),
    [
        ("notebook", "decode first", 2000, 0.7, 1000, 0.7, 0.3, "first"),
        ("torchvision", "top-n first", 1000, 0.7, 1000, 0.7, 0.3, "all"),
        ("detectron2", "top-n first", 1000, 0.7, 1000, 0.7, 0.3, "all"),
        ("py-faster-rcnn", "decode first", 6000, 0.7, 300, 0.7, 0.3, "all"),
        ("mask-rcnn", "top-n first", 6000, 0.7, 1000, 0.7, 0.3, "all"),
        ("retinanet", "top-n first", 1000, 0.5, 100, 0.5, 0.4, "all"),
        ("ssd300", "decode first", 400, 0.45, 200, 0.5, 0.5, "first"),
        ("yolov2", "decode first", 2000, 0.45, 1000, 1, 0.6, "first"),
        ("yolov3", "decode first", 2000, 0.45, 1000, 1, 0.5, "first"),
        ("efficientdet-d0", "top-n first", 5000, 0.5, 100, 0.5, 0.5, "first"),
        ("fcos", "top-n first", 1000, 0.6, 100, 0.7, 0.3, "first"),
    ],
)
def test_a_preset_selects_and_matches_as_its_source(
    name, order, pre_nms, threshold, post_nms, high, low, best
):
    made = PRESETS[name].apply(Settings())
    assert (made.filter.order, made.filter.pre_nms) == (order, pre_nms)
    assert (made.nms.iou_threshold, made.nms.post_nms) == (threshold, post_nms)
    assert (made.match.high, made.match.low, made.match.low_quality) == (high, low, best)


def test_delta_weights_and_clamps_are_those_of_the_sources():
    detectron = pytest.approx(4.135166556742356)  # ln(1000 / 16)
    clamps = {name: preset.codec.max_log_scale for name, preset in PRESETS.items()}
    assert clamps.pop("notebook") == clamps.pop("fcos") == 4
    for name in ("torchvision", "detectron2", "retinanet"):
        assert clamps.pop(name) == detectron
    assert set(clamps.values()) == {None}
    tenths = {name for name, preset in PRESETS.items() if preset.codec.weights == (10, 10, 5, 5)}
    assert tenths == {"mask-rcnn", "ssd300"}
