"""The live canvas's script and style, which the components that draw on it begin with.

A component's module cannot import another one in the browser, so the sources are joined here.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
SHARED = ("pen", "sliders", "view", "board")


def script(*names: str) -> str:
    """The JavaScript of a live component: the canvas's, then its own files."""
    return joined("js", *SHARED, *names)


def style(*names: str) -> str:
    """The style sheet of a live component: `board.css`, then its own files."""
    return joined("css", "board", *names)


def joined(ending: str, *names: str) -> str:
    """Some files of this folder as one, for a component that needs no canvas."""
    return "\n".join((HERE / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)
