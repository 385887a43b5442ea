"""The app as `make class` serves it, with a tally of stage lookups: found in the memo, or computed.

    python -m tests.benchmarks.class_server PORT FOLDER

Each server writes its tally to a file in FOLDER every half second, so that the app itself needs no
counter.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from streamlit.web import cli

from explorer import serve_class
from explorer.core import pipeline

ROOT = Path(__file__).parents[2]


def count_into(file: Path) -> None:
    """Count every stage that is asked for from now on."""
    tally, find = {"found": 0, "computed": 0}, pipeline.find

    def counted(*asked):
        entry = find(*asked)
        tally["computed" if entry is None else "found"] += 1
        return entry

    pipeline.find = counted

    def write() -> None:
        while True:
            file.write_text(json.dumps(tally))
            time.sleep(0.5)

    threading.Thread(target=write, daemon=True).start()


if __name__ == "__main__":
    first, second, *options = sys.argv[1:]
    if options:  # one of the servers
        count_into(Path(second) / f"tally {options[-1]}")
        sys.argv = ["streamlit", "run", str(ROOT / "app.py"), *options]
        sys.exit(cli.main())
    serve_class.main(int(first), ("-m", "tests.benchmarks.class_server", "server", second))
