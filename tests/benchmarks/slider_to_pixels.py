"""From a key press on a slider to its picture: `python -m tests.benchmarks.slider_to_pixels`.

Every page, every slider that stands on it. The page itself takes the times: the key as it comes
down, the message to the server and the last one back, and the frame after the changed figure, or
number where a slider changes no figure, is in the document.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

import torch
from playwright.sync_api import Locator, Page

from explorer.core import pipeline
from explorer.core.learned import load_learned
from explorer.core.memo import Memo
from explorer.editing import changed
from explorer.pages import PAGES
from explorer.settings import Settings
from tests.benchmarks.table import Table
from tests.benchmarks.window import window
from tests.serving import app

PRESSES = 20
HITS = 5  # of the presses back, over values that the memo knows
NETWORK = ("pyramid", "features", "head_output")
NO_NETWORK = "?v=1&scores.source=planted"  # 800 x 800; every slider moves without a forward pass

WATCH = """
(() => {
    const seen = (window.sliderToPixels = {});
    seen.reset = () => Object.assign(seen,
        { pressed: 0, sent: 0, last: 0, ended: 0, bytes: 0, figures: [], numbers: [] });
    seen.reset();
    addEventListener("keydown", () => (seen.pressed ||= performance.now()), true);
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        seen.sent ||= performance.now();
        return send.call(this, data);
    };
    window.WebSocket = class extends WebSocket {
        constructor(...parts) {
            super(...parts);
            this.addEventListener("message", ({ data }) => {
                seen.last = performance.now();
                seen.bytes += data.byteLength ?? data.size;
            });
        }
    };
    window.Worker = class extends Worker {
        constructor(...parts) {
            super(...parts); // figures ahead of the script come by a worker
            const add = ({ data }) => (seen.bytes += data?.bytes?.byteLength ?? 0);
            this.addEventListener("message", add);
        }
    };
    // What a figure shows: the pixels of a canvas, the markup of a plot. Times are taken before.
    const figures = "canvas, .js-plotly-plot";
    const shown = (figure) => {
        if (figure.tagName !== "CANVAS") return figure.innerHTML;
        const { width, height } = figure;
        if (!width || !height) return 0;
        const { data } = figure.getContext("2d").getImageData(0, 0, width, height);
        const mix = (sum, pixel) => (Math.imul(sum, 31) + pixel) | 0;
        return new Uint32Array(data.buffer).reduce(mix, 7);
    };
    const inSight = (figure) => {
        const { top, bottom, height } = figure.getBoundingClientRect();
        return height && bottom > 0 && top < innerHeight;
    };
    const known = new WeakMap(), touched = new Set();
    seen.remember = () =>
        document.querySelectorAll(figures).forEach((figure) => known.set(figure, shown(figure)));
    const nextFrame = () => requestAnimationFrame(() => {
        const now = performance.now();
        const changed = [...touched].filter((figure) => {
            if (!figure.isConnected || !inSight(figure)) return false;
            const [before, after] = [known.get(figure), shown(figure)];
            known.set(figure, after);
            return before !== after;
        });
        touched.clear();
        if (changed.length) seen.figures.push(now);
    });
    const touch = (figure) => {
        if (!touched.size) nextFrame();
        touched.add(figure);
    };
    const put = CanvasRenderingContext2D.prototype.putImageData;
    CanvasRenderingContext2D.prototype.putImageData = function (...given) {
        put.apply(this, given);
        if (seen.pressed && this.canvas.isConnected) touch(this.canvas);
    };
    const number = "[data-testid=stMetricValue], [data-testid=stMetricLabel], .rpn-counts, table";
    new MutationObserver((changes) => {
        if (!seen.pressed) return;
        const element = ({ target }) => (target.closest ? target : target.parentElement);
        const plots = changes.map((change) => element(change)?.closest(".js-plotly-plot"));
        new Set(plots.filter(Boolean)).forEach(touch);
        const texts = changes.filter(({ type }) => type !== "attributes");
        if (texts.some((change) => element(change)?.closest(number)))
            requestAnimationFrame(() => seen.numbers.push(performance.now()));
        const over = ({ attributeName, target }) =>
            attributeName === "data-test-script-state" &&
            target.dataset.testScriptState === "notRunning";
        if (changes.some(over)) seen.ended = performance.now();
    }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
})()
"""
READY = "() => (sliderToPixels.remember(), sliderToPixels.reset())"
SETTLED = """async (patience) => {
    const seen = window.sliderToPixels, start = performance.now();
    const idle = () => new Promise((go) => requestIdleCallback(go, { timeout: 1000 }));
    for (let quiet = 0; quiet < 4 && performance.now() - start < patience; ) {
        await new Promise((go) => setTimeout(go, 20));
        await idle(); // a figure that still waits for its turn is no rest
        const now = performance.now();
        const latest = Math.max(seen.last, seen.ended, ...seen.figures, ...seen.numbers);
        const running = document.querySelector("[data-test-script-state=running]");
        const ended = seen.ended > seen.sent || (!running && now - latest > 400); // too fast to see
        const over = seen.sent ? ended && now - latest > 40 : now - start > 500;
        quiet = over ? quiet + 1 : 0;
    }
    return { ...seen };
}"""
SLIDERS = """() => [...document.querySelectorAll("[data-testid=stSlider]")].map((slider) => ({
    key: slider.closest("[class*=st-key-]").className.match(/st-key-(\\S+)/)[1],
    label: slider.querySelector("[data-testid=stWidgetLabel] p")?.textContent ?? "",
    sidebar: !!slider.closest("[data-testid=stSidebar]"),
}))"""
VALUES = "(input) => ['value', 'min', 'max', 'step'].map((name) => Number(input[name]))"


@dataclass
class Presses:
    """Milliseconds of each press on one slider that changed a figure; if none did, a number."""

    first: list[float] = field(default_factory=list)
    pixels: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    figures: int = 0

    def add(self, seen: dict) -> None:
        shown = seen["figures"] or ([] if self.figures else seen["numbers"])
        if not (seen["sent"] and shown):
            return
        if seen["figures"] and not self.figures:
            self.first, self.pixels, self.server, self.kilobytes = [], [], [], []
        self.first.append(shown[0] - seen["pressed"])
        self.pixels.append(shown[-1] - seen["pressed"])
        self.server.append(seen["last"] - seen["sent"])
        self.kilobytes.append(seen["bytes"] / 1000)
        self.figures += bool(seen["figures"])


def measure(
    pages: tuple[str, ...] = (), presses: int = PRESSES, link: str = NO_NETWORK
) -> list[Table]:
    """Press keys on every slider of every page, or of some."""
    stems = pages or tuple(page.file.removesuffix(".py") for page in PAGES)
    rows = []
    with app() as address, window() as page:
        page.add_init_script(WATCH)
        for stem in stems:
            page.goto(f"{address}/{'' if stem == PAGES[0].file[:-3] else stem}{link}")
            page.wait_for_selector("[data-testid=stMain] h1", timeout=120_000)
            page.wait_for_timeout(2500)
            rows += [(stem, *row) for row in _page(page, presses)]
    note = (
        f"Headless Chromium without a GPU, 1440 x 900, {link or 'the door'}. A median of "
        f"{presses} presses, fewer where a slider has no more steps: each to a value that the "
        "server has not seen, then back over known ones. First: from the key to the frame after "
        "the first figure in sight whose picture changed; where no press of a slider changes one, "
        "the first number. "
        "Pixels: the same for the last one. A canvas counts by its pixels, a plot by its markup: "
        "the same picture drawn again is no change. Server: from the message sent to the last one "
        "back. kB: all of a move's messages, and the figures that come ahead of the script."
    )
    header = ("page", "slider", "new", "first, ms", "pixels, ms", "p90", "server, ms", "kB")
    header += ("known: pixels, ms",)
    return [Table("Slider to pixels", note, header, rows), _network()]


def _page(page: Page, presses: int) -> Iterator[tuple[object, ...]]:
    for slider in page.evaluate(SLIDERS):
        name = f"{slider['label']} (sidebar)" if slider["sidebar"] else slider["label"]
        thumb = page.locator(f".st-key-{slider['key']} input[type=range]").first
        if not _bring_up(page, thumb):
            continue
        value, low, high, step = thumb.evaluate(VALUES)
        there, back = (
            ("ArrowRight", "ArrowLeft")
            if high - value >= value - low
            else ("ArrowLeft", "ArrowRight")
        )
        steps = min(presses, int(max(high - value, value - low) / (step or 1)))
        new = _press(page, thumb, there, steps)
        known = _press(page, thumb, back, min(HITS, steps))
        for _ in range(steps - HITS):
            page.keyboard.press(back)
        page.evaluate(SETTLED, 20_000)
        page.wait_for_timeout(300)
        if not new.pixels:
            yield name, steps, "no figure, no number", "", "", "", "", ""
            continue
        yield (
            name + ("" if new.figures else " (number)"),
            len(new.pixels),
            median(new.first),
            median(new.pixels),
            sorted(new.pixels)[int(0.9 * (len(new.pixels) - 1))],
            median(new.server),
            median(new.kilobytes),
            median(known.pixels) if known.pixels else "",
        )


def _bring_up(page: Page, thumb: Locator) -> bool:
    """Open the tab that a slider lies in."""
    if not thumb.is_visible():
        panel = "(input) => input.closest('[role=tabpanel]')?.getAttribute('aria-labelledby')"
        tab = thumb.evaluate(panel)
        if not tab:
            return False
        page.locator(f"[id='{tab}']").click()
        page.wait_for_timeout(300)
    return thumb.is_visible()


def _press(page: Page, thumb: Locator, key: str, times: int) -> Presses:
    found = Presses()
    thumb.focus()
    for _ in range(times):
        page.evaluate(READY)
        page.keyboard.press(key)
        found.add(page.evaluate(SETTLED, 20_000))
    return found


def _network() -> Table:
    """What a move costs on top where the network itself must run again."""
    rows, trained = [], {"learned": load_learned()}
    for source, words in (("learned", "learned"), ("random", "ResNet-50, random weights")):
        memo = Memo(max_bytes=1_000_000_000)
        start = changed(Settings(), {"scores.source": source})
        other = changed(start, {"image.picture": "coffee"})
        stride = changed(start, {"anchors.strides": (4, 9, 16, 32, 64)})
        for settings in (start, other, stride):
            pipeline.run("head_output", settings, memo, trained=trained)
        rows.append((words, "picture, side, seed", _took(memo, other, NETWORK)))
        rows.append((words, "a stride", _took(memo, stride, NETWORK[1:])))
    note = (
        f"At 800 x 800 on {torch.get_num_threads()} threads: the stages of the network alone, "
        "once each after a first pass."
    )
    header = ("scores from", "moved", "forward, ms")
    return Table("Where the network itself must run again", note, header, rows)


def _took(memo: Memo, settings: Settings, stages: tuple[str, ...]) -> float:
    return sum(memo.peek(pipeline.recipe(stage, settings)).milliseconds for stage in stages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="*", default=())
    parser.add_argument("--presses", type=int, default=PRESSES)
    parser.add_argument("--link", default=NO_NETWORK)
    arguments = parser.parse_args()
    for table in measure(tuple(arguments.pages), arguments.presses, arguments.link):
        print(table.title, table.note, table.header, *table.rows, sep="\n")
