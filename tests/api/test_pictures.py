"""Pictures from outside: what is read, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.errors import ImageTypeNotRead, Problem, TooLarge, UndecodableImage
from service.vision.images import decode, encode_png
from tests.kit.parts import assert_problem, disc, encoded, fit, infer

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
RGB = Image.fromarray(PICTURE)
GREY16 = Image.fromarray((PICTURE[..., 0].astype(np.uint16) << 8) + 77)


def with_orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


STILL = {
    "png": encoded(RGB, "PNG", exif=with_orientation(6)),
    "jpeg": encoded(RGB, "JPEG", exif=with_orientation(6)),
    "progressive jpeg": encoded(RGB, "JPEG", progressive=True),
    "tiff": encoded(RGB, "TIFF"),
    "lzw tiff": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "webp": encoded(RGB, "WEBP", exif=with_orientation(6)),
    "bmp": encoded(RGB, "BMP"),
}
MOVING = {
    "GIF": encoded(RGB.quantize(16), "GIF", save_all=True, append_images=[RGB.quantize(8)]),
    "GIF with one frame": encoded(RGB.quantize(16), "GIF"),
    "APNG": encoded(RGB, "PNG", save_all=True, append_images=[RGB.rotate(180)]),
    "TIFF with two pages": encoded(RGB, "TIFF", save_all=True, append_images=[RGB]),
    "animated WebP": encoded(RGB, "WEBP", save_all=True, append_images=[RGB.rotate(180)], lossless=True),
}
NO_PICTURE = {
    "text": b"good part, trust me",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "zip": b"PK\x03\x04" + bytes(200),
    "pdf": b"%PDF-1.7\n",
    "zeros": bytes(5000),
}


def rgb16_png() -> bytes:
    """A 16-bit colour PNG by hand: Pillow reads such files and cannot write them."""
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in PICTURE.reshape(40, -1))
    return png_of(48, 40, bit_depth=16, colour=2, data=zlib.compress(rows))


def png_of(width: int, height: int, bit_depth: int = 8, colour: int = 2, data: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    made = (struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def read(data: bytes) -> np.ndarray:
    return decode(data, max_mpx=100, name="part.png")


def test_a_lossless_picture_arrives_as_it_was() -> None:
    for format in ("PNG", "TIFF", "BMP"):
        assert (read(encoded(RGB, format)) == PICTURE).all()
    assert (read(encoded(RGB, "WEBP", lossless=True)) == PICTURE).all()
    assert (read(encode_png(PICTURE)) == PICTURE).all()


def test_a_picture_taken_with_the_camera_turned_is_put_upright() -> None:
    upright = {1: PICTURE, 2: PICTURE[:, ::-1], 3: PICTURE[::-1, ::-1], 4: PICTURE[::-1], 6: np.rot90(PICTURE, -1)}
    for orientation, pixels in (upright | {8: np.rot90(PICTURE), 5: PICTURE.swapaxes(0, 1)}).items():
        assert (read(encoded(RGB, "PNG", exif=with_orientation(orientation))) == pixels).all(), orientation


def test_sixteen_bits_keep_the_upper_eight() -> None:
    for format in ("PNG", "TIFF"):
        found = read(encoded(GREY16, format))
        assert (found == PICTURE[..., :1]).all()
        assert found.shape == PICTURE.shape
    assert (read(rgb16_png()) == PICTURE).all()


def test_alpha_is_dropped_and_every_mode_becomes_rgb() -> None:
    see_through = Image.fromarray(np.dstack([PICTURE, np.zeros((40, 48), np.uint8)]))
    assert (read(encoded(see_through, "PNG")) == PICTURE).all()
    for mode, format in (("L", "PNG"), ("1", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("CMYK", "JPEG"), ("CMYK", "TIFF")):
        assert read(encoded(RGB.convert(mode), format)).shape == (40, 48, 3)
    assert np.abs(read(encoded(RGB.convert("CMYK"), "TIFF")).astype(int) - PICTURE).max() <= 1


@pytest.mark.parametrize("kind", STILL)
def test_a_truncated_picture_is_an_error_not_a_grey_rest(kind: str) -> None:
    for share in (0.3, 0.6, 0.9):
        data = STILL[kind]
        with pytest.raises((UndecodableImage, ImageTypeNotRead), match=r"part\.png"):
            read(data[: int(len(data) * share)])


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused_before_it_is_unpacked() -> None:
    for side in (12_000, 30_000, 2**31 - 1):
        with pytest.raises(TooLarge, match=r"part\.png.*megapixels"):
            read(png_of(side, side))


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_a_picture_smaller_than_a_patch_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableImage, match=rf"part\.png: {size[0]}x{size[1]} pixels"):
        read(encoded(Image.new("RGB", size), "PNG"))


@pytest.mark.parametrize("kind", MOVING)
def test_a_moving_picture_is_refused(kind: str) -> None:
    with pytest.raises(ImageTypeNotRead, match=r"part\.png: .*frames"):
        read(MOVING[kind])


@pytest.mark.parametrize("kind", NO_PICTURE)
def test_what_is_no_picture_is_refused(kind: str) -> None:
    with pytest.raises(ImageTypeNotRead, match=r"part\.png: not an image"):
        read(NO_PICTURE[kind])


def test_thirty_two_bits_per_channel_are_refused() -> None:
    for mode in ("F", "I"):
        with pytest.raises(ImageTypeNotRead, match="32 bits"):
            read(encoded(Image.new(mode, (40, 40)), "TIFF"))


@settings(max_examples=1500, deadline=None)
@given(
    kind=st.sampled_from(sorted(STILL) + sorted(MOVING)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.floats(0.02, 1),
)
def test_a_damaged_file_is_read_or_refused_with_a_name(kind: str, changes: list[tuple[float, int]], cut: float) -> None:
    data = bytearray((STILL | MOVING)[kind])
    for where, value in changes:  # squared: headers are short, and where it hurts
        data[int(where**2 * (len(data) - 1))] = value
    said = ""
    try:
        read(bytes(data[: max(1, int(cut * len(data)))]))
    except Problem as problem:
        said = problem.detail
    assert said == "" or said.startswith("part.png: ")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_name(data: bytes) -> None:
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0\x08\0\0\0", b"RIFF\x50\0\0\0WEBPVP8 ", b"BM"):
        with pytest.raises(Problem, match=r"^part\.png: "):
            read(head + data)


REFUSED = {
    "empty.png": (b"", 422),
    "one.png": (encoded(Image.new("RGB", (1, 1)), "PNG"), 422),
    "half.jpg": (STILL["jpeg"][:600], 422),
    "half.png": (disc(1)[:3000], 422),
    "bomb.png": (png_of(30_000, 30_000), 413),
    "film.gif": (MOVING["GIF"], 415),
    "note.txt": (NO_PICTURE["text"], 415),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_route_that_takes_a_picture_names_the_one_it_refuses(taught: TestClient, name: str) -> None:
    data, status = REFUSED[name]
    form = {"role_id": "disc", "roi_id": "ring", "mm_per_px": 0.5}
    for path in ("/fit_ok", "/scores", "/datasets/ok/upload", "/datasets/ng/upload"):
        files = [("images", ("good.png", disc(1))), ("images", (name, io.BytesIO(data)))]
        assert_problem(taught.post(path, data=form, files=files), status, name)
    assert_problem(taught.post("/infer", data=form, files={"image": (name, io.BytesIO(data))}), status, name)


def test_one_bad_picture_among_two_hundred_is_named_and_nothing_changes(taught: TestClient) -> None:
    before = taught.get("/state", params={"role_id": "disc", "roi_id": "ring"}).json()
    small = encoded(Image.open(io.BytesIO(disc(1))), "JPEG")
    files = [("images", (f"good{i}.jpg", small)) for i in range(200)]
    files[151] = ("images", ("bad151.jpg", small[:-900]))
    form = {"role_id": "disc", "roi_id": "ring", "mm_per_px": 0.5}
    assert_problem(taught.post("/fit_ok", data=form, files=files), 422, "bad151.jpg")
    after = taught.get("/state", params={"role_id": "disc", "roi_id": "ring"}).json()
    assert {**after, "request_id": ""} == {**before, "request_id": ""}
    assert infer(taught).json()["verdict"] == "OK"


def test_every_type_we_read_can_be_taught_and_inspected(client: TestClient) -> None:
    assert fit(client, 3).status_code == 200
    image = Image.open(io.BytesIO(disc(50)))
    for format in ("PNG", "JPEG", "BMP", "TIFF", "WEBP"):
        answer = infer(client, encoded(image, format), name=f"part.{format.lower()}", allow_uncalibrated="true")
        assert answer.status_code == 200, answer.text
