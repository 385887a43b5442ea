"""Detectors of the literature: their anchors, and what of their steps has a place in this chain.

They are no RPNs: RetinaNet, SSD, YOLO, EfficientDet and FCOS say a class where an RPN says
"object", and run NMS class by class. What they set here is what their detector does where the
chain has that step; steps that it has not (a threshold on scores, focal loss, hard negatives,
YOLO's sigmoid on the centre, FCOS's distances) stay the course notebook's, and are told below.
"""

from __future__ import annotations

import math

from explorer.presets.preset import LOG_1000_OVER_16, Preset
from explorer.settings import Anchors, Codec, Filter, Match, Nms

FROM_P3 = (8, 16, 32, 64, 128)
OCTAVES = (1, 2 ** (1 / 3), 2 ** (2 / 3))
IN_OCTAVES = tuple(tuple(4 * stride * octave for octave in OCTAVES) for stride in FROM_P3)
CENTRE_SIZE = Codec(weights=(10, 10, 5, 5), max_log_scale=None)  # "variances" 0.1 and 0.2

# SSD300, at 300 px: scales 0.1, then 0.2 to 0.88 in steps of 0.17; 1.05 ends the last square.
SSD_SCALES = (30, 60, 111, 162, 213, 264, 315)
SSD_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))

# Shapes clustered from COCO's boxes. YOLOv2's are in cells of 32 px.
YOLOV2_CELLS = (
    (0.57273, 0.677385),
    (1.87446, 2.06253),
    (3.33843, 5.47434),
    (7.88282, 3.52778),
    (9.77052, 9.16828),
)
YOLOV3_PIXELS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)

Pairs = tuple[tuple[float, float], ...]


def _ssd_level(size: float, next_size: float, ratios: tuple[float, ...]) -> Pairs:
    """A square, a square between two scales, and each ratio w/h lying and standing."""
    between = math.sqrt(size * next_size)
    pairs = [(size, size), (between, between)]
    for ratio in ratios:
        long, short = size * math.sqrt(ratio), size / math.sqrt(ratio)
        pairs += [(long, short), (short, long)]
    return tuple((round(width, 4), round(height, 4)) for width, height in pairs)


def _explicit(strides: tuple[int, ...], pairs: tuple[Pairs, ...]) -> Anchors:
    """Listed shapes; who goes on from them to sizes and ratios starts at each level's middle."""
    middles = (
        math.prod(width * height for width, height in level) ** (0.5 / len(level))
        for level in pairs
    )
    return Anchors(strides=strides, sizes=tuple((round(m, 1),) for m in middles), pairs=pairs)


_SSD_LEVELS = tuple(map(_ssd_level, SSD_SCALES[:-1], SSD_SCALES[1:], SSD_RATIOS))
_YOLOV2_LEVEL = tuple((round(32 * w, 4), round(32 * h, 4)) for w, h in YOLOV2_CELLS)

