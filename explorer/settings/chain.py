"""The settings that stages read, in the order of the chain."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from explorer.settings.group import MAX_CANDIDATES, MAX_SIDE, NOTEBOOK, REN, Group, setting


class Image(Group):
    """The picture and how it becomes the network's input."""

    picture: str = setting(
        "astronaut",
        "Picture",
        "The photo that the network looks at.",
        source="assets/manifest.json",
        pattern=r"^(upload:[0-9a-f]{64}|[a-z0-9_-]{1,64})$",
    )
    side: int = setting(
        800,
        "Input side",
        "Long side of the network's input. More pixels make more anchors.",
        unit="px",
        source=f"{NOTEBOOK}: IMG_SIZE",
        ge=64,
        le=MAX_SIDE,
        step=32,
    )
    fit: Literal["pad", "crop", "stretch", "keep"] = setting(
        "pad",
        "Fit",
        "pad: whole photo, square with empty margins. crop: middle square. "
        "stretch: square, distorted. keep: the photo's own shape.",
        source="detectors pad; the square gives the notebook's 159,882 anchors",
    )


class Scene(Group):
    """A synthetic scene, painted by the program: its objects are known exactly."""

    seed: int = setting(
        0, "Scene", "Another number paints another scene.", source="ours", ge=0, le=999_999, step=1
    )
    objects: int = setting(
        8, "Objects", "How many are painted.", unit="objects", source="ours", ge=0, le=40, step=1
    )
    smallest: int = setting(
        24,
        "Smallest side",
        "Sides are drawn evenly in the logarithm between smallest and largest.",
        unit="px of 640",
        source="ours",
        ge=8,
        le=300,
        step=4,
    )
    largest: int = setting(
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

    source: Literal["random", "noise", "planted", "learned", "coco"] = setting(
        "random",
        "Scores from",
        "random: the photo through ResNet-50, FPN and head, weights drawn from the seed. "
        "noise: seeded random feature maps instead of the photo, as the notebook does. "
        "planted: from the ground truth, with noise. learned: a network that this project trained. "
        "coco: weights learned on COCO, where the server has torchvision's file.",
        source=f"{NOTEBOOK}: smoke test",
    )
    seed: int = setting(
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

    boxes: str | None = setting(
        None,
        "Objects",
        "None: the objects that the picture came with. Else boxes that you brought or drew.",
        source="ours",
        pattern=r"^boxes:[0-9a-f]{64}$",
    )


class Planted(Group):
    """How good planted scores are: what an RPN would say that knows the ground truth."""

    noise: float = setting(
        1.0,
        "Noise",
        "Spread of the noise on the logits. At 0 the best-fitting anchors always win.",
        unit="logits",
        source="ours",
        ge=0,
        le=10,
        step=0.1,
    )
    regression: float = setting(
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

    strides: tuple[Stride, ...] = setting(
        (4, 8, 16, 32, 64),
        "Strides",
        "Distance between neighbouring cells of each level. Smaller strides make more anchors.",
        unit="px",
        source="Lin et al. 2017, Feature Pyramid Networks",
        min_length=1,
        max_length=8,
        nested=1,
    )
    sizes: tuple[Level, ...] = setting(
        ((32,), (64,), (128,), (256,), (512,)),
        "Sizes",
        "Square root of an anchor's area, one or several for each level.",
        unit="px",
        source="Lin et al. 2017, section 4.1",
        min_length=1,
        max_length=8,
        nested=2,
    )
    ratios: tuple[Ratio, ...] = setting(
        (0.5, 1.0, 2.0),
        "Aspect ratios",
        "Every size is drawn at each of these ratios, at equal area.",
        source=f"{REN}, section 3.1.1",
        min_length=1,
        max_length=16,
        nested=1,
    )
    pairs: tuple[PairLevel, ...] | None = setting(
        None,
        "Explicit shapes",
        "Width x height pairs for each level, in place of sizes and ratios (YOLO, SSD).",
        unit="px",
        source="Redmon and Farhadi 2017, YOLO9000; Liu et al. 2016, SSD",
        min_length=1,
        max_length=8,
        nested=3,
    )
    ratio: Literal["w/h", "h/w"] = setting(
        "w/h",
        "A ratio means",
        "Whether ratio 2 is a wide anchor (w/h) or a tall one (h/w).",
        source=f"w/h: {NOTEBOOK}; h/w: torchvision, detectron2, py-faster-rcnn",
    )
    offset: float = setting(
        0.5,
        "Centre offset",
        "Where in its cell an anchor is centred: (i + offset) x stride.",
        unit="strides",
        source=f"0.5: {NOTEBOOK}, py-faster-rcnn; 0: torchvision, detectron2",
        ge=0,
        le=1,
        step=0.05,
    )
    rounding: Literal["none", "corners", "base16"] = setting(
        "none",
        "Rounding",
        "corners: each corner to whole pixels, half to even. "
        "base16: width, then height, of a 16-pixel anchor, then scaled.",
        source="corners: torchvision; base16: py-faster-rcnn",
    )
    stride_rule: Literal["fixed", "image // grid"] = setting(
        "fixed",
        "Stride rule",
        "image // grid: the picture's side divided by the grid's, 61 at P6 for 800 px.",
        source="image // grid: torchvision AnchorGenerator",
    )
    order: Literal["size outer", "ratio outer"] = setting(
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

    weights: tuple[Weight, Weight, Weight, Weight] = setting(
        (1.0, 1.0, 1.0, 1.0),
        "Delta weights",
        "Deltas are divided by these: dx, dy, dw, dh.",
        source="1 in every RPN; 10, 10, 5, 5 in second stages",
        nested=1,
    )
    max_log_scale: Annotated[float, Field(ge=0.1, le=20)] | None = setting(
        4.0,
        "Clamp of dw, dh",
        "Upper limit before the exponential; none lets a box explode.",
        source=f"4: {NOTEBOOK}; ln(1000/16): torchvision, detectron2; none: py-faster-rcnn",
    )


class Filter(Group):
    """From 159,882 decoded boxes to the candidates of NMS."""

    order: Literal["decode first", "top-n first"] = setting(
        "decode first",
        "Order",
        "decode first: decode, clip, drop small, top-n. top-n first: top-n, decode, clip, drop.",
        source=f"decode first: {NOTEBOOK}, py-faster-rcnn; top-n first: torchvision, detectron2",
    )
    pre_nms: int = setting(
        2000,
        "Pre-NMS top-n",
        "How many of the best-scored boxes reach NMS.",
        unit="boxes",
        source=f"{NOTEBOOK}; 1000 a level in torchvision, 6000 in py-faster-rcnn",
        ge=1,
        le=MAX_CANDIDATES,
        step=50,
    )
    top_n_by_level: bool = setting(
        False,
        "Top-n by level",
        "Off: the best of all levels together. On: the best of each level.",
        source=f"off: {NOTEBOOK}; on: torchvision, detectron2",
    )
    top_n_by: Literal["scores", "logits"] = setting(
        "scores",
        "Top-n ranks by",
        "The sigmoid merges logits that differ, so the two can rank differently.",
        source="logits: torchvision, detectron2",
    )
    min_size: float = setting(
        16.0,
        "Minimum size",
        "A box with a side under this is dropped.",
        unit="px",
        source=f"16: {NOTEBOOK}, py-faster-rcnn; 0.001: torchvision; 0: detectron2",
        ge=0,
        le=512,
        step=1,
    )
    keep_equal: bool = setting(
        True,
        "Keep a side equal to the minimum",
        "Off drops sides at the minimum too: with 0 that drops empty boxes only.",
        source="off: detectron2",
    )
    min_size_at: Literal["input", "photo"] = setting(
        "input",
        "Minimum size counts",
        "input: pixels of the network's input. photo: pixels of the photo before resizing.",
        source="photo: py-faster-rcnn",
    )
    nms_by_level: bool = setting(
        False,
        "NMS by level",
        "On: boxes of different levels never suppress each other.",
        source=f"off: {NOTEBOOK}; on: torchvision, detectron2",
    )
    nms_by: Literal["scores", "logits"] = setting(
        "scores",
        "NMS ranks by",
        "Equal scores keep the lower anchor index.",
        source="logits: detectron2",
    )


class Nms(Group):
    """Non-maximum suppression and the cap after it."""

    iou_threshold: float = setting(
        0.7,
        "NMS IoU threshold",
        "A box goes when it overlaps a better one by more than this. Higher keeps more boxes.",
        unit="IoU",
        source=f"{REN}, section 3.3",
        ge=0,
        le=1,
        step=0.01,
    )
    post_nms: int = setting(
        1000,
        "Post-NMS top-n",
        "At most this many survivors become proposals.",
        unit="boxes",
        source=f"{NOTEBOOK}, torchvision (testing); 300: py-faster-rcnn",
        ge=1,
        le=MAX_CANDIDATES,
        step=10,
    )
    score_threshold: float = setting(
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

    high: float = setting(
        0.7,
        "Positive from",
        "An anchor is positive from this IoU with an object.",
        unit="IoU",
        source=f"{REN}, section 3.1.2",
        ge=0,
        le=1,
        step=0.01,
    )
    low: float = setting(
        0.3,
        "Negative under",
        "An anchor is negative under this IoU with every object; between the two it is ignored.",
        unit="IoU",
        source=f"{REN}, section 3.1.2",
        ge=0,
        le=1,
        step=0.01,
    )
    low_quality: Literal["first", "all", "none"] = setting(
        "first",
        "Best anchor of an object",
        "Is it positive under the threshold too? Only the first, all ties, or none.",
        source=f"first: {NOTEBOOK}; all: torchvision, detectron2, py-faster-rcnn",
    )
    batch_size: int = setting(
        256,
        "Sampled anchors",
        "Anchors drawn for the loss from one picture.",
        unit="anchors",
        source=f"{REN}, section 3.1.3",
        ge=1,
        le=4096,
        step=16,
    )
    positive_fraction: float = setting(
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

    iou: float = setting(
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

    device: Literal["auto", "cuda", "mps", "cpu"] = setting(
        "auto",
        "Device",
        "auto: CUDA where there is one, then MPS, then the CPU.",
        source="ours",
    )
