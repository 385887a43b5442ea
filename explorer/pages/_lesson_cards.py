"""The lessons as cards, each with its button."""

import streamlit as st

from explorer.lessons import lessons
from explorer.pages import _lesson_panel

COLUMNS = 4


def show() -> None:
    """Every lesson's title, what it is about, and the way in."""
    cards = [*lessons()[0].items()]
    for first in range(0, len(cards), COLUMNS):
        row = cards[first : first + COLUMNS]
        for column, (name, lesson) in zip(st.columns(COLUMNS), row, strict=False):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{lesson.order}. {lesson.title}**  \n{lesson.about}")
                _lesson_panel.start(name, f"Start, {len(lesson.steps)} steps", key=f"begin {name}")
