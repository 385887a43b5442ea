"""A window of a headless Chromium and a slider's thumb in it, for the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tests.e2e import browser as browser_finder

GRIP = """
    const input = document.querySelector(`.st-key-${slider} input[type=range]`);
    const thumb = input.closest("[style*=left]");
    const track = thumb.parentElement.getBoundingClientRect();
    const start = thumb.getBoundingClientRect();
    const y = start.top + start.height / 2;
    const send = (kind, x, on) => on.dispatchEvent(new PointerEvent(kind, {
        bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse", isPrimary: true,
        button: kind === "pointermove" ? -1 : 0, buttons: kind === "pointerup" ? 0 : 1,
        clientX: x, clientY: y, pageX: x, pageY: y,
    }));
"""  # JavaScript that takes a Streamlit slider's thumb in hand: `slider` is its key


@contextmanager
def window(width: int = 1440, height: int = 900) -> Iterator[Page]:
    """A window of the tests' own browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_finder.find(), args=list(browser_finder.FLAGS)
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(120_000)  # neighbours on the same cores
        yield page
        browser.close()
