"""The one decoder: from the bytes of an image file to 8-bit pixels of the network's size."""

import ctypes
import io
import os
import re
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, _imaging

from fieldstone.data.manifest import MISSING
from fieldstone.data.preprocessing import Placement, Preprocessing
from fieldstone.errors import ImageError

Pixels = NDArray[np.uint8]

# What Pillow raises on damaged files: six of these were seen on 200,000 files that were cut or altered at random,
# the others are those that Pillow itself expects of its plugins.
UNREADABLE = (
    OSError, ValueError, SyntaxError, RuntimeError, AssertionError, Image.DecompressionBombError,
    EOFError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe must not block
MOST_READ = 1 << 24  # bytes
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MOST_PIXELS = 178_956_970  # beyond it a file is a decompression bomb; Pillow's own limit
DEEP = {"I;16", "I;16B", "I;16L", "I;16N"}
GREY = {"1", "L", "LA", "La", "I", "F"} | DEEP


class Header(NamedTuple):
    """What is known of an image before its pixels are read; upright size."""

    width: int
    height: int
    channels: int


def decode_image(source: str | Path | bytes | Image.Image, preprocessing: Preprocessing) -> Pixels:
    """The pixels of an image as the network takes them, uint8 of shape (C, H, W), not yet scaled.

    `source` is a path, the bytes of a file, or an image of Pillow's. Raises ImageError with the reason.
    """
    with quiet():
        return decode_placed(source, preprocessing)[0]


def decode_placed(source: str | Path | bytes | Image.Image, preprocessing: Preprocessing) -> tuple[Pixels, Placement]:
    """`decode_image`, and where in the result the image's own pixels lie; the caller keeps Pillow `quiet`."""
    with readable(source):
        image = source if isinstance(source, Image.Image) else opened(source)
        check_size(image)
        image.load()
        turn = UPRIGHT.get(orientation(image))
        image = eight_bits(image, preprocessing.channels)
    return fit(image if turn is None else image.transpose(turn), preprocessing)


def read_header(data: bytes) -> Header:
    """The upright size and the channels of an image, from the head of its file. Raises ImageError.

    Here and in `read_fully` the caller keeps Pillow `quiet`.
    """
    with readable(data):
        image = opened(data)
        check_size(image)
        turned = orientation(image) >= 5 and image.format != "TIFF"  # Pillow turns TIFF itself, at opening
        width, height = (image.height, image.width) if turned else image.size
        return Header(width, height, 1 if image.mode in GREY else 3)


def read_fully(data: bytes) -> None:
    """Decode every pixel of the first frame and forget them. Raises ImageError."""
    with readable(data):
        image = opened(data)
        check_size(image)
        image.load()


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a regular file; a pipe or a device, which could wait for ever, is an ImageError."""
    with readable(path):
        file = os.open(path, AT_ONCE)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise ImageError("not a regular file")
            return _read_all(file, status.st_size)
        finally:
            os.close(file)


def _read_all(file: int, size: int) -> bytes:
    """The rest of an open file; one call where the system gives all at once, as it does for usual images."""
    data = os.read(file, size)
    if len(data) == size:
        return data
    pieces = [data]
    while piece := os.read(file, MOST_READ):
        pieces.append(piece)
    return b"".join(pieces)


def opened(source: str | Path | bytes) -> Image.Image:
    """The image behind a path or bytes, its pixels not read yet."""
    data = source if isinstance(source, bytes) else read_bytes(source)
    return Image.open(io.BytesIO(data), formats=formats())


@cache
def formats() -> tuple[str, ...]:
    """Every format that Pillow opens, but EPS: to read it Pillow would run another program on the file."""
    Image.init()
    common = ("JPEG", "PNG")  # tried first, for speed
    return (*common, *(name for name in Image.OPEN if name not in (*common, "EPS")))


@cache
def suffixes() -> frozenset[str]:
    """The file name suffixes, in lower case and with their dot, of the formats that can be opened."""
    known = {*formats(), "MPO"}  # MPO is opened as JPEG
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in known)


def check_size(image: Image.Image) -> None:
    """Refuse an image without pixels, or with so many that its file must be a decompression bomb."""
    if not 0 < image.width * image.height <= MOST_PIXELS:
        raise ImageError(f"its {image.width} x {image.height} pixels are none, or more than {MOST_PIXELS:,}")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is absent or damaged."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except UNREADABLE:
        return 1


def eight_bits(image: Image.Image, channels: int) -> Image.Image:
    """The image as `L` or `RGB`: 16 bits lose the lower 8, floats are 0 to 1, alpha lies on white."""
    if image.mode in DEEP:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode == "I":
        image = Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    elif image.mode == "F":
        values = np.nan_to_num(np.asarray(image), nan=0.0, posinf=1.0, neginf=0.0)
        image = Image.fromarray((values.clip(0, 1) * 255 + 0.5).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode not in ("1", "L"):
        image = image.convert("RGB")
    return image.convert("L" if channels == 1 else "RGB")


def fit(image: Image.Image, preprocessing: Preprocessing) -> tuple[Pixels, Placement]:
    """Resize an `L` or `RGB` image, cut or pad it to the size: (C, H, W). The right size is not resampled."""
    place = preprocessing.place(image.height, image.width)
    inner = (place.width, place.height)
    if image.size != inner or place.box != (0, 0, *inner):
        image = image.resize(inner, Image.Resampling.BILINEAR, box=place.box)
    pixels = np.asarray(image).reshape(place.height, place.width, preprocessing.channels)
    if inner == preprocessing.size[::-1]:
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)), place  # (H, W, C) -> (C, H, W)
    padded = np.empty((preprocessing.channels, *preprocessing.size), np.uint8)
    padded[:] = np.array(preprocessing.padding, np.uint8)[:, None, None]
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    padded[:, rows, columns] = pixels.transpose(2, 0, 1)
    return padded, place


@contextmanager
def readable(source: str | Path | bytes | Image.Image) -> Iterator[None]:
    """Turn what Pillow raises on damaged files into an ImageError that says why."""
    try:
        yield
    except UNREADABLE as error:
        file = str(source) if isinstance(source, str | Path) else None
        if isinstance(error, ImageError):
            raise ImageError(error.message, file=error.file or file) from error
        raise ImageError(reason(error), file=file) from error


def reason(error: BaseException) -> str:
    """Why a file cannot be read, the same words at every try."""
    match error:
        case UnidentifiedImageError():
            return "not an image that Pillow can read"
        case Image.DecompressionBombError():
            return f"its size is more than {MOST_PIXELS:,} pixels"
        case FileNotFoundError():
            return MISSING
        case OSError(strerror=str(text)):
            return text.lower()
        case MemoryError():
            return "it does not fit into memory"
    text = re.sub(r" \(\d+ bytes not processed\)", "", str(error).strip().rstrip("."))
    return f"damaged: {text}" if text else f"damaged: {type(error).__name__}"


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_undo: ExitStack = ExitStack()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings (odd metadata, large images) from the user while any thread decodes, and what libtiff
    prints of damaged files; Pillow raises that too.

    The filters of `warnings` belong to the whole process, so the first thread in sets them, the last restores.
    """
    global _quiet_depth
    with _quiet_lock:
        _quiet_depth += 1
        if _quiet_depth == 1:
            _quiet_undo.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _quiet_undo.enter_context(_quiet_libtiff())
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                _quiet_undo.close()


@cache
def _libtiff_error_handler() -> Any:
    """The C function that puts another handler in its place; None in a Pillow without libtiff, or one that hides it."""
    try:
        swap = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler  # looked up in what Pillow is linked with
    except (OSError, AttributeError):
        return None
    swap.argtypes, swap.restype = [ctypes.c_void_p], ctypes.c_void_p
    return swap


@contextmanager
def _quiet_libtiff() -> Iterator[None]:
    """Without libtiff's error handler, which writes to standard error; Pillow itself takes its warning handler away."""
    swap = _libtiff_error_handler()
    if swap is None:
        yield
        return
    before = swap(None)
    try:
        yield
    finally:
        swap(before)
