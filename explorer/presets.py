"""Named settings: what each code base and paper chose, with its source.

A preset sets the groups that a detector defines (anchors, codec, filter, nms, match) and leaves
the picture, the scores, the device and the view as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.settings import Anchors, Codec, Filter, Match, Nms, Settings

DETECTOR_GROUPS = ("anchors", "codec", "filter", "nms", "match")
LOG_1000_OVER_16 = math.log(1000 / 16)  # Detectron's clamp: a 16-px anchor may grow to 1000 px


@dataclass(frozen=True)
class Preset:
    """One detector's choices."""

    title: str
    sentence: str  # what a reader should notice about it
    source: str
    anchors: Anchors
    codec: Codec = Codec()
    filter: Filter = Filter()
    nms: Nms = Nms()
    match: Match = Match(low_quality="all")

    def apply(self, settings: Settings) -> Settings:
        """`settings` with this detector's groups in place of its own.

        Raises:
            ValueError: (pydantic) if the picture is too large for the detector's anchors.
        """
        groups = {name: getattr(self, name).model_dump() for name in DETECTOR_GROUPS}
        return Settings.model_validate(settings.model_dump() | groups)


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

PRESETS: dict[str, Preset] = {
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


def name_of(settings: Settings) -> str | None:
    """The preset whose groups these settings hold, or None for settings of one's own."""
    for name, preset in PRESETS.items():
        if all(getattr(settings, group) == getattr(preset, group) for group in DETECTOR_GROUPS):
            return name
    return None
