"""The settings in the page's address: read when it says something new, written after each run."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer import share
from explorer.core.device import resolve_device
from explorer.core.samples import samples
from explorer.core.truth import SCENE
from explorer.editing import changed
from explorer.pages import _state, _weights
from explorer.settings import Settings

LINKS_KEPT = 50  # a browser that is so many moves behind has lost its connection


def read() -> None:
    """Take the settings from the URL where it says something new: a first visit, or Back.

    While a slider moves fast, the browser still sends the query of some moves ago with each new
    one: what this session wrote itself is no news, or the slider would jump back.
    """
    query = st.query_params.to_dict()
    echo = not query or (query in _state.own().links and not _went_back())
    if _state.own().settings is not None and echo:
        return
    settings, notes = share.from_query(query) if query else (_first_view(), [])
    settings, missing = _without_what_is_not_here(settings)
    _state.replace(settings)
    _remember(query)
    for note in notes + missing:
        _state.complain(note)


def _went_back() -> bool:
    """Whether the browser's Back or Forward asked for this run; Streamlit has no public word."""
    return get_script_run_ctx().is_history_navigation


def _remember(query: dict[str, str]) -> None:
    links = _state.own().links
    if not links or links[-1] != query:
        links.append(query)
        del links[:-LINKS_KEPT]


def open_settings(settings: Settings) -> None:
    """Put the settings of a file in force, as far as this server can, and say what it cannot."""
    settings, missing = _without_what_is_not_here(settings)
    _state.replace(settings)
    for note in missing:
        _state.complain(note)


def _first_view() -> Settings:
    """What the door shows: the notebook's settings, with scores that mean something."""
    source = "learned" if "learned" in _weights.sources() else "random"
    return changed(Settings(), {"scores.source": source})


def _without_what_is_not_here(settings: Settings) -> tuple[Settings, list[str]]:
    notes = []
    if settings.image.picture not in {*samples(), *_state.uploads(), SCENE}:
        notes.append(f"There is no picture named {settings.image.picture!r} here.")
        settings = changed(settings, {"image.picture": Settings().image.picture})
    if settings.scores.source not in _weights.sources():
        notes.append(f"This server has no weights for the scores named {settings.scores.source}.")
        settings = changed(settings, {"scores.source": "random"})
    if settings.truth.boxes not in {None, *_state.uploads()}:
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


def write() -> None:
    """Mirror the settings in the URL, so that a copied address opens this view."""
    query = share.to_query(_state.current())
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
    _remember(query)
