"""Where the names of the atlas's dots stand, so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.core.atlas import AXIS

# Decades that a letter, a line and a dot take on a phone's map; on a wide one they take less.
LETTER, LINE, GAP = 0.09, 0.19, 0.09


def name_places(at: np.ndarray, labels: Sequence[str]) -> list[str]:
    """On which side of its dot each name stands, to cover no other and stay on the map if it can.

    Args:
        at: (G, 2) widths and heights on the map, pixels.
        labels: G names.

    Returns:
        G of Plotly's words: the side inside the map that hides least, and of several the one that
        leaves most room to the names that follow.
    """
    dots = np.log10(at).tolist()
    taken = [(x - GAP, y - GAP, x + GAP, y + GAP) for x, y in dots]
    choices = []
    for dot, label in zip(dots, labels, strict=True):
        sides = _beside(*dot, LETTER * len(label))
        inside = {side: room for side, room in sides.items() if _is_inside(room)}
        choices.append(inside or {"middle right": sides["middle right"]})

    def hidden(number: int, room: Sequence[float]) -> float:
        return _hidden(room, taken[:number] + taken[number + 1 :])

    places = []
    for number, rooms in enumerate(choices):
        later = list(enumerate(choices))[number + 1 :]
        free = [room for n, each in later for room in each.values() if not hidden(n, room)]
        costs = {side: (hidden(number, room), _hidden(room, free)) for side, room in rooms.items()}
        places.append(min(costs, key=costs.get))
        taken.append(rooms[places[-1]])
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


def _hidden(room: Sequence[float], others: Sequence[Sequence[float]]) -> float:
    """The area of others that a rectangle covers."""
    area = 0.0
    for other in others:
        width = min(room[2], other[2]) - max(room[0], other[0])
        height = min(room[3], other[3]) - max(room[1], other[1])
        area += max(width, 0) * max(height, 0)
    return area
