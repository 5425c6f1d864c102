"""The arithmetic of windows, in integers: output size, padding, dilation, receptive field, jump.

Sources: torch.nn.Conv2d and torch.nn.MaxPool2d (output sizes and `ceil_mode`); Araujo, Norris and Sim, "Computing
receptive fields of convolutional neural networks", Distill 2019 (receptive field and jump).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import NamedTuple

Shape = tuple[int, ...]  # channels and sides, (C, H, W); (C,) once flattened


class Whole(Enum):
    """The reach of a block that sees its whole input at once."""

    WHOLE = "whole"


WHOLE = Whole.WHOLE


def extent(kernel: int, dilation: int) -> int:
    """The pixels from the first to the last that a dilated kernel reads."""
    return dilation * (kernel - 1) + 1


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """Padding (before, after) that keeps the size at stride 1, as torch's `padding="same"`: the odd one goes after."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def output_size(size: int, window: int, stride: int, padding: tuple[int, int], ceil_mode: bool = False) -> int:
    """How many windows of that extent fit along one axis; below 1 if none does.

    In `ceil_mode` a last window may hang over the end, if it starts inside the input or the padding before it.
    """
    room = size + sum(padding) - window
    if not ceil_mode:
        return room // stride + 1
    windows = -(-room // stride) + 1
    return windows - 1 if (windows - 1) * stride >= size + padding[0] else windows


@dataclass(frozen=True)
class Window:
    """A sliding window, one number per axis; `padding` is (before, after) per axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    ceil_mode: bool = False

    @property
    def extents(self) -> tuple[int, ...]:
        """The pixels that the window spans, per axis."""
        return tuple(map(extent, self.kernel, self.dilation))

    def output_sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The number of windows per axis on an input with these sides; below 1 where none fits."""
        parts = zip(sizes, self.extents, self.stride, self.padding, strict=True)
        return tuple(output_size(*part, self.ceil_mode) for part in parts)

    def unread(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The real pixels at the end of each axis that the floor drops: no window reads them."""
        counts = self.output_sizes(sizes)
        ends = [
            (count - 1) * stride + span - before
            for count, stride, span, (before, _) in zip(counts, self.stride, self.extents, self.padding, strict=True)
        ]
        return tuple(max(0, size - end) for size, end in zip(sizes, ends, strict=True))


class Reach(NamedTuple):
    """What one value sees along one axis by one path, in input pixels.

    `jump` is the distance between neighbours, 0 once a path has seen its whole input; `length` the values on the axis.
    """

    field: int
    jump: int
    length: int

    def windowed(self, window: int, stride: int, length: int) -> Reach:
        return Reach(self.field + (window - 1) * self.jump, self.jump * stride, length)

    def whole(self) -> Reach:
        return Reach(self.field + (self.length - 1) * self.jump, 0, 1)

    def within(self, other: Reach) -> bool:
        """Whether the other path is at least as large, here and after any block that follows."""
        return all(mine <= theirs for mine, theirs in zip(self, other, strict=True))


@dataclass(frozen=True)
class Field:
    """What a value of a map sees of the input: per axis, each path that can still become the largest."""

    axes: tuple[tuple[Reach, ...], ...]

    @classmethod
    def of_input(cls, sizes: tuple[int, ...]) -> Field:
        """One pixel sees itself."""
        return cls(tuple((Reach(1, 1, size),) for size in sizes))

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """Pixels per axis, unclipped, by the largest path."""
        return tuple(max(reaches).field for reaches in self.axes)

    @property
    def jump(self) -> tuple[int, ...] | None:
        """Pixels between neighbours per axis, by the largest path; None once a path has seen its whole input."""
        if any(reach.jump == 0 for reaches in self.axes for reach in reaches):
            return None
        return tuple(max(reaches).jump for reaches in self.axes)

    def windowed(self, window: Window, sizes: tuple[int, ...]) -> Field:
        """After a window; `sizes` are the sides of its output."""
        steps = zip(self.axes, window.extents, window.stride, sizes, strict=True)
        return Field(tuple(tuple(r.windowed(span, stride, n) for r in axis) for axis, span, stride, n in steps))

    def whole(self) -> Field:
        """After a block that sees its whole input."""
        return Field(tuple(_largest({reach.whole() for reach in reaches}) for reaches in self.axes))

    def joined(self, other: Field) -> Field:
        """After two maps were put together."""
        return Field(tuple(_largest({*mine, *theirs}) for mine, theirs in zip(self.axes, other.axes, strict=True)))

    def cut(self, sizes: tuple[int, ...]) -> Field:
        """The same values, with the sides that they have now."""
        axes = zip(self.axes, sizes, strict=True)
        return Field(tuple(tuple(reach._replace(length=size) for reach in axis) for axis, size in axes))


def _largest(reaches: set[Reach]) -> tuple[Reach, ...]:
    kept = [r for r in reaches if not any(r.within(other) for other in reaches - {r})]
    return tuple(sorted(kept))


def numel(shape: Shape) -> int:
    """The number of values in a map."""
    return prod(shape)


def format_shape(shape: tuple[int, ...]) -> str:
    """(3, 39, 39) as `3x39x39`."""
    return "x".join(map(str, shape))
