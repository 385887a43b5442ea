"""What Streamlit runs: page config, shared controls, the chosen page, the link.

It lies among the pages, not beside them: Streamlit takes a folder named "pages" beside its script
for its older kind of navigation, and a link into a page, opened first after a start, would fail.
"""

import base64
from pathlib import Path

import streamlit as st

from explorer.pages import (
    _ahead,
    _around,
    _demo,
    _follow,
    _lesson_panel,
    _link,
    _share,
    _show,
    _sidebar,
    _tour,
    _turn,
    sections,
)

HERE = Path(__file__).parent

_ahead.wait()
with _turn.taken(whole=True):
    # By name it would come from a font server, and no request of a page leaves this one; as a file
    # it would be gone after a run of a part of the page.
    icon = base64.b64encode((HERE.parents[1] / "assets" / "icon.png").read_bytes()).decode()
    icon = f"data:image/png;base64,{icon}"
    _demo.begin()
    st.set_page_config(page_title="RPN Explorer", page_icon=icon, layout="wide")
    mark = f'<i data-ahead="{_ahead.begin()}" hidden></i>'
    style, script = ((HERE / name).read_text() for name in ("page.css", "reopen.js"))
    page_wide = f"<style>{style}</style>{mark}<script>{script}</script>"
    st.html(page_wide, unsafe_allow_javascript=True)  # in one: each element takes a gap
    _tour.notice()
    _link.read()
    page = st.navigation(sections(), position="top")
    _sidebar.render()
    _share.popover()
    _show.frame()
    _follow.render()
    _lesson_panel.render(page.url_path or "overview")
    _around.remember()
    page.run()
    _ahead.remember()
    _link.write()
    _demo.publish()
