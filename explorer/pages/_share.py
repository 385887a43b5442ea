"""Share this view: its link, and a QR code of it for the phones in the room."""

from __future__ import annotations

import streamlit as st

from explorer import share
from explorer.address import by_door, is_local, lan_address, qr_image, view_link
from explorer.pages import _state


def popover() -> None:
    """A button in the sidebar; opening it runs the script, so that the code is the view's own."""
    with st.sidebar:
        opened = st.popover(
            "Share this view", icon=":material/qr_code_2:", key="share", on_change="rerun"
        )
        if opened.open:
            with opened:
                _code()


def _code() -> None:
    here, query = by_door(st.context.url or ""), share.to_query(_state.current())
    link = view_link(here, query, lan_address())
    try:
        st.html(f'<img class="qr" src="{qr_image(link)}" alt="QR code of this view">')
    except ValueError as error:
        st.caption(_state.plain(f"{str(error)[0].upper()}{str(error)[1:]}: copy the link instead."))
    st.code(link, language=None, wrap_lines=True)
    if is_local(link):
        st.caption("This machine has no network: only it can open the link.")
    else:
        st.caption("Phones reach it where the server was started with `make class`.")
