"""Every parameter of the explorer, in groups; frozen, validated, documented.

A stage of `explorer.core.pipeline` receives only the groups that it names, so the groups are cut
along the chain: image, scores, anchors, codec, filter, nms, match. `compute` names the device and
`view` what the pages show; no stage reads `view`.

The defaults are the course notebook's at 800 x 800 pixels. What the field disagrees on is a
setting here, and `explorer.presets` sets it as each code base does.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_SIDE = 2048  # pixels; a larger feature pyramid does not fit beside thirty students
MAX_ANCHORS = 2_000_000
MAX_CELLS = 400_000  # 256 float32 channels each: 410 MB of features
MAX_CANDIDATES = 12_000  # py-faster-rcnn's training top-n, the largest in the field

TRAINED = ("learned", "coco")  # score sources whose heads have three anchors a cell

REN = "Ren et al. 2015, Faster R-CNN"
NOTEBOOK = "course notebook"


def _setting(default: Any, label: str, text: str, *, source: str, unit: str = "", **rules) -> Any:
    """A field with everything a page shows about it; `step` and `nested` are for the pages."""
    extra = {"unit": unit, "source": source, "step": rules.pop("step", None)}
    extra["nested"] = rules.pop("nested", 0)
    return Field(default, title=label, description=text, json_schema_extra=extra, **rules)


class Group(BaseModel):
    """A frozen group of settings: unknown names, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Image(Group):
    """The picture and how it becomes the network's input."""

    picture: str = _setting(
        "astronaut",
        "Picture",
        "The photo that the network looks at.",
        source="assets/manifest.json",
        pattern=r"^(upload:[0-9a-f]{64}|[a-z0-9_-]{1,64})$",
    )
    side: int = _setting(
        800,
        "Input side",
        "Long side of the network's input. More pixels make more anchors.",
        unit="px",
        source=f"{NOTEBOOK}: IMG_SIZE",
        ge=64,
        le=MAX_SIDE,
        step=32,
    )
    fit: Literal["pad", "crop", "stretch", "keep"] = _setting(
        "pad",
        "Fit",
        "pad: whole photo, square with empty margins. crop: middle square. "
        "stretch: square, distorted. keep: the photo's own shape.",
        source="detectors pad; the square gives the notebook's 159,882 anchors",
    )


class Scene(Group):
    """A synthetic scene, painted by the program: its objects are known exactly."""

    seed: int = _setting(
        0, "Scene", "Another number paints another scene.", source="ours", ge=0, le=999_999, step=1
    )
    objects: int = _setting(
        8, "Objects", "How many are painted.", unit="objects", source="ours", ge=0, le=40, step=1
    )
    smallest: int = _setting(
        24,
        "Smallest side",
        "Sides are drawn evenly in the logarithm between smallest and largest.",
        unit="px of 640",
        source="ours",
        ge=8,
        le=300,
        step=4,
    )
    largest: int = _setting(
        320,
        "Largest side",
        "See the smallest.",
        unit="px of 640",
        source="ours",
        ge=8,
        le=560,
        step=4,
    )

    @model_validator(mode="after")
    def _sides_rise(self) -> Scene:
        if self.smallest > self.largest:
            raise ValueError(
                f"scene.smallest must be at most scene.largest ({self.largest}), "
                f"got {self.smallest}"
            )
        return self


class Scores(Group):
    """Where objectness logits and deltas come from."""

    source: Literal["random", "noise", "planted", "learned", "coco"] = _setting(
        "random",
        "Scores from",
        "random: the photo through ResNet-50, FPN and head, weights drawn from the seed. "
        "noise: seeded random feature maps instead of the photo, as the notebook does. "
        "planted: from the ground truth, with noise. learned: a network that this project trained. "
        "coco: weights learned on COCO, where the server has torchvision's file.",
        source=f"{NOTEBOOK}: smoke test",
    )
    seed: int = _setting(
        0,
        "Seed",
        "All random weights come from this one number.",
        source="ours",
        ge=0,
        le=2**31 - 1,
        step=1,
    )


class Truth(Group):
    """Which objects count as ground truth."""

    boxes: str | None = _setting(
        None,
        "Objects",
        "None: the objects that the picture came with. Else boxes that you brought or drew.",
        source="ours",
        pattern=r"^boxes:[0-9a-f]{64}$",
    )


