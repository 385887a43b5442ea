import numpy as np
import pytest
import torch
from PIL import Image

from explorer.core.images import fit_photo
from explorer.core.samples import samples
from explorer.core.truth import find_truth, pack_boxes, paint
from explorer.settings import Scene, Truth

CPU = torch.device("cpu")
OWN = "boxes:" + "0" * 64


def picture(fit="stretch", size=(200, 100), side=400):
    return fit_photo(Image.new("RGB", size), side, fit)


def find(boxes, fit="stretch", **changes):
    uploads = {OWN: pack_boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))}
    return find_truth(picture(fit, **changes), Truth(boxes=OWN), "astronaut", Scene(), uploads, CPU)


def test_boxes_move_with_the_photo_into_the_input():
    # 200 x 100 pixels stretched to 400 x 400: twice in x, four times in y
    assert find([[10, 20, 30, 50]]).boxes.tolist() == [[20, 80, 60, 200]]
    # padded: twice in both, 100 pixels lower
    assert find([[10, 20, 30, 50]], "pad").boxes.tolist() == [[20, 140, 60, 200]]


def test_an_object_that_the_crop_cuts_is_clipped_and_one_that_is_gone_left_out():
    # cropped to the middle 100 x 100 of the photo, four times as large
    found = find([[40, 0, 60, 100], [0, 0, 40, 100]], "crop")
    assert found.boxes.tolist() == [[0, 0, 40, 400]]
    assert found.labels == ("object",)


def test_a_sample_brings_its_own_objects():
    sample = samples()["coffee"]
    size = (sample.width, sample.height)
    found = find_truth(picture("keep", size, max(size)), Truth(), "coffee", Scene(), {}, CPU)
    np.testing.assert_allclose(found.boxes.numpy(), sample.boxes, atol=1e-3)
    assert found.labels == sample.labels


def test_an_upload_without_boxes_has_no_objects():
    found = find_truth(picture(), Truth(), "upload:" + "a" * 64, Scene(), {}, CPU)
    assert found.boxes.shape == (0, 4)
    assert found.labels == ()


def test_no_boxes_of_ones_own_are_no_objects():
    assert find([]).boxes.shape == (0, 4)


def test_a_scene_brings_the_objects_it_was_painted_with():
    scene = Scene(seed=3, objects=5)
    photo = paint(scene).photo
    found = find_truth(fit_photo(photo, 640, "pad"), Truth(), "scene", scene, {}, CPU)
    assert len(found.boxes) == len(found.labels) == 5
    np.testing.assert_array_equal(found.boxes.numpy(), paint(scene).boxes)


def test_boxes_that_are_gone_are_a_sentence():
    with pytest.raises(ValueError, match="bring them again"):
        find_truth(picture(), Truth(boxes=OWN), "astronaut", Scene(), {}, CPU)
