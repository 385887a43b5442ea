"""Settings as an mmdetection config, on top of `faster-rcnn_r50_fpn.py`.

Source: mmdetection 3.3, configs/_base_/models/faster-rcnn_r50_fpn.py; mmdet/models,
    task_modules/prior_generators/anchor_generator.py and dense_heads/rpn_head.py.
"""

from __future__ import annotations

import math

from explorer.export.export import Export, Fixed, listed, notes_on, number, ratios_as_h_over_w
from explorer.settings import Settings

FIXED = (
    Fixed(
        "filter.top_n_by_level",
        True,
        "its nms_pre counts each level by itself, so more candidates reach NMS",
    ),
    Fixed("filter.top_n_by", "scores", "the two rank differently where the sigmoid merges logits"),
    Fixed("filter.order", "top-n first", "boxes that are too small still use up nms_pre"),
    Fixed("filter.keep_equal", False, "it drops a side that equals the minimum"),
    Fixed("filter.min_size_at", "input", "it measures boxes after the photo was resized"),
    Fixed("filter.nms_by_level", True, "boxes of different levels never suppress each other"),
    Fixed("filter.nms_by", "scores", "the two rank differently where the sigmoid merges logits"),
    Fixed("anchors.rounding", "none", "its anchors keep their fractions"),
    Fixed("anchors.stride_rule", "fixed", "its strides are the config's own"),
)
# An object's best anchor is positive however little it overlaps; at 0 an object that touches no
# anchor would claim them all.
ANY_OVERLAP = 1e-6


def to_mmdetection(settings: Settings) -> Export:
    """A config that inherits the Faster R-CNN base and sets its RPN as here."""
    rules, nms, match = settings.filter, settings.nms, settings.match
    stds = tuple(1 / weight for weight in settings.codec.weights)
    score = f", score_threshold={number(nms.score_threshold)}" if nms.score_threshold else ""
    lines = [
        '_base_ = "../_base_/models/faster-rcnn_r50_fpn.py"',
        "",
        "model = dict(",
        "    rpn_head=dict(",
        *_anchor_generator(settings),
        "        bbox_coder=dict(",
        '            type="DeltaXYWHBBoxCoder",',
        "            target_means=(0.0, 0.0, 0.0, 0.0),",
        f"            target_stds={listed(stds)},",
        "        ),",
        "    ),",
        "    train_cfg=dict(",
        "        rpn=dict(",
        "            assigner=dict(",
        '                type="MaxIoUAssigner",',
        f"                pos_iou_thr={number(match.high)},",
        f"                neg_iou_thr={number(match.low)},",
        f"                min_pos_iou={number(ANY_OVERLAP)},",
        f"                match_low_quality={match.low_quality != 'none'},",
        f"                gt_max_assign_all={match.low_quality == 'all'},",
        "            ),",
        "            sampler=dict(",
        '                type="RandomSampler",',
        f"                num={match.batch_size},",
        f"                pos_fraction={number(match.positive_fraction)},",
        "            ),",
        "        )",
        "    ),",
        "    test_cfg=dict(",
        "        rpn=dict(",
        f"            nms_pre={rules.pre_nms},",
        f"            max_per_img={nms.post_nms},",
        f'            nms=dict(type="nms", iou_threshold={number(nms.iou_threshold)}{score}),',
        f"            min_bbox_size={number(rules.min_size)},",
        "        )",
        "    ),",
        ")",
    ]
    return Export("rpn_mmdetection.py", "\n".join(lines) + "\n", _notes(settings))


def _multiples(settings: Settings) -> tuple[float, ...] | None:
    """Each level's sizes over its first, where all levels agree; else None."""
    levels = [tuple(size / level[0] for size in level) for level in settings.anchors.sizes]
    first = levels[0]
    same = all(
        len(level) == len(first) and all(map(math.isclose, level, first)) for level in levels
    )
    return first if same else None


def _anchor_generator(settings: Settings) -> list[str]:
    anchors, multiples = settings.anchors, _multiples(settings)
    if anchors.pairs is not None or multiples is None:
        return []
    bases = [number(level[0]) for level in anchors.sizes]
    ratios = ", ".join(map(number, ratios_as_h_over_w(settings)))
    lines = [
        '            type="AnchorGenerator",',
        f"            strides=[{', '.join(map(str, anchors.strides))}],",
        f"            base_sizes=[{', '.join(bases)}],",
        f"            scales=[{', '.join(map(number, multiples))}],",
        f"            ratios=[{ratios}],  # height / width",
        f"            scale_major={anchors.order == 'ratio outer'},",
    ]
    if anchors.offset:
        centres = [number(anchors.offset * stride) for stride in anchors.strides]
        pairs = ", ".join(f"({centre}, {centre})" for centre in centres)
        lines.append(f"            centers=[{pairs}],")
    return ["        anchor_generator=dict(", *lines, "        ),"]


def _notes(settings: Settings) -> tuple[str, ...]:
    anchors, notes = settings.anchors, list(notes_on(settings, FIXED))
    if anchors.pairs is not None:
        notes.append("AnchorGenerator knows no listed shapes: the anchors are left out.")
    elif _multiples(settings) is None:
        notes.append(
            "AnchorGenerator multiplies one base size a level by the same scales on all levels; "
            "these sizes are no such multiples: the anchors are left out."
        )
    if settings.codec.max_log_scale != math.log(1000 / 16):
        notes.append(
            "RPNHead calls the coder with its own clamp, log(1000/16), and clamps the lower side "
            "too: another clamp is no setting."
        )
    if settings.match.low_quality != "none":
        notes.append(
            "min_pos_iou is a hair above 0: at 0 an object that touches no anchor would claim all."
        )
    return tuple(notes)
