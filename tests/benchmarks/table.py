"""What a benchmark measured: a table and, where a line says more, the plots of it.

Every module of this package that measures has `def measure() -> list[Table]`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plot:
    """Lines over one axis; `write.py` draws them as SVG."""

    name: str  # of the file, without its ending
    title: str
    x_title: str  # with its unit
    y_title: str  # with its unit
    series: dict[str, list[tuple[float, float]]]  # a line's name to its points
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of what was measured.

    A float cell is printed with three significant digits, another cell as it is.
    """

    title: str
    note: str  # how it was measured and beside what, in whole sentences
    header: tuple[str, ...]
    rows: list[tuple[object, ...]]
    plots: tuple[Plot, ...] = ()
