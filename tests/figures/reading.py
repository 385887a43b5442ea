"""Reading figures back as the browser gets them, and the worlds that they show."""

import base64
import json
import re

import numpy as np
import plotly.graph_objects as go

from explorer.core.layout import Grid, lay_anchors
from explorer.live.plot import encode
from explorer.presets import PRESETS
from explorer.settings import Anchors

NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"
BOX = re.compile(rf"M{NUMBER},{NUMBER}H{NUMBER}V{NUMBER}H{NUMBER}Z")
CROSS = re.compile(rf"M{NUMBER},{NUMBER}H{NUMBER}M{NUMBER},{NUMBER}V{NUMBER}")


def grid_of(anchors: Anchors, height: int, width: int) -> Grid:
    cells = tuple((-(-height // s), -(-width // s)) for s in anchors.strides)
    return Grid((height, width), cells, tuple((s, s) for s in anchors.strides), anchors.per_cell)


def world(preset: str = "notebook", height: int = 800, width: int = 800):
    """A preset's anchors, their grid and all of them."""
    anchors = PRESETS[preset].anchors
    grid = grid_of(anchors, height, width)
    return anchors, grid, lay_anchors(grid, anchors, "cpu")


def sent(figure):
    """What goes to the browser: its length, and the traces and the layout in it."""
    text = encode(figure)
    document = json.loads(text)
    go.Figure(document)  # Plotly raises at a name or a value that it does not know
    return len(text), document["data"], document["layout"]


def array(value):
    """A trace's numbers, typed or plain."""
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return np.array(value)


def boxes_in(path):
    """(N, 4) boxes that a path draws; the whole path must be boxes."""
    assert BOX.sub("", path) == ""
    found = np.array(BOX.findall(path), dtype=float).reshape(-1, 5)
    np.testing.assert_array_equal(found[:, 0], found[:, 4])  # back to where it began
    return found[:, :4]


def crosses_in(path):
    """(N, 2) centres and (N,) arms of the crosses that a path draws."""
    assert CROSS.sub("", path) == ""
    left, y, right, x, top, bottom = np.array(CROSS.findall(path), dtype=float).reshape(-1, 6).T
    np.testing.assert_allclose((left + right) / 2, x, atol=0.05)  # six digits in all
    np.testing.assert_allclose((top + bottom) / 2, y, atol=0.05)
    np.testing.assert_allclose(right - left, bottom - top, atol=0.1)
    return np.stack([x, y], axis=1), (right - left) / 2


def longest_array(value):
    """The most numbers that stand in one array of a document, typed or nested."""
    if isinstance(value, dict):
        if "bdata" in value:
            return len(array(value))
        return max(map(longest_array, value.values()), default=0)
    if isinstance(value, list):
        return max(_numbers(value), *map(longest_array, value), 0)
    return 0


def _numbers(value):
    if isinstance(value, list):
        return sum(map(_numbers, value))
    return int(isinstance(value, int | float))


def told(trace, number):
    """What the hover says of one point: the template with that point's facts."""

    def fact(match):
        value = trace["customdata"][number][int(match[1])]
        return format(value, match[2].removeprefix(":")) if match[2] else str(value)

    text = re.sub(r"%\{customdata\[(\d+)\](:[^}]*)?\}", fact, trace["hovertemplate"])
    assert text.endswith("<extra></extra>")  # no trace name beside it
    return text.removesuffix("<extra></extra>")
