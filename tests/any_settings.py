"""Values for hypothesis, read off each field: what a setting may hold, and what it may not."""

import math
import re
import types
from typing import Annotated, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from explorer.editing import changed, field_of, paths
from explorer.settings import Settings

RUBBISH = st.text(max_size=20) | st.text("0123456789.-+eE_~x ", max_size=20)
RUBBISH |= st.sampled_from(
    [
        *("", " ", "nan", "inf", "-inf", "1e999", "-1", "0", "1", "true", "none", "None", "null"),
        *("9" * 5000, "8_" * 3000, "1x1~" * 3000, "😀" * 400, "_", "~", "x", "~~__xx", "8_16__32"),
        *("1x2x3", "[1, 2]", "∞", "½", "٣", "\x00", "\ud800", "<b>1</b>", "%00", "../../etc"),
    ]
)


def good(path):
    """Values that a setting takes on its own account."""
    field = field_of(path)
    return _good(field.annotation, field.metadata)


def bad(path):
    """Values that a setting must refuse."""
    field = field_of(path)
    return _bad(field.annotation, field.metadata)


def any_settings():
    """Valid settings that differ from the defaults in many groups."""
    return st.fixed_dictionaries({}, optional={path: good(path) for path in paths()}).map(_settle)


def _settle(values):
    """Group by group, what can be: settings that are not possible together stay as they are."""
    settings = Settings()
    for group in Settings.model_fields:
        part = {path: value for path, value in values.items() if path.startswith(f"{group}.")}
        if group == "anchors" and "anchors.strides" in part:
            levels = len(part["anchors.strides"])
            for name in part.keys() & {"anchors.sizes", "anchors.pairs"}:
                part[name] = part[name] and (part[name] * 8)[:levels]
        try:
            settings = changed(settings, part)
        except ValueError:
            continue
    return settings


def _good(kind, rules):
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _good(parts[0], parts[1].metadata)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, types.UnionType):
        return st.one_of(
            *(st.none() if part is type(None) else _good(part, rules) for part in parts)
        )
    if origin is tuple:
        if parts[-1] is not Ellipsis:
            return st.tuples(*(_good(part, ()) for part in parts))
        least, most = _limit(rules, "min_length", 1), _limit(rules, "max_length", 9)
        return st.lists(_good(parts[0], ()), min_size=least, max_size=min(most, 9)).map(tuple)
    if kind is bool:
        return st.booleans()
    if kind is str:
        return st.from_regex(_limit(rules, "pattern", ".*"), fullmatch=True)
    low, high = _limit(rules, "ge"), _limit(rules, "le")
    edges = st.sampled_from([kind(low), kind(high)])
    return edges | (st.integers(low, high) if kind is int else st.floats(low, high))


def _bad(kind, rules):
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bad(parts[0], parts[1].metadata)
    if origin is Literal:
        return st.text(max_size=9).filter(lambda text: text not in parts) | st.sampled_from(
            [None, 7]
        )
    if origin in (Union, types.UnionType):
        (some,) = (part for part in parts if part is not type(None))
        return _bad(some, rules).filter(lambda value: value is not None)
    if origin is tuple:
        no_lists = st.sampled_from([(), 3, 2.5, "12", True])
        if parts[-1] is not Ellipsis:
            right = st.tuples(*(_good(part, ()) for part in parts))
            return no_lists | right.map(lambda r: r[:-1]) | right.map(lambda r: (*r, r[0]))
        some = st.lists(_good(parts[0], ()), max_size=3)
        inside = st.tuples(some, _bad(parts[0], ()), some).map(lambda t: (*t[0], t[1], *t[2]))
        most = _limit(rules, "max_length", None)
        too_many = _good(parts[0], ()).map(lambda each: (each,) * ((most or 0) + 1))
        return no_lists | inside | too_many if most else no_lists | inside
    if kind is bool:
        return st.sampled_from([2, -1, "maybe", "", None, 0.5, math.nan, (1,)])
    if kind is str:
        words = ["", "A picture", "a/b", "x\n", "\ud800", "upload:", None, 3, "é"]
        fits = re.compile(_limit(rules, "pattern", ".*").rstrip("$"))
        return st.sampled_from([w for w in words if not (isinstance(w, str) and fits.fullmatch(w))])
    low, high = _limit(rules, "ge"), _limit(rules, "le")
    if kind is int:
        outside = st.integers(max_value=low - 1) | st.integers(min_value=high + 1)
        odd = st.sampled_from([low + 0.5, "one", "", None, "9" * 5000, 10**400, (low,)])
    else:
        outside = st.floats(max_value=low, exclude_max=True) | st.floats(high, exclude_min=True)
        odd = st.sampled_from(["one", "", None, "nan", "1e999", 10**400, (low,), high + 1])
    return outside | odd | st.sampled_from([math.nan, math.inf, -math.inf])


def _limit(rules, name, *default):
    found = [getattr(rule, name) for rule in rules if getattr(rule, name, None) is not None]
    if not found and default:
        return default[0]
    return found[0]
