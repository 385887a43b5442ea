"""Mismatches between anchors, head and objects, told in words before a library would crash on them.

Source: what torchvision's AnchorGenerator and RPNHead check late or not at all
    (pytorch/vision issues #978 and #2740 among them).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from explorer.settings import Settings

_NAMES = ("sizes", "aspect_ratios")


def lint_settings(settings: Settings, objects: Sequence[Sequence[float]] = ()) -> list[str]:
    """What is doubtful about these anchors for these objects; empty where nothing is.

    Args:
        settings: the anchors.
        objects: [x1, y1, x2, y2] of each object, pixels of the network's input.
    """
    anchors, found = settings.anchors, []
    if len(set(anchors.per_cell)) > 1:
        counts = ", ".join(map(str, anchors.per_cell))
        found.append(
            f"The levels have {counts} anchors a cell: one head for all levels needs the same "
            "number on each."
        )
    sides = _sides(settings)
    for name, stride, level in zip(anchors.level_names, anchors.strides, sides, strict=True):
        short = min(min(pair) for pair in level)
        if max(max(pair) for pair in level) < stride:
            found.append(
                f"{name}: every anchor is smaller than the stride of {stride} px, so the anchors "
                "of neighbouring cells leave gaps that they cannot see."
            )
        elif short < stride / 2:
            found.append(
                f"{name}: the narrowest anchor is {short:.0f} px wide at a stride of {stride} px: "
                "an object of that width may lie between two cells."
            )
    least = min(width * height for level in sides for width, height in level)
    areas = [max(0.0, x2 - x1) * max(0.0, y2 - y1) for x1, y1, x2, y2 in objects]
    small = [area for area in areas if area < least * settings.match.high]
    if small:
        few = "object is" if len(small) == 1 else "objects are"
        found.append(
            f"{len(small)} {few} smaller than {settings.match.high:g} of the smallest anchor's "
            f"area ({least:.0f} px²): none of these can reach IoU {settings.match.high:g} with any "
            "anchor."
        )
    return found


def _sides(settings: Settings) -> list[list[tuple[float, float]]]:
    """(width, height) of a cell's anchors, level by level."""
    anchors = settings.anchors
    if anchors.pairs is not None:
        return [list(level) for level in anchors.pairs]
    wide = [r if anchors.ratio == "w/h" else 1 / r for r in anchors.ratios]
    return [
        [(size * r**0.5, size / r**0.5) for size in level for r in wide] for level in anchors.sizes
    ]


def lint_call(text: str, levels: int, head_anchors: int | None = None) -> list[str]:
    """What is wrong with an `AnchorGenerator(...)` call of torchvision; empty where nothing is.

    The text is parsed, never run.

    Args:
        text: the call, with literal numbers.
        levels: how many feature maps the backbone gives.
        head_anchors: `num_anchors` of the RPNHead, where it is known.

    Raises:
        ValueError: one sentence, if the text holds no such call or no literal numbers.
    """
    sizes, ratios = _arguments(text)
    found = []
    for name, value in zip(_NAMES, (sizes, ratios), strict=True):
        found += _nesting(name, value, levels)
    if found:
        return found
    for name, value in zip(_NAMES, (sizes, ratios), strict=True):
        if len(value) != levels:
            found.append(
                f"{name} has {len(value)} entries for {levels} feature maps: torchvision would say "
                "that the number of feature maps must match, at the first forward pass."
            )
    pairs = zip(sizes, ratios, strict=False)
    per_cell = [len(level) * len(each) for level, each in pairs]
    if len(set(per_cell)) > 1:
        found.append(
            f"The levels have {', '.join(map(str, per_cell))} anchors a cell, but RPNHead has one "
            "num_anchors for all."
        )
    elif head_anchors is not None and per_cell and per_cell[0] != head_anchors:
        found.append(
            f"RPNHead has num_anchors={head_anchors}, these anchors are {per_cell[0]} a cell: "
            "logits and anchors would not have the same length."
        )
    return found


def _arguments(text: str) -> tuple[Any, Any]:
    """`sizes` and `aspect_ratios` of the call, as Python values."""
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("the text must be one line of Python: AnchorGenerator(...)") from None
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == "AnchorGenerator"
    ]
    if not calls:
        raise ValueError("the text must hold a call of AnchorGenerator(...), got none")
    given = dict(zip(_NAMES, calls[0].args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in calls[0].keywords}
    defaults = (((128, 256, 512),), ((0.5, 1.0, 2.0),))
    return tuple(
        _value(name, given[name]) if name in given else default
        for name, default in zip(_NAMES, defaults, strict=True)
    )


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _value(name: str, node: ast.expr) -> Any:
    """A literal; `x * 5` and tuple(... for ...) are beyond it but for repeated tuples."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _value(name, node.left), _value(name, node.right)
        if isinstance(left, tuple | list) and isinstance(right, int) and 0 <= right <= 100:
            return left * right
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"{name} must be written out as numbers to be checked") from None


def _nesting(name: str, value: Any, levels: int) -> list[str]:
    """Tuples of tuples are asked for; the usual slips are told apart."""
    if not isinstance(value, tuple | list) or not value:
        return [f"{name} must be a tuple with one tuple of numbers a level, got {value!r}."]
    kinds = {isinstance(level, tuple | list) for level in value}
    if kinds == {False}:
        if name == "sizes" and len(value) == levels:
            return [
                f"{name} is flat: torchvision reads it as one size a level. Write ((32,), ...)."
            ]
        if name == "sizes":
            return [
                f"{name} is flat with {len(value)} numbers for {levels} feature maps: "
                f"(({', '.join(map(str, value))}),) * {levels} gives each level all of them."
            ]
        return []  # torchvision repeats flat ratios for each size
    if len(kinds) == 2:
        return [f"{name} mixes numbers and tuples: (32) is a number, (32,) is a tuple."]
    flat = [number for level in value for number in level]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and n > 0 for n in flat):
        return [f"{name} must hold positive numbers, got {value!r}."]
    if not all(value):
        return [f"{name} has a level without numbers."]
    return []
