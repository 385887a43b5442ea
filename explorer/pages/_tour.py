"""A newcomer's guided look at the Overview: four sentences, once, and never for a link."""

from __future__ import annotations

import streamlit as st

from explorer.pages._pointer import point_at

LOOKS = (  # a sentence, and what it points at
    (
        "**These boxes are what a trained network proposes** for this photo: the best of all its "
        "anchors.",
        ".st-key-best",
    ),
    (
        "**Each card is a step on the way**, with this photo's numbers. Open one and drag what "
        "stands there: every slider answers at once.",
        ".st-key-chain",
    ),
    (
        "**On the left stands what all pages share:** the picture (yours, too), the preset of a "
        "code base, where the scores come from.",
        '[data-testid="stSidebar"] .st-key-preset',
    ),
    (
        "**New to all this?** Start with a lesson: a few minutes each, and you predict before you "
        "see.",
        ".st-key-start_here",
    ),
)
OVER = len(LOOKS)


def notice() -> None:
    """At a session's first run: whoever came by a link knows where they want to go."""
    if "tour" not in st.session_state:
        st.session_state["tour"] = OVER if st.query_params else 0


def render() -> None:
    """The sentence in turn; its place is there in every run."""
    place, at = st.container(key="tour"), st.session_state["tour"]
    if at >= OVER:
        return
    sentence, target = LOOKS[at]
    with place, st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{sentence} :gray[{at + 1} of {OVER}]", width="stretch")
        label = "Next" if at + 1 < OVER else "Done"
        st.button(label, key="tour_next", type="primary", on_click=_go, args=(at + 1,))
        if at + 1 < OVER:
            st.button("Skip", key="tour_skip", type="tertiary", on_click=_go, args=(OVER,))
        point_at(target, f"look {at}")


def _go(place: int) -> None:
    st.session_state["tour"] = place
