"""One control re-runs one figure: parts of a page that run without the rest of the script.

`@demo` above a page's `render` makes the page such a part. The sidebar, the frame and the line of
the followed box lie outside: where they would show something old, the whole script runs.

Inside of it, `@results` above a function that draws figures makes them a part of their own. The
controls among them run that part alone. The page's sliders run all of its results and nothing
beside them: a page has twenty sliders, and a move of one changes no other. Such functions take no
arguments: they would be those of the last run of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.pages import _ahead, _show, _state, _turn, _weights
from explorer.presets import name_of

PAGE = "page"  # key of the page's part
AROUND = "around"  # what the session's last run of the whole script showed around the page


@dataclass
class Page:
    """A session's page as its last run drew it."""

    results: list[str] = field(default_factory=list)  # keys of its parts
    follows: bool = False  # whether something beside sliders and results shows the settings
    drawn: bool = False  # whether it is a part at all
    drawing: str = ""  # what is being drawn: "page", "results", "beside" it, or nothing of these


def demo(draw: Callable[[], None]) -> Callable[[], None]:
    """Make `draw` a page that its own controls run without what stands around it."""

    @wraps(draw)
    def part() -> None:
        with _alone():
            _state.own().page = Page(drawn=True)
            with drawing("page"):
                draw()

    return st.fragment(part, key=PAGE)


def results(draw: Callable[[], None]) -> Callable[[], None]:
    """Make `draw` a part of its page that its own controls run alone, and the page's sliders."""
    key = f"results: {draw.__module__} {draw.__name__}"

    @wraps(draw)
    def part() -> None:
        if _page().drawing:
            _page().results.append(key)
            _show.place_of_progress()  # as where it runs alone: all below keep their places
            with drawing("results"):
                draw()
            return
        with _alone(), drawing("results"):
            draw()

    return st.fragment(part, key=key)


def moved(take: Callable[[], None]) -> Callable[[], None]:
    """What a slider calls: among the page's own controls it has the results alone drawn anew.

    So does one beside the page, under `drawing("beside")`, for the settings of planted scores.
    """
    where = _page().drawing
    if where not in ("page", "beside"):
        return take

    def take_and_redraw() -> None:
        before = _around()
        take()
        if where == "page" or _only_planted_differ(before, _around()):
            _redraw_results(or_page=where == "beside")

    return take_and_redraw


def _only_planted_differ(before: tuple, after: tuple) -> bool:
    """Whether around the page a moved slider alone shows the change, which then is no news."""
    if before != st.session_state[AROUND] or before[:-1] != after[:-1]:
        return False
    st.session_state[AROUND] = after
    return True


def _redraw_results(or_page: bool) -> None:
    page = _page()
    if page.results and not page.follows:
        st.rerun(page.results)
    if page.drawn and or_page:
        st.rerun(PAGE)


def with_controls(take: Callable[..., None]) -> Callable[..., None]:
    """What a figure among the results calls, where it changes what the page's own controls show."""

    def take_and_redraw(*told: Any) -> None:
        take(*told)
        st.rerun(PAGE)

    return take_and_redraw


def beside(*widths: int) -> list[DeltaGenerator]:
    """Columns of results, a picture first; on a phone the page's controls stand below it."""
    with st.container(key="beside"):
        return st.columns(widths, gap="medium")


def follows() -> None:
    """Tell that what is drawn now shows the settings: among the page's controls, all run then."""
    if _page().drawing == "page":
        _page().follows = True


@contextmanager
def _alone() -> Iterator[None]:
    """What a part does that runs without the rest of the script."""
    _ahead.wait()
    with _turn.taken():
        if _around() != st.session_state[AROUND]:
            st.rerun()
        _show.place_of_progress()
        yield
        _ahead.remember()
        _state.write_link()


@contextmanager
def drawing(what: str) -> Iterator[None]:
    """Draw as the page's own, or as results."""
    page = _page()
    page.drawing, before = what, page.drawing
    try:
        yield
    finally:
        page.drawing = before


def _page() -> Page:
    own = _state.own()
    own.page = own.page or Page()
    return own.page


def remember() -> None:
    """Note what is shown around the page, before the page is drawn."""
    _state.own().page = Page()
    st.session_state[AROUND] = _around()


def _around() -> tuple:
    """All that the script shows outside of a page: equal values look the same."""
    settings = _state.current()
    followed = settings.view.follow
    return (  # what planted scores are made of last, see `_only_planted_differ`
        _state.has_complaints(),
        name_of(settings),
        _weights.misfit(settings),
        (settings.image, settings.scene, settings.scores, settings.compute),
        (followed, settings.anchors) if followed >= 0 else None,
        settings if settings.lesson.name else settings.lesson,  # a lesson watches everything
        settings.planted,
    )
