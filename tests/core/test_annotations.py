import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import annotation_files, annotations
from explorer.core.annotations import MAX_BOXES, MAX_BYTES, read_annotations

SIZE = (300, 400)  # height, width
BOMB = (
    b'<!DOCTYPE annotation [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    b"<annotation><object><name>&c;</name></object></annotation>"
)


def read(name, text, size=SIZE, picture=""):
    return read_annotations(name, text if isinstance(text, bytes) else text.encode(), size, picture)


def coco(rows, images=({"id": 1, "file_name": "a.jpg"},), **more):
    return json.dumps({"images": list(images), "annotations": rows, **more})


def voc(*objects, head=""):
    return f"<annotation>{head}{''.join(objects)}</annotation>"


def voc_object(xmin, ymin, xmax, ymax, name="cat"):
    box = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


# Each format by itself


def test_csv_with_corners_and_labels():
    found = read("boxes.csv", "x1,y1,x2,y2,label\n10,20,110.5,220,cat\n0,0,400,300,wall\n")
    assert found.boxes.tolist() == [[10, 20, 110.5, 220], [0, 0, 400, 300]]
    assert found.boxes.dtype == torch.float32
    assert found.labels == ("cat", "wall")
    assert found.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "xmin,ymin,xmax,ymax,class\n10,20,30,60,cat",
        "x,y,w,h,label\n10,20,20,40,cat",
        "x,y,width,height,name\n10,20,20,40,cat",
        "\ufeffLabel , X1,Y1 ,x2,y2\r\n\r\ncat, 10 ,20,30,60\r\n",
        "x1;y1;x2;y2;label\n10;20;30;60;cat",
        "x1\ty1\tx2\ty2\tlabel\n10\t20\t30\t60\tcat",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,400,300,cat,10,20,30,60",
        'x1,y1,x2,y2,label\n1e1,2e1,"30",60," cat\n"',
    ],
)
def test_csv_columns_have_many_names_orders_and_separators(text):
    found = read("BOXES.CSV", text)
    assert found.boxes.tolist() == [[10, 20, 30, 60]]
    assert found.labels == ("cat",)
    assert found.problems == ()


def test_coco_boxes_are_corner_and_sides_and_take_the_category_as_label():
    rows = [
        {"image_id": 1, "bbox": [10, 20, 30, 40], "category_id": 7},
        {"image_id": 1, "bbox": [0, 0, 400, 300], "category_id": 8},
    ]
    found = read("a.json", coco(rows, categories=[{"id": 7, "name": "cat"}]))
    assert found.boxes.tolist() == [[10, 20, 40, 60], [0, 0, 400, 300]]
    assert found.labels == ("cat", "object")
    assert found.problems == ()


def test_voc_counts_pixels_from_one_and_includes_the_last():
    found = read("a.xml", voc(voc_object(1, 1, 400, 300), voc_object(11, 21, 30, 60, "dog")))
    assert found.boxes.tolist() == [[0, 0, 400, 300], [10, 20, 30, 60]]
    assert found.labels == ("cat", "dog")
    assert found.problems == ()


def test_a_voc_number_of_0_stays_at_the_border():
    assert read("a.xml", voc(voc_object(0, 0.5, 10, 10))).boxes.tolist() == [[0, 0.5, 10, 10]]


def test_parts_of_a_voc_object_are_no_objects():
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"
    found = read("a.xml", voc(voc_object(11, 21, 30, 60).replace("</object>", part)))
    assert found.boxes.tolist() == [[10, 20, 30, 60]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x1,y1,x2,y2\n"),
        ("a.json", coco([])),
        ("a.json", '{"annotations": []}'),
        ("a.xml", "<annotation/>"),
    ],
)
def test_a_whole_file_without_boxes_gives_none(name, text):
    found = read(name, text)
    assert found.boxes.shape == (0, 4)
    assert (found.labels, found.problems) == ((), ())


