import dataclasses
import hashlib
import io
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer import evaluate
from explorer.core.samples import (
    ASSETS,
    LICENCE_URLS,
    attribution,
    load_manifest,
    sample_bytes,
    samples,
    verified_bytes,
)
from explorer.training.scene_cache import FIRST_SEED

# No GPL, GFDL or NC: pictures under these may not ship.
WITHOUT_A_LICENCE = {"public domain", "no known copyright restrictions"}
ALLOWED = {"CC0-1.0", "CC-BY-2.0", "CC-BY-4.0", "CC-BY-SA-4.0"} | WITHOUT_A_LICENCE

every_sample = pytest.mark.parametrize("name", samples())


@every_sample
def test_the_shipped_file_is_the_one_in_the_manifest(name):
    content = sample_bytes(name)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (samples()[name].width, samples()[name].height)
        assert max(picture.size) <= 1024
        assert not picture.getexif()


@every_sample
def test_boxes_lie_inside_the_picture_and_have_a_size(name):
    sample = samples()[name]
    assert len(sample.boxes) == len(set(sample.boxes)) == len(sample.labels) > 0
    for x1, y1, x2, y2 in sample.boxes:
        assert 0 <= x1 < x2 <= sample.width
        assert 0 <= y1 < y2 <= sample.height
    assert all(sample.labels)


@every_sample
def test_the_licence_allows_shipping_and_is_honoured(name):
    sample = samples()[name]
    assert sample.licence in ALLOWED
    assert sample.title
    assert sample.author
    assert sample.source
    assert (sample.licence in LICENCE_URLS) != (sample.licence in WITHOUT_A_LICENCE)
    if sample.licence.startswith("CC-BY"):
        assert all(word in sample.credit for word in (sample.title, sample.author, sample.licence))


def test_no_picture_lies_in_the_folder_without_an_entry():
    listed = {sample.path for sample in samples().values()}
    assert set((ASSETS / "pictures").iterdir()) == listed


def of_role(role):
    return [sample for sample in samples().values() if sample.role == role]


def test_there_are_enough_photos_and_boxes_to_evaluate_on():
    assert len(of_role("held-out")) >= 18
    assert sum(len(sample.boxes) for sample in of_role("held-out")) >= 70


def test_there_are_eight_painted_scenes_and_every_other_picture_is_a_photo():
    scenes = of_role("synthetic")
    assert len(scenes) == 8
    assert len(of_role("held-out")) + len(scenes) == len(samples())
    for scene in scenes:
        assert 6 <= len(scene.boxes) <= 12
        assert 512 <= min(scene.width, scene.height) <= max(scene.width, scene.height) <= 800


def test_no_painted_scene_shares_its_seed_with_training_or_evaluation():
    seeds = [int(re.search(r"seed=(\d+)", scene.source)[1]) for scene in of_role("synthetic")]
    assert len(set(seeds)) == 8
    assert min(seeds) >= evaluate.SCENES
    assert max(seeds) < FIRST_SEED


def contrast(pixels, box):
    """How much the mean colour in a box differs from that of the frame around it."""
    x1, y1, x2, y2 = map(int, box)
    left, top = max(0, x1 - 8), max(0, y1 - 8)
    around = pixels[top : y2 + 8, left : x2 + 8].copy()
    around[y1 - top : y2 - top, x1 - left : x2 - left] = np.nan
    inside = pixels[y1:y2, x1:x2].mean(axis=(0, 1))
    return np.abs(inside - np.nanmean(around, axis=(0, 1))).max()


def test_the_objects_of_a_painted_scene_lie_where_their_boxes_are():
    """No picture is painted anew: another Pillow may draw a curve differently by a shade."""
    for scene in of_role("synthetic"):
        with Image.open(io.BytesIO(sample_bytes(scene.name))) as picture:
            pixels = np.asarray(picture, np.float32)
        here = [contrast(pixels, box) for box in scene.boxes]
        mirrored = [contrast(pixels[:, ::-1], box) for box in scene.boxes]
        assert min(here) > 10
        assert np.mean(here) > 1.5 * np.mean(mirrored)


def test_boxes_come_in_many_sizes_and_ratios():
    sides, ratios = [], []
    for sample in samples().values():
        for x1, y1, x2, y2 in sample.boxes:
            longest = max(sample.width, sample.height)
            sides.append(((x2 - x1) * (y2 - y1)) ** 0.5 / longest)
            ratios.append((x2 - x1) / (y2 - y1))
    assert min(sides) < 0.06
    assert max(sides) > 0.6
    assert min(ratios) < 0.25
    assert max(ratios) > 4


def test_the_pictures_stay_small_enough_to_ship():
    assert sum(file.stat().st_size for file in (ASSETS / "pictures").iterdir()) < 4_500_000


def test_the_attribution_file_is_the_generated_one_and_names_every_picture():
    text = (ASSETS / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert text == attribution()
    for sample in samples().values():
        entry = text.split(f"pictures/{sample.path.name}`")[1].split("\n## ")[0]
        assert f"## {sample.title}\n" in text
        assert f"author: {sample.author}\n" in entry
        assert sample.licence in entry
        assert sample.source in entry


def test_samples_keep_the_order_of_the_manifest():
    listed = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))["pictures"]
    assert list(samples()) == [entry["name"] for entry in listed]
    assert len(listed) == len(samples())


def test_samples_are_read_once_and_cannot_be_changed():
    assert samples() is samples()
    with pytest.raises(dataclasses.FrozenInstanceError):
        samples()["coins"].role = "training"


def test_a_coin_is_where_the_manifest_says():
    coins = samples()["coins"]
    assert len(coins.boxes) == 24
    assert set(coins.labels) == {"coin"}
    with Image.open(io.BytesIO(sample_bytes("coins"))) as picture:
        grey = picture.convert("L")
    for x1, y1, x2, y2 in coins.boxes:  # a coin is brighter than the tray at its box's corner
        centre = grey.crop((int(x1) + 12, int(y1) + 12, int(x2) - 12, int(y2) - 12))
        corner = grey.getpixel((int(x2) - 1, int(y2) - 1))
        assert sum(centre.get_flattened_data()) / (centre.width * centre.height) > corner + 20


def test_an_empty_manifest_gives_no_samples(tmp_path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"about": "", "pictures": []}', encoding="utf-8")
    assert load_manifest(manifest) == {}


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"^sample must be one of astronaut, .*, got 'moon'$"):
        sample_bytes("moon")


def test_a_missing_file_is_one_sentence(tmp_path):
    sample = dataclasses.replace(samples()["coins"], path=tmp_path / "coins.jpg")
    with pytest.raises(ValueError, match=r"^sample coins must be the file coins\.jpg, got none$"):
        verified_bytes(sample)


@settings(max_examples=20)
@given(data=st.data())
def test_any_changed_byte_is_noticed(data):
    content = bytearray(sample_bytes("coins"))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coins.jpg"
        path.write_bytes(content)
        sample = dataclasses.replace(samples()["coins"], path=path)
        found = hashlib.sha256(content).hexdigest()[:12]
        with pytest.raises(ValueError, match=rf"got {found}: the file was changed$"):
            verified_bytes(sample)
