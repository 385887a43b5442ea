"""Widgets that show and change settings by name; label, help and limits come from the field."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from explorer.core.device import resolve_device
from explorer.core.samples import samples
from explorer.core.truth import SCENE
from explorer.editing import changed, field_of, get, limits
from explorer.pages import _lesson, _state, _weights
from explorer.pages._sources import SOURCES
from explorer.presets import PRESETS, name_of
from explorer.settings import TRAINED


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


def _show(path: str, value: Any) -> dict[str, Any]:
    """Point a widget at a setting; only a value that differs is pushed to the browser.

    Pushing at every run would pull a slider back while the finger is already further on.
    """
    if st.session_state.get(path) != value:
        st.session_state[path] = value
    return {"key": path, "help": help_of(path), "disabled": _lesson.locks(path)}


def _commit(path: str) -> None:
    values = {path: st.session_state[path]}
    if path == "image.picture" or path.startswith("scene."):
        values["truth.boxes"] = None  # objects of one's own belong to the picture they lie on
    if not _state.change(values):
        del st.session_state[path]  # the widget goes back to what is in force


def slider(path: str, *, low: float | None = None, high: float | None = None) -> None:
    """A number on a slider, over its whole range or a narrower, more useful one."""
    field, value = field_of(path), get(_state.current(), path)
    kind, step = type(field.default), field.json_schema_extra["step"]
    least, most = limits(path)
    if 0 < least < step:
        least = step  # 10, 20, 30 and so on, not 1, 11, 21
    bounds = kind(min(low or least, value)), kind(max(high or most, value))
    st.slider(
        field.title,
        *bounds,
        step=kind(step),
        format="%.2f" if step < 1 else "%.0f",
        on_change=_commit,
        args=(path,),
        **_show(path, value),
    )


def number(path: str, *, shown: int | None = None) -> None:
    """A whole number to type; `shown` stands for a stored value that means 'automatic'."""
    value = get(_state.current(), path) if shown is None else shown
    st.number_input(
        field_of(path).title,
        0,
        int(limits(path)[1]),
        step=1,
        on_change=_commit,
        args=(path,),
        **_show(path, value),
    )


def choice(path: str, options: list | None = None, *, format_func: Any = str) -> None:
    """One of a few, as a row of buttons."""
    field, value = field_of(path), get(_state.current(), path)
    options = options or list(get_args(field.annotation))
    st.segmented_control(
        field.title,
        options,
        required=True,
        format_func=format_func,
        on_change=_commit,
        args=(path,),
        **_show(path, value if value in options else options[-1]),
    )


def pick(path: str, options: list, *, format_func: Any = str, label: str = "") -> None:
    """One of many, as a list that opens."""
    st.selectbox(
        label or field_of(path).title,
        options,
        format_func=format_func,
        on_change=_commit,
        args=(path,),
        **_show(path, get(_state.current(), path)),
    )


def toggle(path: str) -> None:
    """A switch."""
    st.toggle(
        field_of(path).title,
        on_change=_commit,
        args=(path,),
        **_show(path, get(_state.current(), path)),
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


def sidebar() -> None:
    """What every page shares: picture, preset, scores, seed, device."""
    with st.sidebar:
        _picture()
        slider("image.side", low=256, high=1600)
        pick("image.fit", list(get_args(field_of("image.fit").annotation)))
        _preset()
        pick("scores.source", _weights.sources())
        source = _state.current().scores.source
        if source == "planted":
            slider("planted.noise", high=4)
            slider("planted.regression")
        if SOURCES[source].seeded:
            number("scores.seed")
        devices = [name for name in ("auto", "cuda", "mps", "cpu") if _exists(name)]
        pick("compute.device", devices)


def _exists(device: str) -> bool:
    try:
        resolve_device(device)
    except ValueError:
        return False
    return True


def _picture() -> None:
    photos = samples()
    own = [name for name in _state.uploads() if name.startswith("upload:")]
    names = [*photos, SCENE, *own]
    titles = {name: photo.title for name, photo in photos.items()} | {SCENE: "A scene painted now"}
    pick("image.picture", names, format_func=lambda name: titles.get(name, "Your upload"))
    chosen = photos.get(_state.current().image.picture)
    if chosen:
        st.caption(f"{chosen.title}, {chosen.author}, {chosen.licence}")
    if _state.current().image.picture == SCENE:
        number("scene.seed")
        slider("scene.objects", high=20)
        slider("scene.smallest")
        slider("scene.largest")
    st.file_uploader(
        "Your own picture",
        type=["png", "jpg", "jpeg", "webp"],
        key="upload",
        on_change=_take_upload,
        help="PNG, JPEG or WebP, at most 10 MB. It stays in this session and in no link.",
    )


def _take_upload() -> None:
    file = st.session_state["upload"]
    if file is not None:
        _state.add_upload(file.name, file.getvalue())


def _preset() -> None:
    inside = name_of(_state.current())
    names = [*PRESETS] if inside else ["own", *PRESETS]
    if st.session_state.get("preset") != (inside or "own"):
        st.session_state["preset"] = inside or "own"
    st.selectbox(
        "Preset",
        names,
        key="preset",
        format_func=lambda name: PRESETS[name].title if name in PRESETS else "Your own",
        on_change=_take_preset,
        help="Sets anchors, coding, filters, NMS and matching as a code base does.",
        disabled=_lesson.locks("preset"),
    )
    if inside:
        st.caption(PRESETS[inside].sentence)


def _take_preset() -> None:
    preset = PRESETS.get(st.session_state["preset"])
    if preset is None:
        return
    settings = _state.current()
    if settings.scores.source in TRAINED and set(preset.anchors.per_cell) != {3}:
        settings = changed(settings, {"scores.source": "planted"})
        _state.complain(
            f"The trained head scores 3 anchors a cell, {preset.title} has others: "
            "scores are planted on the ground truth now."
        )
    try:
        _state.replace(preset.apply(settings))
    except ValueError as error:
        _state.complain(str(error))