# Rows that cannot be taken as they are


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("10,20,x,60", "line 3 must have a number for x2, got 'x'; left out"),
        ("10,20,,60", "line 3 must have a number for x2, got nothing; left out"),
        ("10,20", "line 3 must have a number for x2, got nothing; left out"),
        ("nan,20,30,60", "line 3 must have a finite number for x1, got 'nan'; left out"),
        ("10,20,inf,60", "line 3 must have a finite number for x2, got 'inf'; left out"),
        ("1_0,20,30,60", "line 3 must have a number for x1, got '1_0'; left out"),
        ("10,20,10,60", "line 3 has no size: from 10, 20 to 10, 60; left out"),
        ("30,20,10,60", "line 3 has no size: from 30, 20 to 10, 60; left out"),
        ("400,20,430,60", "line 3 lies outside the picture of 400 x 300 pixels; left out"),
        ("-9,-9,-1,60", "line 3 lies outside the picture of 400 x 300 pixels; left out"),
        ("10,20,10.0000001,60", "line 3 has no size that float32 can hold; left out"),
        ("1,5,2,5,3,5", "line 3 has 6 fields where the first line has 4; left out"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_the_others_stay(row, problem):
    found = read("a.csv", f"x1,y1,x2,y2\n0,0,9,9\n{row}\n5,5,9,9\n")
    assert found.problems == (problem,)
    assert found.boxes.tolist() == [[0, 0, 9, 9], [5, 5, 9, 9]]


def test_lines_are_counted_as_an_editor_does():
    found = read("a.csv", "\n\nx1,y1,x2,y2,label\n\n0,0,9,9,ok\n\nbad,0,9,9,x\n")
    assert found.problems == ("line 7 must have a number for x1, got 'bad'; left out",)


def test_a_box_partly_outside_is_cut_and_told():
    found = read("a.csv", "x1,y1,x2,y2\n-10,20,30,60\n390,290,500,1e300\n")
    assert found.boxes.tolist() == [[0, 20, 30, 60], [390, 290, 400, 300]]
    assert found.problems == (
        "line 2 reaches outside the picture; cut to 0, 20, 30, 60",
        "line 3 reaches outside the picture; cut to 390, 290, 400, 300",
    )


def test_a_box_that_ends_on_the_border_or_a_rounding_past_it_is_no_problem():
    found = read("a.csv", "x,y,w,h\n0,0,400,300\n399.1,0,0.9000001,300\n")
    assert found.problems == ()
    assert found.boxes[1, 2] == 400


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        ("[]", "must be an object with a bbox"),
        ('{"bbox": null}', "must have a bbox of four numbers"),
        ('{"bbox": [1, 2, 3]}', "must have a bbox of four numbers"),
        ('{"bbox": [1, 2, NaN, 4]}', "must have a finite number for width, got nan"),
        ('{"bbox": [1, 2, true, 4]}', "must have a number for width, got True"),
        ('{"bbox": [1, 2, [3], 4]}', "must have a number for width, got a list"),
        ('{"bbox": [1, 2, null, 4]}', "must have a number for width, got nothing"),
        ('{"bbox": [1, 2, 0, 4]}', "has no size: from 1, 2 to 1, 6"),
        ('{"bbox": [1, 2, -3, 4]}', "has no size: from 1, 2 to -2, 6"),
        (f'{{"bbox": [1, 2, {10**400}, 4]}}', f"must have a number for width, got {10**39}"),
        ('{"bbox": [1, 2, 3, 4], "iscrowd": 1}', "is a crowd (iscrowd), not one object"),
    ],
)  # fmt: skip
def test_a_bad_annotation_is_named_by_its_index(annotation, problem):
    text = '{"annotations": [{"bbox": [1, 1, 2, 2]}, ' + annotation + "]}"
    found = read("a.json", text)
    assert found.problems == (f"annotations[1] {problem}; left out",)
    assert found.boxes.tolist() == [[1, 1, 3, 3]]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("<object><name>cat</name></object>", "must have a bndbox"),
        (voc_object("ten", 1, 2, 3), "must have a number for xmin, got 'ten'"),
        (voc_object(5, "", 9, 9), "must have a number for ymin, got nothing"),
        (voc_object(9, 1, 2, 3), "has no size: from 8, 0 to 2, 3"),
        (voc_object(500, 1, 600, 3), "lies outside the picture of 400 x 300 pixels"),
    ],
)
def test_a_bad_object_is_named_by_its_number(bad, problem):
    found = read("a.xml", voc(voc_object(1, 1, 9, 9), bad))
    assert found.problems == (f"object 2 {problem}; left out",)
    assert found.boxes.tolist() == [[0, 0, 9, 9]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", coco([], [{"id": 1, "width": 200, "height": 150}])),
        ("a.xml", voc(head="<size><width>200</width><height>150</height></size>")),
    ],
)
def test_a_file_for_a_picture_of_another_size_says_so(name, text):
    note = (
        "the file is for a picture of 200 x 150 pixels, this one has 400 x 300; "
        "boxes are taken as pixels of this one"
    )
    assert read(name, text).problems == (note,)
    assert read(name, text, (150, 200)).problems == ()
    assert read(name, text.replace("200", "0")).problems == ()


