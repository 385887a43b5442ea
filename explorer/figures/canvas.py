"""The photo as a canvas: axes in pixels of the network's input, boxes drawn as one path."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.figures import theme


def canvas(
    image_size: tuple[int, int],
    photo_url: str | None,
    traces: list | None = None,
    *,
    title: str = "",
    shapes: list[dict] | None = None,
    layers: list[dict] | None = None,
    alt: str = "",
) -> theme.Figure:
    """A figure over the photo, or over the notebook's dark canvas.

    Args:
        image_size: (height, width) of the network's input, pixels.
        photo_url: where the browser finds the input's pixels; None for the blank canvas.
        traces: what is drawn above the shapes.
        title: one line above the photo.
        shapes: Plotly shapes in pixels.
        layers: images above the photo, from `image_layer`.
        alt: what a screen reader says of the figure.
    """
    height, width = image_size
    images = [image_layer(photo_url, image_size)] if photo_url else []
    # Plotly tells images apart by place and size alone: two on the same spot become one.
    images += [layer | {"sizex": layer["sizex"] + 1e-3} for layer in layers or []]
    axis = {"showgrid": False, "zeroline": False, "visible": False, "constrain": "domain"}
    return theme.figure(
        traces or [],
        title={"text": title, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"},
        xaxis=axis | {"range": [0, width]},
        yaxis=axis | {"range": [height, 0], "scaleanchor": "x"},
        images=images,
        shapes=shapes or [],
        plot_bgcolor=theme.CANVAS,
        hovermode="closest",
        hoverdistance=24,
        dragmode="zoom",
        margin={"l": 0, "r": 0, "t": 34 if title else 4, "b": 4},
        meta={"aspect": height / width, "alt": alt},
        showlegend=False,
    )


def image_layer(url: str, image_size: tuple[int, int], opacity: float = 1.0) -> dict[str, Any]:
    """An image stretched over the whole input."""
    height, width = image_size
    place = {"x": 0, "y": 0, "sizex": width, "sizey": height, "xref": "x", "yref": "y"}
    return place | {"source": url, "sizing": "stretch", "layer": "below", "opacity": opacity}


def boxes_path(boxes: np.ndarray, digits: int = 1) -> str:
    """(N, 4) boxes as one SVG path: a thousand cost the browser what one does."""
    return "".join(
        f"M{x1:g},{y1:g}H{x2:g}V{y2:g}H{x1:g}Z" for x1, y1, x2, y2 in boxes.round(digits).tolist()
    )


def crosses_path(centres: np.ndarray, arm: float) -> str:
    """(N, 2) points as one path of small upright crosses, `arm` pixels each way."""
    return "".join(
        f"M{x - arm:g},{y:g}H{x + arm:g}M{x:g},{y - arm:g}V{y + arm:g}"
        for x, y in centres.round(1).tolist()
    )


def path_shape(path: str, colour: str, width: float = 2, **changes: Any) -> dict[str, Any]:
    """A path as a Plotly shape."""
    line = {"color": colour, "width": width} | changes.pop("line", {})
    return {"type": "path", "path": path, "line": line} | changes


def hover_points(
    boxes: np.ndarray, facts: list[list], template: str, digits: int = 1
) -> theme.Trace:
    """Invisible points at the boxes' centres which tell about them.

    The words stand once in the template and the facts once a box: a text a box is three times as
    much to send.

    Args:
        boxes: (N, 4) xyxy, pixels; the browser outlines the one under the pointer.
        facts: what the template tells of each of the N boxes, equally many.
        template: HTML; `%{customdata[4]}` is the first fact, after the box's four sides.
        digits: decimals of the four sides.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = boxes.astype(np.float64).round(digits)  # as float32, 0.1 would take 9 digits
    sides = sides if digits else sides.astype(np.int64)
    return theme.trace(
        "scatter",
        x=centres[:, 0].round().astype(np.int16),  # nobody points closer than a pixel
        y=centres[:, 1].round().astype(np.int16),
        customdata=[box + rest for box, rest in zip(sides.tolist(), facts, strict=True)],
        mode="markers",
        marker={"opacity": 0, "size": 14},
        hovertemplate=f"{template}<extra></extra>",
        meta=theme.TOLD,
    )
