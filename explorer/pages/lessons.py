"""Lessons: a few steps each, with real controls; predict first, then see."""

import streamlit as st

from explorer.lessons import lessons
from explorer.pages import _lesson_cards, _state, page_of


def render() -> None:
    st.title("Lessons")
    st.markdown(
        "**Try this:** begin with the first. A step asks you to guess before its slider unlocks, "
        "and shows your guess beside the truth once you have moved it."
    )
    for sentence in lessons()[1]:
        st.warning(_state.plain(sentence))
    _lesson_cards.show()
    st.markdown(
        "A lesson runs above the pages; its step stands in the page's address, so a link opens "
        "a class at the same place. To ask a question of your own, build a link:"
    )
    st.page_link(page_of("lesson_builder"))


render()
