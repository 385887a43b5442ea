"""What a group of settings is, and what its fields share: limits and sources."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MAX_SIDE = 2048  # pixels; a larger feature pyramid does not fit beside thirty students
MAX_ANCHORS = 2_000_000
MAX_CELLS = 400_000  # 256 float32 channels each: 410 MB of features
MAX_CANDIDATES = 12_000  # py-faster-rcnn's training top-n, the largest in the field

REN = "Ren et al. 2015, Faster R-CNN"
NOTEBOOK = "course notebook"


def setting(default: Any, label: str, text: str, *, source: str, unit: str = "", **rules) -> Any:
    """A field with everything a page shows about it; `step` and `nested` are for the pages."""
    extra = {"unit": unit, "source": source, "step": rules.pop("step", None)}
    extra["nested"] = rules.pop("nested", 0)
    return Field(default, title=label, description=text, json_schema_extra=extra, **rules)


class Group(BaseModel):
    """A frozen group of settings: unknown names, NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )
