"""Frames of the Proposals page while a slider is dragged, and what new candidates cost there.

`python -m tests.benchmarks.live_canvas` prints both tables. The finger is a pointer inside the page
that moves once a frame: what Streamlit's own slider costs is in the interval, and only what the
boards do is in the work.
"""

from __future__ import annotations

from statistics import median, quantiles

from playwright.sync_api import Page

from tests.benchmarks.table import Table
from tests.benchmarks.window import GRIP, window
from tests.serving import app

FRAMES = 240
PRESSES = 24
PIXELS = 800
OF = {  # candidates: the rest of the link
    "1,000": "&filter.pre_nms=1000",
    "4,507 on 5 levels": "&filter.pre_nms=1000&filter.top_n_by_level=1&filter.min_size=0",
    "12,000": "&filter.pre_nms=12000&filter.min_size=0",
}
SCORES = ("noise", "planted")  # spread all over the picture; crowded on its objects
SLIDERS = ("nms-iou_threshold", "nms-score_threshold", "view-top_k")

DRAG = (
    """async ([slider, frames]) => {"""
    + GRIP
    + """
    const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const { rpn } = document.querySelector(".rpn-live");
    const [, after] = rpn.sides;
    const intervals = [], works = [];
    let drawn = after.board.frames, last = await next();
    send("pointerdown", start.left + start.width / 2, thumb);
    for (let frame = 0; frame < frames; frame++) {
        const swing = 0.5 - 0.48 * Math.cos((frame / frames) * 4 * Math.PI);
        send("pointermove", track.left + swing * track.width, window);
        const now = await next();
        intervals.push(now - last);
        last = now;
        await new Promise((resolve) => setTimeout(resolve)); // the frame's other callbacks have run
        if (after.board.frames > drawn) works.push(rpn.milliseconds);
        drawn = after.board.frames;
    }
    send("pointerup", track.left + track.width / 2, window);
    return { intervals, works };
}"""
)

WATCH = """() => {
    const root = document.querySelector(".rpn-live");
    const took = (window.took = []);
    let pressed = 0;
    addEventListener("keydown", () => (pressed = performance.now()), true);
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        if (pressed) took.push(performance.now() - pressed);
        pressed = 0;
    }))).observe(root, { attributeFilter: ["data-revision"], childList: true, subtree: true });
}"""


def measure() -> list[Table]:
    """How evenly the boards follow each kind of slider, and how soon new candidates are drawn."""
    with app() as address, window() as page:
        frames = [
            (f"{count}, {scores}", *row)
            for count, link in OF.items()
            for scores in SCORES
            for row in _drags(page, f"{address}{_link(scores)}{link}&view.top_k=1000")
        ]
        moves = [
            (name, *_moves(page, f"{address}{_link('noise')}{link}", slider))
            for name, link, slider in (
                (
                    "pre-NMS top-n, 1,500 to 300 candidates",
                    "&filter.pre_nms=1500",
                    "filter-pre_nms",
                ),
                ("NMS threshold, 1,000 candidates", OF["1,000"], "nms-iou_threshold"),
                ("NMS threshold, 4,507", OF["4,507 on 5 levels"], "nms-iou_threshold"),
            )
        ]
    return [_frames_table(frames), _moves_table(moves)]


def _link(scores: str) -> str:
    return f"/proposals?v=1&image.side={PIXELS}&image.picture=coffee&scores.source={scores}"


def _drags(page: Page, link: str) -> list[tuple[object, ...]]:
    """A row a slider: of pairs, frames that changed, intervals and work."""
    page.goto(link)
    page.wait_for_selector(".rpn-live[data-pairs]", timeout=120_000)
    page.wait_for_timeout(1500)
    pairs = f"{int(page.locator('.rpn-live').get_attribute('data-pairs')):,}"
    rows = []
    for slider in SLIDERS:
        seen = page.evaluate(DRAG, [slider, FRAMES])
        page.wait_for_timeout(1500)  # Python follows
        changed = f"{len(seen['works'])} of {FRAMES}"
        rows.append((pairs, slider, changed, *_both(seen["intervals"]), *_both(seen["works"])))
    return rows


def _moves(page: Page, link: str, slider: str) -> tuple[float, ...]:
    """Milliseconds from a key press to the frame with what the server sent: median and p95."""
    page.goto(link)
    page.wait_for_selector(".rpn-live[data-pairs]", timeout=120_000)
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    for _ in range(PRESSES):
        page.locator(f".st-key-{slider} input[type=range]").press("ArrowLeft")
        page.wait_for_timeout(400)
    took = page.evaluate("() => took")
    return len(took), *_both(took)


def _both(numbers: list[float]) -> tuple[float, float]:
    return median(numbers), quantiles(numbers, n=20)[-1]


def _frames_table(rows: list[tuple[object, ...]]) -> Table:
    note = (
        f"Headless Chromium without a GPU, 1440 x 900, {PIXELS} px, up to 1,000 boxes on each "
        f"of the two boards. Each slider is dragged over {FRAMES} frames, one move a frame. "
        "Interval: from frame to frame, Streamlit's slider in it. Work: greedy NMS over all "
        "candidates, counts, both boards."
    )
    header = ("candidates, scores", "pairs", "slider", "frames changed")
    timed = ("interval, median ms", "p95", "work, median ms", "p95")
    return Table("Thresholds follow the finger", note, (*header, *timed), rows)


def _moves_table(rows: list[tuple[object, ...]]) -> Table:
    note = (
        "From a key press on a slider to the frame after the boards drew what the server sent: "
        "stages, payload, decompression, drawing. Each press brings values not met before."
    )
    header = ("slider, candidates", "presses", "median ms", "p95")
    return Table("New data on the live boards", note, header, rows)


if __name__ == "__main__":
    for table in measure():
        print(table.title, table.header, *table.rows, sep="\n")
