"""Matching: which anchors claim which object, and what a training step makes of them."""

import numpy as np
import streamlit as st

from explorer.core.claims import Verdict
from explorer.core.labels import Kind
from explorer.core.layout import shape_names
from explorer.editing import get
from explorer.figures.claims import claim_table
from explorer.figures.matching import COLOURS, NAMES, Labelled, matching_picture
from explorer.figures.objects import Objects
from explorer.figures.theme import Figure
from explorer.pages import (
    _ahead,
    _claims,
    _controls,
    _demo,
    _fold,
    _follow,
    _matching_idea,
    _mover,
    _objects,
    _sample,
    _show,
    _state,
)
from explorer.pages._demo import demo, results

SHOWN = {kind: f"claims.{kind.name.lower()}" for kind in (*Kind,)[::-1]}


@demo
def render() -> None:
    st.title("Matching")
    st.markdown(
        "**Try this:** lower *Positive from* until no object is vermilion. Then draw a small or a "
        "long object of your own, and read who claims it, or why nobody does."
    )
    _claims.notes()
    with st.container(key="demo"):
        sliders, matched = st.columns([4, 16], gap="medium")
    with sliders:
        _sliders()
    with matched:
        _matching()
    _training()
    _fold.idea(_matching_idea.show)


@results
def _matching() -> None:
    picture, facts = _demo.beside(9, 7)
    with picture:
        _picture()
    with facts:
        _facts(_claims.compute())


@results
def _training() -> None:
    sample, targets = st.columns(2, gap="large")
    with sample:
        _sample.show()
    with targets:
        _sample.targets()
    _claims.table(_claims.compute())


def _sliders() -> None:
    _controls.slider("match.high")
    _controls.slider("match.low")
    _controls.choice("match.low_quality")
    _claims.pick()
    _mover.render()
    for path in SHOWN.values():
        _controls.toggle(path)
    _controls.toggle("view.blank")
    _objects.controls()


def _matched() -> Figure:
    kinds, claims = _claims.kinds(), _claims.compute()
    settings, matches, truth = _state.current(), _show.compute("matches"), _show.compute("truth")
    anchors = Labelled(
        _show.compute("anchors").boxes.cpu().numpy(),
        kinds,
        matches.matched.cpu().numpy(),
        matches.best_iou.cpu().numpy(),
    )
    reached = np.array([claim.verdict == Verdict.MATCHED for claim in claims], dtype=bool)
    counts = np.bincount(kinds, minlength=len(Kind))
    positives = int(counts[[Kind.POSITIVE, Kind.LOW_QUALITY]].sum())
    return matching_picture(
        anchors,
        Objects(truth.boxes.cpu().numpy(), reached),
        _show.compute("grid"),
        settings.anchors.level_names,
        shape_names(settings.anchors),
        shown=tuple(kind for kind, path in SHOWN.items() if get(settings, path)),
        title=f"{positives:,} of {len(kinds):,} anchors are positive",
        photo_url=_show.photo_url(),
        selected=_claims.chosen(),
        sample=np.concatenate(_sample.drawn()) if settings.claims.sample else None,
        followed=_follow.number(),
    )


def _picture() -> None:
    kinds = _claims.kinds()
    counts = np.bincount(kinds, minlength=len(Kind))
    drag = {"on_draw": _claims.draw} if _objects.is_drawing() else {"on_move": _mover.move}
    calls = {"on_click": _claims.pick_at} | drag
    calls = {name: _demo.with_controls(call) for name, call in calls.items()}
    _ahead.figure(_matched, key="matching", **calls)
    swatches = "".join(
        f'<nobr><i style="background:{COLOURS[kind]}"></i>{NAMES[kind]} {counts[kind]:,}</nobr> '
        for kind in SHOWN
    )
    st.html(f'<div class="key">{swatches}<br>Objects: white reached, vermilion not.</div>')
    st.markdown(_claims.followed(kinds))
    _show.badge("matches")


def _facts(claims: list) -> None:
    settings = _state.current()
    reached = sum(claim.verdict == Verdict.MATCHED for claim in claims)
    label = f"Objects that an anchor reaches at IoU {settings.match.high:g}"
    st.metric(label, f"{reached} of {len(claims)}")
    st.markdown(_claims.words(claims))
    _ahead.figure(_claim_table, key="claim_table", on_click=_demo.with_controls(_claims.pick_row))
    _claims.best_anchors()


def _claim_table() -> Figure:
    labels, levels = _show.compute("truth").labels, _state.current().anchors.level_names
    return claim_table(_claims.compute(), labels, levels, _claims.chosen())


render()
