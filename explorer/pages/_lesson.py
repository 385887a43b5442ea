"""The lesson that runs: which step, what the reader has guessed and done, what is locked.

Which lesson and which step stand in the settings, and so in the link; guesses live in the session.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import streamlit as st

from explorer.editing import changed, get
from explorer.lessons import lessons
from explorer.lessons.lesson import Lesson, Step
from explorer.lessons.quantities import QUANTITIES
from explorer.pages import _show, _state
from explorer.settings import Settings

GROUP = [f"lesson.{name}" for name in type(Settings().lesson).model_fields]


@dataclass(frozen=True)
class Record:
    """What the reader has made of a step."""

    guess: float | str | None = None
    truth: float | None = None  # under the settings in force when the step was done
    done: bool = False


def running() -> Lesson | None:
    """The lesson in force, if there is one of that name here."""
    return lessons()[0].get(_state.current().lesson.name)


def number() -> int:
    """The step in force from 0; past the last one is the summary."""
    return min(_state.current().lesson.step, len(running().steps))


def step() -> Step | None:
    """The step in force; None without a lesson, and at its summary."""
    lesson = running()
    return lesson.steps[number()] if lesson and number() < len(lesson.steps) else None


def records() -> dict[int, Record]:
    """Step to what the reader has made of it, in the lesson in force."""
    name = _state.current().lesson.name
    if st.session_state.get("lesson name") != name:
        st.session_state["lesson name"] = name
        st.session_state["lesson records"] = {}
    return st.session_state["lesson records"]


def record() -> Record:
    """What the reader has made of the step in force."""
    return records().get(number(), Record())


def locks(key: str) -> bool:
    """Whether a control waits for a guess."""
    here = step()
    if here is None or here.control != key or here.goal is None or here.ask is None:
        return False
    return record().guess is None


def guess(value: float | str) -> None:
    """Take the reader's guess; only the first one counts."""
    if record().guess is None:
        records()[number()] = replace(record(), guess=value)


def watch() -> None:
    """Mark the step as done once the reader has done it; it stays done."""
    here, so_far = step(), record()
    if so_far.done or (here.ask and so_far.guess is None):
        return
    settings = _state.current()
    if here.goal is None or here.goal.reached(settings, _show.compute):
        truth = here.ask.answer(settings, _show.compute) if here.ask else None
        records()[number()] = replace(so_far, truth=truth, done=True)


def said(value: float | str) -> str:
    """A guess or the truth, as the reader of the step in force sees it."""
    return value if isinstance(value, str) else QUANTITIES[step().ask.quantity].text(value)


def score() -> tuple[Counter, int]:
    """How many guesses were right, near and wrong, and how many there could be."""
    steps, verdicts = running().steps, Counter()
    for place, each in records().items():
        if place < len(steps) and each.truth is not None:
            verdicts[steps[place].ask.judge(each.guess, each.truth)] += 1
    return verdicts, sum(each.ask is not None for each in steps)


def begin(name: str) -> None:
    """Put a lesson's start in force; the reader's device stays."""
    device = get(_state.current(), "compute.device")
    start = lessons()[0][name].start()
    _state.replace(changed(start, {"lesson.name": name, "compute.device": device}))
    st.session_state.pop("lesson name", None)  # begun again, with no guesses


def go(steps: int) -> None:
    """Go some steps on, or back."""
    _state.change({"lesson.step": max(0, number() + steps)})


def leave() -> None:
    """End the lesson, or put a teacher's question away; the settings stay."""
    _state.change({path: get(Settings(), path) for path in GROUP})
