"""The one decoder, against Pillow's and NumPy's arithmetic written out."""

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from fieldstone.data.decode import decode_image, quiet, read_header
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DataError, ImageError

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
WHOLE = Preprocessing((20, 30), 3)
WHOLE_GREY = Preprocessing((20, 30), 1)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def planes(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (3, H, W)."""
    return pixels.transpose(2, 0, 1)


def grey_planes(pixels: np.ndarray) -> np.ndarray:
    """(H, W) -> (3, H, W)."""
    return np.stack([pixels] * 3)


def test_an_image_of_the_right_size_is_not_resampled(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(PHOTO))
    (tmp_path / "x.png").write_bytes(data)
    for source in (data, tmp_path / "x.png", str(tmp_path / "x.png"), Image.fromarray(PHOTO)):
        pixels = decode_image(source, WHOLE)
        assert pixels.dtype == np.uint8
        assert np.array_equal(pixels, planes(PHOTO))


def test_colour_to_grey_is_luma() -> None:
    pixels = decode_image(Image.fromarray(PHOTO), WHOLE_GREY)
    luma = PHOTO @ np.array([299, 587, 114]) / 1000
    assert pixels.shape == (1, 20, 30)
    assert np.abs(pixels[0] - luma).max() <= 1


def test_grey_to_colour_is_replicated() -> None:
    assert np.array_equal(decode_image(Image.fromarray(GREY), WHOLE), grey_planes(GREY))


def on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return pixels * share + 255 * (1 - share)


ALPHA = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (20, 30), dtype=np.uint16)
FLOATS = RNG.random((20, 30), dtype=np.float32) * 1.4 - 0.2
FLOATS[0, 0] = np.nan
INTEGERS = RNG.integers(-70000, 140000, (20, 30), dtype=np.int32)
BITS = (GREY > 127).astype(np.uint8) * 255


def palette() -> Image.Image:
    return Image.fromarray(PHOTO).quantize(64)


CONVERSIONS: dict[str, tuple[Callable[[], bytes], Callable[[], np.ndarray], float]] = {
    "alpha": (
        lambda: encoded(Image.fromarray(np.dstack([PHOTO, ALPHA]))),
        lambda: planes(on_white(PHOTO, ALPHA)),
        1.5,
    ),
    "grey and alpha": (
        lambda: encoded(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])),
        lambda: planes(on_white(np.dstack([GREY] * 3), ALPHA)),
        1.5,
    ),
    "transparent colour": (
        lambda: encoded(Image.fromarray(PHOTO), transparency=tuple(int(v) for v in PHOTO[3, 4])),
        lambda: planes(np.where((PHOTO[3, 4] == PHOTO).all(axis=2)[..., None], 255, PHOTO)),
        0,
    ),
    "palette": (lambda: encoded(palette()), lambda: planes(np.asarray(palette().convert("RGB"))), 0),
    "palette with transparent entries": (
        lambda: encoded(palette(), transparency=b"\0" + b"\xff" * 63),
        lambda: planes(np.where((np.asarray(palette()) == 0)[..., None], 255, np.asarray(palette().convert("RGB")))),
        0,
    ),
    "1 bit": (lambda: encoded(Image.fromarray(GREY > 127)), lambda: grey_planes(BITS), 0),
    "16 bit PNG": (lambda: encoded(Image.fromarray(DEEP)), lambda: grey_planes(DEEP >> 8), 0),
    "16 bit TIFF": (lambda: encoded(Image.fromarray(DEEP), "TIFF"), lambda: grey_planes(DEEP >> 8), 0),
    "32 bit integers": (
        lambda: encoded(Image.fromarray(INTEGERS), "TIFF"),
        lambda: grey_planes(INTEGERS.clip(0, 65535) >> 8),
        0,
    ),
    "floats": (
        lambda: encoded(Image.fromarray(FLOATS), "TIFF"),
        lambda: grey_planes(np.nan_to_num(FLOATS, nan=0).clip(0, 1) * 255),
        0.5001,
    ),
    "CMYK": (
        lambda: encoded(Image.fromarray(np.dstack([PHOTO, np.zeros_like(GREY)]), "CMYK"), "TIFF"),
        lambda: planes(255 - PHOTO),
        1,
    ),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversions_are_those_of_the_docs(name: str) -> None:
    make, expected, tolerance = CONVERSIONS[name]
    pixels = decode_image(make(), WHOLE)
    assert pixels.shape == (3, 20, 30)
    assert np.abs(pixels.astype(float) - expected()).max() <= tolerance


@pytest.mark.parametrize(("orientation", "turned"), [(n, n >= 5) for n in range(1, 9)])
def test_exif_orientation_is_applied(orientation: int, turned: bool) -> None:
    upright = Image.fromarray(PHOTO)
    # How a camera stores an upright image under each orientation: the inverse of what shows it.
    stored = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: np.rot90(x, 1),
        7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation](np.asarray(upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    tags = ImageFileDirectory_v2()
    tags[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    assert image.size == ((20, 30) if turned else (30, 20))
    for data in (
        encoded(image, exif=exif),
        encoded(image, "TIFF", tiffinfo=tags),
        encoded(image, "WEBP", lossless=True, exif=exif),
    ):
        assert read_header(data)[:2] == (30, 20)
        assert np.array_equal(decode_image(data, WHOLE), planes(PHOTO))


def test_the_first_frame_counts() -> None:
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode_image(data, Preprocessing((8, 8), 1)) == 10).all()


def test_damaged_exif_is_no_damage() -> None:
    data = encoded(Image.fromarray(PHOTO), exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    with warnings.catch_warnings(record=True) as caught:
        assert np.array_equal(decode_image(data, WHOLE), planes(PHOTO))
    assert not caught


@pytest.mark.parametrize(("height", "width"), [(40, 60), (61, 40), (100, 37), (7, 9), (20, 300), (1, 500)])
@pytest.mark.parametrize("resize_to", [None, 24])
def test_crop_is_resize_then_centre_cut(height: int, width: int, resize_to: int | None) -> None:
    image = Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))
    shorter = resize_to or 16
    if height <= width:
        resized = image.resize((width * shorter // height, shorter), Image.Resampling.BILINEAR)
    else:
        resized = image.resize((shorter, height * shorter // width), Image.Resampling.BILINEAR)
    top, left = (resized.height - 16) // 2, (resized.width - 16) // 2
    expected = np.asarray(resized)[top : top + 16, left : left + 16]
    pixels = decode_image(image, Preprocessing((16, 16), 3, "crop", resize_to))
    assert np.abs(pixels.astype(int) - planes(expected)).max() <= 1  # Pillow keeps the box in single precision


def test_crop_of_another_aspect_covers_the_size() -> None:
    image = Image.fromarray(PHOTO)  # 20 x 30 to 12 x 10: the height decides
    resized = np.asarray(image.resize((18, 12), Image.Resampling.BILINEAR))
    pixels = decode_image(image, Preprocessing((12, 10), 3))
    assert np.abs(pixels.astype(int) - planes(resized[:, 4:14])).max() <= 1


def test_a_right_size_is_resampled_where_resize_to_is_larger() -> None:
    resized = np.asarray(Image.fromarray(PHOTO[:, :20]).resize((24, 24), Image.Resampling.BILINEAR))
    pixels = decode_image(Image.fromarray(PHOTO[:, :20]), Preprocessing((20, 20), 3, "crop", 24))
    assert np.abs(pixels.astype(int) - planes(resized[2:22, 2:22])).max() <= 1


def test_stretch_ignores_the_aspect() -> None:
    expected = np.asarray(Image.fromarray(PHOTO).resize((9, 17), Image.Resampling.BILINEAR))
    assert np.array_equal(decode_image(Image.fromarray(PHOTO), Preprocessing((17, 9), 3, "stretch")), planes(expected))


def test_letterbox_fits_and_pads_with_the_mean() -> None:
    expected = np.empty((3, 16, 16), np.uint8)
    expected[:] = np.array([26, 51, 77])[:, None, None]
    expected[:, 2:13] = planes(np.asarray(Image.fromarray(PHOTO).resize((16, 11), Image.Resampling.BILINEAR)))
    mean = (26 / 255, 51 / 255, 77 / 255)
    boxed = Preprocessing((16, 16), 3, "letterbox", mean=mean, std=(1.0, 1.0, 1.0))
    assert np.array_equal(decode_image(Image.fromarray(PHOTO), boxed), expected)
    unknown = decode_image(Image.fromarray(PHOTO), Preprocessing((16, 16), 3, "letterbox"))
    assert set(np.unique(unknown[:, :2])) == {127}


def test_long_thin_images_need_no_memory() -> None:
    pixels = decode_image(Image.new("L", (60_000, 1), 7), Preprocessing((64, 64), 3))
    assert (pixels == 7).all()


def png(width: int, height: int) -> bytes:
    """A grey PNG of any size whose pixels are missing but for one row."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(width + 1))) + chunk(b"IEND", b"")


def test_a_bomb_is_a_reason() -> None:
    for look in (read_header, lambda data: decode_image(data, WHOLE)):
        with pytest.raises(ImageError, match="178,956,970 pixels"):
            look(png(30_000, 30_000))


def test_a_large_image_below_the_bomb_gives_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    assert np.array_equal(decode_image(encoded(Image.fromarray(PHOTO)), WHOLE), planes(PHOTO))


JPEG = encoded(Image.fromarray(PHOTO), "JPEG")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an image"),
        (b"hello", "not an image"),
        (JPEG[: len(JPEG) // 2], "damaged: Truncated"),
        (JPEG[:-20], "damaged: image file is truncated"),
        (encoded(Image.fromarray(PHOTO), "BMP")[:-60], "damaged: image file is truncated$"),
        (encoded(Image.fromarray(PHOTO))[:-60], "damaged: "),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
    ],
)
def test_damage_has_a_reason_without_addresses(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        decode_image(data, WHOLE)
    assert "0x" not in str(caught.value)


def test_missing_and_special_files_do_not_hang(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file") as caught:
        decode_image(tmp_path / "missing.png", WHOLE)
    assert caught.value.file == str(tmp_path / "missing.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("pipe.png", "."):
        with pytest.raises(ImageError, match="not a regular file"):
            decode_image(tmp_path / name, WHOLE)


def test_random_damage_raises_nothing_else() -> None:
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "TGA", "ICO", "PCX", "JPEG2000"):
        whole = encoded(Image.fromarray(PHOTO), kind)
        for _ in range(40):
            data = bytearray(whole[: RNG.integers(len(whole) // 3, len(whole) + 1)])
            data[RNG.integers(len(data))] = RNG.integers(256)
            try:
                assert decode_image(bytes(data), WHOLE).shape == (3, 20, 30)
            except ImageError:
                continue


def test_quiet_restores_the_filters_when_the_last_thread_leaves() -> None:
    before = list(warnings.filters)
    inside = threading.Barrier(3)

    def work() -> None:
        with quiet():
            inside.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    with quiet():
        inside.wait()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_libtiff_prints_nothing_and_is_as_it_was_after(capfd: pytest.CaptureFixture[str]) -> None:
    whole = bytearray(encoded(Image.fromarray(PHOTO), "TIFF", compression="tiff_adobe_deflate"))
    whole[40:200] = bytes(160)

    def seen(look: Callable[[], object]) -> str:
        with pytest.raises((ImageError, OSError)):
            look()
        return capfd.readouterr().err

    def by_pillow() -> None:
        Image.open(io.BytesIO(whole)).load()

    before = seen(by_pillow)
    assert "ZIPDecode" in before
    assert seen(lambda: decode_image(bytes(whole), WHOLE)) == ""
    assert seen(by_pillow) == before


def test_preprocessing_survives_json() -> None:
    for one in (WHOLE, Preprocessing((4, 5), 1, "letterbox", mean=(0.5,), std=(0.2,))):
        assert Preprocessing.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"channels": 4}, "4 channels"),
        ({"resize": "squeeze"}, "resize 'squeeze' is unknown"),
        ({"size": (0, 3)}, "at least 1"),
        ({"resize_to": 10}, "resize_to 10 does not fit"),
        ({"resize": "stretch", "resize_to": 40}, "does not fit resize 'stretch'"),
        ({"interpolation": "cubic"}, "'cubic' is unknown"),
    ],
)
def test_preprocessing_refuses(options: dict[str, Any], match: str) -> None:
    with pytest.raises(DataError, match=match):
        Preprocessing(**{"size": (16, 16), **options})
