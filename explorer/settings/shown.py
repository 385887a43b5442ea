"""What the pages show of the results: it travels in the link and changes no number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from explorer.settings.group import (
    MAX_ANCHORS,
    MAX_CANDIDATES,
    MAX_SIDE,
    NOTEBOOK,
    REN,
    Group,
    setting,
)


class View(Group):
    """What the pages show of the results; it changes no number."""

    level: int = setting(
        1, "Level", "The pyramid level that is shown.", source="ours", ge=0, le=7, step=1
    )
    row: int = setting(
        -1,
        "Cell row",
        "Row of the cell whose anchors are drawn; −1 is the middle.",
        source="ours",
        ge=-1,
        le=1023,
        step=1,
    )
    column: int = setting(
        -1,
        "Cell column",
        "Column of the cell whose anchors are drawn; −1 is the middle.",
        source="ours",
        ge=-1,
        le=1023,
        step=1,
    )
    sizing: Literal["each level", "from a base"] = setting(
        "each level",
        "Set sizes by",
        "One slider for each level, or one base that every level multiplies.",
        source="ours",
    )
    split: Literal["all", "level", "ratio", "match"] = setting(
        "ratio",
        "Split by",
        "Colour the histogram's bars by level, by ratio, or by match: anchors that an object "
        "claims, background, and what training ignores between the two.",
        source="ours",
    )
    full_axis: bool = setting(
        False,
        "Axis 0 to 1",
        "Show the whole range of scores, not where the data are.",
        source="ours",
    )
    log_counts: bool = setting(
        False, "Log counts", "A logarithmic axis shows the rare scores.", source="ours"
    )
    top_k: int = setting(
        50,
        "Top k",
        "How many of the best boxes are drawn.",
        unit="boxes",
        source=f"{NOTEBOOK}: top-50",
        ge=1,
        le=1000,
        step=1,
    )
    colour: Literal["score", "level"] = setting(
        "level", "Colour by", "What a box's colour tells.", source="ours"
    )
    blank: bool = setting(
        False, "Blank canvas", "Hide the photo, as the notebook's figures do.", source=NOTEBOOK
    )
    shape: int = setting(
        0,
        "Anchor of the cell",
        "Which of the cell's anchors is meant, in the order of the cell.",
        source="ours",
        ge=0,
        le=1023,
        step=1,
    )
    follow: int = setting(
        -1,
        "Followed anchor",
        "Number of the anchor whose box every page marks; −1 is none.",
        source="ours",
        ge=-1,
        le=MAX_ANCHORS - 1,
        step=1,
    )


Coordinate = Annotated[float, Field(ge=-MAX_SIDE, le=2 * MAX_SIDE)]


class Decoding(Group):
    """The four deltas that the Decoding page applies to one anchor; no stage reads them."""

    dx: float = setting(
        0.2,
        "dx",
        "Moves the centre by this many anchor widths.",
        source=REN,
        ge=-2,
        le=2,
        step=0.01,
    )
    dy: float = setting(
        -0.1,
        "dy",
        "Moves the centre by this many anchor heights.",
        source=REN,
        ge=-2,
        le=2,
        step=0.01,
    )
    dw: float = setting(
        0.4, "dw", "Multiplies the width by e to this power.", source=REN, ge=-6, le=6, step=0.05
    )
    dh: float = setting(
        0.2, "dh", "Multiplies the height by e to this power.", source=REN, ge=-6, le=6, step=0.05
    )
    clamp: Literal["none", "4", "log(1000/16)"] = setting(
        "log(1000/16)",
        "Clamp dw and dh at",
        "Larger values count as this one, so that e to their power cannot overflow: at most 54.6 "
        "or 62.5 times the anchor.",
        source=f"4: {NOTEBOOK}; log(1000/16): torchvision, detectron2; none: py-faster-rcnn",
    )
    target: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = setting(
        None,
        "Target",
        "A drawn box that is encoded against the anchor.",
        unit="px",
        source="ours",
        nested=1,
    )
    whole: bool = setting(
        False,
        "Whole picture",
        "Show all of the photo, or only the anchor's surroundings.",
        source="ours",
    )


class Steps(Group):
    """What the NMS page shows: a step of the greedy loop, and soft NMS; no stage reads it."""

    step: int = setting(
        0,
        "Step",
        "How many winners NMS has picked so far.",
        unit="winners",
        source="ours",
        ge=0,
        le=MAX_CANDIDATES,
        step=1,
    )
    sigma: float = setting(
        0.5,
        "Sigma of gaussian soft NMS",
        "A box that overlaps a winner keeps exp(−IoU² / sigma) of its score: smaller sinks more.",
        source="Bodla et al. 2017, Soft-NMS: 0.5",
        ge=0.05,
        le=2,
        step=0.05,
    )
    floor: float = setting(
        0.05,
        "Score floor of soft NMS",
        "A box is taken while its lowered score is above this.",
        unit="score",
        source="torchvision and detectron2, detections on COCO: 0.05; Bodla et al.'s code: 0.001",
        ge=0,
        le=0.9,
        step=0.01,
    )


Detector = Literal["retinanet", "ssd300", "yolov2", "fcos", "yolov1"]


class Atlas(Group):
    """What the blind-spot atlas shows; no stage reads it."""

    reading: Literal["mean", "worst"] = setting(
        "worst",
        "Position in the cell",
        "An object's centre may fall anywhere in a cell: the mean over it, or the worst place.",
        source="ours",
    )
    overlay: tuple[Detector, ...] | None = setting(
        None,
        "Lay over",
        "Other detectors' own limits, each resized from its input side to this picture's.",
        source="explorer/presets/literature.py and anchor_free.py",
        min_length=1,
        max_length=5,
        nested=1,
    )
    width: float = setting(
        18,
        "Object width",
        "Width of the object that is looked at.",
        unit="px",
        source="the default grid's tiny object: 18 x 9 px, an IoU of .16 at best",
        ge=4,
        le=1024,
        step=1,
    )
    height: float = setting(
        9,
        "Object height",
        "Height of the object that is looked at.",
        unit="px",
        source="see the width",
        ge=4,
        le=1024,
        step=1,
    )


class Funnel(Group):
    """How the funnel splits its bands; no stage reads it."""

    split: Literal["level", "ratio"] = setting(
        "level", "Split by", "Bands by pyramid level or by aspect ratio.", source="ours"
    )
    scale: Literal["by step", "linear"] = setting(
        "by step",
        "Widths",
        "by step: what enters a step is drawn at full width, so that the few that are left can be "
        "seen. linear: every width is a share of all anchors.",
        source="ours",
    )
    band: Literal[
        "anchors",
        "too small",
        "large enough",
        "below top-n",
        "pre-NMS top-n",
        "low score",
        "over score threshold",
        "suppressed",
        "survive NMS",
        "over the cap",
        "proposals",
    ] = setting(
        "proposals", "Band", "Boxes that went this way are shown on the photo.", source="ours"
    )
    part: str = setting(
        "all",
        "Part",
        "The level or ratio whose band is shown, or all of them.",
        source="ours",
        pattern=r"^(all|P[0-9]{1,2}|[0-9.]{1,8})$",
    )


class Claims(Group):
    """Which anchors the Matching page shows, and which draw of the sampler; no stage reads it."""

    object: int = setting(
        -1,
        "Object",
        "The object whose anchors alone are shown; −1 is all of them.",
        source="ours",
        ge=-1,
        le=9999,
        step=1,
    )
    positive: bool = setting(
        True, "Positive anchors", "Draw those that reach an object by their IoU.", source="ours"
    )
    low_quality: bool = setting(
        True,
        "Best-anchor rule",
        "Draw those that are positive only as the best anchor of an object.",
        source="ours",
    )
    ignored: bool = setting(
        True,
        "Ignored centres",
        "Dot the centres of those between the two thresholds: no loss sees them.",
        source="ours",
    )
    negative: bool = setting(
        False, "Negative centres", "Dot the centres of the background anchors.", source="ours"
    )
    sample: bool = setting(
        False,
        "The sample",
        "Mark the anchors that the sampler drew for the loss, and draw the rest faintly.",
        source="ours",
    )
    draw: int = setting(
        0,
        "Draw",
        "Seed of the sampler: another number draws other anchors.",
        source="ours",
        ge=0,
        le=2**31 - 1,
        step=1,
    )


class Compare(Group):
    """What stands beside the settings on the Compare and Conventions pages; no stage reads it."""

    other: str = setting(
        "",
        "B",
        "The other settings, as the part of a link in which they differ from these.",
        source="ours",
        max_length=4000,
        pattern=r"^[A-Za-z0-9_.=&%~+-]*$",
    )
    base: Literal["notebook", "torchvision", "detectron2", "py-faster-rcnn"] = setting(
        "notebook", "One code base", "Its conventions, in blue.", source="explorer/presets"
    )
    against: Literal["notebook", "torchvision", "detectron2", "py-faster-rcnn"] = setting(
        "torchvision", "Another", "Its conventions, in orange.", source="explorer/presets"
    )


class Lesson(Group):
    """The lesson that runs above the pages, or a teacher's own title and question."""

    name: str = setting(
        "",
        "Lesson",
        "Which lesson runs: its file's name in assets/lessons; empty is none.",
        source="assets/lessons",
        pattern=r"^[a-z0-9-]{0,64}$",
    )
    step: int = setting(
        0,
        "Step of the lesson",
        "How many steps the reader has gone on; past the last one is the summary.",
        source="ours",
        ge=0,
        le=8,
        step=1,
    )
    title: str = setting(
        "",
        "Title",
        "What a teacher's link says above the page.",
        source="ours",
        pattern=r"^[^\x00-\x1f\x7f]{0,120}$",
    )
    question: str = setting(
        "",
        "Question",
        "What a teacher's link asks.",
        source="ours",
        pattern=r"^[^\x00-\x1f\x7f]{0,300}$",
    )
    show: str = setting(
        "all",
        "Controls that show",
        "Keys of controls with commas between; the others are hidden. Or all of them.",
        source="ours",
        max_length=1000,
        pattern=r"^[a-z0-9_., ]*$",
    )
