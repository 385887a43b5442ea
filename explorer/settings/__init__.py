"""Every parameter of the explorer, in groups; frozen, validated, documented.

A stage of `explorer.core.pipeline` receives only the groups that it names, so those of `chain.py`
are cut along the chain: image, scores, anchors, codec, filter, nms, match; `compute` names the
device. `shown.py` holds what the pages show, and no stage reads it.

The defaults are the course notebook's at 800 x 800 pixels. What the field disagrees on is a
setting here, and `explorer.presets` sets it as each code base does.
"""

from __future__ import annotations

import math

from pydantic import model_validator

from explorer.settings.chain import (
    Anchors,
    Codec,
    Compute,
    Filter,
    Image,
    Match,
    Nms,
    Planted,
    Recall,
    Scene,
    Scores,
    Truth,
)
from explorer.settings.group import MAX_ANCHORS, MAX_CANDIDATES, MAX_CELLS, MAX_SIDE, Group
from explorer.settings.shown import (
    Atlas,
    Claims,
    Compare,
    Decoding,
    Funnel,
    Lesson,
    Steps,
    View,
)

__all__ = [
    "MAX_ANCHORS",
    "MAX_CANDIDATES",
    "MAX_CELLS",
    "MAX_SIDE",
    "TRAINED",
    "Anchors",
    "Atlas",
    "Claims",
    "Codec",
    "Compare",
    "Compute",
    "Decoding",
    "Filter",
    "Funnel",
    "Image",
    "Lesson",
    "Match",
    "Nms",
    "Planted",
    "Recall",
    "Scene",
    "Scores",
    "Settings",
    "Steps",
    "Truth",
    "View",
]

TRAINED = ("learned", "coco")  # score sources whose heads have three anchors a cell


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