def test_labels_are_one_short_line():
    found = read("a.csv", 'x1,y1,x2,y2,label\n0,0,9,9,"a\n\tb"\n0,0,9,9,' + 99 * "c" + "\n0,0,9,9,")
    assert found.labels == ("a b", 60 * "c", "object")


# Which picture of a COCO file

TWO = [{"id": 1, "file_name": "train/a.jpg"}, {"id": 2, "file_name": "train\\b.jpg"}]
OF_TWO = [{"image_id": 1, "bbox": [0, 0, 5, 5]}, {"image_id": 2, "bbox": [0, 0, 7, 7]}]


@pytest.mark.parametrize(
    ("picture", "side"), [("a.jpg", 5), ("b.jpg", 7), ("C:\\photos\\b.jpg", 7)]
)
def test_of_several_pictures_the_one_of_that_name_counts(picture, side):
    found = read("a.json", coco(OF_TWO, TWO), picture=picture)
    assert found.boxes.tolist() == [[0, 0, side, side]]
    assert found.problems == ("1 annotations of other pictures in the file are left out",)


def test_the_only_picture_counts_whatever_its_name():
    assert len(read("a.json", coco(OF_TWO[:1], TWO[:1]), picture="z.png").boxes) == 1


@pytest.mark.parametrize(("picture", "wanted"), [("", ""), ("d/z.png", " or one named 'z.png'")])
def test_several_pictures_and_none_of_the_name_is_one_sentence(picture, wanted):
    message = f"^a COCO file must have one picture{wanted}, got 2$"
    with pytest.raises(ValueError, match=message):
        read("a.json", coco(OF_TWO, TWO), picture=picture)
    with pytest.raises(ValueError, match=message):
        read("a.json", coco(OF_TWO, ()), picture=picture)


