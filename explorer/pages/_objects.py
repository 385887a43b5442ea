"""The reader's own ground truth: from a file, or drawn on the picture."""

from __future__ import annotations

import hashlib
from html import escape

import streamlit as st
import torch
from torch import Tensor

from explorer.core.annotations import read_annotations
from explorer.core.filtering import clip_boxes
from explorer.core.samples import samples
from explorer.core.truth import pack_boxes, unpack_boxes
from explorer.pages import _show, _state

MOST_DRAWN = 200


def controls() -> None:
    """Draw, bring a file, or go back to the picture's own objects."""
    st.toggle(
        "Draw objects",
        key="draw_objects",
        help="Drag a rectangle around an object on the picture; it becomes ground truth.",
    )
    with st.expander("Objects from a file"):
        st.file_uploader(
            "COCO JSON, Pascal VOC XML or CSV",
            type=["json", "xml", "csv"],
            key="annotations",
            on_change=_take_file,
            help="Boxes in pixels of the photo. CSV has a header: x1,y1,x2,y2 and maybe label.",
        )
    if _state.current().truth.boxes is not None:
        st.button("The picture's own objects", on_click=_forget)


def is_drawing() -> bool:
    """Whether a drag on the picture draws an object."""
    return bool(st.session_state.get("draw_objects"))


def add_drawn(box: list[float]) -> None:
    """Take a rectangle in input pixels as one more object."""
    picture = _show.compute("image")
    height, width = picture.photo_size
    drawn = picture.to_photo(torch.tensor([box], dtype=torch.float32))
    drawn = drawn.clamp(min=0).minimum(torch.tensor([width, height] * 2, dtype=torch.float32))
    if bool(((drawn[:, 2:] - drawn[:, :2]) < 1).any()):
        _state.complain("An object must have a size inside the picture: drag a larger rectangle.")
        return
    boxes = torch.cat([_in_force(), drawn])
    if len(boxes) > MOST_DRAWN:
        _state.complain(f"At most {MOST_DRAWN} objects can be drawn.")
        return
    _bring(boxes)


def move(number: int, box: list[float]) -> None:
    """Put an object elsewhere or give it another size, as a rectangle in input pixels.

    One that reaches over the picture's border is shifted inside.
    """
    picture, shown = _show.compute("image"), _show.compute("truth").boxes[number].cpu()
    height, width = picture.photo_size
    whole = torch.tensor([width, height], dtype=torch.float32)
    moved = picture.to_photo(torch.tensor([box], dtype=torch.float32))
    sides = (moved[:, 2:] - moved[:, :2]).minimum(whole)
    if bool((sides < 1).any()):
        _state.complain("An object must have a size: at least 1 x 1 pixels of the photo.")
        return
    start = moved[:, :2].clamp(min=0).minimum(whole - sides)
    boxes = _in_force().clone()
    # Objects that the fit cut off are not shown, and keep their rows.
    seen = clip_boxes(picture.to_input(boxes), picture.image_size)
    boxes[(seen - shown).abs().sum(dim=1).argmin()] = torch.cat([start, start + sides], dim=1)
    _bring(boxes)


def table(rows: list[dict[str, object]]) -> None:
    """One row an object, under the names of its values; `st.dataframe` costs five times as much."""
    if not rows:
        return
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row.values())}</tr>"
        for row in rows
    )
    st.html(f'<div class="objects"><table class="levels"><tr>{head}</tr>{body}</table></div>')


def _in_force() -> Tensor:
    """(G, 4) objects in photo pixels: the reader's own, or those that the picture came with."""
    name = _state.current().truth.boxes
    if name is not None:
        return unpack_boxes(_state.uploads()[name])
    return _show.compute("image").to_photo(_show.compute("truth").boxes.cpu())


def _bring(boxes: Tensor) -> None:
    data = pack_boxes(boxes)
    name = f"boxes:{hashlib.sha256(data).hexdigest()}"
    _state.uploads()[name] = data
    _state.change({"truth.boxes": name})


def _take_file() -> None:
    file = st.session_state["annotations"]
    if file is None:
        return
    try:
        photo = _show.compute("image").photo_size
        found = read_annotations(file.name, file.getvalue(), photo, _file_of_the_picture())
    except ValueError as error:
        _state.complain(str(error))
        return
    _bring(found.boxes)
    for problem in found.problems[:20]:
        _state.complain(problem)
    if len(found.problems) > 20:
        _state.complain(f"... and {len(found.problems) - 20} more rows.")


def _file_of_the_picture() -> str:
    """The picture's own file name: a COCO file of several pictures names them."""
    name = _state.current().image.picture
    return samples()[name].path.name if name in samples() else _state.own().upload_name


def _forget() -> None:
    _state.change({"truth.boxes": None})
