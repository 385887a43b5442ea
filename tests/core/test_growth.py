"""The largest settings that are allowed stay within a small server; one past them is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from explorer.editing import changed
from explorer.settings import MAX_ANCHORS, MAX_CANDIDATES, MAX_SIDE, Settings

ROOT = Path(__file__).parents[2]
RATIOS = (0.4, 0.7, 1.0, 1.5, 2.5)  # five a cell at 2048 pixels: 1,745,920 anchors

LARGEST = f"""
import resource, torch
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.settings import Settings

torch.set_num_threads(1)
settings = changed(Settings(), {{
    "scores.source": "random", "image.side": {MAX_SIDE}, "anchors.ratios": {RATIOS},
    "filter.pre_nms": {MAX_CANDIDATES}, "nms.post_nms": {MAX_CANDIDATES},
}})
memo = Memo(max_bytes=1_000_000_000)  # as the pages keep it
proposals = run("proposals", settings, memo)
run("unfiltered", settings, memo)
print(len(run("anchors", settings, memo).boxes), len(proposals.fate))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_the_largest_picture_anchors_and_candidates_run_within_3_gb():
    found = subprocess.run(
        [sys.executable, "-c", LARGEST],
        cwd=ROOT,
        env=os.environ | {"THP_MEM_ALLOC_ENABLE": "1"},  # as `app.py` has it
        capture_output=True,
        text=True,
        check=True,
    )
    counts, kilobytes = found.stdout.strip().split("\n")
    assert counts == f"1745920 {MAX_CANDIDATES}"
    assert int(kilobytes) < 3_000_000


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image.side": MAX_SIDE + 1}, "image.side must be in"),
        ({"filter.pre_nms": MAX_CANDIDATES + 1}, "filter.pre_nms must be in"),
        (
            {"image.side": MAX_SIDE, "anchors.ratios": (*RATIOS, 3.0)},
            f"at most {MAX_ANCHORS:,} anchors, got 2,095,104",
        ),
        (
            {"filter.pre_nms": 3000, "filter.top_n_by_level": True},
            f"at most {MAX_CANDIDATES:,} candidates",
        ),
    ],
)
def test_one_past_a_limit_is_refused_before_it_allocates(values, sentence):
    if "filter.top_n_by_level" in values:
        values = values | {"image.side": 2048}
    tracemalloc.start()
    with pytest.raises(ValueError, match=sentence):
        changed(Settings(), values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
