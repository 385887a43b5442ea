"""Parts of a page that are drawn once they are opened: what nobody looks at slows no slider."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.pages import _demo


def folded(title: str, draw: Callable[[], None], key: str) -> None:
    """An expander whose content is drawn while it is open, and follows all sliders."""

    def draw_and_follow() -> None:
        _demo.follows()
        draw()

    _fold(title, draw_and_follow, key)


def idea(draw: Callable[[], None]) -> None:
    """The words at a page's end, the same whatever the settings."""
    _fold("The idea, the formula, the source", draw, key="idea")


def _fold(title: str, draw: Callable[[], None], key: str) -> None:
    opened = st.expander(title, key=key, on_change="rerun")
    if opened.open:
        with opened:
            draw()
