"""All benchmarks, or those that are named: `python -m tests.benchmarks [nms chain ...]`."""

from __future__ import annotations

import argparse
from importlib import import_module

from tests.benchmarks import report, rival
from tests.benchmarks.clock import settle_in

BENCHMARKS = (
    "chain",
    "nms",
    "curve",
    "growth",
    "device",
    "slider_to_pixels",
    "live_canvas",
    "live_anchors",
    "class_of_thirty",
)
BESIDE_TORCHVISION = ("chain", "nms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names
    unknown = sorted({*names} - {*BENCHMARKS})
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}")
    settle_in()
    print(report.machine())
    tables = []
    for name in names or BENCHMARKS:
        found = rival.measured_there(name) if name in BESIDE_TORCHVISION else None
        for table in found or import_module(f"tests.benchmarks.{name}").measure():
            print(report.markdown(table), flush=True)
            tables.append(table)
    if not names:
        print(report.write(tables))


if __name__ == "__main__":
    main()
