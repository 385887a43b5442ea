"""The live canvas's script and style, which the components that draw on it begin with."""

from __future__ import annotations

from explorer.live import scripts

SHARED = ("save", "pen", "board_save", "sliders", "view", "board")


def script(*names: str) -> str:
    """The JavaScript of a live component, to be fetched: the canvas's, then its own files."""
    return scripts.fetched(source(*names))


def source(*names: str) -> str:
    """The canvas's JavaScript, then some files of this folder."""
    return scripts.joined("js", *SHARED, *names)


def style(*names: str) -> str:
    """The style sheet of a live component: `board.css`, then its own files."""
    return scripts.joined("css", "board", *names)
