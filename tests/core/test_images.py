import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer.core.images import MAX_PIXELS, MEAN, STD, Picture, fit_photo, normalise, open_photo
from tests.devices import DEVICES

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
FITS = ("pad", "crop", "stretch", "keep")
NO_PICTURE = "the file is not a picture that can be read: use PNG, JPEG or WebP"
DAMAGED = "the picture is cut off or damaged: save it again and retry"


def file_of(photo, kind="PNG", **options):
    """A photo as the bytes of a file."""
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def noise(width, height):
    """A photo that compresses badly, so that cutting its file cuts pixels."""
    rng = np.random.default_rng(width)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def halves(width, height):
    """Red on the left, blue on the right."""
    photo = Image.new("RGB", (width, height), RED)
    photo.paste(BLUE, (width // 2, 0, width, height))
    return photo


def colours(photo):
    """Colours of the middles of the left and the right half."""
    assert photo.mode == "RGB"
    y = photo.height // 2
    return photo.getpixel((photo.width // 4, y)), photo.getpixel((3 * photo.width // 4, y))


def outcome(data):
    """The opened photo's mode, or the sentence that refuses it; anything else surfaces."""
    try:
        return open_photo(data).mode
    except ValueError as error:
        return str(error)


def declared_png(width, height):
    """A PNG of a few hundred bytes that claims any size."""

    def chunk(name, data):
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# What is refused, in one sentence


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"GIF89a", b"\xff\xd8\xff", bytes(1000)],
)
def test_what_is_no_image_is_refused_in_a_sentence(data):
    with pytest.raises(ValueError) as error:  # noqa: PT011 the whole sentence is compared
        open_photo(data)
    assert str(error.value) == NO_PICTURE


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM"])
def test_an_image_of_another_kind_is_refused(kind):
    with pytest.raises(ValueError, match=NO_PICTURE):
        open_photo(file_of(halves(8, 8), kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_refused_in_a_sentence(kind, share):
    data = file_of(noise(64, 48), kind)
    with pytest.raises(ValueError) as error:  # noqa: PT011
        open_photo(data[: int(share * len(data))])
    assert str(error.value) == DAMAGED


@settings(max_examples=60)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.integers(0, 600), st.integers(0, 255))
def test_a_file_with_a_changed_byte_is_a_picture_or_a_sentence(kind, place, value):
    data = bytearray(file_of(noise(12, 12), kind))
    data[place % len(data)] = value
    got = outcome(bytes(data))
    assert got in {"RGB", NO_PICTURE, DAMAGED} or got.startswith("a picture must have")


@pytest.mark.parametrize(
    ("size", "got"),
    [
        ((60_000, 60_000), "far more"),  # past Pillow's own limit, which raises
        ((10_000, 10_000), "far more"),  # past half of it: a warning, an error in these tests
        ((8_000, 7_000), "8000 x 7000"),  # ours alone
    ],
)
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(size, got):
    data = declared_png(*size)
    assert len(data) < 200
    with pytest.raises(ValueError) as error:  # noqa: PT011
        open_photo(data)
    assert str(error.value) == f"a picture must have at most 50,000,000 pixels, got {got}"


@pytest.mark.filterwarnings("ignore:Image size")  # as where warnings are no errors
def test_between_pillows_two_limits_a_bomb_is_refused_by_ours():
    with pytest.raises(ValueError, match="at most 50,000,000 pixels, got 10000 x 10000"):
        open_photo(declared_png(10_000, 10_000))


def test_the_limit_itself_is_not_too_much():
    assert MAX_PIXELS == 50_000_000
    with pytest.raises(ValueError, match=DAMAGED):  # the claim passes; the pixels are not there
        open_photo(declared_png(8_000, 6_250))


# What is handled


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (20_000, 10), (10, 20_000), (3, 2)])
def test_photos_of_any_shape_fit(size, fit):
    photo = open_photo(file_of(Image.new("RGB", size, RED)))
    picture = fit_photo(photo, 64, fit)
    assert picture.photo_size == size[::-1]
    assert max(picture.image_size) == 64
    assert picture.pixels.dtype == np.uint8
    x1, y1, x2, y2 = picture.content
    assert tuple(picture.pixels[int((y1 + y2) / 2), int((x1 + x2) / 2)]) == RED


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_first_frame_of_an_animation_counts(kind):
    frames = [halves(16, 16), Image.new("RGB", (16, 16), WHITE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    with Image.open(io.BytesIO(data)) as photo:
        assert photo.n_frames == 2
    assert colours(open_photo(data)) == (RED, BLUE)


def test_a_cmyk_jpeg_keeps_its_colours():
    photo = halves(64, 64).convert("CMYK")
    data = file_of(photo, "JPEG", quality=95)
    with Image.open(io.BytesIO(data)) as written:
        assert written.mode == "CMYK"
    left, right = colours(open_photo(data))
    assert np.abs(np.subtract(left, RED)).max() < 12
    assert np.abs(np.subtract(right, BLUE)).max() < 12


def test_sixteen_bits_of_grey_become_the_upper_eight():
    grey = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    data = file_of(Image.fromarray(grey))
    with Image.open(io.BytesIO(data)) as written:
        assert written.mode == "I;16"
    assert np.asarray(open_photo(data)).tolist() == [[[v] * 3 for v in (0, 0, 1, 128, 255)]]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_black_and_white_grey_and_palette_pictures_become_rgb(mode):
    photo = Image.new("RGB", (8, 8))
    photo.paste(WHITE, (4, 0, 8, 8))
    assert colours(open_photo(file_of(photo.convert(mode)))) == ((0, 0, 0), WHITE)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_parts_turn_white_and_half_transparent_ones_blend(mode, kind):
    photo = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    photo.paste((0, 0, 0, 128), (4, 0, 8, 8))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    left, right = colours(open_photo(file_of(photo.convert(mode), kind, **options)))
    assert left == WHITE
    assert right == (127, 127, 127)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_the_transparent_colour_of_a_palette_turns_white(kind):
    photo = halves(8, 8).quantize(2)
    red = photo.getpixel((0, 0))
    assert colours(open_photo(file_of(photo, kind, transparency=red))) == (WHITE, BLUE)


def test_a_palette_with_an_alpha_for_each_colour_blends():
    photo = halves(8, 8).quantize(2)
    alphas = bytearray([255, 255])
    alphas[photo.getpixel((0, 0))] = 0
    assert colours(open_photo(file_of(photo, transparency=bytes(alphas)))) == (WHITE, BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [
        (1, (32, 16), "top left"),
        (3, (32, 16), "bottom right"),
        (6, (16, 32), "top right"),
        (8, (16, 32), "bottom left"),
    ],
)
def test_exif_turns_the_photo_upright(kind, orientation, size, corner):
    photo = Image.new("RGB", (32, 16), "black")
    photo.paste(WHITE, (0, 0, 8, 8))  # the mark, top left in the file
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = open_photo(file_of(photo, kind, exif=exif))
    assert upright.size == size
    row, column = corner.split()
    x = 3 if column == "left" else upright.width - 4
    y = 3 if row == "top" else upright.height - 4
    assert upright.convert("L").getpixel((x, y)) > 200
    assert upright.convert("L").getpixel((upright.width - 1 - x, upright.height - 1 - y)) < 50


def test_broken_exif_costs_nothing_but_itself():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    data = file_of(halves(32, 16), "WEBP", lossless=True, exif=exif)
    header = exif.tobytes().removeprefix(b"Exif\0\0")[:4]
    assert data.count(header) == 1
    assert colours(open_photo(data.replace(header, b"nope"))) == (RED, BLUE)


# Geometry, computed by hand


def test_padding_centres_the_photo_between_bars_of_the_mean_colour():
    picture = fit_photo(Image.new("RGB", (200, 100), RED), 80, "pad")
    assert picture.image_size == (80, 80)
    assert picture.content == (0, 20, 80, 60)
    assert picture.scale == (0.4, 0.4)
    assert (picture.pixels[20:60] == RED).all()
    assert (picture.pixels[:20] == (124, 116, 104)).all()
    assert (picture.pixels[60:] == (124, 116, 104)).all()


def test_padding_leaves_the_odd_pixel_to_the_far_side():
    picture = fit_photo(Image.new("RGB", (3, 8), RED), 8, "pad")
    assert picture.content == (2, 0, 5, 8)
    assert (picture.pixels[:, 2:5] == RED).all()


def test_cropping_shows_the_middle_square_and_the_rest_lies_outside():
    photo = Image.new("RGB", (200, 100), BLUE)
    photo.paste(RED, (50, 0, 150, 100))
    picture = fit_photo(photo, 80, "crop")
    assert picture.image_size == (80, 80)
    assert picture.content == (-40, 0, 120, 80)
    assert picture.scale == (0.8, 0.8)
    assert (picture.pixels[:, 1:-1] == RED).all()  # the outer columns blend with what is cut


def test_stretching_scales_each_axis_by_itself():
    picture = fit_photo(halves(200, 100), 80, "stretch")
    assert picture.image_size == (80, 80)
    assert picture.content == (0, 0, 80, 80)
    assert picture.scale == (0.4, 0.8)


def test_keeping_the_shape_bounds_the_long_side_and_pads_nothing():
    picture = fit_photo(halves(200, 100), 80, "keep")
    assert picture.image_size == (40, 80)
    assert picture.content == (0, 0, 80, 40)
    assert picture.scale == (0.4, 0.4)


def test_a_sliver_keeps_one_pixel():
    assert fit_photo(Image.new("RGB", (20_000, 10)), 800, "keep").image_size == (1, 800)
    assert fit_photo(Image.new("RGB", (20_000, 10)), 800, "pad").content == (0, 399, 800, 400)


@settings(max_examples=60)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(64, 90), st.sampled_from(FITS))
def test_the_corners_of_every_photo_land_on_the_corners_of_its_content(width, height, side, fit):
    picture = fit_photo(Image.new("RGB", (width, height)), side, fit)
    whole = picture.to_input(torch.tensor([[0.0, 0.0, width, height]]))
    assert whole[0].tolist() == pytest.approx(picture.content, abs=1e-3)
    x1, y1, x2, y2 = picture.content
    rows, columns = picture.image_size
    if fit == "crop":
        assert x1 <= 0
        assert y1 <= 0
        assert min(x2 - x1, y2 - y1) == pytest.approx(side)
        assert x1 + x2 == pytest.approx(columns)
        assert y1 + y2 == pytest.approx(rows)
    else:
        assert 0 <= x1 < x2 <= columns
        assert 0 <= y1 < y2 <= rows


def test_boxes_move_with_the_photo():
    picture = Picture(np.zeros((80, 80, 3), np.uint8), (10.0, 20.0, 50.0, 60.0), (20, 80))
    boxes = torch.tensor([[0.0, 0.0, 80.0, 20.0], [40.0, 5.0, 60.0, 10.0]])
    expected = [[10, 20, 50, 60], [30, 30, 40, 40]]
    assert picture.to_input(boxes).tolist() == expected
    assert picture.to_input(torch.empty(0, 4)).shape == (0, 4)


def test_an_unknown_fit_is_refused():
    with pytest.raises(ValueError, match="fit must be pad, crop, stretch or keep, got 'zoom'"):
        fit_photo(Image.new("RGB", (4, 4)), 64, "zoom")


@pytest.mark.parametrize("device", DEVICES)
def test_normalising_takes_off_the_mean_and_divides_by_the_deviation(device):
    pixels = np.array([[[0, 51, 255], [255, 0, 102]]], dtype=np.uint8)
    image = normalise(pixels, torch.device(device))
    assert image.shape == (1, 3, 1, 2)
    assert image.dtype == torch.float32
    assert image.device.type == device
    for column, values in enumerate([(0, 0.2, 1), (1, 0, 0.4)]):
        expected = [(v - m) / s for v, m, s in zip(values, MEAN, STD, strict=True)]
        assert image[0, :, 0, column].tolist() == pytest.approx(expected, abs=1e-6)


def test_padding_is_almost_nothing_to_the_network():
    picture = fit_photo(Image.new("RGB", (20, 10), RED), 64, "pad")
    assert normalise(picture.pixels, torch.device("cpu"))[0, :, 0].abs().max() < 0.01
