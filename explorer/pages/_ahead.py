"""Figures ahead of the script: what a slider would show, while the finger still moves it.

Streamlit tells the server of a slider on release, runs the page's script and goes over the whole
page thrice in the browser: a fifth of a second. Figures that are registered here come sooner. The
browser asks for those in sight at each step of a slider (`explorer/live/ahead.js`), they are made
under the settings as they would be, and what the script sends afterwards is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.editing import changed
from explorer.figures.theme import Figure
from explorer.live import ahead
from explorer.live.plot import encode, plot, wishes
from explorer.pages import _state, _turn
from explorer.settings import Settings

Changes = Mapping[str, Any]  # settings by their paths
# Under what a figure was made, from what beside, and the figure.
Made = tuple[Settings, Mapping[str, Any], ahead.Sent]
Maker = tuple[Callable[[], bytes], Mapping[str, Any]]  # how a figure is made, and from what beside


class Reader:
    """What one session's page shows, and what its sliders change; lives as long as the session."""

    def __init__(self) -> None:
        self.token = self.session = ""
        self.lock = threading.Lock()
        self.settings = Settings()
        self.stands = False  # whether a script has drawn the page to its end
        self.uploads: dict[str, bytes] = {}
        self.makers: dict[str, Maker] = {}  # by figure
        self.sliders: dict[str, Callable[[float], Changes]] = {}  # slider -> what a value changes
        self.made: dict[str, Made] = {}  # by figure, the last one ahead

    def look_ahead(self, moved: Mapping[str, float], key: str) -> ahead.Sent | None:
        """A figure with some sliders elsewhere; None where the server is busy, or it cannot be.

        Keys are those of the browser's class names, as `in_page` makes them.
        """
        with self.lock, _turn.if_free() as free:
            try:
                return self._made(self._moved(moved), key) if free else None
            except (KeyError, ValueError, _state.NotAheadError):
                return None  # the script says why

    def has_taken(self, moved: Mapping[str, float]) -> bool:
        """Whether what stands there was drawn with these values of the sliders."""
        with self.lock:
            try:
                return self.stands and self._moved(moved) == self.settings
            except (KeyError, ValueError, _state.NotAheadError):
                return self.stands  # the script says why

    def is_here(self) -> bool:
        """Whether Streamlit still has the session, and a browser is connected to it."""
        return runtime.get_instance().is_active_session(self.session)

    def _moved(self, moved: Mapping[str, float]) -> Settings:
        settings = self.settings
        for key in moved.keys() & self.sliders.keys():
            with _state.assumed(settings, self.uploads):
                changes = self.sliders[key](moved[key])
            settings = changed(settings, changes)
        return settings

    def _made(self, settings: Settings, key: str) -> ahead.Sent:
        make, given = self.makers[key]
        with _state.assumed(settings, self.uploads):
            sent = ahead.Sent(make())
        self.made[key] = settings, given, sent
        return sent


def reader() -> Reader:
    """This session's own."""
    own = _state.own()
    own.ahead = own.ahead or Reader()
    return own.ahead


def wait() -> None:
    """Let figures that are being made ahead be done: the script needs the same ones, and later."""
    lock = reader().lock  # asking for it twice, Streamlit could stop the script in between
    if lock.acquire(timeout=1):
        lock.release()


def begin() -> str:
    """Forget the last page's figures; returns what the browser calls this reader."""
    own = reader()
    own.makers, own.sliders, own.stands = {}, {}, False
    own.session = get_script_run_ctx().session_id
    connection = st.context.headers.get(ahead.HEADER)
    if own.token != connection:
        own.token = ahead.admit(own, connection)
    return own.token


def remember() -> None:
    """Note the settings that sliders start from."""
    own = reader()
    own.settings, own.uploads, own.stands = _state.current(), _state.uploads(), True


def slider(key: str, changes_of: Callable[[float], Changes]) -> None:
    """Tell what a slider's value changes; `key` is its widget's."""
    reader().sliders[in_page(key)] = changes_of


def shown(key: str, make: Callable[[], bytes], given: Mapping[str, Any] | None = None) -> bytes:
    """What `make` gives, kept to be made ahead too.

    It may read settings, stages and what is `given`, alone: with all of them the same, the browser
    has it already, and gets its name.
    """
    own, given = reader(), given or {}
    own.makers[in_page(key)] = make, given
    settings, with_it, sent = own.made.pop(in_page(key), (None, {}, None))
    return sent.name if sent and settings == _state.current() and with_it == given else make()


def figure(make: Callable[[], Figure], *, key: str, **calls: Callable[..., None] | None) -> None:
    """A plot of what `make` draws from settings and stages; see `explorer.live.plot.plot`."""
    meta = wishes(key, **calls) | {"ahead": 1}
    plot(shown(key, lambda: encode(make(), meta), meta), key=key, **calls)


@cache
def in_page(key: str) -> str:
    """A widget's key as the browser's class names have it."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in key)
