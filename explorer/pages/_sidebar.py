"""The sidebar: what every page shares."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from explorer.core.device import resolve_device
from explorer.core.samples import samples
from explorer.core.truth import SCENE
from explorer.editing import changed, field_of
from explorer.pages import _controls, _demo, _lesson, _state, _weights
from explorer.pages._sources import SOURCES
from explorer.presets import PRESETS, name_of


def render() -> None:
    """Picture, preset, scores, seed and device."""
    with st.sidebar:
        _picture()
        _controls.slider("image.side", low=256, high=1600)
        _controls.pick("image.fit", list(get_args(field_of("image.fit").annotation)))
        _preset()
        _controls.pick("scores.source", _weights.sources())
        source = _state.current().scores.source
        if source == "planted":
            with _demo.drawing("sidebar"):
                _controls.slider("planted.noise", high=4)
                _controls.slider("planted.regression")
        if SOURCES[source].seeded:
            _controls.number("scores.seed")
        devices = [name for name in ("auto", "cuda", "mps", "cpu") if _exists(name)]
        _controls.pick("compute.device", devices)


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
    _controls.pick("image.picture", names, format_func=lambda name: titles.get(name, "Your upload"))
    chosen = photos.get(_state.current().image.picture)
    if chosen:
        st.caption(f"{chosen.title}, {chosen.author}, {chosen.licence}")
    if _state.current().image.picture == SCENE:
        _controls.number("scene.seed")
        _controls.slider("scene.objects", high=20)
        _controls.slider("scene.smallest")
        _controls.slider("scene.largest")
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
    names, value = [*PRESETS] if inside else ["own", *PRESETS], inside or "own"
    st.selectbox(
        "Preset",
        names,
        names.index(value),
        **_controls.shows("preset", value),
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
    if not _weights.fits(settings, preset):
        settings = changed(settings, {"scores.source": "planted"})
        _state.complain(
            f"The trained head scores 3 anchors a cell, {preset.title} has others: "
            "scores are planted on the ground truth now."
        )
    try:
        _state.replace(preset.apply(settings))
    except ValueError as error:
        _state.complain(str(error))
