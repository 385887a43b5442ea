"""An outline around something of the page that is spoken of, brought into view once."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from explorer.figures import theme

SCRIPT = Path(__file__).with_name("pointer.js")


def point_at(selector: str, moment: str) -> None:
    """Outline what a CSS selector finds; at another moment it is brought into view anew.

    The browser runs a script only where its text is new, so not at every move of a slider.
    """
    script = SCRIPT.read_text(encoding="utf-8").replace("MOMENT", moment)
    script = script.replace("SELECTOR", json.dumps(selector))
    st.html(
        f"<style>{selector} {{ outline: 4px solid {theme.LEVELS[1]}; outline-offset: 6px; "
        f"border-radius: 4px; scroll-margin: 2rem; }}</style><script>{script}</script>",
        unsafe_allow_javascript=True,
    )


def css_class(key: str) -> str:
    """The class that Streamlit gives to the element of a key."""
    return "st-key-" + "".join(c if c.isalnum() or c in "-_" else "-" for c in key)
