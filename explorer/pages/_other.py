"""The other settings, B: a link within the link, so that one address carries both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from explorer import share
from explorer.core.differences import SAME, Chain, Lacking, Why, find_lacking
from explorer.editing import changed, get, paths
from explorer.figures.compare import Side
from explorer.pages import _show, _state
from explorer.settings import Settings

__all__ = ["SAME", "chain", "differing", "link", "other", "own_paths", "put", "sides", "warn"]

# What B has of its own: how scores come about and what becomes of them. The picture is A's too.
OWN_GROUPS = ("scores", "planted", "anchors", "codec", "filter", "nms")
WORDS = {
    Why.MOVED: "its anchor stands elsewhere there",
    Why.BELOW_TOP_N: "below the top-n there",
    Why.TOO_SMALL: "too small there",
    Why.SUPPRESSED: "suppressed there",
    Why.OVER_CAP: "cut by the cap there",
    Why.LOW_SCORE: "under the score threshold there",
    Why.OTHER_GRID: "no anchor of this number there",
}


def warn() -> None:
    """Say on the page what stands in B's way."""
    for note in _read(_state.current())[1]:
        st.warning(_state.plain(note))


def other() -> Settings:
    """B, or the settings in force where there is none yet."""
    return _read(_state.current())[0]


@lru_cache(maxsize=64)
def _read(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    given = dict(parse_qsl(settings.compare.other, keep_blank_values=True))
    if not given:
        return settings, ()
    foreign = [path for path in given if path in paths() and path not in own_paths()]
    bare, notes = share.from_query({p: t for p, t in given.items() if p not in foreign})
    notes = [note.replace("The link's", "B's") for note in notes]
    if foreign:
        notes.append(f"A and B share the picture and the page: B's {', '.join(foreign)} is A's.")
    try:
        made = changed(settings, {path: get(bare, path) for path in own_paths()})
    except ValueError as error:
        notes.append(f"B cannot be so: {error}. It shows A.")
        made = settings
    return made, tuple(notes)


def put(settings: Settings) -> bool:
    """Make some settings B."""
    return _state.change(link(settings))


def link(settings: Settings) -> dict[str, str]:
    """The change that makes some settings B."""
    own = {group: getattr(settings, group) for group in OWN_GROUPS}
    query = {"v": share.VERSION} | share.to_query(Settings().model_copy(update=own))
    return {"compare.other": urlencode(query, safe="~")}


def own_paths() -> list[str]:
    """The settings that A and B may hold differently."""
    return [path for path in paths() if path.split(".")[0] in OWN_GROUPS]


def differing(a: Settings, b: Settings) -> list[str]:
    """Those that they do hold differently."""
    return [path for path in own_paths() if get(a, path) != get(b, path)]


def chain(settings: Settings) -> Chain:
    """The stages that two views are compared by."""
    return Chain(*(_show.compute(n, settings) for n in ("grid", "candidates", "proposals")))


def sides(names: Sequence[str], chains: Sequence[Chain], top: int) -> list[Side]:
    """What each of two chains has among its best `top` proposals, and why the other lacks it."""
    found = (find_lacking(chains[0], chains[1]), find_lacking(chains[1], chains[0]))
    return [_side(*each, top) for each in zip(names, chains, found, strict=True)]


def _side(name: str, chain: Chain, lacking: Lacking, top: int) -> Side:
    boxes = chain.proposals.boxes[:top].cpu().numpy()
    rank, why = lacking.rank.tolist(), lacking.why.tolist()
    own = {r: w for r, w in zip(rank, why, strict=True) if r < top}
    shared = [r for r in range(len(boxes)) if r not in own]
    reasons = [WORDS[Why(w)] for w in own.values()]
    return Side(name, boxes[shared], boxes[list(own)], reasons)
