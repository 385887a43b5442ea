"""The controls of the pyramid's levels: sizes, strides and ratios, by slider and by text."""

from __future__ import annotations

import streamlit as st

from explorer.core.network import FPN_STRIDES
from explorer.figures import theme
from explorer.pages import _controls, _state
from explorer.settings import Anchors

SIZE_RANGE = (4.0, 1024.0)
STRIDE_RANGE = (2, 128)


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
            _slider(
                f"size {level}", f"{name} size", level_sizes[0], *SIZE_RANGE, 1.0, _take_size, level
            )
        return
    base = anchors.sizes[0][0]
    multiplier = (anchors.sizes[-1][0] / base) ** (1 / max(1, len(anchors.sizes) - 1))
    _slider("size base", "Base size", base, *SIZE_RANGE, 1.0, _take_base)
    _slider("size multiplier", "Multiplier", round(multiplier, 2), 1.0, 4.0, 0.05, _take_base)


def strides() -> None:
    """A slider a level."""
    anchors = _state.current().anchors
    for level, (name, stride) in enumerate(zip(anchors.level_names, anchors.strides, strict=True)):
        _slider(f"stride {level}", f"{name} stride", stride, *STRIDE_RANGE, 1, _take_stride, level)


def ratios() -> None:
    """A slider a ratio."""
    anchors = _state.current().anchors
    if anchors.pairs is not None:
        return
    for place, ratio in enumerate(anchors.ratios):
        label = f"Ratio {place + 1} ({anchors.ratio})"
        _slider(f"ratio {place}", label, ratio, 0.1, 5.0, 0.05, _take_ratio, place)


def as_text() -> None:
    """All levels at once as text: the way to another number of levels, sizes or ratios."""
    anchors = _state.current().anchors
    with st.expander("Edit as text"), st.form("levels as text", border=False):
        strides = st.text_input("Strides, one a level", " ".join(map(str, anchors.strides)))
        shown = [" ".join(f"{size:g}" for size in level) for level in anchors.sizes]
        sizes = st.text_input("Sizes; levels end with a semicolon", "; ".join(shown))
        ratios = st.text_input("Ratios", " ".join(f"{ratio:g}" for ratio in anchors.ratios))
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


def table(anchors: Anchors, cells: tuple, counts: tuple) -> str:
    """The levels as an HTML table: stride, grid, anchors, share."""
    total = sum(counts)
    levels = zip(anchors.level_names, anchors.strides, cells, counts, strict=True)
    rows = [
        f'<tr><td><i style="background:{theme.level_colour(level)}"></i>{name}</td>'
        f"<td>{stride}{'' if stride in FPN_STRIDES else ' *'}</td><td>{height} x {width}</td>"
        f"<td>{count:,}</td><td>{count / total:.1%}</td></tr>"
        for level, (name, stride, (height, width), count) in enumerate(levels)
    ]
    head = "".join(f"<th>{name}</th>" for name in ("level", "stride", "grid", "anchors", "share"))
    foot = f"<tr><td>all</td><td></td><td></td><td><b>{total:,}</b></td><td></td></tr>"
    note = "* No network has a feature map at this stride: the nearest level is resampled."
    foot += "" if set(anchors.strides) <= set(FPN_STRIDES) else f"<caption>{note}</caption>"
    return f'<table class="levels"><tr>{head}</tr>{"".join(rows)}{foot}</table>'


def _slider(key: str, label: str, value: float, low, high, step, take, *args) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    st.slider(
        label,
        min(low, value),
        max(high, value),
        step=step,
        format="%.2f" if step < 1 else "%.0f",
        key=key,
        on_change=take,
        args=args,
        help=_controls.help_of(f"anchors.{key.split()[0]}s"),
    )


def _put(values: tuple, place: int, value) -> tuple:
    return (*values[:place], value, *values[place + 1 :])


def _take_size(level: int) -> None:
    """Several sizes of a level keep their proportions."""
    sizes = _state.current().anchors.sizes
    scale = st.session_state[f"size {level}"] / sizes[level][0]
    scaled = tuple(round(size * scale, 4) for size in sizes[level])
    _state.change({"anchors.sizes": _put(sizes, level, scaled)})


def _take_base() -> None:
    sizes = _state.current().anchors.sizes
    base = st.session_state["size base"]
    multiplier = st.session_state["size multiplier"]
    scaled = tuple(
        tuple(round(base * multiplier**level * size / level_sizes[0], 4) for size in level_sizes)
        for level, level_sizes in enumerate(sizes)
    )
    _state.change({"anchors.sizes": scaled})


def _take_stride(level: int) -> None:
    strides = _state.current().anchors.strides
    _state.change({"anchors.strides": _put(strides, level, st.session_state[f"stride {level}"])})


def _take_ratio(place: int) -> None:
    ratios = _state.current().anchors.ratios
    _state.change({"anchors.ratios": _put(ratios, place, st.session_state[f"ratio {place}"])})
