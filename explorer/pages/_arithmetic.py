"""The arithmetic of one box as a table: each line a formula, then the same with numbers put in."""

from __future__ import annotations

import math

from explorer.core.arithmetic import Arithmetic

DELTAS, CORNERS = ("dx", "dy", "dw", "dh"), ("x1", "y1", "x2", "y2")
Row = tuple[str, str, str]  # formula, numbers, result; HTML


def table(done: Arithmetic, image_size: tuple[int, int]) -> str:
    """The whole decoding of a box, from deltas to corners, as HTML.

    Args:
        done: from `decode_one`.
        image_size: (height, width) that clips, pixels.
    """
    rows = _weights(done) + _centre(done) + _size(done) + _corners(done)
    return _html(rows + _clip(done, image_size))


def encoding(anchor_centre: tuple, target: tuple, deltas: tuple, weights: tuple) -> str:
    """The way back, from an anchor and a target to four deltas, as HTML.

    Args:
        anchor_centre: x, y, w, h of the anchor, pixels.
        target: xyxy, pixels.
        deltas: what `encode_boxes` says.
        weights: what it multiplies by.
    """
    x1, y1, x2, y2 = target
    ends = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
    rows = []
    for place, (name, axis, side) in enumerate((("dx", "x", "w"), ("dy", "y", "h"))):
        start, length = pixels(anchor_centre[place]), pixels(anchor_centre[place + 2])
        numbers = f"{_times(weights[place])}({pixels(ends[place])} − {start}) / {length}"
        formula = f"{name} = ({axis}<sub>t</sub> − {axis}<sub>a</sub>) / {side}<sub>a</sub>"
        rows.append((formula, numbers, number(deltas[place])))
    for place, (name, side) in enumerate((("dw", "w"), ("dh", "h")), start=2):
        length, end = pixels(anchor_centre[place]), pixels(ends[place])
        formula = f"{name} = ln({side}<sub>t</sub> / {side}<sub>a</sub>)"
        numbers = f"{_times(weights[place])}ln({end} / {length})"
        rows.append((formula, numbers, number(deltas[place])))
    return _html(rows)


def _weights(done: Arithmetic) -> list[Row]:
    """Nothing where all weights are 1, as in every RPN."""
    if set(done.weights) == {1.0}:
        return []
    return [
        (
            f"{name} = delta / weight",
            f"{_live(f'r{name}', number(delta))} / {weight:g}",
            _live(name, number(scaled)),
        )
        for name, delta, weight, scaled in zip(
            DELTAS, done.deltas, done.weights, done.scaled, strict=True
        )
    ]


def _centre(done: Arithmetic) -> list[Row]:
    rows = []
    for i, (axis, side) in enumerate((("x", "w"), ("y", "h"))):
        start, length = pixels(done.anchor_centre[i]), pixels(done.anchor_centre[i + 2])
        delta = _live(f"+d{axis}", signed(done.scaled[i]))
        formula = f"{axis} = {axis}<sub>a</sub> + d{axis} · {side}<sub>a</sub>"
        rows.append((formula, f"{start} {delta} × {length}", _live(axis, pixels(done.centre[i]))))
    return rows


def _size(done: Arithmetic) -> list[Row]:
    rows = []
    for i, side in enumerate("wh", start=2):
        name, power = f"d{side}", _live(f"d{side}", number(done.scaled[i]))
        if done.max_log_scale is not None:
            name, power = f"min(d{side}, clamp)", f"min({power}, {number(done.max_log_scale)})"
        formula = f"{side} = {side}<sub>a</sub> · e<sup>{name}</sup>"
        numbers = f"{pixels(done.anchor_centre[i])} × e<sup>{power}</sup>"
        rows.append((formula, numbers, _live(side, pixels(done.centre[i]))))
    return rows


def _corners(done: Arithmetic) -> list[Row]:
    rows = []
    for name, sign, corner in zip(CORNERS, "−−++", done.corners, strict=True):
        axis, side = ("x", "w") if name[0] == "x" else ("y", "h")
        i = "xy".index(axis)
        middle = _live(axis, pixels(done.centre[i]))
        half = _live(f"h{side}", pixels(done.centre[i + 2] / 2))
        formula = f"{name} = {axis} {sign} {side} / 2"
        rows.append((formula, f"{middle} {sign} {half}", _live(name, pixels(corner))))
    return rows


def _clip(done: Arithmetic, image_size: tuple[int, int]) -> list[Row]:
    height, width = image_size
    return [
        (
            f"{name} clipped to 0 … {end}",
            f"clip({_live(name, pixels(before))}, 0, {end})",
            _live(f"c{name}", pixels(after)),
        )
        for name, end, before, after in zip(
            CORNERS, (width, height) * 2, done.corners, done.clipped, strict=True
        )
    ]


def pixels(value: float) -> str:
    """A length or a place: two decimals, or powers of ten where a box exploded."""
    return written(value, 2)


def number(value: float) -> str:
    """A delta: four decimals, so that the sum comes out to a hundredth of a pixel or nearly."""
    return written(value, 4)


def signed(value: float) -> str:
    """A delta after a plus or a minus of its own."""
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"


def written(value: float, digits: int) -> str:
    """A number with so many decimals, or as a power of ten where they do not suit it; HTML."""
    if math.isnan(value):
        return "NaN"
    sign, size = "−" if value < 0 else "", abs(value)
    if math.isinf(value):
        return f"{sign}∞"
    if size == 0 or 10**-digits <= size < 1e6:
        return f"{sign}{size:.{digits}f}"
    mantissa, exponent = f"{size:.2e}".split("e")
    return f"{sign}{mantissa}·10<sup>{int(exponent)}</sup>".replace("<sup>-", "<sup>−")


def _live(name: str, text: str) -> str:
    """A number that `explorer/live/decoding.js` rewrites while a slider moves."""
    return f'<span data-number="{name}">{text}</span>'


def _times(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} × "


def _html(rows: list[Row]) -> str:
    lines = "".join(
        f"<tr><td>{formula}</td><td>{numbers} =</td><td>{result}</td></tr>"
        for formula, numbers, result in rows
    )
    return f'<table class="arithmetic">{lines}</table>'
