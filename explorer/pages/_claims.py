"""The objects of the Matching page: which one is chosen, and who claims it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.core.claims import Claim, Verdict, short_iou, tell_claims
from explorer.core.labels import Kind, anchor_kinds, positive_anchors
from explorer.core.layout import shape_names
from explorer.figures.matching import NAMES
from explorer.pages import _controls, _follow, _objects, _show, _state

LISTED = 8  # anchors of the chosen object, by their cells


def compute() -> list[Claim]:
    """The claims under the settings in force."""

    def tell() -> list[Claim]:
        stages = [_show.compute(name) for name in ("matches", "grid", "anchors")]
        return tell_claims(*stages, _show.compute("truth").boxes, _state.current().match.high)

    return _show.kept("matches", tell, "claims")


def kinds() -> np.ndarray:
    """(N,) what matching made of each anchor."""
    return _show.kept("matches", lambda: anchor_kinds(_show.compute("matches")), "kinds")


def chosen() -> int | None:
    """The chosen object's number from 0; None for all of them."""
    number = _state.current().claims.object
    return number if 0 <= number < len(_show.compute("truth").boxes) else None


def notes() -> None:
    """What stands in the way: no objects, or a chosen one that this picture has not."""
    total, number = len(_show.compute("truth").boxes), _state.current().claims.object
    place = st.container()  # there in every run: an element that comes and goes shifts the plots
    if total == 0:
        place.info(
            "This picture has no objects: every anchor is negative. Switch **Draw objects** on "
            "and drag a rectangle on the picture, or bring a file."
        )
    if number >= total:
        if total:
            place.info(f"Object {number + 1} is chosen, but there are only {total}: all are shown.")
        _state.change({"claims.object": -1})


def pick() -> None:
    """Choose an object from a list; a click on the picture or on the table does the same.

    By number alone: the browser keeps the text of what is chosen, and names change.
    """
    options = list(range(-1, len(_show.compute("truth").boxes)))
    _controls.pick("claims.object", options, format_func=lambda i: f"{i + 1}" if i >= 0 else "all")


def pick_at(x: float, y: float) -> None:
    """Choose the smallest object under a point of the picture; none there chooses all."""
    boxes = _show.compute("truth").boxes.cpu().numpy()
    under = np.flatnonzero((boxes[:, :2] <= [x, y]).all(1) & (boxes[:, 2:] >= [x, y]).all(1))
    areas = np.prod(boxes[under, 2:] - boxes[under, :2], axis=1)
    _state.change({"claims.object": int(under[areas.argmin()]) if len(under) else -1})


def pick_row(_: float, y: float) -> None:
    """Choose the object of a row of the table; the chosen one again chooses all."""
    number = round(y)
    _state.change({"claims.object": -1 if number == chosen() else number})


def draw(box: list[float]) -> None:
    """Take a dragged rectangle as an object, and choose it."""
    before = _state.current().truth.boxes
    _objects.add_drawn(box)
    if _state.current().truth.boxes != before:
        _state.change({"claims.object": len(_show.compute("truth").boxes) - 1})


def words(claims: list[Claim]) -> str:
    """Who claims the chosen object, or how many objects are reached, as Markdown."""
    settings, number = _state.current(), chosen()
    names = settings.anchors.level_names
    if number is not None:
        claim, label = claims[number], _state.plain(_show.compute("truth").labels[number])
        return f"**{number + 1} {label}.** {claim.who(names)} {claim.reason(names)}"
    reached = sum(claim.verdict == Verdict.MATCHED for claim in claims)
    saved = sum(claim.verdict != Verdict.MATCHED and claim.count > 0 for claim in claims)
    return (
        f"{saved} more only by the best-anchor rule, {len(claims) - reached - saved} by no anchor. "
        "Click an object, on the picture or in the table, to see its anchors alone."
    )


def best_anchors() -> None:
    """The chosen object's anchors by their cells, best first."""
    number = chosen()
    if number is None:
        return
    matches, settings = _show.compute("matches"), _state.current()
    index = positive_anchors(matches, number)
    if len(index) == 0:
        return
    levels, names = settings.anchors.level_names, shape_names(settings.anchors)
    place, iou = _show.compute("grid").place_of(index), matches.best_iou.cpu().numpy()
    by_rule = matches.low_quality.cpu().numpy()
    rows = "".join(
        f"<tr><td>{levels[level]}</td><td>{row}</td><td>{column}</td><td>{names[level][shape]}</td>"
        f"<td>{short_iou(iou[anchor])}{' *' if by_rule[anchor] else ''}</td></tr>"
        for anchor, level, row, column, shape in list(
            zip(index.tolist(), *(part.tolist() for part in place.values()), strict=True)
        )[:LISTED]
    )
    head = "".join(f"<th>{name}</th>" for name in ("level", "row", "column", "shape", "IoU"))
    more = f"The best {LISTED} of {len(index):,}. " if len(index) > LISTED else ""
    note = f"{more}* by the best-anchor rule." if by_rule[index].any() else more
    caption = f"<caption>{note}</caption>" if note else ""
    st.html(f'<table class="levels"><tr>{head}</tr>{rows}{caption}</table>')
    st.button(
        "Follow the best one",
        help="Every page marks the box of this anchor: its score, its deltas, its fate.",
        on_click=_follow.choose,
        args=(int(index[0]),),
    )


def followed(kinds: np.ndarray) -> str:
    """What matching made of the followed anchor, as Markdown; empty where none is followed."""
    anchor = _follow.number()
    if anchor is None:
        return ""
    matches, labels = _show.compute("matches"), _show.compute("truth").labels
    number, iou = int(matches.matched[anchor]), float(matches.best_iou[anchor])
    best = (
        f"IoU {short_iou(iou)} with object {number + 1} {labels[number]}"
        if iou
        else "overlaps no object"
    )
    return f"**Followed** {_follow.name()}: {NAMES[Kind(kinds[anchor])]}, {best}."


def table(claims: list[Claim]) -> None:
    """One row an object: its size, its best anchor, what the grid could offer, its claims."""
    names, labels = _state.current().anchors.level_names, _show.compute("truth").labels
    rows = [
        {
            "object": f"{claim.object + 1} {labels[claim.object]}",
            "size": f"{claim.sides[0]:.0f} x {claim.sides[1]:.0f}",
            "best IoU here": short_iou(claim.best_iou),
            "best its size could get": short_iou(claim.offer.iou),
            "positives": claim.count,
            "of these by the rule": claim.by_rule,
            "why no anchor reaches it": claim.reason(names),
        }
        for claim in claims
    ]
    _objects.table(rows)
