"""The tables of all benchmarks in Markdown, on the screen and in `docs/benchmarks.md`."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.chart import draw
from tests.benchmarks.table import Table

DOCS = Path(__file__).parents[2] / "docs"

INTRODUCTION = """# Benchmarks

`make bench` prints these tables and writes this page; `python -m tests.benchmarks nms chain` runs
some of them alone and writes nothing. A ratio is of two medians from one run, in which both took
turns. A bar is what the project asks of itself.
"""


def markdown(table: Table, charts: str | None = None) -> str:
    """A table with its note and, where a folder of charts is named, its plots."""
    lines = [f"## {table.title}", "", table.note, ""]
    if table.rows:
        lines += [_row(table.header), _row(["---"] * len(table.header)), *map(_row, table.rows), ""]
    if charts is not None:
        lines += [f"![{plot.title}]({charts}/{plot.name}.svg)" for plot in table.plots]
        lines += [""] * bool(table.plots)
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(value: object) -> str:
    """Three digits of a float; never an exponent."""
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(tables: Sequence[Table], docs: Path = DOCS) -> Path:
    """Write the page and its charts.

    Args:
        tables: in their order on the page.
        docs: the folder of the page; the charts lie in its `benchmarks/`.
    """
    charts = docs / "benchmarks"
    charts.mkdir(parents=True, exist_ok=True)
    for old in charts.glob("*.svg"):
        old.unlink()
    for table in tables:
        for plot in table.plots:
            (charts / f"{plot.name}.svg").write_text(draw(plot), encoding="utf-8")
    parts = [INTRODUCTION, machine(), *(markdown(table, charts.name) for table in tables)]
    page = docs / "benchmarks.md"
    page.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    return page


def machine() -> str:
    """What all of it ran on, and when."""
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        names = [line for line in cpus.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return (
        f"Measured on {datetime.date.today():%-d %B %Y}: {os.cpu_count()} cores of {model}; GPU: "
        f"{gpu}; Python {platform.python_version()}, torch {torch.__version__}, numpy "
        f"{np.__version__}, {platform.system()}.\n"
    )
