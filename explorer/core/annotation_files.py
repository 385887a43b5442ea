"""CSV and Pascal VOC XML, read into rows; COCO JSON has a file of its own.

Nothing is judged here but the file as a whole: `annotations.py` turns rows into boxes.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

Corners = Callable[[float, float, float, float], tuple[float, float, float, float]]

# A VOC object takes 10 to 15 elements; a file of 2.5 million tiny ones takes 400 MB of memory.
MAX_ELEMENTS = 400_000


@dataclass(frozen=True)
class Row:
    """What a file says of one box."""

    where: str  # "line 3", "annotations[2]", "object 1"
    label: str = ""
    names: tuple[str, ...] = ()  # what the file calls the four numbers
    values: tuple[Any, ...] = ()  # the four as they stand in the file; None: missing
    corners: Corners | None = None  # from the four numbers to x1, y1, x2, y2, photo pixels
    refused: str = ""  # why it is no box, where the file's form already tells


@dataclass
class Found:
    """What a file holds for one picture."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what the reader should know beside the rows
    size: tuple[Any, Any] = (None, None)  # the picture's width and height as the file has them


def as_corners(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float, float, float]:
    """The four as they are."""
    return x1, y1, x2, y2


def from_sides(x: float, y: float, width: float, height: float) -> tuple[float, ...]:
    """COCO's corner and sides."""
    return x, y, x + width, y + height


def from_voc(xmin: float, ymin: float, xmax: float, ymax: float) -> tuple[float, ...]:
    """Pascal VOC counts pixels from 1 and includes the last: 1 to W is the whole width.

    Under 1, as some tools write for the border, a number is already one that counts from 0.

    Source: detectron2/data/datasets/pascal_voc.py subtracts the same 1.
    """
    return xmin - (xmin >= 1), ymin - (ymin >= 1), xmax, ymax


def utf8(data: bytes) -> str:
    """The text of a file, without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file must be UTF-8 text, got other bytes") from None


def read_csv(data: bytes, picture: str) -> Found:
    """Rows of a table whose first line names the columns; commas, semicolons or tabs.

    Columns are x1, y1, x2, y2 or xmin, ymin, xmax, ymax or x, y, w, h (or width, height), and
    optionally label (or class or name), in any order; others are passed over.
    """
    text = utf8(data)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, fields) for fields in reader if any(map(str.strip, fields))]
    except csv.Error as error:
        raise ValueError(f"the CSV file must be readable, got an error: {error}") from None
    if not lines:
        raise ValueError("a CSV file must have a first line with column names, got none")
    header = [name.strip().lower() for name in lines[0][1]]
    names, corners = _columns(header, first)
    places = [header.index(name) for name in names]
    label_at = next((header.index(n) for n in ("label", "class", "name") if n in header), None)
    found = Found()
    for number, fields in lines[1:]:
        where = f"line {number}"
        if len(fields) > len(header):
            refused = f"has {len(fields)} fields where the first line has {len(header)}"
            found.rows.append(Row(where, refused=refused))
            continue
        fields = fields + [""] * (len(header) - len(fields))
        label = "" if label_at is None else fields[label_at]
        values = tuple(fields[place] for place in places)
        found.rows.append(Row(where, label, names, values, corners))
    return found


_COLUMNS: dict[tuple[str, ...], Corners] = {
    ("x1", "y1", "x2", "y2"): as_corners,
    ("xmin", "ymin", "xmax", "ymax"): as_corners,
    ("x", "y", "w", "h"): from_sides,
    ("x", "y", "width", "height"): from_sides,
}


def _columns(header: list[str], first: str) -> tuple[tuple[str, ...], Corners]:
    for names, corners in _COLUMNS.items():
        if set(names) <= set(header):
            return names, corners
    raise ValueError(
        "the first line of a CSV file must name the columns x1,y1,x2,y2 or xmin,ymin,xmax,ymax "
        f"or x,y,w,h, got {first.strip()[:60]!r}"
    )


def read_voc(data: bytes, picture: str) -> Found:
    """The objects of a Pascal VOC file; one that declares a document type is refused unread."""
    try:
        root = ElementTree.fromstring(data, ElementTree.XMLParser(target=_PlainTree()))
    except _RefusedError:
        raise
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(f"the XML file must be whole, got an error: {error}") from None
    if root.tag != "annotation":
        raise ValueError(f"a Pascal VOC file must be an <annotation>, got <{root.tag[:40]}>")
    found = Found(size=(root.findtext("size/width"), root.findtext("size/height")))
    names = ("xmin", "ymin", "xmax", "ymax")
    for number, each in enumerate(root.findall("object"), start=1):
        where, box = f"object {number}", each.find("bndbox")
        if box is None:
            found.rows.append(Row(where, refused="must have a bndbox"))
        else:
            values = tuple(box.findtext(name) for name in names)
            found.rows.append(Row(where, each.findtext("name") or "", names, values, from_voc))
    return found


class _RefusedError(ValueError):
    """A file that parses and is refused all the same."""


class _PlainTree(ElementTree.TreeBuilder):
    """Refuses what a small file could use to fill the memory, before it does."""

    elements = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Entities are declared inside a document type, and VOC files have none."""
        raise _RefusedError("an XML file must not declare a document type or entities, got both")

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:
        """Count the elements."""
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise _RefusedError(
                f"an XML file must have at most {MAX_ELEMENTS:,} elements, got more"
            )
        return super().start(tag, attrs)
