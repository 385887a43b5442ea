"""The app on a port of its own and a window of a headless Chromium, for the benchmarks."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e import browser as browser_finder

ROOT = Path(__file__).parents[2]

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
def app() -> Iterator[str]:
    """The address of an app that runs as long as it is measured."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, **quiet)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/_stcore/health")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait(health: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(health, timeout=2).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise RuntimeError("the app did not answer within a minute")


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
