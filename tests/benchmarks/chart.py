"""Line charts as plain SVG: dark on white, so that they can be read on any page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import ceil, floor, log10

from tests.benchmarks.table import Plot

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 90, 24, 78, 64
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")  # Okabe and Ito
DASHES = ("", "9 5", "2 4", "12 4 2 4", "5 3", "1 3")  # a line is told by more than its colour
INK, GRID = "#222222", "#dddddd"


def draw(plot: Plot) -> str:
    """The SVG of a plot whose axes begin at 0, or at a power of ten where they are logarithms."""
    points = [point for line in plot.series.values() for point in line]
    x_ticks, x_of = _axis([x for x, _ in points], plot.log_x, LEFT, WIDTH - RIGHT)
    y_ticks, y_of = _axis([y for _, y in points], plot.log_y, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="15" fill="{INK}" role="img" '
        f'aria-label="{escape(plot.title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="30" font-size="18" font-weight="bold">{escape(plot.title)}</text>',
    ]
    for tick in x_ticks:
        parts += [
            f'<path d="M{x_of(tick):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GRID}"/>',
            f'<text x="{x_of(tick):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">'
            f"{_number(tick)}</text>",
        ]
    for tick in y_ticks:
        parts += [
            f'<path d="M{LEFT} {y_of(tick):.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>',
            f'<text x="{LEFT - 10}" y="{y_of(tick) + 5:.1f}" text-anchor="end">'
            f"{_number(tick)}</text>",
        ]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts += [
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">'
        f"{escape(plot.x_title)}</text>",
        f'<text transform="translate(22 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(plot.y_title)}</text>",
    ]
    across = LEFT
    for number, (name, line) in enumerate(plot.series.items()):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        path = "M" + "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in line)
        stroke = f'fill="none" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"'
        parts.append(f'<path d="{path}" {stroke}/>')
        parts += [
            f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="4.5" fill="{colour}"/>'
            for x, y in line
        ]
        parts += [
            f'<path d="M{across} 54h28" {stroke}/>',
            f'<text x="{across + 34}" y="59">{escape(name)}</text>',
        ]
        across += 56 + 8 * len(name)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axis(
    values: list[float], log: bool, start: float, end: float
) -> tuple[list[float], Callable[[float], float]]:
    """Ticks, and where a value lies between two pixels."""
    if log:
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        high = max(high, low + 1)
        ticks = [10.0**power for power in range(low, high + 1)]
        return ticks, lambda value: start + (end - start) * (log10(value) - low) / (high - low)
    step = _step(max(values) or 1)
    last = step * ceil((max(values) or 1) / step - 1e-9)
    ticks = [step * number for number in range(round(last / step) + 1)]
    return ticks, lambda value: start + (end - start) * value / last


TICKS = (0.1, 0.2, 0.25, 0.5, 1, 2)  # of a power of ten


def _step(largest: float) -> float:
    """A round number of which four to ten reach the largest value."""
    power = 10.0 ** floor(log10(largest))
    return next(each * power for each in TICKS if largest / (each * power) <= 8)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"
