"""Named settings: what each code base and paper chose, with its source.

A preset sets the groups that a detector defines (anchors, codec, filter, nms, match) and leaves
the picture, the scores, the device and the view as they are.
"""

from explorer.presets.code_bases import CODE_BASES
from explorer.presets.literature import LITERATURE
from explorer.presets.preset import DETECTOR_GROUPS, Preset
from explorer.settings import Settings

PRESETS: dict[str, Preset] = CODE_BASES | LITERATURE


def name_of(settings: Settings) -> str | None:
    """The preset whose groups these settings hold, or None for settings of one's own."""
    for name, preset in PRESETS.items():
        if all(getattr(settings, group) == getattr(preset, group) for group in DETECTOR_GROUPS):
            return name
    return None
