"""Lessons: files of `assets/lessons`, read once. To add one is to add a file."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from explorer.lessons.lesson import Lesson

FOLDER = Path(__file__).parents[2] / "assets" / "lessons"


@cache
def lessons(folder: Path = FOLDER) -> tuple[dict[str, Lesson], tuple[str, ...]]:
    """Every lesson by its file's stem, in their order, and a sentence for each that was skipped."""
    read, problems = {}, []
    for path in sorted(folder.glob("*.toml")):
        try:
            read[path.stem] = read_lesson(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            problems.append(f"The lesson {path.name} was skipped: {error}.")
    ordered = sorted(read.items(), key=lambda item: (item[1].order, item[0]))
    return dict(ordered), tuple(problems)


def read_lesson(text: str) -> Lesson:
    """A lesson from its TOML.

    Raises:
        ValueError: one sentence: no TOML, an unknown word, impossible settings.
    """
    try:
        return Lesson.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it must be TOML: {error}") from None
    except ValidationError as error:
        raise ValueError(_first(error)) from None


def _first(error: ValidationError) -> str:
    """The first complaint: where in the file, and what is wrong."""
    complaint = error.errors(include_url=False)[0]
    where = ".".join(str(place) for place in complaint["loc"])
    if complaint["type"] == "value_error":
        return str(complaint["ctx"]["error"])
    if complaint["type"] == "extra_forbidden":
        return f"{where} is not a word of a lesson"
    if complaint["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {complaint['msg'][0].lower()}{complaint['msg'][1:]}"
