"""Where the names of the atlas's dots stand, so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.core.atlas import AXIS

LETTER, LINE, GAP = 0.06, 0.15, 0.06  # decades that a letter, a line and a dot take on the map


def name_places(at: np.ndarray, labels: Sequence[str]) -> list[str]:
    """On which side of its dot each name stands, so that it covers no other and leaves not the map.

    Args:
        at: (G, 2) widths and heights on the map, pixels.
        labels: G names.

    Returns:
        G of Plotly's words; where no side is free, one inside the map.
    """
    dots = np.log10(at)
    taken = [(x - GAP, y - GAP, x + GAP, y + GAP) for x, y in dots.tolist()]
    places = []
    for number, ((x, y), label) in enumerate(zip(dots.tolist(), labels, strict=True)):
        sides = _beside(x, y, LETTER * len(label))
        others = taken[:number] + taken[number + 1 :]
        inside = [side for side, name in sides.items() if _is_inside(name)]
        free = (side for side in inside if not any(_meet(sides[side], o) for o in others))
        places.append(next(free, inside[0] if inside else "middle right"))
        taken.append(sides[places[-1]])
    return places


def _beside(x: float, y: float, width: float) -> dict[str, Sequence[float]]:
    """The rectangle of a name on each side of its dot, in decades."""
    up = GAP + LINE / 2
    centres = {
        "middle right": (x + GAP + width / 2, y),
        "middle left": (x - GAP - width / 2, y),
        "top center": (x, y + up),
        "bottom center": (x, y - up),
    }
    return {
        side: (cx - width / 2, cy - LINE / 2, cx + width / 2, cy + LINE / 2)
        for side, (cx, cy) in centres.items()
    }


def _is_inside(name: Sequence[float]) -> bool:
    low, high = np.log10(AXIS[[0, -1]])
    return low <= min(name) and max(name) <= high


def _meet(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
