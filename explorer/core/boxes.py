"""Areas and overlaps of boxes: the arithmetic that NMS, matching and recall share.

Shape letters: N and M are numbers of boxes. A box is (x1, y1, x2, y2) in pixels of the network's
input, continuous coordinates, no +1.
"""

import numpy as np
import torch
from torch import Tensor

# Boxes at a time: a dozen float32 arrays of this length stay in a core's caches.
RUN = 16384


def check_boxes(name: str, boxes: Tensor) -> None:
    """Refuse a tensor that is not (*, 4).

    Args:
        name: what the caller calls the tensor, for the message.
        boxes: any tensor.

    Raises:
        ValueError: with the expected and the actual shape.
    """
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise ValueError(f"{name} must have shape (*, 4), got {tuple(boxes.shape)}")


def check_box_list(name: str, boxes: Tensor) -> None:
    """Refuse a tensor that is not (N, 4); arguments and error as `check_boxes`."""
    if boxes.ndim != 2 or boxes.shape[-1] != 4:
        raise ValueError(f"{name} must have shape (N, 4), got {tuple(boxes.shape)}")


def box_area(boxes: Tensor) -> Tensor:
    """Area of every box, in float32 (float16 overflows from 256 x 256 on).

    Args:
        boxes: (*, 4) boxes, xyxy, pixels.

    Returns:
        (*) areas in square pixels, (N,) for a list of N boxes. A box with one side turned around
        (x2 < x1) has a negative area, as in torchvision.

    Raises:
        ValueError: if `boxes` is not (*, 4).
    """
    check_boxes("boxes", boxes)
    x1, y1, x2, y2 = boxes.float().unbind(-1)
    return (x2 - x1) * (y2 - y1)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every box in `a` with every box in `b`.

    The values are the same bit for bit on every device and carry no gradient.

    Args:
        a: (N, 4) boxes, xyxy, pixels.
        b: (M, 4) boxes, same convention, on the same device.

    Returns:
        (N, M) float32 values in [0, 1]; 0 where two boxes only touch, where both have no area, and
        where a box is turned around or holds NaN. (N, 0) or (0, M) for an empty input.

    Raises:
        ValueError: if either input is not (*, 4), or is no plain list of boxes.

    Source: torchvision.ops.box_iou, except that duplicates without area are 0 here, 0/0 there.
    """
    check_box_list("a", a)
    check_box_list("b", b)
    if a.device.type != "cpu":
        return broadcast_iou(a.detach().float(), b.detach().float())
    iou = np.empty((len(a), len(b)), dtype=np.float32)
    if len(a) <= len(b):
        _fill_iou(iou, box_columns(a), box_columns(b))
    else:  # the longer side innermost; IoU is symmetric to the last bit
        _fill_iou(iou.T, box_columns(b), box_columns(a))
    return torch.from_numpy(iou)


def broadcast_iou(a: Tensor, b: Tensor) -> Tensor:
    """The IoU of (N, 4) and (M, 4) float32 boxes in one go, as suits an accelerator."""
    x1, y1, x2, y2 = a[:, None].unbind(-1)  # each (N, 1)
    u1, v1, u2, v2 = b.unbind(-1)  # each (M,)
    width = (torch.minimum(x2, u2) - torch.maximum(x1, u1)).clamp(min=0)  # (N, M)
    height = (torch.minimum(y2, v2) - torch.maximum(y1, v1)).clamp(min=0)
    inter = width * height
    iou = inter / (box_area(a)[:, None] + box_area(b) - inter)
    return torch.where(iou > 0, iou, 0.0)  # NaN > 0 is false


def box_columns(boxes: Tensor) -> np.ndarray:
    """The boxes as contiguous rows of numbers, the form that `row_iou` reads.

    A box without a positive finite area becomes one that meets nothing, so that no later step
    needs to look for NaN.

    Args:
        boxes: (N, 4) boxes on the CPU, xyxy, pixels.

    Returns:
        (5, N) float32: x1, y1, x2, y2, area.
    """
    columns = np.empty((5, len(boxes)), dtype=np.float32)
    columns[:4] = boxes.detach().float().numpy().T
    x1, y1, x2, y2, area = columns
    with np.errstate(all="ignore"):
        np.subtract(x2, x1, out=area)
        area *= y2 - y1
    meets = (area > 0) & (area < np.inf)
    if not meets.all():
        columns[:4, ~meets] = 0
        columns[4, ~meets] = 1
    return columns


def row_iou(box: np.ndarray, boxes: np.ndarray, work: np.ndarray, out: np.ndarray) -> np.ndarray:
    """IoU of one box with many, without allocating anything.

    Args:
        box: (5,) one box of `box_columns`.
        boxes: (5, C) boxes in columns.
        work: (6, C) float32 to scribble on.
        out: (C,) float32, filled with the IoU.

    Returns:
        `out`.
    """
    # numpy takes the minimum of two arrays 3 times as fast as of an array and one number: so the
    # box's numbers, and the 0, are spread out first.
    for row, value in zip(work, (*box, 0), strict=True):
        row.fill(value)
    x1, y1, x2, y2, area, zero = work
    width = np.minimum(x2, boxes[2], out=x2)
    width -= np.maximum(x1, boxes[0], out=x1)
    height = np.minimum(y2, boxes[3], out=y2)
    height -= np.maximum(y1, boxes[1], out=y1)
    inter = np.maximum(width, zero, out=width)
    inter *= np.maximum(height, zero, out=height)
    union = np.add(area, boxes[4], out=area)
    union -= inter
    return np.divide(inter, union, out=out)


@np.errstate(over="ignore")  # gaps and unions past 3.4e38 become infinite, and the IoU 0
def _fill_iou(iou: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Write the IoU of (5, N) and (5, M) columns into the (N, M) array."""
    n, m = iou.shape
    work = np.empty((6, min(m, RUN)), dtype=np.float32)
    for start in range(0, m, RUN):
        run = slice(start, min(start + RUN, m))
        scratch = work[:, : run.stop - start]
        for i in range(n):
            row_iou(a[:, i], b[:, run], scratch, iou[i, run])
