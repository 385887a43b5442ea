"""Settings as torchvision's `AnchorGenerator` and `RegionProposalNetwork`.

Source: torchvision 0.29.1, models/detection/anchor_utils.py, rpn.py and _utils.py.
"""

from __future__ import annotations

import math

from explorer.core.anchors import grid_sizes, level_strides
from explorer.core.layout import level_shapes
from explorer.export.export import Export, Fixed, listed, notes_on, number, ratios_as_h_over_w
from explorer.settings import Settings

FIXED = (
    Fixed(
        "filter.top_n_by_level",
        True,
        "its pre-NMS top-n counts each level by itself, so more candidates reach NMS",
    ),
    Fixed("filter.top_n_by", "logits", "the two rank differently where the sigmoid merges logits"),
    Fixed("filter.order", "top-n first", "boxes that are too small still use up the top-n"),
    Fixed("filter.keep_equal", True, "it keeps a side that equals the minimum"),
    Fixed("filter.min_size_at", "input", "it measures boxes after the photo was resized"),
    Fixed("filter.nms_by_level", True, "boxes of different levels never suppress each other"),
    Fixed("filter.nms_by", "scores", "equal scores fall back on the order of the boxes"),
)


def to_torchvision(settings: Settings) -> Export:
    """Python that builds the RPN of these settings, to paste into a torchvision project.

    Anchors that torchvision's own rule does not give (another rounding, an offset, listed shapes)
    are written out one by one: `cell_anchors` takes them.
    """
    anchors, nms, match = settings.anchors, settings.nms, settings.match
    native = _is_native(settings)
    lines = [
        "import math",
        "",
        "import torch",
        "from torchvision.models.detection import _utils as det_utils",
        "from torchvision.models.detection.anchor_utils import AnchorGenerator",
        "from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead",
        "",
        *(_by_rule(settings) if native else _one_by_one(settings)),
        "",
        f"head = RPNHead(in_channels=256, num_anchors={anchors.per_cell[0]})",
        "rpn = RegionProposalNetwork(",
        "    anchor_generator,",
        "    head,",
        f"    fg_iou_thresh={number(match.high)},",
        f"    bg_iou_thresh={number(match.low)},",
        f"    batch_size_per_image={match.batch_size},",
        f"    positive_fraction={number(match.positive_fraction)},",
        f'    pre_nms_top_n={{"training": 2000, "testing": {settings.filter.pre_nms}}},',
        f'    post_nms_top_n={{"training": 2000, "testing": {nms.post_nms}}},',
        f"    nms_thresh={number(nms.iou_threshold)},",
        f"    score_thresh={number(nms.score_threshold)},",
        ")",
        f"rpn.min_size = {number(settings.filter.min_size)}",
        f"rpn.box_coder = det_utils.BoxCoder({listed(settings.codec.weights)}, {_clip(settings)})",
    ]
    if match.low_quality == "none":
        high, low = number(match.high), number(match.low)
        lines.append(
            f"rpn.proposal_matcher = det_utils.Matcher({high}, {low}, "
            "allow_low_quality_matches=False)"
        )
    return Export("rpn_torchvision.py", "\n".join(lines) + "\n", _notes(settings, native))


def _is_native(settings: Settings) -> bool:
    """Whether `AnchorGenerator` gives these anchors by its own rule."""
    anchors = settings.anchors
    one_size = all(len(level) == 1 for level in anchors.sizes)
    in_order = anchors.order == "ratio outer" or one_size or len(anchors.ratios) == 1
    by_rule = anchors.pairs is None and anchors.rounding == "corners"
    return by_rule and anchors.offset == 0 and in_order


def _by_rule(settings: Settings) -> list[str]:
    sizes = ", ".join(listed(level) for level in settings.anchors.sizes)
    return [
        "anchor_generator = AnchorGenerator(",
        f"    sizes=({sizes},),",
        f"    aspect_ratios=({listed(ratios_as_h_over_w(settings))},) "
        f"* {len(settings.anchors.sizes)},  # height / width",
        ")",
    ]


def _one_by_one(settings: Settings) -> list[str]:
    """Each level's anchors around its first cell's corner, as torchvision shifts them."""
    levels = []
    anchors = settings.anchors
    for shapes, stride in zip(level_shapes(anchors), anchors.strides, strict=True):
        rows = (shapes.double() + anchors.offset * stride).tolist()
        # nine digits read back to the same float32
        lines = [f"[{', '.join(f'{side:.9g}' for side in row)}]" for row in rows]
        levels.append(f"    torch.tensor([{f',{chr(10)}                  '.join(lines)}]),")
    count = len(anchors.strides)
    return [
        f"anchor_generator = AnchorGenerator(((1,),) * {count}, ((1.0,),) * {count})",
        "anchor_generator.cell_anchors = [  # x1, y1, x2, y2 around the corner of a cell",
        *levels,
        "]",
    ]


def _clip(settings: Settings) -> str:
    clamp = settings.codec.max_log_scale
    if clamp is None:
        return "math.inf"
    return "math.log(1000 / 16)" if clamp == math.log(1000 / 16) else number(clamp)


def _notes(settings: Settings, native: bool) -> tuple[str, ...]:
    notes = list(notes_on(settings, FIXED))
    anchors = settings.anchors
    if not native:
        notes.append(
            "AnchorGenerator's own rule does not give these anchors (it rounds corners to whole "
            "pixels, centres them on the cell's corner and knows no listed shapes): they are "
            "written out."
        )
    square = (settings.image.side, settings.image.side)
    cells = grid_sizes(square, anchors.strides)
    theirs = level_strides(square, cells, anchors.strides, "image // grid")
    moved = [
        f"{name} {stride:g} becomes {x:g}"
        for name, stride, (_, x) in zip(anchors.level_names, anchors.strides, theirs, strict=True)
        if x != stride
    ]
    if anchors.stride_rule == "fixed" and moved:
        notes.append(
            f"torchvision divides the picture by the grid to get its strides: at {square[0]} px "
            f"{', '.join(moved)}."
        )
    if len(set(anchors.per_cell)) > 1:
        notes.append(
            "RPNHead is one for all levels, so every level must have as many anchors a cell: here "
            f"they are {', '.join(map(str, anchors.per_cell))}."
        )
    if settings.match.low_quality == "first":
        notes.append(
            "torchvision makes every anchor positive that ties for an object's best, not only the "
            "first."
        )
    return tuple(notes)
