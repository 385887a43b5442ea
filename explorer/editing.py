"""Reading and changing settings by name, `group.name`, with errors for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from explorer.settings import Settings


def field_of(path: str) -> FieldInfo:
    """The pydantic field behind `group.name`: title, description, limits, unit and source.

    Raises:
        KeyError: if there is no such setting.
    """
    group, _, name = path.partition(".")
    return Settings.model_fields[group].annotation.model_fields[name]


def paths() -> list[str]:
    """Every setting as `group.name`, in order."""
    return [
        f"{group}.{name}"
        for group, info in Settings.model_fields.items()
        for name in info.annotation.model_fields
    ]


def get(settings: Settings, path: str) -> Any:
    """The value of `group.name`."""
    group, _, name = path.partition(".")
    return getattr(getattr(settings, group), name)


def changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """A copy of `settings` with some of its values replaced and the whole validated anew.

    Args:
        settings: where to start from.
        values: `group.name` to the new value.

    Raises:
        ValueError: one sentence that names the field, the rule and the value.
    """
    data = settings.model_dump()
    for path, value in values.items():
        group, _, name = path.partition(".")
        if name not in data.get(group, {}):
            raise ValueError(f"{path} is not a setting")
        data[group][name] = value
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ValueError(explain(error)) from None


def limits(path: str) -> tuple[float, float]:
    """Least and greatest value of a number setting, both allowed."""
    bounds = {type(rule).__name__: rule for rule in field_of(path).metadata}
    return bounds["Ge"].ge, bounds["Le"].le


def explain(error: ValidationError) -> str:
    """The first complaint of a validation as one sentence: field, rule, value."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    names = [part for part in first["loc"] if isinstance(part, str)][:2]
    places = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
    return f"{'.'.join(names)}{places} must be {_rule(first)}, got {_shown(first['input'])}"


def _rule(complaint: Mapping[str, Any]) -> str:
    """What pydantic asked for, in words; a range is told whole where the field has both ends."""
    kind, context = complaint["type"], complaint.get("ctx", {})
    if kind in {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}:
        return _range(complaint["loc"]) or complaint["msg"].removeprefix("Input should be ")
    if kind == "literal_error":
        return f"one of {context['expected']}"
    if kind in {"too_short", "too_long"}:
        least, most = context.get("min_length", 0), context.get("max_length")
        return f"a list of at least {least}" if kind == "too_short" else f"a list of at most {most}"
    if kind == "missing":
        return "complete"
    if kind == "finite_number":
        return "a finite number"
    if kind == "extra_forbidden":
        return "a known setting"
    if kind == "string_pattern_mismatch":
        return "the name of a picture"
    return complaint["msg"].removeprefix("Input should be ").split(",")[0]


_ELEMENTS = {
    "sizes": "in (0, 4096]",
    "pairs": "in (0, 4096]",
    "ratios": "in [0.05, 20]",
    "strides": "in [2, 512]",
    "weights": "in (0, 100]",
    "max_log_scale": "in (0, 20]",
}


def _range(location: tuple) -> str:
    name = location[1]
    if name in _ELEMENTS:
        return _ELEMENTS[name]
    low, high = limits(f"{location[0]}.{name}")
    return f"in [{low:,}, {high:,}]"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
