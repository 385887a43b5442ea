"""Which controls stand where, by key: what a lesson may point at, and a teacher may leave out."""

from __future__ import annotations

from explorer.editing import field_of, paths

SHARED = (  # in the sidebar of every page
    *("image.picture", "upload", "image.side", "image.fit", "preset", "scores.source"),
    *("scores.seed", "compute.device"),
)
LEVELS = (
    "view.sizing",
    *(f"size {level}" for level in range(5)),
    *(f"stride {level}" for level in range(5)),
    *(f"ratio {place}" for place in range(3)),
    "anchors.offset",
    "anchors.ratio",
)
CELL = ("view.level", "view.row", "view.column")
NMS = ("nms.iou_threshold", "nms.score_threshold", "nms.post_nms", "filter.pre_nms")
SHOWN = ("claims.positive", "claims.low_quality", "claims.ignored", "claims.negative")
OF_PAGE = {
    "overview": (),
    "anchors": (*LEVELS, *CELL, "view.blank", "follow_one"),
    "scores": ("view.split", "view.full_axis", "view.log_counts", "view.level", "view.blank"),
    "decoding": (
        *("decoding.dx", "decoding.dy", "decoding.dw", "decoding.dh", "decoding.clamp"),
        *("decoding.whole", *CELL, "view.shape"),
    ),
    "proposals": (*NMS, "filter.min_size", "view.top_k", "view.colour", "view.blank"),
    "nms": (
        *(*NMS, "filter.nms_by_level", "view.top_k", "view.blank", "steps.sigma", "steps.floor"),
    ),
    "funnel": (
        *("funnel.split", "funnel.scale", "funnel.band", "funnel.part", *NMS, "filter.min_size"),
        "view.blank",
    ),
    "recall": (
        *("recall.iou", "nms.iou_threshold", "nms.post_nms", "filter.pre_nms", "view.top_k"),
        *("view.blank", "draw_objects"),
    ),
    "matching": (
        *("match.high", "match.low", "match.low_quality", "claims.object", *SHOWN, "view.blank"),
        *("draw_objects", "match.batch_size", "match.positive_fraction", "claims.sample"),
    ),
    "atlas": (
        *("atlas.reading", *LEVELS, "match.high", "atlas.overlay"),
        *("atlas.width", "atlas.height"),
    ),
    "compare": (
        *(*NMS, "filter.min_size", "b preset"),
        *(f"b {path}" for path in (*NMS, "filter.min_size")),
        "view.top_k",
    ),
    "conventions": ("compare.base", "compare.against", "view.level", "view.top_k"),
}
_NAMES = {
    "upload": "Your own picture",
    "preset": "Preset",
    "b preset": "B's preset",
    "follow_one": "Follow an anchor",
    "draw_objects": "Draw objects",
}


def known() -> set[str]:
    """Every key that a link may name."""
    return {*SHARED, *(key for keys in OF_PAGE.values() for key in keys), *paths()}


def name_of(key: str) -> str:
    """A control's name, as its label says it."""
    if key in _NAMES:
        return _NAMES[key]
    if key in paths():
        return field_of(key).title
    if key.startswith("b "):
        return f"B: {name_of(key[2:])}"
    kind, place = key.split()
    numbered = {"size": 2, "stride": 2, "ratio": 1}  # levels begin with P2
    letter = "" if kind == "ratio" else "P"
    return f"{kind.capitalize()} {letter}{int(place) + numbered[kind]}"
