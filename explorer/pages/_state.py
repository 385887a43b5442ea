"""The reader's state: one `Settings`, which `_link.py` mirrors in the URL.

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

from explorer.core.images import open_photo
from explorer.editing import changed
from explorer.settings import Settings


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
