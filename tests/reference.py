"""Slow, obviously right oracles: what the fast code must equal.

Append only; each subject keeps its functions together.
"""

import math

import numpy as np
import torch
from torch.nn import functional as F

from explorer.core.boxes import box_iou

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


# The chain from the head's output to proposals, box by box, as each code base walks it. A `world`
# has lists: anchors, logits, scores, deltas and level, one entry an anchor, and image_size and
# photo_scale. Each gives the candidates' anchors, best first, their boxes, and every anchor's fate.


def notebook_candidates(world, top_n, min_size):
    """Decode, clip, drop small, the best by score over all levels."""
    boxes = _decoded_and_clipped(world, max_log_scale=4.0)
    large = [i for i, box in enumerate(boxes) if min(_sides(box)) >= min_size]
    best = _best_first(large, world.scores)[:top_n]
    fates = ["BELOW_TOP_N" if i in large else "TOO_SMALL" for i in range(len(boxes))]
    return _candidates(best, boxes, fates)


def torchvision_candidates(world, top_n, min_size):
    """The best by logit of each level, decode, clip, drop small; NMS ranks by score."""
    boxes = _decoded_and_clipped(world, max_log_scale=math.log(1000 / 16))
    chosen = _best_of_each_level(world, top_n)
    large = [i for i in chosen if min(_sides(boxes[i])) >= min_size]
    fates = ["TOO_SMALL" if i in chosen else "BELOW_TOP_N" for i in range(len(boxes))]
    return _candidates(_best_first(large, world.scores), boxes, fates)


def detectron2_candidates(world, top_n, min_size):
    """The best by logit of each level, decode, clip, drop empty; NMS ranks by logit."""
    boxes = _decoded_and_clipped(world, max_log_scale=math.log(1000 / 16))
    chosen = _best_of_each_level(world, top_n)
    large = [i for i in chosen if min(_sides(boxes[i])) > min_size]
    fates = ["TOO_SMALL" if i in chosen else "BELOW_TOP_N" for i in range(len(boxes))]
    return _candidates(_best_first(large, world.logits), boxes, fates)


def py_faster_rcnn_candidates(world, top_n, min_size):
    """As the notebook, without a clamp, and the minimum size grows with the picture."""
    boxes = _decoded_and_clipped(world, max_log_scale=None)
    least = min_size * world.photo_scale
    large = [i for i, box in enumerate(boxes) if min(_sides(box)) >= least]
    best = _best_first(large, world.scores)[:top_n]
    fates = ["BELOW_TOP_N" if i in large else "TOO_SMALL" for i in range(len(boxes))]
    return _candidates(best, boxes, fates)


CANDIDATES_OF = {
    "notebook": notebook_candidates,
    "torchvision": torchvision_candidates,
    "detectron2": detectron2_candidates,
    "py-faster-rcnn": py_faster_rcnn_candidates,
}


def _decoded_and_clipped(world, max_log_scale):
    height, width = world.image_size
    limits = (width, height, width, height)
    boxes = []
    for anchor, deltas in zip(world.anchors, world.deltas, strict=True):
        box = plain_decode(anchor, deltas, (1, 1, 1, 1), max_log_scale)
        # this way round NaN stays NaN
        boxes.append([min(max(v, 0.0), limit) for v, limit in zip(box, limits, strict=True)])
    return boxes


def _sides(box):
    """Width and height; 0 where they are NaN, which is too small."""
    sides = box[2] - box[0], box[3] - box[1]
    return (-1.0, -1.0) if any(map(math.isnan, sides)) else sides


def _best_first(anchors, ranked_by):
    anchors = sorted(anchors)
    return [anchors[i] for i in plain_top_n([ranked_by[i] for i in anchors], len(anchors))]


def _best_of_each_level(world, top_n):
    best = []
    for level in sorted(set(world.level)):
        of_level = [i for i, each in enumerate(world.level) if each == level]
        best += _best_first(of_level, world.logits)[:top_n]
    return best


def _candidates(best, boxes, fates):
    for i in best:
        fates[i] = "KEPT"
    return best, [boxes[i] for i in best], fates


