"""What a reader takes home: settings for three libraries, a notebook, proposals as tables."""

from collections.abc import Callable

from explorer.export.detectron2 import to_detectron2
from explorer.export.export import Export
from explorer.export.mmdetection import to_mmdetection
from explorer.export.torchvision import to_torchvision
from explorer.settings import Settings

LIBRARIES: dict[str, Callable[[Settings], Export]] = {
    "torchvision": to_torchvision,
    "detectron2": to_detectron2,
    "mmdetection": to_mmdetection,
}
