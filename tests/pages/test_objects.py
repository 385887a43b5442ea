"""A reader's own objects, as files."""

from __future__ import annotations

import json

from tests.pages.test_pages import errors, open_page, png, settings


def open_recall(**query):
    return open_page("recall.py", **{"scores.source": "planted", "image.picture": "coffee"} | query)


def bring(app, name: str, text: str):
    uploader = next(each for each in app.file_uploader if each.key == "annotations")
    return uploader.upload(name, text.encode(), "text/plain").run()


def found(app) -> str:
    return app.metric[0].value


def test_a_coco_file_of_several_pictures_gives_the_boxes_of_this_one():
    images = [{"id": 1, "file_name": "other.jpg"}, {"id": 2, "file_name": "coffee.jpg"}]
    boxes = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50]},
        {"id": 2, "image_id": 2, "category_id": 1, "bbox": [100, 100, 200, 150]},
        {"id": 3, "image_id": 2, "category_id": 1, "bbox": [300, 200, 90, 90]},
    ]
    app = bring(open_recall(), "all.json", json.dumps({"images": images, "annotations": boxes}))
    assert errors(app) == ["1 annotations of other pictures in the file are left out"]
    assert found(app).endswith("of 2")


def test_bad_rows_are_named_and_the_others_count():
    app = bring(open_recall(), "boxes.csv", "x1,y1,x2,y2\n10,10,90,90\n5,5,5,50\nx,1,2,3\n")
    assert found(app).endswith("of 1")
    assert any("line 3" in text for text in errors(app))
    assert any("line 4" in text for text in errors(app))


def test_a_broken_file_changes_nothing():
    app = bring(open_recall(), "boxes.xml", "<annotation><object>")
    assert len(errors(app)) == 1
    assert settings(app).truth.boxes is None
    assert not app.exception


def test_ones_own_objects_can_be_put_away_again():
    app = bring(open_recall(), "boxes.csv", "x1,y1,x2,y2\n10,10,90,90\n")
    assert settings(app).truth.boxes
    next(each for each in app.button if each.label == "The picture's own objects").click().run()
    assert settings(app).truth.boxes is None
    assert found(app).endswith("of 3")


def test_another_picture_does_not_inherit_ones_own_objects():
    app = bring(open_recall(), "boxes.csv", "x1,y1,x2,y2\n10,10,90,90\n")
    assert found(app).endswith("of 1")
    app.selectbox(key="image.picture").select("astronaut").run()
    assert settings(app).truth.boxes is None
    assert found(app).endswith("of 4")


def test_another_scene_does_not_inherit_ones_own_objects():
    app = open_recall(**{"image.picture": "scene", "scene.objects": "5"})
    app = bring(app, "boxes.csv", "x1,y1,x2,y2\n10,10,90,90\n")
    app.number_input(key="scene.seed").set_value(3).run()
    assert found(app).endswith("of 5")


def test_an_upload_has_no_objects_until_somebody_brings_them():
    app = open_recall()
    uploader = next(each for each in app.file_uploader if each.key == "upload")
    uploader.upload("own.png", png(90, 60), "image/png").run()
    assert not app.exception
    assert found(app) == "0 of 0"
    app = bring(app, "boxes.csv", "x1,y1,x2,y2\n10,10,60,50\n")
    assert found(app).endswith("of 1")


def test_a_link_from_own_objects_shows_the_pictures_own_and_says_so():
    app = open_page(**{"truth.boxes": "boxes:" + "a" * 64})
    assert settings(app).truth.boxes is None
    assert any("not boxes" in text for text in errors(app))
