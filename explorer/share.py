"""Settings <-> URL query <-> JSON file.

A link holds only what differs from the defaults, one readable parameter a setting:
`?v=1&anchors.strides=8_16_32_64_128&nms.iou_threshold=0.5`. Lists nest with `~` between levels,
`_` between entries and `x` within a width x height pair. A link carries settings, never a picture
that somebody uploaded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, get_args

from explorer.editing import changed, field_of, get, paths, shown
from explorer.settings import Settings

VERSION = "1"
_SEPARATORS = {0: "", 1: "_", 2: "~_", 3: "~_x"}  # by how deep the setting's lists nest
_DEFAULTS = Settings()


def to_query(settings: Settings) -> dict[str, str]:
    """URL parameters that restore `settings`; empty for the defaults."""
    query = {
        path: _write(get(settings, path), _separators(path))
        for path in paths()
        if get(settings, path) != get(_DEFAULTS, path)
    }
    return {"v": VERSION} | query if query else {}


def from_query(query: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Settings from URL parameters, and a note for each parameter that could not be used.

    A parameter that is unknown or impossible is left out and named; the others count. Settings
    that are possible only together (sizes and strides of a new length) are tried together first.

    Args:
        query: parameter name to text.

    Returns:
        The settings, and sentences for the reader; none where the whole link was understood.
    """
    texts = {path: text for path, text in query.items() if path != "v"}
    version = query.get("v", VERSION)
    if version != VERSION:
        note = f"This link is of version {shown(version)}; this explorer reads version {VERSION}."
        return _DEFAULTS, [f"{note} It opened on the defaults."]

    settings_here = set(paths())
    known, notes = {}, []
    for path, text in texts.items():
        if path not in settings_here:
            notes.append(f"The link's {shown(path)} is not a setting and was ignored.")
        elif path == "image.picture" and text.startswith("upload:"):
            notes.append(
                "This link was made with an uploaded picture. Links carry settings, not pictures: "
                "upload it again to see the same view."
            )
        else:
            known[path] = None if _means_none(path, text) else _read(text, _separators(path))
    settings, complaints = _apply(known)
    return settings, notes + complaints


def _apply(values: dict[str, Any]) -> tuple[Settings, list[str]]:
    """As many of `values` as make valid settings, and a note for each that had to go."""
    notes = []
    while values:
        try:
            return changed(_DEFAULTS, values), notes
        except ValueError as error:
            dropped = _culprits(str(error), values)
            verb = "was" if len(dropped) == 1 else "were"
            notes.append(f"The link's {', '.join(dropped)} {verb} ignored: {error}.")
            values = {path: value for path, value in values.items() if path not in dropped}
    return _DEFAULTS, notes


def _culprits(sentence: str, values: Mapping[str, Any]) -> list[str]:
    """Which values go after a complaint: the one it begins with, or those and the groups it names.

    A complaint about several settings together may begin with one that the link leaves alone.
    """
    first, *others = re.findall(r"[a-z_.]+", sentence)
    if first in values:
        return [first]
    named = [path for path in values if path in others or path.split(".")[0] in others]
    return named or list(values)


def to_json(settings: Settings) -> str:
    """All settings as a JSON document, to keep in a file."""
    document = {"rpn_explorer": int(VERSION), "settings": settings.model_dump(mode="json")}
    return json.dumps(document, indent=2)


def from_json(text: str) -> Settings:
    """Settings from the JSON that `to_json` wrote; what it does not name keeps its default.

    Raises:
        ValueError: one sentence: no JSON, another version, an unknown or impossible setting.
    """
    try:
        return _from_document(json.loads(text, parse_int=_whole_number))
    except json.JSONDecodeError as error:
        raise ValueError(f"the settings file must be JSON: {error}") from None
    except RecursionError:
        raise ValueError("the settings file must not nest its lists so deep") from None


def _from_document(document: Any) -> Settings:
    if not isinstance(document, dict) or not isinstance(document.get("settings"), dict):
        raise ValueError('the settings file must hold "rpn_explorer" and "settings"')
    if document.get("rpn_explorer") != int(VERSION):
        raise ValueError(
            f"the settings file must be of version {VERSION}, "
            f"got {shown(document.get('rpn_explorer'))}"
        )
    values = {}
    for group, fields in document["settings"].items():
        if group not in Settings.model_fields:
            raise ValueError(f"{shown(group)} is not a group of settings")
        if not isinstance(fields, dict):
            raise ValueError(f"{group} must be a group of settings, got {shown(fields)}")
        values |= {f"{group}.{name}": value for name, value in fields.items()}
    return changed(_DEFAULTS, values)


def _whole_number(digits: str) -> float:
    """A number of the file; one too long for Python to read is infinity, which no setting takes."""
    return int(digits) if len(digits) < 4000 else math.inf


def _separators(path: str) -> str:
    return _SEPARATORS[field_of(path).json_schema_extra["nested"]]


def _write(value: Any, separators: str) -> str:
    if isinstance(value, tuple):
        return separators[0].join(_write(each, separators[1:]) for each in value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(int(value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _means_none(path: str, text: str) -> bool:
    """Whether "none" is no value, as for a clamp that is not there, and not one of the choices."""
    return text == "none" and type(None) in get_args(field_of(path).annotation)


def _read(text: str, separators: str) -> Any:
    """Text to the nested lists of a setting; pydantic turns the leaves into numbers."""
    if separators:
        return tuple(_read(part, separators[1:]) for part in text.split(separators[0]))
    return text
