"""What the script shows around a page: where it would be old, a part of the page is not enough."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from explorer.pages import _state, _weights
from explorer.presets import name_of

SHOWN = "around"  # what the session's last run of the whole script showed there


class Around(NamedTuple):
    """All that the script shows outside of a page: equal values look the same."""

    complaints: bool
    preset: str | None
    misfit: tuple[str, ...]
    chosen: tuple[Any, ...]  # the sidebar's settings
    followed: tuple[int, Any] | None
    lesson: Any
    planted: Any  # its sliders show it themselves, see `takes_planted`


def now() -> Around:
    """What a run of the whole script would show."""
    settings = _state.current()
    followed = settings.view.follow
    return Around(
        complaints=_state.has_complaints(),
        preset=name_of(settings),
        misfit=_weights.misfit(settings),
        chosen=(settings.image, settings.scene, settings.scores, settings.compute),
        followed=(followed, settings.anchors) if followed >= 0 else None,
        lesson=settings if settings.lesson.name else settings.lesson,  # it watches everything
        planted=settings.planted,
    )


def remember() -> None:
    """Note what is shown, before the page is drawn."""
    st.session_state[SHOWN] = now()


def is_shown() -> bool:
    """Whether the last run of the whole script showed what the next one would."""
    return now() == st.session_state[SHOWN]


def takes_planted(before: Around) -> bool:
    """Whether nothing differs but planted scores, whose slider shows them; then this is noted.

    Args:
        before: what was to be shown before that slider moved.
    """
    after = now()
    if before != st.session_state[SHOWN] or before._replace(planted=after.planted) != after:
        return False
    st.session_state[SHOWN] = after
    return True
