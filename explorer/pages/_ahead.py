"""Figures ahead of the script: what a slider would show, while the finger still moves it.

Streamlit tells the server of a slider on release, runs the page's script and goes over the whole
page thrice in the browser: a fifth of a second. Figures that are registered here come sooner. The
browser asks for those in sight at each step of a slider (`explorer/live/ahead.js`), they are made
under the settings as they would be, and what the script sends afterwards is the same.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import plotly.graph_objects as go
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from explorer.editing import changed
from explorer.live.plot import encode, plot, wishes
from explorer.pages import _state, _turn
from explorer.settings import Settings

ROUTE = "/ahead/{token}"
Changes = Mapping[str, Any]  # settings by their paths


class Reader:
    """What one session's page shows, and what its sliders change."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe()
        self.settings = Settings()
        self.uploads: dict[str, bytes] = {}
        self.makers: dict[str, Callable[[], bytes]] = {}  # figure -> how it is made
        self.sliders: dict[str, Callable[[float], Changes]] = {}  # slider -> what a value changes
        self.made: dict[str, tuple[Settings, bytes]] = {}  # figure -> the last one ahead

    def look_ahead(self, moved: Mapping[str, float], figures: list[str]) -> dict[str, bytes]:
        """The figures as they would be with some sliders elsewhere, as far as they can be had."""
        settings = self.settings
        try:
            for key, number in moved.items():
                with _state.assumed(settings, self.uploads):
                    changes = self.sliders[key](number) if key in self.sliders else {}
                settings = changed(settings, changes)
        except ValueError:  # the script says so in words
            return {}
        found = {}
        with _state.assumed(settings, self.uploads):
            for key in figures:
                if key in self.makers:
                    try:
                        found[key] = self.makers[key]()
                    except (ValueError, _state.NotAheadError):
                        continue
                    self.made[key] = settings, found[key]
        return found


_readers: WeakValueDictionary[str, Reader] = WeakValueDictionary()


def reader() -> Reader:
    """This session's own; it lives as long as the session."""
    if "ahead" not in st.session_state:
        st.session_state["ahead"] = made = Reader()
        _readers[made.token] = made
    return st.session_state["ahead"]


def begin() -> str:
    """Forget the last page's figures; returns what the browser names this reader by."""
    own = reader()
    own.makers, own.sliders, own.made = {}, {}, {}
    return own.token


def remember() -> None:
    """Note the settings that sliders start from."""
    own = reader()
    own.settings, own.uploads = _state.current(), _state.uploads()


def slider(key: str, changes_of: Callable[[float], Changes]) -> None:
    """Tell what a slider's value changes; `key` is its widget's."""
    reader().sliders[_in_page(key)] = changes_of


def shown(key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, kept to be made ahead too: it may read settings and stages alone."""
    own = reader()
    own.makers[_in_page(key)] = make
    settings, data = own.made.pop(_in_page(key), (None, b""))
    return data if settings == _state.current() else make()


def figure(make: Callable[[], go.Figure], *, key: str, **calls: Callable[..., None]) -> None:
    """A plot of what `make` draws from settings and stages; see `explorer.live.plot.plot`."""
    meta = wishes(key, **calls) | {"ahead": 1}
    plot(shown(key, lambda: encode(make(), meta)), key=key, **calls)


def _in_page(key: str) -> str:
    """A widget's key as the browser's class names have it."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in key)


async def serve(request: Request) -> Response:
    """Answer a browser: [u32 length of the head][head, JSON: figure -> bytes][figure]..."""
    own = _readers.get(request.path_params["token"])
    if own is None:
        return Response("This session is no longer here: reload the page.", status_code=404)
    try:
        asked = json.loads(await request.body())
        moved = {str(key): float(value) for key, value in asked["moved"].items()}
        figures = [str(key) for key in asked["figures"]][:20]
    except (ValueError, KeyError, TypeError, AttributeError):
        text = "The body must be JSON with `moved`, slider to number, and `figures`, a list."
        return Response(text, status_code=400)
    found = await run_in_threadpool(_look_ahead, own, moved, figures)
    head = json.dumps({key: len(data) for key, data in found.items()}).encode()
    body = struct.pack("<I", len(head)) + head + b"".join(found.values())
    return Response(body, media_type="application/octet-stream")


def _look_ahead(own: Reader, moved: Mapping[str, float], figures: list[str]) -> dict[str, bytes]:
    with _turn.if_free() as free:
        return own.look_ahead(moved, figures) if free else {}
