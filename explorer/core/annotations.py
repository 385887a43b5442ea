"""A reader's own boxes for a picture, from COCO JSON, Pascal VOC XML or CSV.

Every row becomes a box or a sentence that names it, so that nothing is dropped silently.
"""

import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.core.annotation_coco import read_coco
from explorer.core.annotation_files import Found, Row, read_csv, read_voc

MAX_BYTES = 10_000_000
MAX_BOXES = 10_000
LONGEST_LABEL = 60  # characters
# Sides added to corners end a hair past the border; that is rounding, and no news.
SLACK = 1e-3

READERS = {".json": read_coco, ".xml": read_voc, ".csv": read_csv}


@dataclass(frozen=True, eq=False)
class Annotations:
    """Boxes that can be used, and a sentence for every row that could not be taken as it was."""

    boxes: Tensor  # (G, 4) float32, xyxy, pixels of the photo
    labels: tuple[str, ...]  # G, "object" where the file has none
    problems: tuple[str, ...]


def read_annotations(
    name: str, data: bytes, photo_size: tuple[int, int], picture: str = ""
) -> Annotations:
    """Read the boxes that a file holds for one picture.

    A box that is partly outside the picture is cut at the border. What has no size, lies wholly
    outside or is no four finite numbers is left out. Each is told in `problems`.

    Args:
        name: of the file; .json, .xml or .csv.
        data: its bytes, at most `MAX_BYTES`.
        photo_size: (height, width) of the photo, pixels.
        picture: the photo's file name, to find it in a COCO file of several.

    Returns:
        The annotations; without boxes where the file is whole and has none.

    Raises:
        ValueError: one sentence: a file that is empty, too large, of another kind, broken, with
            more than `MAX_BOXES` boxes, or of several pictures none of which has the name.
    """
    reader = READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        raise ValueError(f"annotations must be a .json, .xml or .csv file, got {name[-60:]!r}")
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"an annotation file must have at most {MAX_BYTES // 10**6} MB, "
            f"got {len(data) / 1e6:.1f} MB"
        )
    if not data.strip():
        raise ValueError("an annotation file must have content, got an empty file")
    found = reader(data, picture)
    if len(found.rows) > MAX_BOXES:
        raise ValueError(
            f"an annotation file must have at most {MAX_BOXES:,} boxes for a picture, "
            f"got {len(found.rows):,}"
        )
    boxes, labels, problems = [], [], [*found.notes, *_size_note(found, photo_size)]
    for row in found.rows:
        try:
            corners = _corners(row)
            box = _inside(corners, photo_size)
        except ValueError as error:
            problems.append(f"{row.where} {error}; left out")
            continue
        if max(abs(a - b) for a, b in zip(box, corners, strict=True)) > SLACK:
            cut = ", ".join(f"{value:g}" for value in box)
            problems.append(f"{row.where} reaches outside the picture; cut to {cut}")
        boxes.append(box)
        labels.append(" ".join(row.label.split())[:LONGEST_LABEL] or "object")
    tensor = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Annotations(tensor, tuple(labels), tuple(problems))


def _size_note(found: Found, photo_size: tuple[int, int]) -> list[str]:
    """A sentence where the file is of a picture of another size; 0 or nothing is no size."""
    height, width = photo_size
    try:
        stated = tuple(_number("size", side) for side in found.size)
    except ValueError:
        return []
    if 0 in stated or stated == (width, height):
        return []
    return [
        f"the file is for a picture of {stated[0]:g} x {stated[1]:g} pixels, this one has "
        f"{width} x {height}; boxes are taken as pixels of this one"
    ]


def _corners(row: Row) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of a row, with a size; a ValueError says what is wrong with it."""
    if row.refused:
        raise ValueError(row.refused)
    numbers = [_number(*pair) for pair in zip(row.names, row.values, strict=True)]
    x1, y1, x2, y2 = row.corners(*numbers)
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"has no size: from {x1:g}, {y1:g} to {x2:g}, {y2:g}")
    return x1, y1, x2, y2


def _number(name: str, value: Any) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError(f"must have a number for {name}, got nothing")
    try:
        # float takes True and "1_0" too
        if not isinstance(value, int | float | str) or isinstance(value, bool) or "_" in str(value):
            raise ValueError
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"must have a number for {name}, got {_quote(value)}") from None
    if not math.isfinite(number):
        raise ValueError(f"must have a finite number for {name}, got {_quote(value)}")
    return number


def _quote(value: Any) -> str:
    """At most 40 characters of what stands in the file."""
    return f"{value!r:.40}" if isinstance(value, int | float | str) else f"a {type(value).__name__}"


def _inside(corners: tuple[float, ...], photo_size: tuple[int, int]) -> tuple[float, ...]:
    """The part of a box within the picture, in numbers that float32 holds."""
    height, width = photo_size
    limits = (width, height, width, height)
    cut = [min(max(value, 0.0), limit) for value, limit in zip(corners, limits, strict=True)]
    x1, y1, x2, y2 = np.array(cut, np.float32).tolist()
    if x2 > x1 and y2 > y1:
        return x1, y1, x2, y2
    if min(cut[2] - cut[0], cut[3] - cut[1]) > 0:
        raise ValueError("has no size that float32 can hold")
    raise ValueError(f"lies outside the picture of {width} x {height} pixels")
