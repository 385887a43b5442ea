"""What a preset is: one detector's choices in place of the reader's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.editing import changed
from explorer.settings import Anchors, Codec, Filter, Match, Nms, Settings

DETECTOR_GROUPS = ("anchors", "codec", "filter", "nms", "match")
LOG_1000_OVER_16 = math.log(1000 / 16)  # Detectron's clamp: a 16-px anchor may grow to 1000 px


@dataclass(frozen=True)
class Preset:
    """One detector's choices."""

    title: str
    sentence: str  # what a reader should notice about it
    source: str
    anchors: Anchors
    codec: Codec = Codec()
    filter: Filter = Filter()
    nms: Nms = Nms()
    match: Match = Match(low_quality="all")

    def apply(self, settings: Settings) -> Settings:
        """`settings` with this detector's groups in place of its own.

        Raises:
            ValueError: one sentence, if the rest of `settings` cannot go with the detector: its
                anchors over the picture are too many, or a trained head has not as many a cell.
        """
        values = {
            f"{group}.{name}": value
            for group in DETECTOR_GROUPS
            for name, value in getattr(self, group)
        }
        return changed(settings, values)
