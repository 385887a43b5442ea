"""Figures ahead of the page's script: what `ahead.js` asks for while a slider moves."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/ahead/"
ROUTE = FOLDER + "{token}"
HEADER = "x-ahead"  # in which a connection carries its token; ours, whatever a browser sends in it
MOST = 20  # figures and sliders of one request: no page has so many in sight
PATIENCE = 0.3  # seconds for which a script waits for a figure that is being made


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

    def look_ahead(self, moved: Mapping[str, float], figures: list[str]) -> dict[str, Sent]:
        """The figures as they would be with some sliders elsewhere, as far as they can be had."""


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

    The start of a script sends the browser over its whole page, and a figure that comes meanwhile
    has to wait. Streamlit knows nothing of that: its message waits here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._underway: dict[str, asyncio.Event] = {}  # token -> its figures have been sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name a connection and be patient with it; note figures that are underway."""
        if scope["type"] == "websocket":
            token = secrets.token_urlsafe()
            others = [pair for pair in scope["headers"] if pair[0] != HEADER.encode()]
            scope = scope | {"headers": [*others, (HEADER.encode(), token.encode())]}
            await self._app(scope, lambda: self._patient(token, receive), send)
        elif scope["type"] == "http" and scope["path"].startswith(FOLDER):
            token, sent = scope["path"].removeprefix(FOLDER), asyncio.Event()
            self._underway[token] = sent
            try:
                await self._app(scope, receive, send)
            finally:
                sent.set()
                if self._underway.get(token) is sent:
                    del self._underway[token]
        else:
            await self._app(scope, receive, send)

    async def _patient(self, token: str, receive: Receive) -> Message:
        message = await receive()
        if token in self._underway:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._underway[token].wait(), PATIENCE)
        return message


async def serve(request: Request) -> Response:
    """Answer a browser: [u32 length of the head][head][figure]...

    The head is JSON: of each figure the number and how many bytes it has.
    """
    reader = _readers.get(request.path_params["token"])
    if reader is None:
        return Response("This session is no longer here: reload the page.", status_code=404)
    try:
        asked = json.loads(await request.body())
        moved = {str(key): float(value) for key, value in [*asked["moved"].items()][:MOST]}
        figures = [str(key) for key in asked["figures"]][:MOST]
        if not all(map(math.isfinite, moved.values())):
            raise ValueError("no number")
    except (ValueError, KeyError, TypeError, AttributeError):
        text = "The body must be JSON with `moved`, slider to number, and `figures`, a list."
        return Response(text, status_code=400)
    found = await run_in_threadpool(reader.look_ahead, moved, figures)
    head = json.dumps({key: [sent.number, len(sent.data)] for key, sent in found.items()}).encode()
    body = struct.pack("<I", len(head)) + head + b"".join(sent.data for sent in found.values())
    return Response(body, media_type="application/octet-stream")
