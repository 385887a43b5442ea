"""Detectors of the literature without anchors, and the input sides that detectors were made for.

What FCOS and YOLOv1 can see is no question of IoU with an anchor: FCOS needs a point inside the
object, YOLOv1 a cell that no other object takes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Points:
    """A detector whose cells are points; a level answers for a range of distances."""

    title: str
    source: str
    side: int  # of the input, pixels
    strides: tuple[int, ...]  # one a level, pixels
    farthest: tuple[float, ...]  # the last distance from a point to a side of its box, pixels
    level_names: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """A detector with one coarse grid, whose cells find the object whose centre they hold."""

    title: str
    source: str
    side: int  # of the input, pixels
    cells: int  # across and down
    objects: int  # that a cell can find


FCOS = Points(
    "FCOS",
    "Tian et al. 2019, FCOS, section 3.2 (m2 to m7: 0, 64, 128, 256, 512, infinity); "
    "tianzhi0549/FCOS, fcos_core/modeling/rpn/fcos/loss.py",
    side=800,
    strides=(8, 16, 32, 64, 128),
    farthest=(64, 128, 256, 512, float("inf")),
    level_names=("P3", "P4", "P5", "P6", "P7"),
)
YOLOV1 = Cells(
    "YOLOv1",
    "Redmon et al. 2016, You Only Look Once, section 2 (S = 7, B = 2, 448 px) and 2.4: "
    "two boxes a cell, and one class for both",
    side=448,
    cells=7,
    objects=1,
)

# The shorter side for RetinaNet, the whole square for the others.
INPUT_SIDES = {
    "retinanet": 800,  # Lin et al. 2017, Focal Loss, section 5; detectron2's INPUT.MIN_SIZE_TEST
    "ssd300": 300,  # Liu et al. 2016, SSD, section 3
    "yolov2": 416,  # Redmon and Farhadi 2017, YOLO9000, section 2
}
