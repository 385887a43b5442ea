"""One control re-runs one figure: parts of a page that run without the rest of the script.

`@demo` above a page's `render` makes the page such a part. The sidebar, the frame and the line of
the followed box lie outside: where they would show something old, the whole script runs.

Inside of it, `@results` above a function that draws figures makes them a part of their own. The
controls among them run that part alone. The page's sliders run all of its results and nothing
beside them: a page has twenty sliders, and a move of one changes no other. Such functions take no
arguments: they would be those of the last run of the page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.pages import _ahead, _around, _link, _show, _state, _turn

SENT = 0.5  # seconds in which what was drawn is with the browser


@dataclass
class Page:
    """A page as a run has drawn it, to its end."""

    key: str
    address: str  # the hash that Streamlit knows it by
    results: list[str] = field(default_factory=list)  # keys of its parts
    follows: bool = False  # whether something beside sliders and results shows the settings
    drawn: float = 0.0  # when, in seconds of `time.monotonic`

    def is_sent(self) -> bool:
        """Whether parts may run instead of what was asked for.

        As a run begins, what the one before drew of its parts and has not sent is dropped: it draws
        them again. Parts alone would not, and the browser would look for what it never got.
        """
        return time.monotonic() - self.drawn > SENT


class _Thread(threading.local):
    """What a script's thread is drawing: a stopped run may draw on beside the next one."""

    page: Page | None = None
    what: str = ""  # "page", "results", the "sidebar", or nothing of these


_here = _Thread()


def demo(draw: Callable[[], None]) -> Callable[[], None]:
    """Make `draw` a page that its own controls run without what stands around it."""
    key = _key(draw)

    @wraps(draw)
    def part() -> None:
        with _alone():
            _state.own().page = None  # until all of it stands there again
            _here.page = Page(key, get_script_run_ctx().page_script_hash)
            with drawing("page"):
                draw()
            if _a_part_runs():
                publish()

    return st.fragment(part, key=key)


def results(draw: Callable[[], None]) -> Callable[[], None]:
    """Make `draw` a part of its page that its own controls run alone, and the page's sliders."""
    key = _key(draw)

    @wraps(draw)
    def part() -> None:
        if _here.what:
            _here.page.results.append(key)
            _show.place_of_progress()  # as where it runs alone: all below keep their places
            with drawing("results"):
                draw()
            return
        with _alone(), drawing("results"):
            draw()

    return st.fragment(part, key=key)


def moved(take: Callable[[], None]) -> Callable[[], None]:
    """What a slider calls: among the page's own controls it has the results alone drawn anew.

    So does one of the sidebar, under `drawing("sidebar")`, for the settings of planted scores.
    """
    where = _here.what
    if where not in ("page", "sidebar"):
        return take

    def take_and_redraw() -> None:
        before = _around.now()
        take()
        page = _page_of_the_run()
        if page is None or not page.is_sent():
            return
        # A part of the page looks there itself whether it is shown.
        if not (_a_part_runs() if where == "page" else _around.takes_planted(before)):
            return
        if page.results and not page.follows:
            st.rerun(page.results)
        if where == "sidebar":
            st.rerun(page.key)

    return take_and_redraw


def with_controls(take: Callable[..., None]) -> Callable[..., None]:
    """What a figure among the results calls, where it changes what the page's own controls show."""

    def take_and_redraw(*told: Any) -> None:
        take(*told)
        page = _page_of_the_run()
        if page is not None and _a_part_runs():
            st.rerun(page.key)

    return take_and_redraw


def beside(*widths: int) -> list[DeltaGenerator]:
    """Columns of results, a picture first; on a phone the page's controls stand below it."""
    with st.container(key="beside"):
        return st.columns(widths, gap="medium")


def follows() -> None:
    """Tell that what is drawn now shows the settings: among the page's controls, all run then."""
    if _here.what == "page":
        _here.page.follows = True


@contextmanager
def drawing(what: str) -> Iterator[None]:
    """Draw as the page's own, as results, or as the sidebar's."""
    _here.what, before = what, _here.what
    try:
        yield
    finally:
        _here.what = before


def begin() -> None:
    """Forget the page that stands there: the whole script draws it anew, and may be stopped."""
    _state.own().page = _here.page = None


def publish() -> None:
    """Let sliders run parts of the page, now that all of it, and of what is around it, is there."""
    if _here.page is not None:
        _here.page.drawn = time.monotonic()
    _state.own().page = _here.page


def _key(draw: Callable[[], None]) -> str:
    return f"{Path(draw.__code__.co_filename).stem} {draw.__name__}"


def _page_of_the_run() -> Page | None:
    """The page that stands there, unless the run that calls is to open another one."""
    page: Page | None = _state.own().page
    return page if page and page.address == get_script_run_ctx().page_script_hash else None


def _a_part_runs() -> bool:
    """Whether a part of the page was asked for; else something wants the whole script to run."""
    return bool(get_script_run_ctx().fragment_ids_this_run)


@contextmanager
def _alone() -> Iterator[None]:
    """What a part does that runs without the rest of the script."""
    _ahead.wait()
    with _turn.taken():
        if not _around.is_shown():
            st.rerun()
        _show.place_of_progress()
        yield
        _ahead.remember()
        _link.write()
