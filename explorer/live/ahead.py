"""Figures ahead of the page's script: what `ahead.js` asks for while a slider moves."""

from __future__ import annotations

import json
import math
import secrets
import struct
from collections.abc import Mapping
from typing import Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

ROUTE = "/ahead/{token}"
MOST = 20  # figures and sliders of one request: no page has so many in sight


class Reader(Protocol):
    """One session and what its page shows."""

    def look_ahead(self, moved: Mapping[str, float], figures: list[str]) -> dict[str, bytes]:
        """The figures as they would be with some sliders elsewhere, as far as they can be had."""


_readers: WeakValueDictionary[str, Reader] = WeakValueDictionary()


def admit(reader: Reader) -> str:
    """The name under which a browser asks for this reader's figures, as long as the reader lives.

    Nobody can guess it: figures may show what somebody uploaded.
    """
    token = secrets.token_urlsafe()
    _readers[token] = reader
    return token


async def serve(request: Request) -> Response:
    """Answer a browser: [u32 length of the head][head, JSON: figure to bytes][figure]..."""
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
    head = json.dumps({key: len(data) for key, data in found.items()}).encode()
    body = struct.pack("<I", len(head)) + head + b"".join(found.values())
    return Response(body, media_type="application/octet-stream")
