"""The reader's state: one `Settings`, mirrored in the URL.

Widgets are views of it. A plain keyed widget would lose its value on a page switch, and the URL
would hold only the current page's; so the settings live here, and `share` writes all of them.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import share
from explorer.core.device import resolve_device
from explorer.core.images import open_photo
from explorer.core.samples import samples
from explorer.core.truth import SCENE
from explorer.editing import changed
from explorer.pages import _weights
from explorer.settings import Settings

LINKS_KEPT = 50  # a browser that is so many moves behind has lost its connection


@dataclass
class Own:
    """What a reader has, beside what the widgets hold; lives as long as the session."""

    settings: Settings | None = None  # None until the first link is read
    uploads: dict[str, bytes] = field(default_factory=dict)  # `upload:<sha256>` to the file
    upload_name: str = ""  # what the uploaded picture's file was called
    complaints: list[str] = field(default_factory=list)  # sentences to show, once
    links: list[dict[str, str]] = field(default_factory=list)  # last queries, written or read
    ahead: Any = None  # `_ahead.Reader`
    page: Any = None  # `_demo.Page`


class _Thread(threading.local):
    """What a script's thread knows of its session: it serves no other."""

    own: Own | None = None


_thread = _Thread()


def own() -> Own:
    """This session's own. `st.session_state` is slow, and a move asks a hundred times."""
    if _thread.own is None:
        _thread.own = st.session_state.setdefault("own", Own())
    return _thread.own


_assumed: ContextVar[tuple[Settings, dict[str, bytes]] | None] = ContextVar("assumed", default=None)


class NotAheadError(Exception):
    """What takes too long, or shows more than a figure: only the page's own script does it."""


@contextmanager
def assumed(settings: Settings, brought: dict[str, bytes]) -> Iterator[None]:
    """Act as if these settings were in force, with a reader's uploads, outside of any script."""
    token = _assumed.set((settings, brought))
    try:
        yield
    finally:
        _assumed.reset(token)


def is_assumed() -> bool:
    """Whether no script runs, and settings are only assumed."""
    return _assumed.get() is not None


def current() -> Settings:
    """The settings in force."""
    found = _assumed.get()
    return own().settings if found is None else found[0]


def replace(settings: Settings) -> None:
    """Put other settings in force."""
    own().settings = settings


def change(values: dict[str, Any]) -> bool:
    """Change some settings, or keep all and tell the reader why they cannot be so."""
    try:
        replace(changed(current(), values))
    except ValueError as error:
        complain(str(error))
        return False
    return True


def complain(sentence: str) -> None:
    """Show a sentence at the top of the page on this run, as plain text."""
    own().complaints.append(plain(sentence))


def plain(sentence: str) -> str:
    """A sentence as Markdown that shows it letter by letter.

    It may quote a link or a file of somebody else's: nothing in it may become a hyperlink.
    """
    return re.sub(r"([\\`*_\[\]<>~$:|#])", r"\\\1", sentence)


def complaints() -> list[str]:
    """The sentences to show, once."""
    told, own().complaints = own().complaints, []
    return told


def has_complaints() -> bool:
    """Whether a sentence waits to be shown."""
    return bool(own().complaints)


def uploads() -> dict[str, bytes]:
    """What this reader uploaded: `upload:<sha256>` to the file's bytes."""
    found = _assumed.get()
    return own().uploads if found is None else found[1]


def add_upload(file_name: str, data: bytes) -> None:
    """Show an uploaded picture; one that cannot be read is refused and changes nothing."""
    try:
        open_photo(data)
    except ValueError as error:
        sentence = str(error)
        complain(f"{sentence[0].upper()}{sentence[1:]}.")
        return
    name = f"upload:{hashlib.sha256(data).hexdigest()}"
    uploads().clear()  # one at a time: an upload lives as long as its session
    uploads()[name] = data
    own().upload_name = file_name
    change({"image.picture": name, "truth.boxes": None})


def read_link() -> None:
    """Take the settings from the URL where it says something new: a first visit, or Back.

    While a slider moves fast, the browser still sends the query of some moves ago with each new
    one: what this session wrote itself is no news, or the slider would jump back.
    """
    query = st.query_params.to_dict()
    echo = not query or (query in own().links and not _went_back())
    if own().settings is not None and echo:
        return
    settings, notes = share.from_query(query) if query else (_first_view(), [])
    settings, missing = _without_what_is_not_here(settings)
    replace(settings)
    _remember(query)
    for note in notes + missing:
        complain(note)


def _went_back() -> bool:
    """Whether the browser's Back or Forward asked for this run; Streamlit has no public word."""
    return get_script_run_ctx().is_history_navigation


def _remember(query: dict[str, str]) -> None:
    links = own().links
    if not links or links[-1] != query:
        links.append(query)
        del links[:-LINKS_KEPT]


def open_settings(settings: Settings) -> None:
    """Put the settings of a file in force, as far as this server can, and say what it cannot."""
    settings, missing = _without_what_is_not_here(settings)
    replace(settings)
    for note in missing:
        complain(note)


def _first_view() -> Settings:
    """What the door shows: the notebook's settings, with scores that mean something."""
    source = "learned" if "learned" in _weights.sources() else "random"
    return changed(Settings(), {"scores.source": source})


def _without_what_is_not_here(settings: Settings) -> tuple[Settings, list[str]]:
    notes = []
    if settings.image.picture not in {*samples(), *uploads(), SCENE}:
        notes.append(f"There is no picture named {settings.image.picture!r} here.")
        settings = changed(settings, {"image.picture": Settings().image.picture})
    if settings.scores.source not in _weights.sources():
        notes.append(f"This server has no weights for the scores named {settings.scores.source}.")
        settings = changed(settings, {"scores.source": "random"})
    if settings.truth.boxes not in {None, *uploads()}:
        notes.append(
            "This link was made with objects of somebody's own. Links carry settings, not boxes: "
            "the picture's own objects are shown."
        )
        settings = changed(settings, {"truth.boxes": None})
    try:
        resolve_device(settings.compute.device)
    except ValueError as error:
        notes.append(f"The link's compute.device was ignored: {error}.")
        settings = changed(settings, {"compute.device": "auto"})
    return settings, notes


def write_link() -> None:
    """Mirror the settings in the URL, so that a copied address opens this view."""
    query = share.to_query(current())
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
    _remember(query)
