"""Frames of the Anchors page while a slider is dragged.

`python -m tests.benchmarks.live_anchors` prints the table. The finger is a pointer inside the page
that moves once a frame: what Streamlit's own slider costs is in the interval, and only what runs in
a frame is in the work.
"""

from __future__ import annotations

from statistics import median, quantiles

from playwright.sync_api import Page

from tests.benchmarks.table import Table
from tests.benchmarks.window import GRIP, window
from tests.serving import app

FRAMES = 240
LARGEST = "&image.side=2048"  # at strides 4 to 64, a million anchors
DRAGS = (  # what is dragged: tab, slider, the rest of the link
    ("P3 size, 800 px", "Sizes", "size-1", ""),
    ("P3 stride, 800 px", "Strides", "stride-1", ""),
    ("a ratio, 800 px", "Ratios", "ratio-0", ""),
    ("the offset, 800 px", "Ratios", "anchors-offset", ""),
    ("P2 stride, 2048 px", "Strides", "stride-0", LARGEST + "&view.level=0"),
    ("P2 size, 2048 px", "Sizes", "size-0", LARGEST + "&view.level=0"),
)

DRAG = (
    """async ([slider, frames]) => {"""
    + GRIP
    + """
    const real = window.requestAnimationFrame;
    const next = () => new Promise((resolve) => real.call(window, resolve));
    let work = 0;
    window.requestAnimationFrame = (act) => real.call(window, (time) => {
        const began = performance.now();
        act(time);
        work += performance.now() - began;
    });
    const root = document.querySelector(".st-key-anchor_grid .rpn-anchors");
    const shown = () => JSON.stringify([root.rpnShown.boxes, root.rpnShown.total]);
    const intervals = [], works = [];
    let changed = 0, before = shown(), last = await next();
    send("pointerdown", start.left + start.width / 2, thumb);
    for (let frame = 0; frame < frames; frame++) {
        const swing = 0.5 - 0.45 * Math.cos((frame / frames) * 4 * Math.PI);
        send("pointermove", track.left + swing * track.width, window);
        work = 0;
        const now = await next();
        intervals.push(now - last);
        last = now;
        await new Promise((resolve) => setTimeout(resolve)); // the frame's other callbacks have run
        works.push(work);
        changed += shown() !== before;
        before = shown();
    }
    send("pointerup", track.left + track.width / 2, window);
    window.requestAnimationFrame = real;
    return { intervals, works, changed };
}"""
)


def measure() -> list[Table]:
    """How evenly the picture and the table follow each kind of slider."""
    rows = []
    with app() as address, window() as page:
        for name, tab, slider, link in DRAGS:
            page.goto(f"{address}/anchors?v=1{link}")
            page.wait_for_selector(".rpn-anchors[data-revision]")
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(1500)
            rows.append((name, *_drag(page, slider)))
    return [
        Table(
            "Anchors follow the finger",
            f"Headless Chromium without a GPU, 1440 x 900. Each slider is dragged over {FRAMES} "
            "frames, one move a frame. Interval: from frame to frame, the slider's own work in it. "
            "Work: picture and table together.",
            ("slider", "frames changed", "interval, median ms", "p95", "work, median ms", "p95"),
            rows,
        )
    ]


def _drag(page: Page, slider: str) -> tuple[object, ...]:
    seen = page.evaluate(DRAG, [slider, FRAMES])
    numbers = [seen["intervals"], seen["works"]]
    middle_and_tail = [(median(each), quantiles(each, n=20)[-1]) for each in numbers]
    return f"{seen['changed']} of {FRAMES}", *middle_and_tail[0], *middle_and_tail[1]


if __name__ == "__main__":
    for table in measure():
        print(table.title, table.header, *table.rows, sep="\n")