class Planted(Group):
    """How good planted scores are: what an RPN would say that knows the ground truth."""

    noise: float = _setting(
        1.0,
        "Noise",
        "Spread of the noise on the logits. At 0 the best-fitting anchors always win.",
        unit="logits",
        source="ours",
        ge=0,
        le=10,
        step=0.1,
    )
    regression: float = _setting(
        0.7,
        "Regression strength",
        "How far the deltas move an anchor towards its object: 0 not at all, 1 all the way.",
        source="ours",
        ge=0,
        le=1,
        step=0.05,
    )


Size = Annotated[float, Field(ge=1, le=4096)]
Ratio = Annotated[float, Field(ge=0.05, le=20)]
Stride = Annotated[int, Field(ge=2, le=512)]
Pair = tuple[Size, Size]
Weight = Annotated[float, Field(ge=0.01, le=100)]
Level = Annotated[tuple[Size, ...], Field(min_length=1, max_length=16)]
PairLevel = Annotated[tuple[Pair, ...], Field(min_length=1, max_length=16)]


class Anchors(Group):
    """Anchor shapes, level by level, and the conventions that place them."""

    strides: tuple[Stride, ...] = _setting(
        (4, 8, 16, 32, 64),
        "Strides",
        "Distance between neighbouring cells of each level. Smaller strides make more anchors.",
        unit="px",
        source="Lin et al. 2017, Feature Pyramid Networks",
        min_length=1,
        max_length=8,
        nested=1,
    )
    sizes: tuple[Level, ...] = _setting(
        ((32,), (64,), (128,), (256,), (512,)),
        "Sizes",
        "Square root of an anchor's area, one or several for each level.",
        unit="px",
        source="Lin et al. 2017, section 4.1",
        min_length=1,
        max_length=8,
        nested=2,
    )
    ratios: tuple[Ratio, ...] = _setting(
        (0.5, 1.0, 2.0),
        "Aspect ratios",
        "Every size is drawn at each of these ratios, at equal area.",
        source=f"{REN}, section 3.1.1",
        min_length=1,
        max_length=16,
        nested=1,
    )
    pairs: tuple[PairLevel, ...] | None = _setting(
        None,
        "Explicit shapes",
        "Width x height pairs for each level, in place of sizes and ratios (YOLO, SSD).",
        unit="px",
        source="Redmon and Farhadi 2017, YOLO9000; Liu et al. 2016, SSD",
        min_length=1,
        max_length=8,
        nested=3,
    )
    ratio: Literal["w/h", "h/w"] = _setting(
        "w/h",
        "A ratio means",
        "Whether ratio 2 is a wide anchor (w/h) or a tall one (h/w).",
        source=f"w/h: {NOTEBOOK}; h/w: torchvision, detectron2, py-faster-rcnn",
    )
    offset: float = _setting(
        0.5,
        "Centre offset",
        "Where in its cell an anchor is centred: (i + offset) x stride.",
        unit="strides",
        source=f"0.5: {NOTEBOOK}, py-faster-rcnn; 0: torchvision, detectron2",
        ge=0,
        le=1,
        step=0.05,
    )
    rounding: Literal["none", "corners", "base16"] = _setting(
        "none",
        "Rounding",
        "corners: each corner to whole pixels, half to even. "
        "base16: width, then height, of a 16-pixel anchor, then scaled.",
        source="corners: torchvision; base16: py-faster-rcnn",
    )
    stride_rule: Literal["fixed", "image // grid"] = _setting(
        "fixed",
        "Stride rule",
        "image // grid: the picture's side divided by the grid's, 61 at P6 for 800 px.",
        source="image // grid: torchvision AnchorGenerator",
    )
    order: Literal["size outer", "ratio outer"] = _setting(
        "size outer",
        "Order in a cell",
        "Which loop is the outer one. It numbers the head's channels.",
        source="ratio outer: torchvision, py-faster-rcnn",
    )

    @model_validator(mode="after")
    def _one_entry_a_level(self) -> Anchors:
        name = "sizes" if self.pairs is None else "pairs"
        levels = len(self.sizes if self.pairs is None else self.pairs)
        if levels != len(self.strides):
            raise ValueError(
                f"anchors.{name} must have as many entries as anchors.strides "
                f"({len(self.strides)}), got {levels}"
            )
        return self

    @model_validator(mode="after")
    def _rounding_leaves_an_area(self) -> Anchors:
        if self.pairs is None and self.rounding == "corners":
            size = min(size for level in self.sizes for size in level)
            ratio = max(self.ratios, key=lambda ratio: abs(math.log(ratio)))
            side = size * math.exp(-abs(math.log(ratio)) / 2)
            if side < 1 + 1e-6:  # float32: half of it would round to 0
                raise ValueError(
                    "anchors.sizes must give sides of more than 1 px where anchors.rounding is "
                    f"corners, got {side:.2g} px from size {size:g} at ratio {ratio:g}"
                )
        return self

    @property
    def per_cell(self) -> tuple[int, ...]:
        """Anchors a cell, level by level."""
        if self.pairs is not None:
            return tuple(len(level) for level in self.pairs)
        return tuple(len(level) * len(self.ratios) for level in self.sizes)

    @property
    def level_names(self) -> tuple[str, ...]:
        """P2, P3 and so on by place, from the first level's stride: names stay while others move.

        >>> Anchors().level_names
        ('P2', 'P3', 'P4', 'P5', 'P6')
        """
        first = round(math.log2(self.strides[0]))
        return tuple(f"P{first + place}" for place in range(len(self.strides)))


