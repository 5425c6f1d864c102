"""What a frozen trunk makes of each image: computed once, kept in the cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.data import cache
from fieldstone.data.batches import in_turn
from fieldstone.data.decode import Pixels
from fieldstone.errors import DeviceError
from fieldstone.model.inference import SMALLER, evaluating
from fieldstone.model.inference import place as place_on
from fieldstone.model.tensors import content_digest, copied
from fieldstone.network.memory import within_memory
from fieldstone.training.precision import autocast

IMAGES_AT_ONCE = 64
Features = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class StoppedError(Exception):
    """Somebody asked to stop before all was computed."""


def place_of_features(pixels: str, weights: Mapping[str, Tensor], rows: Rows, settings: Sequence[str]) -> Path:
    """Where the features of these images lie in the cache: a name for the images, the weights and the settings."""
    digest = content_digest("", copied(weights))
    key = cache.key([pixels, digest, torch.__version__, *settings], rows.tolist())
    return cache.folder() / f"features-{key}.npy"


def stored_features(place: Path, rows: Rows) -> Features | None:
    """The features (N, C, ...) that lie there, mapped; None where there are none, or only a part."""
    try:
        found: Features = np.load(place, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return found if len(found) == len(rows) else None


def write_features(
    place: Path,
    trunk: nn.Module,
    normalise: nn.Module,
    images: Pixels,
    rows: Rows,
    *,
    device: torch.device,
    precision: str,
    advance: Callable[[int], None],
    stop: Callable[[], bool],
) -> Features:
    """Compute a trunk's outputs for some rows of the images, (N, C, ...) in float32, and keep them.

    Raises:
        StoppedError: `stop` said so.
        DeviceError: the device has too little memory.
        DataError: the cache cannot be written.
    """
    trunk = place_on(trunk, device)
    refusal = DeviceError(f"{device} has too little memory for {IMAGES_AT_ONCE} images in this network", fix=SMALLER)
    with cache.written(place) as beside, beside.open("wb") as stream, evaluating(trunk), within_memory(refusal):
        begun = False
        for some, pixels in in_turn(images, rows, IMAGES_AT_ONCE, device):
            if stop():
                raise StoppedError
            with autocast(device, precision):
                made: Tensor = trunk(normalise(pixels))
            values = made.float().cpu().contiguous().numpy()
            if not begun:
                header = {"descr": "<f4", "fortran_order": False, "shape": (len(rows), *values.shape[1:])}
                np.lib.format.write_array_header_1_0(stream, header)
                begun = True
            stream.write(values.tobytes())
            advance(len(some))
    written = stored_features(place, rows)
    assert written is not None
    return written


def size_of(features: Features) -> int:
    """How many numbers an image's features are."""
    return math.prod(features.shape[1:])
