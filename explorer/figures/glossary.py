"""A small drawing for each term of the glossary, as SVG on the dark canvas."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from explorer.core.boxes import box_iou
from explorer.core.coder import decode_boxes
from explorer.figures import theme

WIDTH, HEIGHT = 160, 100  # of every drawing, in its own units

Box = tuple[float, float, float, float]

BLUE, ORANGE, GREEN, RED, PINK = theme.LEVELS[:5]
WHITE, GREY = "#ffffff", "#8a8aa0"
ANCHOR, OBJECT = (30.0, 25.0, 90.0, 75.0), (55.0, 35.0, 125.0, 85.0)


def drawing(term: str) -> str:
    """SVG elements of a term's drawing, in `WIDTH` x `HEIGHT` units.

    Raises:
        KeyError: if the term has none.
    """
    return _DRAWINGS[term]()


def terms() -> tuple[str, ...]:
    """Every term that has a drawing."""
    return tuple(_DRAWINGS)


def _box(
    box: Box, colour: str, *, dashed: bool = False, fill: float = 0.0, width: float = 2
) -> str:
    x1, y1, x2, y2 = box
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    inside = f'fill="{colour}" fill-opacity="{fill}"' if fill else 'fill="none"'
    place = f'x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"'
    return f'<rect {place} {inside} stroke="{colour}" stroke-width="{width}"{dash}/>'


def _text(x: float, y: float, words: str, colour: str = WHITE, size: int = 13) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="middle"'
    return f'<text {place} fill="{colour}" font-family="sans-serif">{words}</text>'


def _dot(x: float, y: float, colour: str, radius: float = 2.5) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = GREY, width: float = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _around(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _grid(step: float, offset: float = 0.5) -> str:
    """Cells of a grid and their centres."""
    lines = "".join(_line(x, 0, x, HEIGHT, "#3a3a55") for x in range(0, WIDTH + 1, int(step)))
    lines += "".join(_line(0, y, WIDTH, y, "#3a3a55") for y in range(0, HEIGHT + 1, int(step)))
    columns, rows = int(WIDTH // step), int(HEIGHT // step)
    places = [(c + offset, r + offset) for r in range(rows) for c in range(columns)]
    return lines + "".join(_dot(x * step, y * step, BLUE, 2) for x, y in places)


def _shapes(ratios: tuple[float, ...], size: float = 38) -> str:
    """Anchors of one size around the middle, ratio w/h."""
    return "".join(
        _box(_around(80, 50, size * math.sqrt(ratio), size / math.sqrt(ratio)), colour)
        for ratio, colour in zip(ratios, (BLUE, ORANGE, GREEN), strict=False)
    )


def _iou(words: bool = True) -> str:
    iou = box_iou(torch.tensor([ANCHOR]), torch.tensor([OBJECT])).item()
    overlap = max(ANCHOR[0], OBJECT[0]), max(ANCHOR[1], OBJECT[1]), ANCHOR[2], ANCHOR[3]
    drawn = _box(ANCHOR, BLUE) + _box(OBJECT, ORANGE) + _box(overlap, GREEN, fill=0.6, width=0)
    return drawn + (_text(80, 97, f"IoU {iou:.2f}") if words else "")


def _pyramid() -> str:
    sides = ((70, 0), (48, 1), (32, 2), (20, 3), (12, 4))
    drawn, x = "", 4.0
    for side, level in sides:
        place = (x, 90 - side, x + side * 0.62, 90.0)
        drawn += _box(place, theme.level_colour(level), fill=0.35)
        x += side * 0.62 + 10
    return drawn + _text(118, 30, "P2 ... P6")


def _decode(clamped: bool = False) -> str:
    anchor = torch.tensor([ANCHOR])
    deltas = torch.tensor([[0.35, 0.1, 1.4 if clamped else 0.3, 0.1]])
    free, held = (
        tuple(decode_boxes(anchor, deltas, max_log_scale=limit)[0].tolist())
        for limit in (None, 0.4)
    )
    drawn = _box(ANCHOR, BLUE, dashed=True)
    if clamped:
        return drawn + _box(free, GREY, dashed=True) + _box(held, ORANGE)
    (ax, ay), (bx, by) = ((60, 50), ((free[0] + free[2]) / 2, (free[1] + free[3]) / 2))
    return drawn + _box(free, ORANGE) + _line(ax, ay, bx, by, WHITE, 2) + _dot(bx, by, WHITE)


def _clip() -> str:
    frame = (8.0, 8.0, 110.0, 92.0)
    return (
        _box(frame, GREY, fill=0.15)
        + _box((60, 30, 150, 76), GREY, dashed=True)
        + _box((60, 30, 110, 76), ORANGE)
    )


def _bars(heights: tuple[float, ...], cut: int | None = None) -> str:
    """Scores in falling order; those past the cut are grey."""
    step = 150 / len(heights)
    drawn = "".join(
        f'<rect x="{5 + i * step:.1f}" y="{90 - 80 * h:.1f}" width="{step - 3:.1f}" '
        f'height="{80 * h:.1f}" fill="{GREY if cut is not None and i >= cut else GREEN}"/>'
        for i, h in enumerate(heights)
    )
    if cut is None:
        return drawn
    x = 5 + cut * step - 1.5
    return drawn + _line(x, 4, x, 94, theme.ACCENT, 2)


FALLING = (1.0, 0.9, 0.82, 0.7, 0.62, 0.5, 0.42, 0.3, 0.2, 0.12)


def _sigmoid() -> str:
    points = [(x, 1 / (1 + math.exp(-x))) for x in (i / 4 for i in range(-24, 25))]
    path = "L".join(f"{80 + 12 * x:.1f},{88 - 76 * y:.1f}" for x, y in points)
    axis = _line(5, 88, 155, 88) + _line(80, 8, 80, 92)
    return axis + f'<path d="M{path}" fill="none" stroke="{ORANGE}" stroke-width="2.5"/>'


def _nms(soft: bool = False) -> str:
    others = ((40, 28, 100, 82), (52, 20, 108, 74), (36, 16, 92, 70))
    drawn = "".join(
        _box(box, GREY, dashed=not soft, width=1.5 if soft else 1)
        + (_text(box[2] + 10, box[1] + 8, f"{score}", GREY, 10) if soft else "")
        for box, score in zip(others, (".31", ".22", ".14"), strict=True)
    )
    return drawn + _box((44, 22, 100, 76), theme.ACCENT, width=3) + _text(72, 53, ".95")


def _labels() -> str:
    return (
        _box(OBJECT, WHITE, dashed=True)
        + _box((58, 30, 124, 82), GREEN)
        + _box((80, 20, 150, 70), GREY)
        + _box((6, 8, 40, 34), RED)
    )


def _recall() -> str:
    objects = ((12, 20, 48, 60), (60, 30, 100, 80), (112, 18, 150, 58))
    drawn = "".join(_box(box, WHITE, dashed=True) for box in objects)
    drawn += _box((14, 22, 50, 63), GREEN) + _box((58, 28, 97, 78), GREEN)
    return drawn + _text(80, 96, "2 of 3 found")


def _curve() -> str:
    path = "M10,86L30,50L55,36L90,26L150,20"
    axis = _line(10, 90, 152, 90) + _line(10, 8, 10, 90)
    return axis + f'<path d="{path}" fill="none" stroke="{BLUE}" stroke-width="2.5"/>'


def _funnel() -> str:
    widths = (150, 60, 34, 20)
    return "".join(
        _box(_around(80, 18 + 21 * i, width, 16), theme.level_colour(i), fill=0.5)
        for i, width in enumerate(widths)
    )


def _sample() -> str:
    places = [(x, y) for y in range(14, 92, 19) for x in range(14, 152, 19)]
    taken = {3, 11, 12, 20, 21, 29, 38}
    return "".join(
        _dot(x, y, GREEN if i in {11, 12, 20} else RED if i in taken else "#4a4a66", 4)
        for i, (x, y) in enumerate(places)
    )


def _conventions() -> str:
    wide, tall = _around(44, 42, 62, 31), _around(122, 42, 31, 62)
    words = _text(44, 92, "w/h = 2", BLUE, 12) + _text(122, 92, "h/w = 2", ORANGE, 12)
    return _box(wide, BLUE) + _box(tall, ORANGE) + words


_DRAWINGS: dict[str, Callable[[], str]] = {
    "Feature pyramid": _pyramid,
    "Cell": lambda: _grid(32, 0.5) + _box((64, 32, 96, 64), theme.ACCENT),
    "Stride": lambda: _grid(32, 0.5) + _line(48, 48, 80, 48, theme.ACCENT, 4),
    "Centre offset": lambda: _grid(32, 0.0) + _dot(80, 48, theme.ACCENT, 5),
    "Anchor": lambda: _grid(32) + _shapes((0.5, 1, 2), 44),
    "Size": lambda: "".join(
        _box(_around(80, 50, side, side), colour)
        for side, colour in ((24, BLUE), (48, ORANGE), (90, GREEN))
    ),
    "Aspect ratio": lambda: _shapes((0.5, 1, 2), 56),
    "h/w or w/h": _conventions,
    "Logit and score": _sigmoid,
    "Deltas": _decode,
    "Clamp": lambda: _decode(clamped=True),
    "Clip": _clip,
    "Minimum size": lambda: _box(ANCHOR, GREEN) + _box((118, 44, 128, 52), GREY, dashed=True),
    "Pre-NMS top-n": lambda: _bars(FALLING, 6),
    "Candidate": lambda: _bars(FALLING[:6]),
    "IoU": _iou,
    "NMS": _nms,
    "Soft NMS": lambda: _nms(soft=True),
    "Score threshold": lambda: _bars(FALLING, 5),
    "Post-NMS top-n": lambda: _bars(FALLING, 4),
    "Proposal": lambda: _box((28, 20, 120, 84), theme.ACCENT, width=3) + _text(74, 57, "object?"),
    "Ground truth": lambda: _box(OBJECT, WHITE, dashed=True) + _text(90, 64, "cup"),
    "Positive, negative, ignored": _labels,
    "Low-quality match": lambda: _box((70, 40, 88, 49), WHITE, dashed=True) + _box(ANCHOR, GREEN),
    "Sampler": _sample,
    "Recall": _recall,
    "Average recall": _curve,
    "Funnel": _funnel,
}
