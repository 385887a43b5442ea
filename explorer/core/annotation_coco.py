"""COCO JSON, read into rows: many pictures lie in one file, so the right one must be found."""

import json
import re
from typing import Any

from explorer.core.annotation_files import Found, Row, from_sides, utf8


def read_coco(data: bytes, picture: str) -> Found:
    """The annotations of one picture of a COCO file: bbox is x, y, width, height."""
    text = utf8(data)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the JSON file must be whole, got an error: {error}") from None
    except (ValueError, RecursionError):  # a number of 5,000 digits, a million brackets
        raise ValueError("the JSON file must be plain COCO, got something far larger") from None
    annotations = document.get("annotations") if isinstance(document, dict) else None
    if not isinstance(annotations, list):
        raise ValueError('a COCO file must be an object with a list "annotations", got none')
    image = _choose_image(_objects(document.get("images")), annotations, picture)
    names = {
        _key(each.get("id")): each.get("name") for each in _objects(document.get("categories"))
    }
    found, others = Found(size=(image.get("width"), image.get("height"))), 0
    for number, each in enumerate(annotations):
        where = f"annotations[{number}]"
        if not isinstance(each, dict):
            found.rows.append(Row(where, refused="must be an object with a bbox"))
        elif "id" in image and each.get("image_id", image["id"]) != image["id"]:
            others += 1
        else:
            found.rows.append(_coco_row(where, each, names.get(_key(each.get("category_id")))))
    if others:
        found.notes.append(f"{others:,} annotations of other pictures in the file are left out")
    return found


def _coco_row(where: str, annotation: dict, label: Any) -> Row:
    bbox = annotation.get("bbox")
    if annotation.get("iscrowd") in (1, True):
        return Row(where, refused="is a crowd (iscrowd), not one object")
    if not isinstance(bbox, list) or len(bbox) != 4:
        return Row(where, refused="must have a bbox of four numbers")
    names = ("x", "y", "width", "height")
    return Row(where, label if isinstance(label, str) else "", names, tuple(bbox), from_sides)


def _choose_image(images: list[dict], annotations: list, picture: str) -> dict:
    """The picture's own entry: by name, else the only one; one without id where none is listed."""
    named = [each for each in images if picture and _base(each.get("file_name")) == _base(picture)]
    chosen = named or images
    if not chosen:
        ids = {_key(each.get("image_id")) for each in _objects(annotations)}
        chosen = [{"id": each} if each is not None else {} for each in ids] or [{}]
    if len(chosen) == 1:
        return chosen[0]
    wanted = f" or one named {_base(picture)!r}" if picture else ""
    raise ValueError(f"a COCO file must have one picture{wanted}, got {len(chosen):,}")


def _objects(value: Any) -> list[dict]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _key(value: Any) -> int | float | str | None:
    return value if isinstance(value, int | float | str) else None


def _base(path: Any) -> str:
    """A file's name without its folders, of any system; empty for what is no text."""
    return re.split(r"[/\\]", path)[-1] if isinstance(path, str) else ""