# Files that are refused


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"x", r"^annotations must be a .json, .xml or .csv file, got 'a.txt'$"),
        ("a", b"x", r"^annotations must be a .json, .xml or .csv file, got 'a'$"),
        ("a.csv", b" \n ", "^an annotation file must have content, got an empty file$"),
        ("a.json", b"", "^an annotation file must have content, got an empty file$"),
        ("a.csv", b"\xef\xbb\xbf", "^a CSV file must have a first line .*, got none$"),
        ("a.csv", b"12,30,40,50\n", "must name the columns .*, got '12,30,40,50'$"),
        ("a.csv", "x1,y1".encode("utf-16"), "^the file must be UTF-8 text, got other bytes$"),
        ("a.csv", b'x1,y1,x2,y2\n"' + 200_000 * b"1", "^the CSV file must be readable, .*limit"),
        ("a.json", b'{"annotations": [', "^the JSON file must be whole, got an error: .*line 1"),
        ("a.json", b"\xff{}", "^the file must be UTF-8 text, got other bytes$"),
        ("a.json", 10**6 * b"[", "^the JSON file must be plain COCO, got something far larger$"),
        ("a.json", b"[" + 5000 * b"1" + b"]", "^the JSON file must be plain COCO, got something"),
        ("a.json", b"[]", '^a COCO file must be an object with a list "annotations", got none$'),
        ("a.json", b'{"annotations": 3}', 'with a list "annotations", got none$'),
        ("a.xml", b"<annotation><object>", "^the XML file must be whole, got an error: .*line 1"),
        ("a.xml", b'<?xml version="1.0" encoding="klingon"?><a/>', "^the XML file must be whole"),
        ("a.xml", b"\xff\xfe\x00", "^the XML file must be whole"),
        ("a.xml", b"<html/>", "^a Pascal VOC file must be an <annotation>, got <html>$"),
        ("a.xml", BOMB, "^an XML file must not declare a document type or entities, got both$"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_sentence(name, data, message):
    with pytest.raises(ValueError, match=message) as error:
        read(name, data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declaration",
    ['<!DOCTYPE a SYSTEM "http://a/a.dtd">', "<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY b "">]>'],
)  # fmt: skip
def test_no_document_type_is_accepted_in_any_encoding(declaration, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>{declaration}<annotation/>'
    with pytest.raises(ValueError, match="must not declare a document type"):
        read("a.xml", text.encode(encoding))


def test_a_file_of_ten_megabytes_is_read_and_a_byte_more_is_refused():
    text = b'{"annotations": [{"bbox": [1, 1, 1, 1]}]}'
    assert len(read("a.json", text.ljust(MAX_BYTES)).boxes) == 1
    with pytest.raises(ValueError, match=r"^an annotation file must have at most 10 MB, got 10.0"):
        read("a.json", text.ljust(MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", lambda count: "x1,y1,x2,y2\n" + count * "1,1,2,2\n"),
        ("a.json", lambda count: coco(count * [{"image_id": 1, "bbox": [1, 1, 1, 1]}])),
        ("a.xml", lambda count: voc(*count * ["<object/>"])),
    ],
)
def test_a_hundred_thousand_boxes_are_one_sentence(name, text):
    message = "^an annotation file must have at most 10,000 boxes for a picture, got 100,000$"
    with pytest.raises(ValueError, match=message):
        read(name, text(100_000))


def test_boxes_up_to_the_limit_are_read_good_or_bad(monkeypatch):
    monkeypatch.setattr(annotations, "MAX_BOXES", 3)
    text = "x1,y1,x2,y2\n1,1,2,2\nbad,1,2,2\n1,1,2,2\n"
    found = read("a.csv", text)
    assert (len(found.boxes), len(found.problems)) == (2, 1)
    with pytest.raises(ValueError, match=r"at most 3 boxes for a picture, got 4$"):
        read("a.csv", text + "1,1,2,2\n")


def test_boxes_of_other_pictures_do_not_count_against_the_limit():
    others = [{"image_id": 2, "bbox": [1, 1, 1, 1]}] * (MAX_BOXES + 1)
    found = read("a.json", coco(others + OF_TWO[:1], TWO), picture="a.jpg")
    assert len(found.boxes) == 1
    assert found.problems == ("10,001 annotations of other pictures in the file are left out",)


def test_millions_of_xml_elements_are_refused_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(annotation_files, "MAX_ELEMENTS", 3)
    assert len(read("a.xml", voc("<a/><a/>")).boxes) == 0
    with pytest.raises(ValueError, match=r"^an XML file must have at most 3 elements, got more$"):
        read("a.xml", voc("<a/><a/><a/>"))


# All formats at once

whole = st.integers(0, 250)
some_boxes = st.lists(st.tuples(whole, whole, st.integers(1, 50), st.integers(1, 50)), max_size=6)


def written(boxes):
    """The same boxes in every format."""
    yield "a.csv", "x1,y1,x2,y2\n" + "".join(f"{x},{y},{x + w},{y + h}\n" for x, y, w, h in boxes)
    yield "a.csv", "x,y,w,h\n" + "".join(f"{x},{y},{w},{h}\n" for x, y, w, h in boxes)
    yield "a.json", coco([{"image_id": 1, "bbox": box} for box in boxes])
    yield "a.xml", voc(*(voc_object(x + 1, y + 1, x + w, y + h) for x, y, w, h in boxes))


@settings(max_examples=30)
@given(some_boxes)
def test_every_format_gives_back_the_boxes_that_were_written(boxes):
    for name, text in written(boxes):
        found = read(name, text)
        assert found.boxes.tolist() == [[x, y, x + w, y + h] for x, y, w, h in boxes]
        assert found.problems == ()


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.floats(width=32)] * 4), max_size=5))
def test_every_row_is_a_box_inside_the_picture_or_a_problem(rows):
    found = read("a.csv", "x1,y1,x2,y2\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    left_out = [problem for problem in found.problems if problem.endswith("left out")]
    assert len(found.boxes) + len(left_out) == len(rows)
    x1, y1, x2, y2 = found.boxes.T
    assert ((x1 >= 0) & (y1 >= 0) & (x2 <= 400) & (y2 <= 300) & (x2 > x1) & (y2 > y1)).all()


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_files_give_boxes_or_one_sentence(data):
    name, text = data.draw(st.sampled_from(list(written([(1, 2, 3, 4), (5, 6, 7, 8)]))))
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"x")
    try:
        found = read(name, bytes(content))
    except ValueError as error:
        sentences = [str(error)]
    else:
        sentences = found.problems
        assert len(found.boxes) == len(found.labels)
    assert not any("\n" in sentence for sentence in sentences)