def greedy_suppression(boxes, groups, threshold):
    """Survivors and winners among boxes that stand best first; -1 wins nothing.

    IoU in float32, as the code has it, since 'greater than the threshold' depends on the last bit.
    """
    survivors, winners = [], []
    for rank, box in enumerate(boxes):
        beaten_by = (
            winner
            for winner in survivors
            if groups[winner] == groups[rank] and _float32_iou(boxes[winner], box) > threshold
        )
        winners.append(next(beaten_by, -1))
        if winners[-1] == -1:
            survivors.append(rank)
    return survivors, winners


def _float32_iou(a, b):
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = ([np.float32(v) for v in box] for box in (a, b))
    area_a, area_b = (ax2 - ax1) * (ay2 - ay1), (bx2 - bx1) * (by2 - by1)
    shared = max(min(ax2, bx2) - max(ax1, bx1), np.float32(0)) * max(
        min(ay2, by2) - max(ay1, by1), np.float32(0)
    )
    return float(shared / (area_a + area_b - shared)) if area_a > 0 and area_b > 0 else 0.0


def sweep_suppression(boxes, scores, threshold):
    """Survivors and winners as indices: the usual numpy sweep for each kept box."""
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1) * (y2 - y1)
    order, keep, suppressed_by = np.argsort(-scores, kind="stable"), [], np.full(len(boxes), -1)
    while len(order):
        best, rest = order[0], order[1:]
        keep.append(int(best))
        width = np.maximum(np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]), 0)
        height = np.maximum(np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]), 0)
        shared = width * height
        over = (shared / (area[best] + area[rest] - shared)).astype(np.float64) > threshold
        suppressed_by[rest[over]] = best
        order = rest[~over]
    return keep, suppressed_by.tolist()


