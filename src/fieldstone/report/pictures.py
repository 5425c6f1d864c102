"""Images inside the page: small files as data addresses."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGEST = 144
"""No picture has a longer side, in pixels."""
EXACT = 64
"""Up to this side a picture keeps every pixel as it is."""
QUALITY = 82


class Picture(NamedTuple):
    """The address of an image, its size, and whether it is one of few pixels, which are to be seen."""

    address: str
    width: int
    height: int

    @property
    def is_small(self) -> bool:
        return max(self.width, self.height) <= EXACT


def picture(pixels: NDArray[np.uint8]) -> Picture:
    """(C, H, W) pixels, one channel or three; large ones are made smaller."""
    grey = len(pixels) == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[0] if grey else pixels.transpose(1, 2, 0)))
    if max(image.size) <= EXACT:
        return Picture(_address(image, "PNG", optimize=True), *image.size)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return Picture(_address(image, "JPEG", quality=QUALITY), *image.size)


def _address(image: Image.Image, form: str, **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return f"data:image/{form.lower()};base64,{b64encode(file.getvalue()).decode('ascii')}"