class Codec(Group):
    """How four deltas turn an anchor into a box."""

    weights: tuple[Weight, Weight, Weight, Weight] = _setting(
        (1.0, 1.0, 1.0, 1.0),
        "Delta weights",
        "Deltas are divided by these: dx, dy, dw, dh.",
        source="1 in every RPN; 10, 10, 5, 5 in second stages",
        nested=1,
    )
    max_log_scale: Annotated[float, Field(ge=0.1, le=20)] | None = _setting(
        4.0,
        "Clamp of dw, dh",
        "Upper limit before the exponential; none lets a box explode.",
        source=f"4: {NOTEBOOK}; ln(1000/16): torchvision, detectron2; none: py-faster-rcnn",
    )


class Filter(Group):
    """From 159,882 decoded boxes to the candidates of NMS."""

    order: Literal["decode first", "top-n first"] = _setting(
        "decode first",
        "Order",
        "decode first: decode, clip, drop small, top-n. top-n first: top-n, decode, clip, drop.",
        source=f"decode first: {NOTEBOOK}, py-faster-rcnn; top-n first: torchvision, detectron2",
    )
    pre_nms: int = _setting(
        2000,
        "Pre-NMS top-n",
        "How many of the best-scored boxes reach NMS.",
        unit="boxes",
        source=f"{NOTEBOOK}; 1000 a level in torchvision, 6000 in py-faster-rcnn",
        ge=1,
        le=MAX_CANDIDATES,
        step=50,
    )
    top_n_by_level: bool = _setting(
        False,
        "Top-n by level",
        "Off: the best of all levels together. On: the best of each level.",
        source=f"off: {NOTEBOOK}; on: torchvision, detectron2",
    )
    top_n_by: Literal["scores", "logits"] = _setting(
        "scores",
        "Top-n ranks by",
        "The sigmoid merges logits that differ, so the two can rank differently.",
        source="logits: torchvision, detectron2",
    )
    min_size: float = _setting(
        16.0,
        "Minimum size",
        "A box with a side under this is dropped.",
        unit="px",
        source=f"16: {NOTEBOOK}, py-faster-rcnn; 0.001: torchvision; 0: detectron2",
        ge=0,
        le=512,
        step=1,
    )
    keep_equal: bool = _setting(
        True,
        "Keep a side equal to the minimum",
        "Off drops sides at the minimum too: with 0 that drops empty boxes only.",
        source="off: detectron2",
    )
    min_size_at: Literal["input", "photo"] = _setting(
        "input",
        "Minimum size counts",
        "input: pixels of the network's input. photo: pixels of the photo before resizing.",
        source="photo: py-faster-rcnn",
    )
    nms_by_level: bool = _setting(
        False,
        "NMS by level",
        "On: boxes of different levels never suppress each other.",
        source=f"off: {NOTEBOOK}; on: torchvision, detectron2",
    )
    nms_by: Literal["scores", "logits"] = _setting(
        "scores",
        "NMS ranks by",
        "Equal scores keep the lower anchor index.",
        source="logits: detectron2",
    )


