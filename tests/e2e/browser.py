"""The browser of the end-to-end tests: the system's own, else one that is installed now.

`python -m tests.e2e.browser` makes sure that there is one and prints where.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # each tab would load two pages of the address bar's own: a quarter of the time to open ours
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)


def find() -> str | None:
    """Path of a Chromium: the system's, then Playwright's own; None where there is neither."""
    for name in SYSTEM:
        path = shutil.which(name)
        if path:
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> None:
    """Install a Chromium: from Debian's packages where that is allowed, else Playwright's."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        if subprocess.run(command, check=False).returncode == 0:
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    if find() is None:
        install()
    print("browser of the tests:", find() or sys.exit("no Chromium: install one and try again"))
