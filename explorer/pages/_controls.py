"""Widgets that show and change settings by name; label, help and limits come from the field."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, get_args

import streamlit as st

from explorer.editing import field_of, get, limits
from explorer.pages import _ahead, _demo, _lesson, _state


@cache
def help_of(path: str) -> str:
    """What a control's question mark says: meaning, range, unit, source."""
    field, extra = field_of(path), field_of(path).json_schema_extra
    parts = [field.description]
    if {"Ge", "Le"} <= {type(rule).__name__ for rule in field.metadata}:
        low, high = limits(path)
        parts.append(f"Range: {low:g} to {high:g} {extra['unit']}".rstrip() + ".")
    elif extra["unit"]:
        parts.append(f"Unit: {extra['unit']}.")
    return " ".join([*parts, f"Source: {extra['source']}."])


def shows(key: str, value: Any) -> dict[str, Any]:
    """Arguments that make a widget show a value; only one that differs is pushed to the browser.

    Pushing at every run would pull a slider back while the finger is already further on. Give the
    value as the widget's default too: a browser that mounts it anew, after the push, takes that.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return {"key": key}


def _of_setting(path: str, value: Any) -> dict[str, Any]:
    return {"help": help_of(path), "disabled": _lesson.locks(path), **shows(path, value)}


def _commit(path: str) -> None:
    values = {path: st.session_state[path]}
    if path == "image.picture" or path.startswith("scene."):
        values["truth.boxes"] = None  # objects of one's own belong to the picture they lie on
    if path == "funnel.split":
        values["funnel.part"] = "all"  # P2 is no part of a split by ratio
    _state.change(values)  # where that is refused, the widget goes back: see `shows`


def range_of(
    path: str, value: float, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    """What a slider shows of a number setting: value, ends that hold it, step and format."""
    kind, step = type(field_of(path).default), field_of(path).json_schema_extra["step"]
    least, most = limits(path)
    if 0 < least < step:
        least = step  # 10, 20, 30 and so on, not 1, 11, 21
    return {
        "value": value,
        "min_value": kind(min(low or least, value)),
        "max_value": kind(max(high or most, value)),
        "step": kind(step),
        "format": "%.2f" if step < 1 else "%.0f",
    }


def slider(
    path: str, *, low: float | None = None, high: float | None = None, alone: bool = True
) -> None:
    """A number on a slider, over its whole range or a narrower, more useful one.

    `alone` says that no other control of the page shows what it changes.
    """
    value, kind = get(_state.current(), path), type(field_of(path).default)
    _ahead.slider(path, lambda moved: {path: kind(moved)})
    take = partial(_commit, path)
    st.slider(
        field_of(path).title,
        **range_of(path, value, low, high),
        on_change=_demo.moved(take) if alone else take,
        **_of_setting(path, value),
    )


def number(path: str, *, shown: int | None = None) -> None:
    """A whole number to type; `shown` stands for a stored value that means 'automatic'."""
    value = get(_state.current(), path) if shown is None else shown
    st.number_input(
        field_of(path).title,
        0,
        int(limits(path)[1]),
        value,
        step=1,
        on_change=_commit,
        args=(path,),
        **_of_setting(path, value),
    )


def choice(path: str, options: list | None = None, *, format_func: Any = str) -> None:
    """One of a few, as a row of buttons."""
    field, value = field_of(path), get(_state.current(), path)
    options = options or list(get_args(field.annotation))
    value = value if value in options else options[-1]
    st.segmented_control(
        field.title,
        options,
        default=value,
        required=True,
        format_func=format_func,
        on_change=_commit,
        args=(path,),
        **_of_setting(path, value),
    )


def pick(path: str, options: list, *, format_func: Any = str, label: str = "") -> None:
    """One of many, as a list that opens."""
    value = get(_state.current(), path)
    st.selectbox(
        label or field_of(path).title,
        options,
        options.index(value),
        format_func=format_func,
        on_change=_commit,
        args=(path,),
        **_of_setting(path, value),
    )


def toggle(path: str, *, alone: bool = True) -> None:
    """A switch; not `alone` where it stands among results and changes others too."""
    value, take = get(_state.current(), path), partial(_commit, path)
    st.toggle(
        field_of(path).title,
        value,
        on_change=take if alone else _demo.with_controls(take),
        **_of_setting(path, value),
    )


def level() -> int:
    """The level that is shown, as buttons; returns its number."""
    names = _state.current().anchors.level_names
    choice("view.level", list(range(len(names))), format_func=lambda i: names[i])
    return shown_level()


def shown_level() -> int:
    """The level that is shown: the chosen one, or the last where there are fewer."""
    settings = _state.current()
    return min(settings.view.level, len(settings.anchors.strides) - 1)
