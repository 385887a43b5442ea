"""`make class`: serve the app to the local network, and print where students find it.

Python runs on one core at a time, so a class gets a server for every core, behind one door: it
sends each visitor on to the next server, where they stay. The link to share is the door's. A server
that dies is started again, and the pages it served open again by themselves.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from explorer.address import DOOR, SERVERS, lan_address, qr_text
from explorer.core.cores import cores

PORT = 8501  # Streamlit's own; the servers take those that follow
MOST = 4  # servers: each holds Python, torch and the weights, half a gigabyte
STREAMLIT = ("-m", "streamlit", "run", "app.py")


def door(ports: list[int]) -> Starlette:
    """Sends each visitor on to the server whose turn it is, to the same page and view."""
    turns = cycle(ports)

    async def send_on(request: Request) -> RedirectResponse:
        return RedirectResponse(str(request.url.replace(port=next(turns))))

    return Starlette(routes=[Route("/{page:path}", send_on)])


def main(port: int = PORT, server: tuple[str, ...] = STREAMLIT) -> None:
    """Start the servers, print the address and its QR code, and keep the door.

    Args:
        port: of the door.
        server: what Python runs as a server, before its port and address.

    Raises:
        SystemExit: with a sentence, if a port is taken or a server does not start.
    """
    ports = [port + 1 + number for number in range(min(cores(), MOST))]
    _check_free([port, *ports])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # else the servers would stay
    shared = os.environ | {DOOR: str(port), SERVERS: str(len(ports))}
    quiet = subprocess.DEVNULL  # each would print an address of its own; errors still come

    def start(each: int) -> subprocess.Popen:
        options = ("--server.address", "0.0.0.0", "--server.port", str(each))
        return subprocess.Popen([sys.executable, *server, *options], env=shared, stdout=quiet)

    started = {each: start(each) for each in ports}
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(started, start, over))
    try:
        for each, process in started.items():
            _wait(each, process)
        _tell(port)
        keeper.start()
        uvicorn.run(door(ports), host="0.0.0.0", port=port, log_level="warning")
    finally:
        over.set()
        if keeper.ident:
            keeper.join()
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait()


def _keep(
    started: dict[int, subprocess.Popen],
    start: Callable[[int], subprocess.Popen],
    over: threading.Event,
) -> None:
    """Start servers again that end before all is over."""
    while not over.wait(1):
        for port, process in started.items():
            # Ctrl-C ends servers before it ends the door: all may be over a moment later.
            if process.poll() is not None and not over.wait(1):
                print(f"The server on port {port} has ended: it is started again.", flush=True)
                with suppress(OSError):  # no memory now: tried again, too
                    started[port] = start(port)


def _check_free(ports: list[int]) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                sys.exit(
                    f"Port {port} is taken, and a class needs {ports[0]} to {ports[-1]}: end what "
                    "runs there, or begin elsewhere, as in: python -m explorer.serve_class 9000"
                )


def _wait(port: int, process: subprocess.Popen) -> None:
    """Until a server answers."""
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    sys.exit(f"The server on port {port} did not start: what it said stands above.")


def _tell(port: int) -> None:
    address = lan_address()
    if address is None:
        print("This machine has no network: only it can open the app.")
    else:
        link = f"http://{address}:{port}"
        print(f"{qr_text(link)}\nStudents open {link}\nEach page's 'Share this view' has its own.")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT)
