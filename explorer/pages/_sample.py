"""What a training step makes of the labels: the sampler's draw, and the positives' targets."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from explorer.core.labels import encode_targets, positive_anchors
from explorer.core.sampling import sample_anchors
from explorer.figures.claims import target_histograms
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _claims, _controls, _demo, _show, _state


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """The positives and the negatives that enter the loss, as anchor numbers."""
    settings = _state.current()

    def draw() -> tuple[np.ndarray, np.ndarray]:
        generator = torch.Generator().manual_seed(settings.claims.draw)
        rules = settings.match.batch_size, settings.match.positive_fraction
        both = sample_anchors(_show.compute("matches").labels, *rules, generator)
        return both[0].cpu().numpy(), both[1].cpu().numpy()

    return _show.kept("matches", draw, "sample", settings.claims.draw)


def show() -> None:
    """How many of each label were drawn, on which levels, and how to draw again."""
    positive, negative = drawn()
    settings, labels = _state.current(), _show.compute("matches").labels
    sampled, share = len(positive) + len(negative), settings.match.positive_fraction
    there = int((labels == 1).sum()), int((labels == 0).sum())
    st.subheader(f"The sampler's {settings.match.batch_size}")
    first, second, third = st.columns(3)
    first.metric("Positives drawn", len(positive))
    second.metric("Negatives drawn", len(negative))
    third.metric("Positive share", f"{len(positive) / max(1, sampled):.1%}")
    allowed = int(settings.match.batch_size * share)
    st.caption(
        f"There are {there[0]:,} positives and {there[1]:,} negatives: over all of them the loss "
        f"would see background alone. So at most {allowed} positives are drawn, and negatives fill "
        "up. Ignored anchors never enter."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        with _demo.drawing("page" if settings.claims.sample else "results"):  # it is in the picture
            _controls.slider("match.batch_size", low=16, high=512)
            _controls.slider("match.positive_fraction")
        _controls.toggle("claims.sample", alone=False)
        again = _demo.with_controls(_draw_again)
        st.button("Draw again", icon=":material/casino:", on_click=again)
    right.html(_by_level(positive, negative))


def _draw_again() -> None:
    _state.change({"claims.draw": (_state.current().claims.draw + 1) % 2**31})


def _by_level(positive: np.ndarray, negative: np.ndarray) -> str:
    grid, names = _show.compute("grid"), _state.current().anchors.level_names
    counts = [
        np.bincount(grid.place_of(part)["level"], minlength=len(names)).tolist()
        for part in (positive, negative)
    ]
    rows = "".join(
        f"<tr><td>{name}</td><td>{ones}</td><td>{zeros}</td></tr>"
        for name, ones, zeros in zip(names, *counts, strict=True)
    )
    head = "<tr><th>level</th><th>positive</th><th>negative</th></tr>"
    return f'<table class="levels">{head}{rows}</table>'


def targets() -> None:
    """The encoded deltas of the positive anchors, all or the chosen object's."""
    number = _claims.chosen()
    st.subheader("The targets" if number is None else f"The targets of object {number + 1}")
    _ahead.figure(_histograms, key="targets")
    weights = ", ".join(f"{weight:g}" for weight in _state.current().codec.weights)
    st.caption(
        f"What the box head should say at each of {len(_encoded()):,} positives: how far to move, "
        "in widths and heights of the anchor, and the logarithm of how much to grow; times the "
        f"weights {weights}."
    )


def _histograms() -> Figure:
    return target_histograms(_encoded())


def _encoded() -> np.ndarray:
    """(P, 4) targets of the positive anchors."""
    weights, number = _state.current().codec.weights, _claims.chosen()

    def encode() -> np.ndarray:
        matches = _show.compute("matches")
        positive = positive_anchors(matches, -1 if number is None else number)
        anchors, objects = _show.compute("anchors"), _show.compute("truth").boxes
        return encode_targets(anchors, objects, matches, positive, weights)

    return _show.kept("matches", encode, "targets", weights, number)
