"""How an image becomes the network's input: its size in pixels, then its numbers."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self, get_args

from fieldstone.errors import DataError

Resize = Literal["crop", "letterbox", "stretch"]
MID_GREY = 127  # what letterbox pads with while the mean is not known


class Placement(NamedTuple):
    """Where the pixels of an image land: the part `box` of the source becomes `height` x `width` at (top, left)."""

    box: tuple[float, float, float, float]  # left, top, right, bottom in source pixels
    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Preprocessing:
    """Size and numbers of a network's input.

    `size` is (height, width). x = pixel * scale, then (x - mean) / std per channel; `mean` and `std` are None
    until they are measured on the training part. `resize_to` is what the shorter side becomes before `crop` cuts.
    """

    size: tuple[int, int]
    channels: int = 3
    resize: Resize = "crop"
    resize_to: int | None = None
    interpolation: Literal["bilinear"] = "bilinear"
    scale: float = 1 / 255
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise DataError(f"the size {self.size} is not a height and a width of at least 1")
        if self.channels not in (1, 3):
            raise DataError(
                f"{self.channels} channels cannot be made from images",
                fix="give the design an input of 1 (grey) or 3 (red, green, blue) channels",
            )
        if self.resize not in get_args(Resize):
            raise DataError(f"resize {self.resize!r} is unknown", fix=f"choose one of {', '.join(get_args(Resize))}")
        if self.interpolation != "bilinear":
            raise DataError(f"interpolation {self.interpolation!r} is unknown", fix="choose bilinear")
        if self.resize_to is not None and (self.resize != "crop" or self.resize_to < max(self.size)):
            raise DataError(
                f"resize_to {self.resize_to} does not fit resize {self.resize!r} and size {self.size}",
                fix=f"use it with crop, and at least {max(self.size)}",
            )

    def for_input(self, channels: int, size: tuple[int, int]) -> Self:
        """The same for another input: it keeps the share of an image that is cut out.

        For another number of channels, each has the mean of the numbers of all.
        """
        resize_to = None if self.resize_to is None else self.resize_to * max(size) // max(self.size)
        mean, std = _for(channels, self.mean), _for(channels, self.std)
        return replace(self, size=size, channels=channels, resize_to=resize_to, mean=mean, std=std)

    @property
    def padding(self) -> tuple[int, ...]:
        """The pixel value, per channel, that letterbox pads with: the mean, or mid-grey before it is known."""
        if self.mean is None:
            return (MID_GREY,) * self.channels
        return tuple(min(255, max(0, round(value / self.scale))) for value in self.mean)

    def place(self, height: int, width: int) -> Placement:
        """Where an image of this height and width lands in the input."""
        whole = (0.0, 0.0, float(width), float(height))
        if self.resize == "stretch":
            return Placement(whole, 0, 0, *self.size)
        if self.resize == "letterbox":
            inner = self._inside(height, width)
            return Placement(whole, (self.size[0] - inner[0]) // 2, (self.size[1] - inner[1]) // 2, *inner)
        outer = self._around(height, width)
        top, left = (outer[0] - self.size[0]) // 2, (outer[1] - self.size[1]) // 2
        down, across = height / outer[0], width / outer[1]  # source pixels per resized pixel
        box = (left * across, top * down, (left + self.size[1]) * across, (top + self.size[0]) * down)
        return Placement(box, 0, 0, *self.size)

    def _inside(self, height: int, width: int) -> tuple[int, int]:
        """The largest size of the same aspect that fits into `size`."""
        if self.size[0] * width <= self.size[1] * height:
            return self.size[0], max(1, round(width * self.size[0] / height))
        return max(1, round(height * self.size[1] / width)), self.size[1]

    def _around(self, height: int, width: int) -> tuple[int, int]:
        """The size of the same aspect whose shorter side is `resize_to`, or that just covers `size`."""
        if self.resize_to is not None:
            shorter = min(height, width)
            return height * self.resize_to // shorter, width * self.resize_to // shorter
        if self.size[0] * width >= self.size[1] * height:
            return self.size[0], width * self.size[0] // height
        return height * self.size[1] // width, self.size[1]

    def to_json(self) -> dict[str, Any]:
        """A dict of plain values, as the model file stores it."""
        return {
            "size": list(self.size),
            "channels": self.channels,
            "resize": self.resize,
            "resize_to": self.resize_to,
            "interpolation": self.interpolation,
            "scale": self.scale,
            "mean": None if self.mean is None else list(self.mean),
            "std": None if self.std is None else list(self.std),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        numbers = {name: None if value[name] is None else tuple(value[name]) for name in ("mean", "std")}
        height, width = value["size"]
        return cls(**{**value, **numbers, "size": (height, width)})


def _for(channels: int, numbers: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """One number for each channel; None as it is."""
    if numbers is None or len(numbers) == channels:
        return numbers
    return (sum(numbers) / len(numbers),) * channels
