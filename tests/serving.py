"""The app on a port of its own, for end-to-end tests and benchmarks."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parents[1]


@contextmanager
def app(*options: str, log: TextIO | int = subprocess.DEVNULL) -> Iterator[str]:
    """The address of an app that runs for as long as it is used; `log` takes what it says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_healthy(address: str, process: subprocess.Popen) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the app did not start") from None
            time.sleep(0.25)
        else:
            return
    raise RuntimeError("the app did not answer within a minute")
