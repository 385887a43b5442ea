"""Other detectors' limits, laid over the atlas: lines on the map, and words below it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.core.atlas import AXIS, lattice_of, size_chart
from explorer.core.without_anchors import crowded, point_limit
from explorer.editing import field_of
from explorer.figures.limits import LINES, cell_grid, iou_limit, stair
from explorer.figures.theme import Trace
from explorer.pages import _controls, _show, _state
from explorer.presets import PRESETS
from explorer.presets.anchor_free import FCOS, INPUT_SIDES, YOLOV1
from explorer.settings import Anchors

SEEN = 0.5  # the IoU from which these detectors call an anchor positive; YOLOv2's own is its best
PATH = "atlas.overlay"
TITLES = {name: PRESETS[name].title for name in INPUT_SIDES} | {
    "fcos": FCOS.title,
    "yolov1": YOLOV1.title,
}


def control() -> None:
    """Buttons, any number of which may be pressed."""
    pressed = list(chosen())
    st.pills(
        field_of(PATH).title,
        list(TITLES),
        selection_mode="multi",
        default=pressed,
        format_func=TITLES.get,
        help=_controls.help_of(PATH),
        on_change=_commit,
        **_controls.shows(PATH, pressed),
    )


def _commit() -> None:
    pressed = tuple(name for name in TITLES if name in st.session_state[PATH])
    _state.change({PATH: pressed or None})


def chosen() -> tuple[str, ...]:
    """The detectors to lay over, each once, in the order of the buttons."""
    names = _state.current().atlas.overlay or ()
    return tuple(name for name in TITLES if name in names)


def chart_of(anchors: Anchors, strides: tuple | None, scale: float) -> np.ndarray:
    """(H, W) what a grid offers over the map's sizes, kept for all sessions."""
    reading = _state.current().atlas.reading
    key = "size chart", anchors, strides, scale, reading
    grid = lattice_of(anchors, strides)
    return _show.memo().get(key, lambda: size_chart(grid, reading, scale)).value


def lines() -> list[Trace]:
    """The chosen detectors' lines, each enlarged from its input side to this picture's."""
    atlas, side = _state.current().atlas, _state.current().image.side
    drawn = []
    for name in chosen():
        if name in INPUT_SIDES:
            scale = side / INPUT_SIDES[name]
            iou = chart_of(PRESETS[name].anchors, None, scale)
            drawn += iou_limit(name, iou, SEEN)
        elif name == "fcos":
            scale, share = side / FCOS.side, 1.0 if atlas.reading == "worst" else 0.5
            last = float(AXIS[-1]) / scale
            line = scale * point_limit(FCOS.strides, FCOS.farthest, share, last)
            ends = [2 * scale * end for end in FCOS.farthest]
            drawn += stair(name, line, ends, FCOS.level_names)
    return drawn


def key() -> None:
    """Which line is whose."""
    pixels = {"solid": (9, 9), "dash": (9, 14), "dot": (4, 7)}
    swatches = [
        f'<i class="line" style="--colour:{colour};--on:{pixels[dash][0]}px;'
        f'--dash:{pixels[dash][1]}px"></i>{TITLES[name]}'
        for name, (colour, dash) in LINES.items()
        if name in chosen()
    ]
    if swatches:
        st.html(f'<div class="key">{"".join(swatches)}</div>')


def words() -> None:
    """What the lines mean, one sentence a detector."""
    side, truth = _state.current().image.side, _show.compute("truth")
    for name in chosen():
        if name in INPUT_SIDES:
            own = INPUT_SIDES[name]
            text = (
                f"reaches IoU {SEEN:g} on the bright side of its line. It looks at {own} px; this "
                f"picture has {side}, so one pixel of its own is {side / own:.2g} here."
            )
        elif name == "fcos":
            text = (
                "has points, no anchors: an object is seen if a point of its level lies inside "
                "it. The level goes by the farthest side as its centre sees it, "
                f"{', '.join(f'{end:g}' for end in FCOS.farthest[:-1])} px and more at {FCOS.side} "
                "px: the dotted corners part P3 to P7."
            )
        else:
            sharing = int(crowded_objects().sum())
            text = (
                f"sees any size, but each of its {YOLOV1.cells} x {YOLOV1.cells} cells finds one "
                f"object: **{sharing} of this picture's {len(truth.boxes)} objects share a cell.**"
            )
        st.markdown(f"**{TITLES[name]}** {text}")


def crowded_objects() -> np.ndarray:
    """(G,) which objects share a cell of YOLOv1."""
    boxes = _show.compute("truth").boxes.cpu().numpy()
    return crowded(boxes, _show.compute("grid").image_size, YOLOV1.cells)


def cells() -> list[dict]:
    """YOLOv1's cells on the photo, where it is laid over."""
    if "yolov1" not in chosen():
        return []
    boxes = _show.compute("truth").boxes.cpu().numpy()[crowded_objects()]
    return cell_grid(_show.compute("grid").image_size, YOLOV1.cells, boxes)
