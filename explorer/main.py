"""What Streamlit runs: page config, shared controls, the chosen page, the link."""

from pathlib import Path

import streamlit as st

from explorer.pages import PAGES, _controls, _state

HERE = Path(__file__).parent

# An icon by name would come from a font server: no request of a page leaves this one.
icon = str(HERE.parent / "assets" / "icon.png")
st.set_page_config(page_title="RPN Explorer", page_icon=icon, layout="wide")
st.html(f"<style>{(HERE / 'pages' / 'page.css').read_text()}</style>")
_state.read_link()
page = st.navigation([each.page() for each in PAGES], position="top")
_controls.sidebar()
for sentence in _state.complaints():
    st.error(sentence)
page.run()
_state.write_link()
