"""How images become a network's input, as a person reads it."""

from __future__ import annotations

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.geometry import format_shape


def size_text(preprocessing: Preprocessing) -> str:
    """What happens to the size: `shorter side to 256, centre cut to 224x224`."""
    size = format_shape(preprocessing.size)
    how = {"crop": f"centre cut to {size}", "letterbox": f"fitted into {size}", "stretch": f"stretched to {size}"}
    side = "" if preprocessing.resize_to is None else f"shorter side to {preprocessing.resize_to}, "
    return side + how[preprocessing.resize]


def numbers_text(preprocessing: Preprocessing) -> str:
    """What happens to the numbers: `x = pixel * 1/255, then (x - mean) / std; mean ...; std ...`."""
    assert preprocessing.mean is not None
    assert preprocessing.std is not None
    mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (preprocessing.mean, preprocessing.std))
    scale = "1/255" if preprocessing.scale == 1 / 255 else f"{preprocessing.scale:g}"
    return f"x = pixel * {scale}, then (x - mean) / std; mean {mean}; std {std}"
