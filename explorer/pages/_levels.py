"""The controls of the pyramid's levels: sizes, strides and ratios, by slider and by text."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.pages import _ahead, _controls, _demo, _fold, _lesson, _state

SIZE_RANGE = (4.0, 1024.0)
STRIDE_RANGE = (2, 128)

Sizes = tuple[tuple[float, ...], ...]  # one tuple a level, pixels


def tabs() -> None:
    """Sizes, strides, and ratios with the offset, a tab each."""
    parts = {"Sizes": sizes, "Strides": strides, "Ratios": ratios}
    for tab, draw in zip(st.tabs([*parts]), parts.values(), strict=True):
        with tab:
            draw()


def sizes() -> None:
    """A slider a level, or one base that every further level multiplies."""
    anchors, view = _state.current().anchors, _state.current().view
    if anchors.pairs is not None:
        st.caption("This preset lists its shapes one by one: edit them as text below.")
        return
    _controls.choice("view.sizing")
    if view.sizing == "each level":
        for level, (name, level_sizes) in enumerate(
            zip(anchors.level_names, anchors.sizes, strict=True)
        ):
            take = partial(_size, level=level)
            _slider(f"size {level}", f"{name} size", level_sizes[0], *SIZE_RANGE, 1.0, take)
        return
    base, multiplier = base_of(anchors.sizes)
    _slider("size base", "Base size", base, *SIZE_RANGE, 1.0, _base)
    _slider("size multiplier", "Multiplier", multiplier, 1.0, 4.0, 0.05, _multiplier)


def strides() -> None:
    """A slider a level."""
    anchors = _state.current().anchors
    for level, (name, stride) in enumerate(zip(anchors.level_names, anchors.strides, strict=True)):
        take = partial(_stride, level=level)
        _slider(f"stride {level}", f"{name} stride", stride, *STRIDE_RANGE, 1, take)


def ratios() -> None:
    """A slider a ratio, what a ratio is, and where a cell's anchors stand."""
    anchors = _state.current().anchors
    if anchors.pairs is None:
        for place, ratio in enumerate(anchors.ratios):
            label = f"Ratio {place + 1} ({anchors.ratio})"
            _slider(f"ratio {place}", label, ratio, 0.1, 5.0, 0.05, partial(_ratio, place=place))
    _controls.slider("anchors.offset")
    _controls.choice("anchors.ratio")


def as_text() -> None:
    """All levels at once as text: the way to another number of levels, sizes or ratios."""
    _fold.folded("Edit as text", _form, key="as text")


def _form() -> None:
    anchors = _state.current().anchors
    with st.form("levels as text", border=False):
        strides = st.text_input(
            "Strides, one a level",
            " ".join(map(str, anchors.strides)),
            help=_controls.help_of("anchors.strides"),
        )
        shown = [" ".join(f"{size:g}" for size in level) for level in anchors.sizes]
        sizes = st.text_input(
            "Sizes; levels end with a semicolon",
            "; ".join(shown),
            help=_controls.help_of("anchors.sizes"),
        )
        ratios = st.text_input(
            "Ratios",
            " ".join(f"{ratio:g}" for ratio in anchors.ratios),
            help=_controls.help_of("anchors.ratios"),
        )
        if st.form_submit_button("Apply"):
            changed = _state.change(
                {
                    "anchors.strides": tuple(strides.replace(",", " ").split()),
                    "anchors.sizes": tuple(
                        tuple(level.replace(",", " ").split()) for level in sizes.split(";")
                    ),
                    "anchors.ratios": tuple(ratios.replace(",", " ").split()),
                    "anchors.pairs": None,
                }
            )
            if changed or _state.has_complaints():
                st.rerun()


def resized(sizes: Sizes, level: int, first: float) -> Sizes:
    """The sizes of all levels after one level's first size became `first`.

    Several sizes of a level keep their proportions. `withSliders` in
    `explorer/live/anchor_formula.js` does the same while the finger still moves.
    """
    scale = first / sizes[level][0]
    return _put(sizes, level, tuple(round(size * scale, 4) for size in sizes[level]))


def base_of(sizes: Sizes) -> tuple[float, float]:
    """The base and the multiplier from which `from_base` makes the sizes, or nearly so."""
    base = sizes[0][0]
    return base, round((sizes[-1][0] / base) ** (1 / max(1, len(sizes) - 1)), 2)


def from_base(sizes: Sizes, base: float, multiplier: float) -> Sizes:
    """Sizes that grow from level to level by one factor; within a level as `resized` has it."""
    return tuple(
        tuple(round(base * multiplier**level * size / level_sizes[0], 4) for size in level_sizes)
        for level, level_sizes in enumerate(sizes)
    )


def _slider(key: str, label: str, value: float, low, high, step, changes) -> None:
    """`changes` tells what a value changes, of the settings then in force."""

    def take() -> None:
        _state.change(changes(st.session_state[key]))

    _ahead.slider(key, lambda moved: changes(type(step)(moved)))
    st.slider(
        label,
        min(low, value),
        max(high, value),
        value,
        step,
        format="%.2f" if step < 1 else "%.0f",
        **_controls.shows(key, value),
        on_change=_demo.moved(take),
        help=_controls.help_of(f"anchors.{key.split()[0]}s"),
        disabled=_lesson.locks(key),
    )


def _put(values: tuple, place: int, value) -> tuple:
    return (*values[:place], value, *values[place + 1 :])


def _size(first: float, level: int) -> dict:
    """The level is shown, as the picture does while its slider moves."""
    sizes = resized(_state.current().anchors.sizes, level, first)
    return {"anchors.sizes": sizes, "view.level": level}


def _base(base: float) -> dict:
    sizes = _state.current().anchors.sizes
    return {"anchors.sizes": from_base(sizes, base, base_of(sizes)[1])}


def _multiplier(multiplier: float) -> dict:
    sizes = _state.current().anchors.sizes
    return {"anchors.sizes": from_base(sizes, base_of(sizes)[0], multiplier)}


def _stride(stride: int, level: int) -> dict:
    strides = _put(_state.current().anchors.strides, level, stride)
    return {"anchors.strides": strides, "view.level": level}


def _ratio(ratio: float, place: int) -> dict:
    return {"anchors.ratios": _put(_state.current().anchors.ratios, place, ratio)}
