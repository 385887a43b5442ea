"""From settings to something on the page: stages through the shared memo, figures, badges."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.address import SERVERS
from explorer.core import pipeline
from explorer.core.layout import anchors_at
from explorer.core.memo import Memo
from explorer.core.network import Progress
from explorer.live import pictures
from explorer.pages import _network, _state, _weights
from explorer.pages._sources import SOURCES
from explorer.settings import Settings

COSTLY = ("pyramid", "head_output")  # whole layers: worth all cores and a progress bar


# Not `st.cache_resource`: that takes a tenth of a millisecond to find it, hundreds of times a move.
_memo = Memo(max_bytes=1_000_000_000 // int(os.environ.get(SERVERS, 1)))


def memo() -> Memo:
    """Stage results of all sessions, at most 1 GB together on a machine."""
    return _memo


def frame() -> None:
    """What stands above every page: complaints, and the place of the progress bar.

    Both places are there in every run: an element that comes and goes would shift those below, and
    Streamlit would mount the plots anew. A picture that cannot be opened stops the page here.
    """
    place = st.container()
    place_of_progress()
    for sentence in _state.complaints():
        place.error(sentence)
    for sentence in (*_weights.held()[1], *_weights.misfit(_state.current())):
        place.warning(sentence)
    try:
        compute("image")
    except ValueError as error:
        place.error(str(error))
        st.stop()


def place_of_progress() -> None:
    """A forward pass from now on shows its progress here."""
    st.session_state["progress"] = st.empty()


def compute(name: str, settings: Settings | None = None) -> Any:
    """A stage's result, under the settings in force or others; a pass shows its progress."""
    settings, uploads = settings or _state.current(), _state.uploads()
    if entry := pipeline.find(name, settings, memo(), uploads):
        return entry.value
    _compute_network(name, settings)
    return pipeline.run(name, settings, memo(), uploads=uploads, trained=_weights.held()[0])


def anchor(number: int) -> Tensor:
    """(4,) an anchor by its number, on the CPU; no others are laid for it."""
    return anchors_at(compute("grid"), _state.current().anchors, torch.tensor([number]))[0]


def _compute_network(name: str, settings: Settings) -> None:
    missing = [
        stage
        for stage in COSTLY
        if stage in pipeline.above(name, settings.scores.source)
        and memo().peek(pipeline.recipe(stage, settings)) is None
    ]
    if not missing:
        return
    if _state.is_assumed():
        raise _state.NotAheadError
    held, uploads, networks = memo(), _state.uploads(), _weights.held()[0]

    def work(progress: Progress) -> None:
        moment = {"uploads": uploads, "trained": networks, "progress": progress}
        for stage in missing:
            pipeline.run(stage, settings, held, **moment)

    slot = st.session_state["progress"]
    try:
        _network.in_line(work, slot.progress)
    finally:
        slot.empty()


def kept(stage: str, make: Callable[[], Any], *what: Hashable) -> Any:
    """What a page makes of a stage's result, kept beside it.

    `what` names it, and holds all that it depends on beside the settings of that stage.
    """
    compute(stage)  # before: while the network passes, nobody must wait for what is made here
    key = *what, pipeline.recipe(stage, _state.current())
    return memo().get(key, make).value


def photo_url() -> str | None:
    """Where the browser finds the network's input; None for the blank canvas."""
    settings = _state.current()
    if settings.view.blank:
        return None
    return pictures.publish(compute("image"), pipeline.recipe("image", settings))


def badge(name: str) -> None:
    """Say of a picture where its scores come from, on which device, and what it cost."""
    settings = _state.current()
    took = pipeline.milliseconds(name, settings, memo())
    source = SOURCES[settings.scores.source]
    seed = f", seed {settings.scores.seed}" if source.seeded else ""
    scores = "no scores here" if name in ("grid", "matches") else f"scores: {source.badge}{seed}"
    st.markdown(
        f":orange-badge[{scores}] "
        f":gray-badge[{pipeline.device_name(settings)}] :gray-badge[{took:,.0f} ms]"
    )
