"""One control re-runs one figure: parts of a page that run without the rest of the script.

`@demo` above a page's `render` makes the page such a part. The sidebar, the frame and the line of
the followed box lie outside: where they would show something old, the whole script runs.

Inside of it, `@demo` above a function that draws one figure and the controls that change nothing
but this figure makes those re-run it alone. Such a function takes no arguments: they would be
those of the last run of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import streamlit as st

from explorer.pages import _ahead, _show, _state, _turn, _weights
from explorer.presets import name_of

AROUND = "around"  # what the session's last run of the whole script showed around the page


def demo(draw: Callable[[], None]) -> Callable[[], None]:
    """Make `draw` a part of its page that its own controls run alone."""

    @wraps(draw)
    def part() -> None:
        _ahead.wait()
        with _turn.taken():
            if _around() != st.session_state[AROUND]:
                st.rerun()
            _show.place_of_progress()
            draw()
            _ahead.remember()
            _state.write_link()

    return st.fragment(part)


def remember() -> None:
    """Note what is shown around the page, before the page is drawn."""
    st.session_state[AROUND] = _around()


def _around() -> tuple:
    """All that the script shows outside of a page: equal values look the same."""
    settings = _state.current()
    followed = settings.view.follow
    return (
        _state.has_complaints(),
        name_of(settings),
        _weights.misfit(settings),
        (settings.image, settings.scene, settings.scores, settings.planted, settings.compute),
        (followed, settings.anchors) if followed >= 0 else None,
        settings if settings.lesson.name else settings.lesson,  # a lesson watches everything
    )
