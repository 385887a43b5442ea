"""The view as a Jupyter notebook: the same proposals, from `explorer.core` alone.

Source: the nbformat 4.5 document format.
"""

from __future__ import annotations

import json

from explorer import share
from explorer.export.export import Export
from explorer.settings import TRAINED, Settings

_LOAD = {
    "learned": (
        "from explorer.core.learned import load_learned",
        'trained = {"learned": load_learned()}',
    ),
    "coco": (
        "from explorer.core.coco import CocoNetwork, load_coco",
        'trained = {"coco": CocoNetwork(*load_coco("fasterrcnn_resnet50_fpn.pth"))}  # your file',
    ),
}
_IMPORTS = """\
from pathlib import Path

from IPython.display import display
from PIL import Image, ImageDraw

from explorer import share
from explorer.core.counts import count_steps
from explorer.core.memo import Memo
from explorer.core.pipeline import run
"""
_RUN = """\
memo = Memo(max_bytes=1_000_000_000)


def stage(name):
    return run(name, settings, memo, uploads=uploads, trained=trained)


candidates, proposals = stage("candidates"), stage("proposals")
for step in count_steps(candidates, proposals, settings.filter.order):
    print(f"{step.left:>9,}  {step.name}")
"""
_DRAW = """\
picture = Image.fromarray(stage("image").pixels.copy())
pen = ImageDraw.Draw(picture)
for box in proposals.boxes[: settings.view.top_k].flip(0).tolist():  # the best on top
    pen.rectangle(box, outline="#FFD400", width=2)
display(picture)
"""


def to_notebook(settings: Settings) -> Export:
    """A notebook of four cells: settings, chain, counts and the best boxes on the picture.

    It runs where this project is the working folder, with Jupyter beside its requirements.
    """
    notes = []
    uploads = "uploads = {}"
    brought = [name for name in (settings.image.picture, settings.truth.boxes) if _is_own(name)]
    if brought:
        lines = [f'    "{name}": Path("my_file").read_bytes(),  # your file' for name in brought]
        uploads = "\n".join(["uploads = {", *lines, "}"])
        notes.append("What you brought yourself is not in the notebook: name your file there.")
    imports, load = "", "trained = {}"
    if settings.scores.source in TRAINED:
        imports, load = _LOAD[settings.scores.source]
    cells = [
        _text(
            "# A view of RPN Explorer\n\n"
            "Run it in the project's folder. The cells compute what the page showed, with the "
            "page's own stages."
        ),
        _code(f"{_IMPORTS}{imports}".strip()),
        _code(f"settings = share.from_json(\n    '''{share.to_json(settings)}'''\n)"),
        _code(f"{uploads}\n{load}\n{_RUN}".strip()),
        _code(_DRAW.strip()),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return Export("rpn_explorer.ipynb", json.dumps(document, indent=1) + "\n", tuple(notes))


def _is_own(name: str | None) -> bool:
    return name is not None and ":" in name


def _text(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict:
    empty = {"execution_count": None, "metadata": {}, "outputs": []}
    return {"cell_type": "code", "source": source.splitlines(keepends=True)} | empty