class Nms(Group):
    """Non-maximum suppression and the cap after it."""

    iou_threshold: float = _setting(
        0.7,
        "NMS IoU threshold",
        "A box goes when it overlaps a better one by more than this. Higher keeps more boxes.",
        unit="IoU",
        source=f"{REN}, section 3.3",
        ge=0,
        le=1,
        step=0.01,
    )
    post_nms: int = _setting(
        1000,
        "Post-NMS top-n",
        "At most this many survivors become proposals.",
        unit="boxes",
        source=f"{NOTEBOOK}, torchvision (testing); 300: py-faster-rcnn",
        ge=1,
        le=MAX_CANDIDATES,
        step=10,
    )
    score_threshold: float = _setting(
        0.0,
        "Score threshold",
        "Candidates that score lower go before NMS. What is left decides as before, since a worse "
        "box never suppresses a better one.",
        unit="score",
        source="torchvision: score_thresh, 0; the others have none",
        ge=0,
        le=1,
        step=0.01,
    )


class Match(Group):
    """Which anchors an object claims, and what the losses sample."""

    high: float = _setting(
        0.7,
        "Positive from",
        "An anchor is positive from this IoU with an object.",
        unit="IoU",
        source=f"{REN}, section 3.1.2",
        ge=0,
        le=1,
        step=0.01,
    )
    low: float = _setting(
        0.3,
        "Negative under",
        "An anchor is negative under this IoU with every object; between the two it is ignored.",
        unit="IoU",
        source=f"{REN}, section 3.1.2",
        ge=0,
        le=1,
        step=0.01,
    )
    low_quality: Literal["first", "all", "none"] = _setting(
        "first",
        "Best anchor of an object",
        "Is it positive under the threshold too? Only the first, all ties, or none.",
        source=f"first: {NOTEBOOK}; all: torchvision, detectron2, py-faster-rcnn",
    )
    batch_size: int = _setting(
        256,
        "Sampled anchors",
        "Anchors drawn for the loss from one picture.",
        unit="anchors",
        source=f"{REN}, section 3.1.3",
        ge=1,
        le=4096,
        step=16,
    )
    positive_fraction: float = _setting(
        0.5,
        "Positive share",
        "At most this share of the sample is positive.",
        source=f"{REN}, section 3.1.3",
        ge=0,
        le=1,
        step=0.05,
    )

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Match:
        if self.low > self.high:
            raise ValueError(f"match.low must be at most match.high ({self.high}), got {self.low}")
        return self


class Recall(Group):
    """When an object counts as found."""

    iou: float = _setting(
        0.5,
        "Found from",
        "An object counts as found when a proposal overlaps it by this much.",
        unit="IoU",
        source="Everingham et al. 2010, PASCAL VOC: 0.5; COCO averages .5 to .95",
        ge=0.01,
        le=1,
        step=0.01,
    )


class Compute(Group):
    """The device of the whole chain."""

    device: Literal["auto", "cuda", "mps", "cpu"] = _setting(
        "auto",
        "Device",
        "auto: CUDA where there is one, then MPS, then the CPU.",
        source="ours",
    )