LITERATURE: dict[str, Preset] = {
    "mask-rcnn": Preset(
        "Mask R-CNN, FPN",
        "The RPN of Faster R-CNN with FPN, as Matterport's code has it: the best 6,000 of all "
        "levels together, ratios as w/h, deltas in tenths and fifths.",
        # detectron2's Mask R-CNN shares the RPN of its Faster R-CNN, which is a preset already.
        "He et al. 2017; matterport/Mask_RCNN, mrcnn/config.py, model.py (ProposalLayer), utils.py",
        Anchors(offset=0),
        CENTRE_SIZE,
        Filter(order="top-n first", pre_nms=6000, min_size=0),
    ),
    "retinanet": Preset(
        "RetinaNet",
        "Nine anchors a cell, three sizes a third of an octave apart in three ratios, on strides "
        "8 to 128: 120,087 at 800 x 800.",
        "Lin et al. 2017, Focal Loss, section 4; detectron2, configs/common/models/retinanet.py "
        "and modeling/meta_arch/retinanet.py",
        Anchors(strides=FROM_P3, sizes=IN_OCTAVES, ratio="h/w", offset=0),
        Codec(max_log_scale=LOG_1000_OVER_16),
        # It drops no small box, and classes, not levels, part its NMS.
        Filter(order="top-n first", pre_nms=1000, top_n_by_level=True, min_size=0),
        Nms(iou_threshold=0.5, post_nms=100),
        Match(high=0.5, low=0.4, low_quality="all"),  # focal loss samples nothing
    ),
    "ssd300": Preset(
        "SSD300",
        "4 or 6 shapes a cell, listed level by level and each with a square between two scales: "
        "8,732 anchors at its own 300 px.",
        "Liu et al. 2016, SSD, section 2.2; weiliu89/caffe (branch ssd), "
        "examples/ssd/ssd_pascal.py and src/caffe/layers/prior_box_layer.cpp",
        _explicit((8, 16, 32, 64, 100, 300), _SSD_LEVELS),
        CENTRE_SIZE,
        Filter(pre_nms=400, min_size=0),  # 400 and 200 are a class and a picture
        Nms(iou_threshold=0.45, post_nms=200),
        # 3 negatives to a positive; it takes the hardest, this chain draws them.
        Match(high=0.5, low=0.5, low_quality="first", positive_fraction=0.25),
    ),
    "yolov2": Preset(
        "YOLOv2",
        "Five shapes clustered from COCO's boxes, on one grid of stride 32: 845 anchors at its "
        "own 416 px, and only an object's best is positive.",
        "Redmon and Farhadi 2017, YOLO9000, section 2; darknet, cfg/yolov2.cfg and "
        "src/region_layer.c",
        _explicit((32,), (_YOLOV2_LEVEL,)),
        Codec(max_log_scale=None),
        Filter(min_size=0),  # all boxes over a score reach its NMS: no top-n to take over
        Nms(iou_threshold=0.45),  # examples/detector.c
        Match(high=1, low=0.6, low_quality="first"),  # thresh=.6, of the box, not of its anchor
    ),
    "yolov3": Preset(
        "YOLOv3",
        "Nine clustered shapes, three on each of three grids: 10,647 anchors at its own 416 px, "
        "and only an object's best is positive.",
        "Redmon and Farhadi 2018, YOLOv3, sections 2.1 and 2.3; darknet, cfg/yolov3.cfg and "
        "src/yolo_layer.c",
        _explicit((8, 16, 32), YOLOV3_PIXELS),
        Codec(max_log_scale=None),
        Filter(min_size=0),
        Nms(iou_threshold=0.45),
        Match(high=1, low=0.5, low_quality="first"),  # the paper's 0.5; the cfg says 0.7
    ),
    "efficientdet-d0": Preset(
        "EfficientDet-D0",
        "RetinaNet's nine anchors, now in the middle of the cell: 49,104 at its own 512 px; its "
        "NMS is soft unless told otherwise, here it is hard.",
        "Tan et al. 2020, EfficientDet; google/automl, efficientdet/hparams_config.py, "
        "keras/anchors.py and keras/postprocess.py",
        Anchors(strides=FROM_P3, sizes=IN_OCTAVES, ratios=(1, 2, 0.5)),
        Codec(max_log_scale=None),
        Filter(order="top-n first", pre_nms=5000, top_n_by="logits", min_size=0),
        Nms(iou_threshold=0.5, post_nms=100),
        Match(high=0.5, low=0.5, low_quality="first"),
    ),
    "fcos": Preset(
        "FCOS",
        "No anchors: each cell is a point, drawn as one square as wide as the stride; FCOS "
        "predicts the distances from it to a box's four sides, and matches without IoU.",
        "Tian et al. 2019, FCOS, section 3; tianzhi0549/FCOS, "
        "fcos_core/modeling/rpn/fcos/fcos.py and inference.py",
        Anchors(strides=FROM_P3, sizes=tuple((s,) for s in FROM_P3), ratios=(1,)),
        filter=Filter(order="top-n first", pre_nms=1000, top_n_by_level=True, min_size=0),
        nms=Nms(iou_threshold=0.6, post_nms=100),
        match=Match(),
    ),
}
