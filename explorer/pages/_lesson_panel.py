"""What stands above a page while a lesson runs: what to do, the guess, and what came of it."""

from __future__ import annotations

import streamlit as st

from explorer.lessons import lessons
from explorer.lessons.lesson import Ask
from explorer.pages import _keys, _lesson, _state, page_of
from explorer.pages._pointer import css_class, point_at

MARKS = {"right": (":green-badge", "check", "right"), "near": (":orange-badge", "adjust", "near")}
SIDEBAR_BUTTON = '[data-testid="stExpandSidebarButton"]'
WRONG = (":red-badge", "close", "not so")


def render(stem: str) -> None:
    """The lesson's panel on the page of this stem; its place is there in every run.

    An element that comes and goes would shift those below, and Streamlit would mount the plots
    anew.
    """
    place, settings = st.container(key="lesson"), _state.current().lesson
    with place:
        if _lesson.running():
            _lesson_of_a_file(stem)
        elif settings.name:
            _skip_unknown(settings.name)
        elif settings.title or settings.question or settings.show != "all":
            _question_of_a_teacher()
    if settings.show != "all":
        hide_all_but(settings.show)


def _skip_unknown(name: str) -> None:
    _state.complain(f"There is no lesson named {name!r} here.")
    _lesson.leave()
    st.rerun()


def _lesson_of_a_file(stem: str) -> None:
    lesson, here = _lesson.running(), _lesson.step()
    if here is None:
        _summary()
        return
    _lesson.watch()
    number, done = _lesson.number(), _lesson.record().done
    with _head(f"{lesson.title} :gray[step {number + 1} of {len(lesson.steps)}]"):
        _ways(done)
    st.markdown(f"{':green[:material/check_circle:] ' if done else ''}{here.say}")
    page = lesson.page_of(number)
    if page == stem:
        if here.ask:
            _ask(here.ask)
        if here.control:
            control = f".{css_class(here.control)}"
            if here.control in _keys.SHARED:  # in the sidebar: where that is shut, its button
                control = f'[data-testid="stSidebar"] {control}, {SIDEBAR_BUTTON}'
            point_at(control, f"step {number}")
        return
    target = page_of(page)
    if st.button(f"Go to {target.title}", type="primary", key="lesson_page"):
        st.switch_page(target)


def _head(text: str):
    """A line with what runs; returns the place for its buttons, before the one that ends it."""
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head"):
        st.markdown(f"**:material/school: {text}**", width="stretch")
        place = st.container(horizontal=True, width="content")
        st.button(
            "Leave",
            key="lesson_leave",
            type="tertiary",
            icon=":material/close:",
            on_click=_lesson.leave,
            help="Ends the lesson; the settings stay as they are.",
        )
    return place


def _ask(ask: Ask) -> None:
    """The question; once it is answered, the guess beside the truth."""
    record = _lesson.record()
    st.markdown(f"**{ask.question}**")
    if record.guess is None:
        _take_guess(ask)
    elif not record.done:
        st.markdown(f"Your guess: **{_lesson.said(record.guess)}**. Now see.")
    else:
        verdict = ask.judge(record.guess, record.truth)
        badge, icon, word = MARKS.get(verdict, WRONG)
        truth = ask.choice_of(record.truth) if ask.choices else ""
        exact = _lesson.said(record.truth)
        told = f"{truth} ({exact})" if truth else exact
        st.markdown(
            f"Your guess: **{_lesson.said(record.guess)}**. It is **{told}**. "
            f"{badge}[:material/{icon}: {word}]  \n{ask.because}"
        )


def _take_guess(ask: Ask) -> None:
    if ask.choices:
        with st.container(horizontal=True, key="lesson_choices"):
            for place, choice in enumerate(ask.choices):
                st.button(choice, key=f"guess {place}", on_click=_lesson.guess, args=(choice,))
        return
    with st.form("lesson_guess", border=False):
        key = f"guess of {_lesson.number()}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(
                "Your guess",
                value=None,
                key=key,
                format="%g",
                width=200,
                label_visibility="collapsed",
                placeholder="your guess",
                help="A number. Only the first guess counts.",
            )
            st.form_submit_button("Guess", key="lesson_send", on_click=_take_number, args=(key,))


def _take_number(key: str) -> None:
    value = st.session_state.get(key)
    if value is None:
        _state.complain("A guess is a number.")
    else:
        _lesson.guess(float(value))


def _ways(done: bool) -> None:
    number = _lesson.number()
    st.button("Back", key="lesson_back", on_click=_lesson.go, args=(-1,), disabled=number == 0)
    forward = "Finish" if number == len(_lesson.running().steps) - 1 else "Next"
    st.button(
        forward if done else "Skip this step",
        key="lesson_next",
        type="primary" if done else "tertiary",
        on_click=_lesson.go,
        args=(1,),
    )


def _summary() -> None:
    name, lesson = _state.current().lesson.name, _lesson.running()
    verdicts, asked = _lesson.score()
    _head(f"{lesson.title} :gray[done]")
    near = f", {verdicts['near']} near" if verdicts["near"] else ""
    st.markdown(f"**{verdicts['right']} of {asked} guesses were right**{near}. {lesson.about}")
    names = [*lessons()[0]]
    after = names[(names.index(name) + 1) % len(names)]
    with st.container(horizontal=True):
        st.button("Back", key="lesson_back", on_click=_lesson.go, args=(-1,))
        start(name, "Once more", key="lesson_again")
        start(after, f"Next lesson: {lessons()[0][after].title}", key="lesson_after")


def start(name: str, label: str, *, key: str) -> None:
    """A button that begins a lesson on its page."""
    if st.button(label, key=key, icon=":material/play_arrow:"):
        _lesson.begin(name)
        st.switch_page(page_of(lessons()[0][name].page))


def _question_of_a_teacher() -> None:
    asked = _state.current().lesson
    _head(_state.plain(asked.title) or "A question")
    if asked.question:
        st.markdown(_state.plain(asked.question))
    unknown = [key for key in keys_in(asked.show) if key not in _keys.known()]
    if unknown:
        names = ", ".join(map(repr, unknown))
        st.caption(_state.plain(f"No control here is named {names}: skipped."))


def keys_in(show: str) -> list[str]:
    """The controls that a link names."""
    return [key.strip() for key in show.split(",") if key.strip() not in ("", "none")]


def hide_all_but(show: str) -> None:
    """Hide every widget but some; plots, texts and the navigation stay."""
    kinds = ", ".join(f'[data-testid="{kind}"]' for kind in WIDGETS)
    kept = [
        ".st-key-lesson *",
        *(f".{css_class(key)}" for key in keys_in(show) if key in _keys.known()),
    ]
    st.html(
        f'<style>[data-testid="stElementContainer"]:has({kinds}):not({", ".join(kept)})'
        "{display:none}</style>"
    )


WIDGETS = (
    *("stSlider", "stButtonGroup", "stSelectbox", "stCheckbox", "stNumberInput", "stTextInput"),
    *("stTextArea", "stFileUploader", "stButton", "stDownloadButton", "stMultiSelect"),
)
