"""What leaves the explorer as text: settings in a library's own words, and what it cannot say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.editing import field_of, get
from explorer.settings import Settings


@dataclass(frozen=True)
class Export:
    """One file to take home."""

    file_name: str
    text: str
    notes: tuple[str, ...] = ()  # what the library cannot express, a sentence each


@dataclass(frozen=True)
class Fixed:
    """A choice that a library has made for everybody."""

    path: str
    value: object
    effect: str  # what differs then, ending the sentence "... is X there: "


def notes_on(settings: Settings, fixed: tuple[Fixed, ...]) -> tuple[str, ...]:
    """A sentence for each choice of the library's that differs from the settings."""
    return tuple(
        f"{field_of(choice.path).title} is {_words(choice.value)} there, "
        f"{_words(get(settings, choice.path))} here: {choice.effect}."
        for choice in fixed
        if get(settings, choice.path) != choice.value
    )


def ratios_as_h_over_w(settings: Settings) -> tuple[float, ...]:
    """The aspect ratios as height over width, in the order of the cell."""
    anchors = settings.anchors
    return tuple(1 / r if anchors.ratio == "w/h" else r for r in anchors.ratios)


def number(value: float) -> str:
    """A number as Python and YAML read it back, to the same bits: 32, 0.5, 1e-03 as 0.001."""
    value = float(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")  # to YAML, 1e-05 is a word


def listed(values: tuple, write: Callable[[float], str] = number) -> str:
    """Numbers as a tuple literal; one alone keeps its comma."""
    inside = ", ".join(write(value) for value in values)
    return f"({inside},)" if len(values) == 1 else f"({inside})"


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)
