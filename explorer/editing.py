"""Reading and changing settings by name, `group.name`, with errors for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_args

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


@cache
def paths() -> tuple[str, ...]:
    """Every setting as `group.name`, in order."""
    return tuple(
        f"{group}.{name}"
        for group, info in Settings.model_fields.items()
        for name in info.annotation.model_fields
    )


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
            raise ValueError(f"{shown(path)} is not a setting")
        data[group][name] = value
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ValueError(explain(error)) from None


def limits(path: str) -> tuple[float, float]:
    """Least and greatest value of a number setting, or of the numbers in its lists; both allowed.

    Raises:
        KeyError: if the setting holds no numbers.
    """
    field = field_of(path)
    bounds = _bounds(field.metadata) | _bounds_within(field.annotation)
    return bounds["ge"], bounds["le"]


def _bounds(rules: Iterable[Any]) -> dict[str, float]:
    return {end: getattr(rule, end) for rule in rules for end in ("ge", "le") if hasattr(rule, end)}


def _bounds_within(annotation: Any) -> dict[str, float]:
    """The bounds of a list's numbers, however deep the lists nest."""
    bounds = {}
    for part in get_args(annotation):
        bounds |= _bounds(getattr(part, "metadata", ())) | _bounds_within(part)
    return bounds


_RULES = {  # pydantic's kinds of complaint, in words that go on "must be"
    "string_type": "a text",
    "string_unicode": "a text",
    "string_pattern_mismatch": "a valid name",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "on or off (1 or 0)",
    "bool_parsing": "on or off (1 or 0)",
    "finite_number": "a finite number",
}


def explain(error: ValidationError) -> str:
    """The first complaint of a validation as one sentence: field, rule, value."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    group, name, *places = first["loc"]
    rule = _rule(first, f"{group}.{name}")
    if first["type"] == "missing":  # pydantic names the entry that a list lacks, not the list
        places.pop()
    where = "".join(f"[{place}]" for place in places)
    return f"{group}.{name}{where} must be {rule}, got {shown(first['input'])}"


def _rule(complaint: Mapping[str, Any], path: str) -> str:
    """What pydantic asked for, in words; a range is told whole."""
    kind, context = complaint["type"], complaint.get("ctx", {})
    if kind == "literal_error":
        return f"one of {context['expected']}"
    if kind == "missing":
        return f"a list of at least {complaint['loc'][-1] + 1}"
    if kind == "too_short":
        return f"a list of at least {context['min_length']}"
    if kind == "too_long":
        return f"a list of at most {context['max_length']}"
    past_counting = kind == "float_type" and isinstance(complaint["input"], int)
    if kind in {"greater_than_equal", "less_than_equal", "int_parsing_size"} or past_counting:
        low, high = limits(path)
        return f"in [{low:,}, {high:,}]"
    return _RULES.get(kind, "valid")


def shown(value: Any) -> str:
    """A value as a sentence quotes it: as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
