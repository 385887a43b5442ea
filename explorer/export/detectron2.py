"""Settings as detectron2's YAML, on top of `Base-RCNN-FPN.yaml`.

Source: detectron2 0.6, config/defaults.py and configs/Base-RCNN-FPN.yaml.
"""

from __future__ import annotations

import math

from explorer.export.export import Export, Fixed, notes_on, number, ratios_as_h_over_w
from explorer.settings import Settings

FIXED = (
    Fixed("codec.max_log_scale", math.log(1000 / 16), "its clamp is no setting"),
    Fixed(
        "filter.top_n_by_level",
        True,
        "its pre-NMS top-k counts each level by itself, so more candidates reach NMS",
    ),
    Fixed("filter.top_n_by", "logits", "the two rank differently where the sigmoid merges logits"),
    Fixed("filter.order", "top-n first", "boxes that are too small still use up the top-k"),
    Fixed("filter.keep_equal", False, "it drops a side that equals the minimum"),
    Fixed("filter.min_size_at", "input", "it measures boxes after the photo was resized"),
    Fixed("filter.nms_by_level", True, "boxes of different levels never suppress each other"),
    Fixed("filter.nms_by", "logits", "the two rank differently where the sigmoid merges logits"),
    Fixed("nms.score_threshold", 0, "its RPN has no threshold on scores"),
    Fixed("match.low_quality", "all", "every anchor that ties for an object's best is positive"),
    Fixed("anchors.rounding", "none", "its anchors keep their fractions"),
    Fixed("anchors.stride_rule", "fixed", "its strides are the feature maps' own"),
)


def to_detectron2(settings: Settings) -> Export:
    """The keys of a config that differ from the defaults for these settings, all of the RPN's."""
    anchors, rules, nms, match = settings.anchors, settings.filter, settings.nms, settings.match
    features = ", ".join(f'"{name.lower()}"' for name in anchors.level_names)
    lines = ['_BASE_: "Base-RCNN-FPN.yaml"', "MODEL:"]
    if anchors.pairs is None:
        lines += [
            "  ANCHOR_GENERATOR:",
            f"    SIZES: [{', '.join(map(_list, anchors.sizes))}]",
            f"    ASPECT_RATIOS: [{_list(ratios_as_h_over_w(settings))}]  # height / width",
            f"    OFFSET: {number(anchors.offset)}",
        ]
    lines += [
        "  PROPOSAL_GENERATOR:",
        f"    MIN_SIZE: {number(rules.min_size)}",
        "  RPN:",
        f"    IN_FEATURES: [{features}]",
        f"    IOU_THRESHOLDS: [{number(match.low)}, {number(match.high)}]",
        "    IOU_LABELS: [0, -1, 1]",
        f"    BATCH_SIZE_PER_IMAGE: {match.batch_size}",
        f"    POSITIVE_FRACTION: {number(match.positive_fraction)}",
        f"    BBOX_REG_WEIGHTS: {_list(settings.codec.weights)}",
        f"    PRE_NMS_TOPK_TEST: {rules.pre_nms}",
        f"    POST_NMS_TOPK_TEST: {nms.post_nms}",
        f"    NMS_THRESH: {number(nms.iou_threshold)}",
    ]
    return Export("rpn_detectron2.yaml", "\n".join(lines) + "\n", _notes(settings))


def _list(values: tuple[float, ...]) -> str:
    return f"[{', '.join(map(number, values))}]"


def _notes(settings: Settings) -> tuple[str, ...]:
    anchors = settings.anchors
    notes = list(notes_on(settings, FIXED))
    if anchors.pairs is not None:
        notes.append(
            "DefaultAnchorGenerator knows sizes times ratios, not listed shapes: the anchors are "
            "left out."
        )
    elif anchors.order == "ratio outer" and not _same_in_any_order(settings):
        notes.append(
            "Its loop over sizes is the outer one: the head's channels stand in another order."
        )
    if len(set(anchors.per_cell)) > 1:
        notes.append("StandardRPNHead needs as many anchors a cell on every level.")
    if anchors.offset == 1:
        notes.append("OFFSET must be under 1: 1 is the next cell's 0.")
    powers = [2 ** round(math.log2(stride)) for stride in anchors.strides]
    doubled = list(anchors.strides) == [powers[0] * 2**level for level in range(len(powers))]
    if not doubled or anchors.strides[0] < 4 or anchors.strides[-1] > 128:
        notes.append(
            f"The strides {', '.join(map(str, anchors.strides))} must be those of the backbone's "
            "feature maps: build_resnet_fpn_backbone makes 4, 8, 16, 32 and 64."
        )
    return tuple(notes)


def _same_in_any_order(settings: Settings) -> bool:
    anchors = settings.anchors
    return len(anchors.ratios) == 1 or all(len(level) == 1 for level in anchors.sizes)
