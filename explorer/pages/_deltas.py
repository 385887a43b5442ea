"""The histograms of the head's deltas, and where the shown anchor's own stand in them."""

import streamlit as st

from explorer.core import pipeline
from explorer.figures.decoding import DeltaCounts, count_deltas, delta_histogram
from explorer.live.plot import plot
from explorer.pages import _decoding, _show, _state


def show() -> None:
    """Four pairs of histograms: all anchors, and those whose boxes are kept."""
    st.subheader("What the head says of all anchors, and of those whose boxes are kept")
    key = "delta counts", pipeline.recipe("proposals", _state.current())
    counts, own = _show.memo().get(key, _count).value, _decoding.head_deltas()
    for place, column in enumerate(st.columns(4, gap="small")):
        with column:
            plot(delta_histogram(counts, place, own[place]), key=f"deltas_{place}")
    _show.badge("proposals")


def _count() -> DeltaCounts:
    """Counted once: moving an anchor or a slider changes no histogram."""
    kept = _show.compute("proposals").anchor_index
    return count_deltas(_show.compute("head_output").deltas.cpu().numpy(), kept.cpu().numpy())
