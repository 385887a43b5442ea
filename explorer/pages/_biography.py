"""The life of the followed box: a picture, its numbers, and the step that kept or dropped it."""

from __future__ import annotations

import streamlit as st

from explorer.core.biography import Biography, Place, trace_box
from explorer.core.candidates import Fate
from explorer.core.endings import tell_end
from explorer.core.layout import shape_names
from explorer.figures.biography import Rival, close_up, decoded_box
from explorer.live.plot import plot
from explorer.pages import _arithmetic, _controls, _follow, _show, _state

STAGES = ("image", "grid", "anchors", "head_output", "candidates", "proposals")


def render() -> None:
    st.subheader("Biography of a box")
    _pickers()
    if _state.current().view.follow < 0:
        st.markdown("Click a box above, or give a rank, to read where it comes from.")
        return
    if _follow.number() is None:
        st.info(_follow.absent())
        return
    life = trace_followed()
    picture, words = st.columns([2, 3], gap="medium")
    with picture:
        _picture(life)
    with words:
        _ending(life)
        st.html(_facts(life))
        st.html(_arithmetic.table(life.arithmetic, _show.compute("grid").image_size))


def trace_followed() -> Biography:
    """The followed box through the stages in force."""
    settings = _state.current()
    stages = [_show.compute(stage) for stage in STAGES]
    return trace_box(_follow.number(), *stages, settings.codec, settings.filter)


def _pickers() -> None:
    """Two ways to name a box: its rank among the candidates, or the number of its anchor."""
    candidates, followed = _show.compute("candidates"), _follow.number()
    index = candidates.anchor_index[candidates.valid]
    ranked = None
    if followed is not None and bool((index == followed).any()):
        ranked = int((index == followed).nonzero()[0]) + 1
    by_rank, by_number, _ = st.columns([2, 2, 3])
    with by_rank:
        _pick("follow_rank", "Candidate by rank", ranked, 1, len(index), lambda i: index[i - 1])
    with by_number:
        last = _show.compute("grid").starts[-1] - 1
        _pick("follow_number", "Any anchor by number", followed, 0, last, lambda i: i)


def _pick(key: str, label: str, shown: int | None, low: int, high: int, anchor_of) -> None:
    """A number to type which chooses the box to follow; it shows the box that is followed."""

    def take() -> None:
        chosen = st.session_state[key]
        if chosen is None:
            _follow.stop()
        else:
            _follow.choose(anchor_of(min(chosen, high)))

    text = f"{label}, {low:,} to {high:,}"
    st.number_input(
        text,
        low,
        max(low, high),
        None,  # with another default it could not be emptied
        1,
        **_controls.shows(key, shown),
        on_change=take,
        disabled=high < low,
        help="Its box is followed: every page marks it. Empty follows none.",
    )


def _picture(life: Biography) -> None:
    anchors, size = _state.current().anchors, _show.compute("grid").image_size
    rival = None
    if life.winner is not None:
        rival = Rival(life.winner.box, f"winner, #{life.winner.candidate + 1:,}")
    boxes = [life.arithmetic.anchor, life.box, *([rival.box] if rival else [])]
    made = decoded_box(
        life.arithmetic,
        size,
        title=f"Anchor {life.anchor_index:,} on {anchors.level_names[life.level]} and its box",
        photo_url=_show.photo_url(),
        rival=rival,
        view=close_up(size, boxes),
    )
    plot(made, key="biography")


def _ending(life: Biography) -> None:
    """The fate in one sentence, and the way on to the box that won."""
    settings = _state.current()
    colour = "green" if life.fate == Fate.KEPT else "orange"
    verdict = "kept" if life.fate == Fate.KEPT else "dropped"
    st.markdown(f":{colour}-badge[{verdict}] **{tell_end(life, settings.filter, settings.nms)}**")
    if life.winner is not None:
        st.button(
            f"Follow the winner, #{life.winner.candidate + 1:,}",
            key="follow_winner",
            icon=":material/arrow_forward:",
            on_click=_follow.choose,
            args=(life.winner.anchor_index,),
        )


def _facts(life: Biography) -> str:
    """Everything else that is known of the box, a row each."""
    settings, done = _state.current(), life.arithmetic
    level = settings.anchors.level_names[life.level]
    x1, y1, x2, y2 = life.box
    width, height = (_arithmetic.pixels(side) for side in (x2 - x1, y2 - y1))
    ratio = f", w / h {_arithmetic.pixels((x2 - x1) / (y2 - y1))}" if y2 > y1 else ""
    x, y, *sides = (_arithmetic.pixels(each) for each in done.anchor_centre)
    power = _arithmetic.number(-life.logit)
    rows = {
        "where": f"{level}, row {life.row}, column {life.column}",
        "anchor": f"{_shape(life)}: {sides[0]} × {sides[1]} px around ({x}, {y})",
        "deltas": ", ".join(
            f"{name} {_arithmetic.number(delta)}"
            for name, delta in zip(("dx", "dy", "dw", "dh"), done.deltas, strict=True)
        ),
        "box": f"{width} × {height} px{ratio}",
        "score": f"1 / (1 + e<sup>{power}</sup>) = {_arithmetic.number(life.score)}"
        f" from logit {_arithmetic.number(life.logit)}",
        "rank": "; ".join(_ranks(life, level)),
    }
    lines = "".join(f"<tr><th>{name}</th><td>{text}</td></tr>" for name, text in rows.items())
    return f'<table class="facts">{lines}</table>'


def _shape(life: Biography) -> str:
    """Size and ratio of the anchor, or nothing but a pair of sides."""
    anchors = _state.current().anchors
    name = shape_names(anchors)[life.level][life.shape]
    if anchors.pairs is not None:
        return f"pair {name}"
    only = f"{anchors.sizes[life.level][0]:g}"
    size, ratio = name.split(" at ") if " at " in name else (only, name)
    return f"size {size} at ratio {ratio} ({anchors.ratio})"


def _ranks(life: Biography, level: str) -> list[str]:
    places: list[tuple[Place | None, str]] = [
        (life.in_level, f"on {level}"),
        (life.in_all, "anchors in all"),
        (life.in_candidates, "candidates"),
        (life.in_survivors, "after NMS"),
    ]
    return [
        f"{place.rank + 1:,} of {place.of:,} {what}" for place, what in places if place is not None
    ]
