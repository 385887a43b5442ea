"""Slow, obviously right oracles: what the fast code must equal.

Append only; each subject keeps its functions together.
"""

import math

import torch
from torch.nn import functional as F

# Networks: plain sums of F.conv2d over a state dict with torchvision's names (backbone.body.* and
# so on, newer generation), independent of explorer.core's modules.

RESNET50_BLOCKS = (3, 4, 6, 3)


def plain_resnet50(state, images, normalise):
    """C2 to C5; `normalise(x, prefix)` is the normalisation of the layer whose keys start so."""

    def conv(x, name, stride=1):
        weight = state[f"backbone.body.{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    x = torch.relu(normalise(conv(images, "conv1", 2), "backbone.body.bn1"))
    x = F.max_pool2d(x, 3, 2, 1)
    levels = []
    for number, blocks in enumerate(RESNET50_BLOCKS, start=1):
        for block in range(blocks):
            name = f"layer{number}.{block}"
            stride = 2 if number > 1 and block == 0 else 1
            y = torch.relu(normalise(conv(x, f"{name}.conv1"), f"backbone.body.{name}.bn1"))
            y = conv(y, f"{name}.conv2", stride)
            y = torch.relu(normalise(y, f"backbone.body.{name}.bn2"))
            y = normalise(conv(y, f"{name}.conv3"), f"backbone.body.{name}.bn3")
            if block == 0:
                x = conv(x, f"{name}.downsample.0", stride)
                x = normalise(x, f"backbone.body.{name}.downsample.1")
            x = torch.relu(x + y)
        levels.append(x)
    return levels


def plain_fpn(state, levels):
    """P2 to P6 from C2 to C5."""

    def conv(x, name):
        weight, bias = (state[f"backbone.fpn.{name}.0.{kind}"] for kind in ("weight", "bias"))
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    laterals = [conv(level, f"inner_blocks.{i}") for i, level in enumerate(levels)]
    for i in (2, 1, 0):
        rows, columns = laterals[i].shape[-2:]
        above = laterals[i + 1]
        row = torch.arange(rows) * above.shape[-2] // rows
        column = torch.arange(columns) * above.shape[-1] // columns
        laterals[i] = laterals[i] + above[:, :, row][..., column]
    outputs = [conv(level, f"layer_blocks.{i}") for i, level in enumerate(laterals)]
    return [*outputs, outputs[-1][..., ::2, ::2]]


def plain_head(state, levels):
    """Logits and deltas of every level."""

    def conv(x, name):
        weight, bias = (state[f"rpn.head.{name}.{kind}"] for kind in ("weight", "bias"))
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    hidden = [torch.relu(conv(level, "conv.0.0")) for level in levels]
    return [conv(x, "cls_logits") for x in hidden], [conv(x, "bbox_pred") for x in hidden]


def anchors_by_loops(cells, grids, strides, offset):
    """Anchors of all levels, box by box in Python floats; (N, 4)."""
    boxes = []
    for cell, (rows, columns), (down, across) in zip(cells, grids, strides, strict=True):
        for row in range(rows):
            for column in range(columns):
                x, y = (column + offset) * across, (row + offset) * down
                for x1, y1, x2, y2 in cell.tolist():
                    boxes.append([x1 + x, y1 + y, x2 + x, y2 + y])
    return torch.tensor(boxes).reshape(-1, 4)


# Boxes: areas, IoU, the coder, top-n, matching and the losses in plain Python, one box at a time.


def plain_area(box):
    x1, y1, x2, y2 = box
    return (x2 - x1) * (y2 - y1)


def plain_iou(a, b):
    """IoU of two boxes as plain numbers: what is shared over what is covered."""
    if any(math.isnan(v) for v in (*a, *b)):
        return 0.0
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (plain_area(a) + plain_area(b) - width * height)


def plain_encode(anchor, target, weights):
    """Eq. 2 of Ren et al. 2015, one box, in double precision."""
    (ax, ay, aw, ah), (tx, ty, tw, th) = _plain_centre(anchor), _plain_centre(target)
    deltas = ((tx - ax) / aw, (ty - ay) / ah, math.log(tw / aw), math.log(th / ah))
    return [w * d for w, d in zip(weights, deltas, strict=True)]


def plain_decode(anchor, deltas, weights, max_log_scale):
    ax, ay, aw, ah = _plain_centre(anchor)
    dx, dy, dw, dh = (d / w for d, w in zip(deltas, weights, strict=True))
    if max_log_scale is not None:
        dw, dh = min(dw, max_log_scale), min(dh, max_log_scale)
    x, y, w, h = ax + dx * aw, ay + dy * ah, aw * math.exp(dw), ah * math.exp(dh)
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def _plain_centre(box):
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def plain_top_n(scores, n):
    """Indices by NaN first, then score, then index."""
    order = sorted(
        range(len(scores)),
        key=lambda i: (0, 0, i) if math.isnan(scores[i]) else (1, -scores[i], i),
    )
    return order[:n]


def plain_match(table, high, low, rule):
    """Labels, matched objects, their IoU and the low-quality flags; `table[anchor][object]`."""
    objects = range(len(table[0]) if table else 0)
    best_of_object = [max(row[g] for row in table) for g in objects]
    labels, matched, best_iou, low_quality = [], [], [], []
    for n, row in enumerate(table):
        best = max(row, default=0.0)
        target = row.index(best) if row else 0
        label = 1 if row and best >= high else 0 if not row or best < low else -1
        claimed_by = [
            g
            for g in objects
            if row[g] == best_of_object[g] > 0
            and (rule == "all" or (rule == "first" and all(r[g] < row[g] for r in table[:n])))
        ]
        low_quality.append(bool(claimed_by) and best < high)
        if low_quality[-1]:
            label = 1
            if rule == "first":
                target = max(claimed_by, key=lambda g: (row[g], -g))
        labels.append(label)
        matched.append(target)
        best_iou.append(row[target] if row else 0.0)
    return labels, matched, best_iou, low_quality, best_of_object


def plain_cross_entropy(logit, truth):
    """The negative log-likelihood of one label, in double precision."""
    score = 1 / (1 + math.exp(-logit))
    return -math.log(score if truth else 1 - score)


def plain_smooth_l1(difference, beta):
    size = abs(difference)
    return size * size / (2 * beta) if size < beta else size - beta / 2


def plain_hits(proposals, truths, threshold):
    """The rank that finds each object, by COCO's greedy rule, one proposal after the other."""
    found = [-1] * len(truths)
    for rank, box in enumerate(proposals):
        best, winner = threshold, None
        for g, truth in enumerate(truths):
            width = min(box[2], truth[2]) - max(box[0], truth[0])
            height = min(box[3], truth[3]) - max(box[1], truth[1])
            shared = max(width, 0) * max(height, 0)
            areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, truth)]
            union = sum(areas) - shared
            iou = shared / union if union > 0 else 0.0
            if found[g] == -1 and iou >= best:
                best, winner = iou, g
        if winner is not None:
            found[winner] = rank
    return found
