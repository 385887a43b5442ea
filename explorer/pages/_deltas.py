"""The histograms of the head's deltas, and where the shown anchor's own stand in them."""

import streamlit as st

from explorer.figures.decoding import DeltaCounts, count_deltas, delta_histogram
from explorer.live.plot import encode, plot
from explorer.pages import _decoding, _show


def show() -> None:
    """Four pairs of histograms: all anchors, and those whose boxes are kept."""
    st.subheader("What the head says of all anchors, and of those whose boxes are kept")
    for place, column in enumerate(st.columns(4, gap="small")):
        with column:
            plot(_histogram(place, _decoding.head_deltas()[place]), key=f"deltas_{place}")
    _show.badge("proposals")


def _histogram(place: int, value: float) -> bytes:
    """Counted and drawn once: moving a slider changes none."""
    counts = _show.kept("proposals", _count, "delta counts")

    def draw() -> bytes:
        return encode(delta_histogram(counts, place, value))

    return _show.kept("proposals", draw, "delta histogram", place, value)


def _count() -> DeltaCounts:
    kept = _show.compute("proposals").anchor_index
    return count_deltas(_show.compute("head_output").deltas.cpu().numpy(), kept.cpu().numpy())
