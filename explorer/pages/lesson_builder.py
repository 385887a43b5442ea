"""Build a lesson: a link with a title, a question, and only the controls that it needs."""

from urllib.parse import urlencode

import streamlit as st

from explorer import share
from explorer.address import by_door
from explorer.editing import changed
from explorer.pages import PAGES, _keys, _state

PREVIEW_HEIGHT = 700  # pixels: a page with its panel, without scrolling first


def render() -> None:
    st.title("Build a lesson")
    st.markdown(
        "**Try this:** set the view up on its page, come back, write a question, and tick the one "
        "slider that answers it. The link opens that view for your class, with nothing else to "
        "get lost in."
    )
    words, controls = st.columns(2, gap="large")
    with words:
        page, title, question = _words()
    with controls:
        show = _controls_of(page)
    link = _link(page, title, question, show)
    if link is None:
        return
    st.markdown("**The link**, with the settings in force:")
    st.code(link, language=None, wrap_lines=True)
    if st.toggle("Preview", key="build_preview", help="Opens the link in a frame below."):
        st.iframe(link, height=PREVIEW_HEIGHT, alt="The link as a class will see it")


def _words() -> tuple[str, str, str]:
    titles = {each.file.removesuffix(".py"): each.title for each in PAGES}
    page = st.selectbox(
        "Page",
        list(_keys.OF_PAGE),
        index=1,
        format_func=titles.__getitem__,
        key="build_page",
        persist_state="session",
        help="Where the link opens.",
    )
    title = st.text_input(
        "Title",
        max_chars=120,
        key="build_title",
        persist_state="session",
        placeholder="Who wins at 0.3?",
        help="Stands above the page. At most 120 characters.",
    )
    question = st.text_input(
        "Question",
        max_chars=300,
        key="build_question",
        persist_state="session",
        placeholder="Drag the threshold until two people are left. Where are you?",
        help="Stands under the title. At most 300 characters.",
    )
    return page, title.strip(), question.strip()


def _controls_of(page: str) -> str:
    """The ticked controls, as a link names them."""
    ticked = []
    groups = (
        ("Controls of the page that show", _keys.OF_PAGE[page]),
        ("In the sidebar", _keys.SHARED),
    )
    for label, keys in groups:
        if keys:
            ticked += st.pills(
                label,
                keys,
                selection_mode="multi",
                wrap=True,
                format_func=_keys.name_of,
                key=f"build {page} {label}",
                persist_state="session",
                help="All others are hidden. With none ticked anywhere, all show.",
            )
    return ",".join(ticked) or "all"


def _link(page: str, title: str, question: str, show: str) -> str | None:
    """The address that opens the lesson; None, and a sentence, where it cannot be."""
    words = {"title": title, "question": question, "show": show, "name": "", "step": 0}
    try:
        view = changed(_state.current(), {f"lesson.{name}": value for name, value in words.items()})
    except ValueError as error:
        st.error(_state.plain(str(error)))
        return None
    here = by_door(st.context.url or "/").split("?")[0]
    folder = here[: here.rfind("/") + 1]
    page = "" if page == "overview" else page
    return f"{folder}{page}?{urlencode(share.to_query(view))}"


render()
