"""The course notebook and the three code bases whose RPN it can be compared with."""

from __future__ import annotations

from explorer.presets.preset import LOG_1000_OVER_16, Preset
from explorer.settings import Anchors, Codec, Filter, Match, Nms

_TORCHVISION_FILTER = Filter(
    order="top-n first",
    pre_nms=1000,
    top_n_by_level=True,
    top_n_by="logits",
    min_size=1e-3,
    nms_by_level=True,
)
_DETECTRON2_FILTER = Filter(
    order="top-n first",
    pre_nms=1000,
    top_n_by_level=True,
    top_n_by="logits",
    min_size=0,
    keep_equal=False,
    nms_by_level=True,
    nms_by="logits",
)

CODE_BASES: dict[str, Preset] = {
    "notebook": Preset(
        "Course notebook",
        "One size a level, ratios as w/h, centres in the middle of the cell: 159,882 anchors at "
        "800 x 800.",
        "Faster R-CNN from scratch, notebook 3: Region Proposal Network",
        Anchors(),
        match=Match(),
    ),
    "torchvision": Preset(
        "torchvision",
        "Ratios as h/w, centres on the cell's corner, corners rounded, and P6's stride is 61 "
        "pixels at 800.",
        "torchvision 0.29, models/detection/anchor_utils.py and rpn.py: fasterrcnn_resnet50_fpn",
        Anchors(
            ratio="h/w",
            offset=0,
            rounding="corners",
            stride_rule="image // grid",
            order="ratio outer",
        ),
        Codec(max_log_scale=LOG_1000_OVER_16),
        _TORCHVISION_FILTER,
    ),
    "detectron2": Preset(
        "detectron2",
        "Like torchvision without rounding; NMS ranks by logits, which the sigmoid cannot merge.",
        "detectron2, modeling/anchor_generator.py and proposal_utils.py: faster_rcnn_R_50_FPN",
        Anchors(ratio="h/w", offset=0),
        Codec(max_log_scale=LOG_1000_OVER_16),
        _DETECTRON2_FILTER,
    ),
    "py-faster-rcnn": Preset(
        "py-faster-rcnn (Ren 2015)",
        "One level at stride 16 with nine anchors a cell, and 300 proposals. "
        "Its inclusive corners (+1) are not imitated.",
        "Ren et al. 2015; py-faster-rcnn, rpn/generate_anchors.py and proposal_layer.py",
        Anchors(
            strides=(16,),
            sizes=((128, 256, 512),),
            ratio="h/w",
            rounding="base16",
            order="ratio outer",
        ),
        Codec(max_log_scale=None),
        Filter(pre_nms=6000, min_size_at="photo"),
        Nms(post_nms=300),
    ),
}
