"""Figures ahead of the page's script: what `ahead.js` asks for while a slider moves."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/ahead/"
ROUTE = FOLDER + "{token}"
TAKEN_ROUTE = "/taken/{token}"
# A connection's token, whatever a browser sends in it; a figure's number; a session that is gone.
HEADER, GONE = "x-ahead", "gone"
MOST = 20  # sliders of one request: nobody moves so many at once
PATIENCE = 0.3  # seconds for which a script waits for a figure that is being made
PAINT = 0.03  # seconds in which a browser has painted a figure that was sent


@dataclass(frozen=True)
class Sent:
    """A figure that comes ahead, and its number, by which the script names it afterwards."""

    data: bytes
    number: int = field(default_factory=partial(next, count(1)))

    @property
    def name(self) -> bytes:
        """What the script sends instead of the figure: `ahead.js` has it."""
        return f"ahead {self.number}".encode()


class Reader(Protocol):
    """One session and what its page shows."""

    def look_ahead(self, moved: Mapping[str, float], key: str) -> Sent | None:
        """A figure as it would be with some sliders elsewhere; None where it cannot be had."""

    def has_taken(self, moved: Mapping[str, float]) -> bool:
        """Whether a script has been through with these values of sliders: no other is to come."""

    def is_here(self) -> bool:
        """Whether the session is connected: one that is forgotten has no scripts to run."""


_readers: WeakValueDictionary[str, Reader] = WeakValueDictionary()


def admit(reader: Reader, token: str | None = None) -> str:
    """The token with which a browser asks for this reader's figures, as long as the reader lives.

    It is its connection's, where there is one. Nobody can guess it: figures may show what somebody
    uploaded.
    """
    token = token or secrets.token_urlsafe()
    _readers[token] = reader
    return token


class FiguresFirst:
    """Around the whole app: a script begins after the figures that are being made ahead of it.

    The start of a script sends the browser over its whole page, and a figure that comes meanwhile,
    or has come and is not painted yet, has to wait. Streamlit knows nothing of that: its message
    waits here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._underway: dict[str, set[asyncio.Event]] = {}  # token -> set as each is painted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name a connection and be patient with it; note figures that are underway."""
        if scope["type"] == "websocket":
            token = secrets.token_urlsafe()
            others = [pair for pair in scope["headers"] if pair[0] != HEADER.encode()]
            scope = scope | {"headers": [*others, (HEADER.encode(), token.encode())]}
            await self._app(scope, lambda: self._patient(token, receive), send)
        elif scope["type"] == "http" and scope["path"].startswith(FOLDER):
            with self._noted(scope["path"].removeprefix(FOLDER)):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @contextmanager
    def _noted(self, token: str) -> Iterator[None]:
        painted, underway = asyncio.Event(), self._underway.setdefault(token, set())
        underway.add(painted)

        def end() -> None:
            painted.set()
            underway.discard(painted)
            if not underway:
                self._underway.pop(token, None)

        try:
            yield
        except BaseException:  # a browser that has gone, too
            end()
            raise
        asyncio.get_running_loop().call_later(PAINT, end)

    async def _patient(self, token: str, receive: Receive) -> Message:
        message = await receive()
        waits = [painted.wait() for painted in self._underway.get(token, ())]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waits), PATIENCE)
        return message


async def serve(request: Request) -> Response:
    """Answer a browser: the figure, and in the header its number; 204 where there is none."""
    reader, moved, asked = await _read(request, "figure")
    found = await run_in_threadpool(reader.look_ahead, moved, str(asked["figure"]))
    if found is None:
        return Response(status_code=204)
    number = {HEADER: str(found.number)}
    return Response(found.data, media_type="application/octet-stream", headers=number)


async def serve_taken(request: Request) -> Response:
    """Tell a browser whether a script has been through with its sliders' values."""
    reader, moved, _ = await _read(request)
    return JSONResponse(await run_in_threadpool(reader.has_taken, moved))


async def _read(
    request: Request, *beside: str
) -> tuple[Reader, dict[str, float], dict[str, object]]:
    """Who is meant, the sliders that moved, and the whole body, with what must be beside them."""
    reader = _readers.get(request.path_params["token"])
    if reader is None or not reader.is_here():
        raise HTTPException(404, "This session is no longer here: reload the page.", {HEADER: GONE})
    try:
        asked = json.loads(await request.body())
        moved = {str(key): float(value) for key, value in [*asked["moved"].items()][:MOST]}
        if not all(map(math.isfinite, moved.values())) or not asked.keys() >= {*beside}:
            raise ValueError("no number, or no figure")
    except (ValueError, KeyError, TypeError, AttributeError):
        more = ", and `figure`, its key" if beside else ""
        text = f"The body must be JSON with `moved`, slider to number{more}."
        raise HTTPException(400, text) from None
    return reader, moved, asked