def plain_lite0(original, x):
    """EfficientNet-Lite0 on its published weights, batch norms unfolded: C2, C3, C4 and C5.

    Padding is TensorFlow's "SAME", laid by hand around every convolution.
    """

    def conv_norm(x, conv, norm, stride, active):
        weight = original[f"{conv}.weight"]
        kernel = weight.shape[-1]
        groups = x.shape[1] if weight.shape[1] == 1 else 1
        pads = []
        for side in (x.shape[3], x.shape[2]):
            total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            pads += [total // 2, total - total // 2]
        padded = torch.nn.functional.pad(x, pads)
        x = torch.nn.functional.conv2d(padded, weight, stride=stride, groups=groups)
        mean, variance, gamma, beta = (
            original[f"{norm}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        x = (x - mean) / torch.sqrt(variance + 0.001) * gamma + beta
        return x.clamp(0, 6) if active else x

    x = conv_norm(x, "_conv_stem", "_bn0", 2, True)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
    features = []
    for block, stride in enumerate(strides):
        name, before = f"_blocks.{block}.", x
        if block > 0:
            x = conv_norm(x, name + "_expand_conv", name + "_bn0", 1, True)
        x = conv_norm(x, name + "_depthwise_conv", name + "_bn1", stride, True)
        x = conv_norm(x, name + "_project_conv", name + "_bn2", 1, False)
        if stride == 1 and x.shape == before.shape:
            x = x + before
        if block in (2, 4, 10, 15):
            features.append(x)
    return features


def plain_planted(anchors, objects, regression):
    """Logits and deltas from the best object of each anchor, one anchor at a time, no noise."""
    logits, deltas = [], []
    for anchor in anchors:
        ious = [plain_iou(anchor, each) for each in objects]
        best = max(ious, default=0.0)
        logits.append(20 * (best - 0.5))
        whole = [0.0] * 4
        if best > 0:
            whole = plain_encode(anchor, objects[ious.index(best)], (1, 1, 1, 1))
        deltas.append([regression * delta for delta in whole])
    return logits, deltas


def plain_hit_kinds(proposals, truths, threshold):
    """Kind and object of each proposal, from who found what and what is reached at all."""
    found = plain_hits(proposals, truths, min(threshold, 1 - 1e-10))
    kinds, matched = [], []
    for rank, box in enumerate(proposals):
        ious = [plain_iou(box, truth) for truth in truths]
        best = max(ious, default=0.0)
        if rank in found:
            kinds.append("HIT")
            matched.append(found.index(rank))
        elif best >= min(threshold, 1 - 1e-10):
            kinds.append("DUPLICATE")
            matched.append(ious.index(best))
        else:
            kinds.append("MISS")
            matched.append(-1)
    return kinds, matched


def plain_miss(chain, number, threshold, anchor_iou):
    """The reason why an object was missed, and the anchor that speaks for it, step by step."""
    truth = chain.truths[number].tolist()
    anchors, scores = chain.anchors.boxes.tolist(), chain.head.scores.tolist()
    height, width = chain.grid.image_size
    ious = [plain_iou(anchor, truth) for anchor in anchors]
    if max(ious) < anchor_iou:
        return "NO_ANCHOR", ious.index(max(ious))
    boxes = []
    for anchor, deltas in zip(anchors, chain.head.deltas.tolist(), strict=True):
        x1, y1, x2, y2 = plain_decode(anchor, deltas, (1, 1, 1, 1), 4.0)
        boxes.append([max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)])
    ious = [plain_iou(box, truth) for box in boxes]
    reaching = [i for i, iou in enumerate(ious) if iou >= threshold]
    if not reaching:
        return "NO_BOX", ious.index(max(ious))
    places = chain.candidates.anchor_index.tolist()
    valid = chain.candidates.valid.tolist()
    candidates = [i for i, is_valid in zip(places, valid, strict=True) if is_valid]
    by_score = sorted(reaching, key=lambda i: (-scores[i], i))
    fates = ((0, "TAKEN"), (4, "OVER_CAP"), (3, "SUPPRESSED"), (5, "LOW_SCORE"))
    for fate, reason in fates:
        for i in candidates:
            if i in reaching and chain.proposals.fate[places.index(i)] == fate:
                return reason, i
    low = [i for i in by_score if chain.candidates.fate[i] == 1]
    if low and chain.rules.top_n_by_level:  # the one that stands highest in its own level
        half = chain.grid.starts[1]

        def place(i):
            rivals = range(half) if i < half else range(half, len(anchors))
            small = chain.rules.order == "decode first"
            return sum(
                (-scores[j], j) < (-scores[i], i)
                for j in rivals
                if not (small and chain.candidates.fate[j] == 2)
            )

        return "BELOW_TOP_N", min(sorted(low), key=place)
    if low:
        return "BELOW_TOP_N", low[0]
    return "TOO_SMALL", max(reaching, key=lambda i: (ious[i], -i))


def plain_soft_nms(boxes, scores, threshold, sigma, score_threshold, method):
    """Indices and sunk float32 scores, in the order taken, box by box."""
    left, taken, sunk = {i: np.float32(score) for i, score in enumerate(scores)}, [], []
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        score = left.pop(best)
        if score <= score_threshold:
            break
        taken.append(best)
        sunk.append(float(score))
        for i in left:
            iou = _float32_iou(boxes[best], boxes[i])
            if math.isnan(iou):  # both areas are infinite
                iou = 0.0
            if method == "gaussian":
                left[i] = np.float32(float(left[i]) * math.exp(-iou * iou / sigma))
            elif iou > threshold:
                kept_share = 0 if method == "hard" else 1 - np.float32(iou)
                left[i] = np.float32(left[i] * kept_share)
    return taken, sunk


# Best anchors.


def best_by_matrix(anchors, objects):
    """(G,) best IoU and (G,) its anchor, the lowest of equals; 0 and -1 where none meets."""
    if not len(anchors):
        return torch.zeros(len(objects)), torch.full((len(objects),), -1)
    whole = box_iou(objects.cpu(), anchors.cpu())
    index = torch.from_numpy(whole.numpy().argmax(axis=1))
    best = whole.amax(dim=1)
    return best, index.masked_fill(best == 0, -1)