class View(Group):
    """What the pages show of the results; it changes no number."""

    level: int = _setting(
        1, "Level", "The pyramid level that is shown.", source="ours", ge=0, le=7, step=1
    )
    row: int = _setting(
        -1,
        "Cell row",
        "Row of the cell whose anchors are drawn; −1 is the middle.",
        source="ours",
        ge=-1,
        le=1023,
        step=1,
    )
    column: int = _setting(
        -1,
        "Cell column",
        "Column of the cell whose anchors are drawn; −1 is the middle.",
        source="ours",
        ge=-1,
        le=1023,
        step=1,
    )
    sizing: Literal["each level", "from a base"] = _setting(
        "each level",
        "Set sizes by",
        "One slider for each level, or one base that every level multiplies.",
        source="ours",
    )
    split: Literal["all", "level", "ratio", "match"] = _setting(
        "ratio",
        "Split by",
        "Colour the histogram's bars by level, by ratio, or by match: anchors that an object "
        "claims, background, and what training ignores between the two.",
        source="ours",
    )
    full_axis: bool = _setting(
        False,
        "Axis 0 to 1",
        "Show the whole range of scores, not where the data are.",
        source="ours",
    )
    log_counts: bool = _setting(
        False, "Log counts", "A logarithmic axis shows the rare scores.", source="ours"
    )
    top_k: int = _setting(
        50,
        "Top k",
        "How many of the best boxes are drawn.",
        unit="boxes",
        source=f"{NOTEBOOK}: top-50",
        ge=1,
        le=1000,
        step=1,
    )
    colour: Literal["score", "level"] = _setting(
        "level", "Colour by", "What a box's colour tells.", source="ours"
    )
    blank: bool = _setting(
        False, "Blank canvas", "Hide the photo, as the notebook's figures do.", source=NOTEBOOK
    )
    shape: int = _setting(
        0,
        "Anchor of the cell",
        "Which of the cell's anchors is meant, in the order of the cell.",
        source="ours",
        ge=0,
        le=1023,
        step=1,
    )
    follow: int = _setting(
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

    dx: float = _setting(
        0.2,
        "dx",
        "Moves the centre by this many anchor widths.",
        source=REN,
        ge=-2,
        le=2,
        step=0.01,
    )
    dy: float = _setting(
        -0.1,
        "dy",
        "Moves the centre by this many anchor heights.",
        source=REN,
        ge=-2,
        le=2,
        step=0.01,
    )
    dw: float = _setting(
        0.4, "dw", "Multiplies the width by e to this power.", source=REN, ge=-6, le=6, step=0.05
    )
    dh: float = _setting(
        0.2, "dh", "Multiplies the height by e to this power.", source=REN, ge=-6, le=6, step=0.05
    )
    clamp: Literal["none", "4", "log(1000/16)"] = _setting(
        "log(1000/16)",
        "Clamp dw and dh at",
        "Larger values count as this one, so that e to their power cannot overflow: at most 54.6 "
        "or 62.5 times the anchor.",
        source=f"4: {NOTEBOOK}; log(1000/16): torchvision, detectron2; none: py-faster-rcnn",
    )
    target: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = _setting(
        None,
        "Target",
        "A drawn box that is encoded against the anchor.",
        unit="px",
        source="ours",
        nested=1,
    )
    whole: bool = _setting(
        False,
        "Whole picture",
        "Show all of the photo, or only the anchor's surroundings.",
        source="ours",
    )


class Steps(Group):
    """What the NMS page shows: a step of the greedy loop, and soft NMS; no stage reads it."""

    step: int = _setting(
        0,
        "Step",
        "How many winners NMS has picked so far.",
        unit="winners",
        source="ours",
        ge=0,
        le=MAX_CANDIDATES,
        step=1,
    )
    sigma: float = _setting(
        0.5,
        "Sigma of gaussian soft NMS",
        "A box that overlaps a winner keeps exp(−IoU² / sigma) of its score: smaller sinks more.",
        source="Bodla et al. 2017, Soft-NMS: 0.5",
        ge=0.05,
        le=2,
        step=0.05,
    )
    floor: float = _setting(
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

    reading: Literal["mean", "worst"] = _setting(
        "worst",
        "Position in the cell",
        "An object's centre may fall anywhere in a cell: the mean over it, or the worst place.",
        source="ours",
    )
    overlay: tuple[Detector, ...] | None = _setting(
        None,
        "Lay over",
        "Other detectors' own limits, each resized from its input side to this picture's.",
        source="explorer/presets/literature.py and anchor_free.py",
        min_length=1,
        max_length=5,
        nested=1,
    )
    width: float = _setting(
        18,
        "Object width",
        "Width of the object that is looked at.",
        unit="px",
        source="the default grid's tiny object: 18 x 9 px, an IoU of .16 at best",
        ge=4,
        le=1024,
        step=1,
    )
    height: float = _setting(
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

    split: Literal["level", "ratio"] = _setting(
        "level", "Split by", "Bands by pyramid level or by aspect ratio.", source="ours"
    )
    scale: Literal["by step", "linear"] = _setting(
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
    ] = _setting(
        "proposals", "Band", "Boxes that went this way are shown on the photo.", source="ours"
    )
    part: str = _setting(
        "all",
        "Part",
        "The level or ratio whose band is shown, or all of them.",
        source="ours",
        pattern=r"^(all|P[0-9]{1,2}|[0-9.]{1,8})$",
    )


class Claims(Group):
    """Which anchors the Matching page shows, and which draw of the sampler; no stage reads it."""

    object: int = _setting(
        -1,
        "Object",
        "The object whose anchors alone are shown; −1 is all of them.",
        source="ours",
        ge=-1,
        le=9999,
        step=1,
    )
    positive: bool = _setting(
        True, "Positive anchors", "Draw those that reach an object by their IoU.", source="ours"
    )
    low_quality: bool = _setting(
        True,
        "Best-anchor rule",
        "Draw those that are positive only as the best anchor of an object.",
        source="ours",
    )
    ignored: bool = _setting(
        True,
        "Ignored centres",
        "Dot the centres of those between the two thresholds: no loss sees them.",
        source="ours",
    )
    negative: bool = _setting(
        False, "Negative centres", "Dot the centres of the background anchors.", source="ours"
    )
    sample: bool = _setting(
        False,
        "The sample",
        "Mark the anchors that the sampler drew for the loss, and draw the rest faintly.",
        source="ours",
    )
    draw: int = _setting(
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

    other: str = _setting(
        "",
        "B",
        "The other settings, as the part of a link in which they differ from these.",
        source="ours",
        max_length=4000,
        pattern=r"^[A-Za-z0-9_.=&%~+-]*$",
    )
    base: Literal["notebook", "torchvision", "detectron2", "py-faster-rcnn"] = _setting(
        "notebook", "One code base", "Its conventions, in blue.", source="explorer/presets"
    )
    against: Literal["notebook", "torchvision", "detectron2", "py-faster-rcnn"] = _setting(
        "torchvision", "Another", "Its conventions, in orange.", source="explorer/presets"
    )


class Lesson(Group):
    """The lesson that runs above the pages, or a teacher's own title and question."""

    name: str = _setting(
        "",
        "Lesson",
        "Which lesson runs: its file's name in assets/lessons; empty is none.",
        source="assets/lessons",
        pattern=r"^[a-z0-9-]{0,64}$",
    )
    step: int = _setting(
        0,
        "Step of the lesson",
        "How many steps the reader has gone on; past the last one is the summary.",
        source="ours",
        ge=0,
        le=8,
        step=1,
    )
    title: str = _setting(
        "",
        "Title",
        "What a teacher's link says above the page.",
        source="ours",
        pattern=r"^[^\x00-\x1f\x7f]{0,120}$",
    )
    question: str = _setting(
        "",
        "Question",
        "What a teacher's link asks.",
        source="ours",
        pattern=r"^[^\x00-\x1f\x7f]{0,300}$",
    )
    show: str = _setting(
        "all",
        "Controls that show",
        "Keys of controls with commas between; the others are hidden. Or all of them.",
        source="ours",
        max_length=1000,
        pattern=r"^[a-z0-9_., ]*$",
    )


class Settings(Group):
    """The whole state of a view: what a link carries.

    Raises:
        ValueError: from every constructor, as pydantic's ValidationError; `explorer.editing`
            turns it into a sentence.
    """

    image: Image = Image()
    scene: Scene = Scene()
    scores: Scores = Scores()
    truth: Truth = Truth()
    planted: Planted = Planted()
    anchors: Anchors = Anchors()
    codec: Codec = Codec()
    filter: Filter = Filter()
    nms: Nms = Nms()
    match: Match = Match()
    recall: Recall = Recall()
    compute: Compute = Compute()
    view: View = View()
    decoding: Decoding = Decoding()
    steps: Steps = Steps()
    atlas: Atlas = Atlas()
    funnel: Funnel = Funnel()
    compare: Compare = Compare()
    claims: Claims = Claims()
    lesson: Lesson = Lesson()

    @model_validator(mode="after")
    def _a_trained_head_fits(self) -> Settings:
        if self.scores.source in TRAINED and set(self.anchors.per_cell) != {3}:
            per_cell = " or ".join(str(count) for count in sorted(set(self.anchors.per_cell)))
            raise ValueError(
                f"scores.source {self.scores.source} must meet 3 anchors a cell, since its head "
                f"was trained with 3, got {per_cell}"
            )
        return self

    @model_validator(mode="after")
    def _within_what_a_server_holds(self) -> Settings:
        # A picture that keeps its shape has fewer cells; the bound stays the square's.
        cells = [math.ceil(self.image.side / stride) ** 2 for stride in self.anchors.strides]
        per_level = [count * each for count, each in zip(cells, self.anchors.per_cell, strict=True)]
        if sum(cells) > MAX_CELLS:
            raise ValueError(
                f"image.side and anchors.strides must give at most {MAX_CELLS:,} cells together, "
                f"got {sum(cells):,}: larger strides make fewer"
            )
        if sum(per_level) > MAX_ANCHORS:
            raise ValueError(
                f"image.side and anchors together must give at most {MAX_ANCHORS:,} anchors, "
                f"got {sum(per_level):,}: larger strides or fewer shapes make fewer"
            )
        if self.filter.top_n_by_level:
            candidates = sum(min(self.filter.pre_nms, count) for count in per_level)
            if candidates > MAX_CANDIDATES:
                raise ValueError(
                    f"filter.pre_nms must give at most {MAX_CANDIDATES:,} candidates over all "
                    f"levels where filter.top_n_by_level is on, got {candidates:,}"
                )
        return self
