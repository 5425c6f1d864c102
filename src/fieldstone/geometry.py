"""The arithmetic of windows, in integers: output size, padding, dilation, and which inputs each output reads.

Sources: torch.nn.Conv2d, MaxPool2d, ConvTranspose2d, AdaptiveAvgPool2d and Upsample; Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning", arXiv:1603.07285.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from math import gcd, prod
from typing import Literal, NamedTuple

Shape = tuple[int, ...]  # channels and sides, (C, H, W); (C,) once flattened


class Whole(Enum):
    """The reach of a block that sees its whole input at once."""

    WHOLE = "whole"


WHOLE = Whole.WHOLE


def extent(kernel: int, dilation: int) -> int:
    """The pixels from the first to the last that a dilated kernel reads."""
    return dilation * (kernel - 1) + 1


def strided_same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Padding (before, after) that gives ceil(size / stride) windows, as TensorFlow's SAME; the odd one after."""
    total = max(0, (-(-size // stride) - 1) * stride + window - size)
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


class Reads(NamedTuple):
    """Which places of its input each value along an axis reads, borders not clipped.

    Value `i` reads `taps(i % period)`, moved by `i // period * advance`.
    """

    period: int
    advance: int
    taps: Callable[[int], range]

    def reach(self, place: int) -> range:
        """What the value at a place reads: evenly spaced places."""
        turns, phase = divmod(place, self.period)
        taps, moved = self.taps(phase), turns * self.advance
        return range(taps.start + moved, taps.stop + moved, taps.step)

    def at(self, place: int) -> tuple[int, ...]:
        """The same, each place."""
        return tuple(self.reach(place))


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

    def misses(self, sizes: tuple[int, ...]) -> bool:
        """Whether a window lies so that it reads padding alone: dilated, it may step over the whole input."""
        axes = zip(sizes, self.output_sizes(sizes), self.reads(sizes), strict=True)
        return any(_misses(reads, size, count) for size, count, reads in axes)

    def reads(self, sizes: tuple[int, ...]) -> tuple[Reads, ...]:
        """What each value reads, per axis."""
        parts = zip(self.kernel, self.stride, self.dilation, self.padding, strict=True)
        return tuple(
            Reads(1, stride, partial(_dilated, kernel, dilation, before))
            for kernel, stride, dilation, (before, _) in parts
        )


def _dilated(kernel: int, dilation: int, before: int, _phase: int) -> range:
    """The inputs that the first window reads."""
    return range(-before, dilation * kernel - before, dilation)


def _misses(reads: Reads, size: int, count: int) -> bool:
    """Whether one of so many windows reads nothing of an axis: one that begins before it, or the last.

    Of those the first ends earliest. A dilation above the size may step over the axis: whether it does goes by the
    remainders of where they begin, so that one more of them than the axis has places show it, if any does.
    """
    first = reads.taps(0)
    looked = min(count, max(1, -(first.start // reads.advance)), size + 1 if first.step > size else 1)
    return any(not _real(reads.reach(place), size) for place in (*range(looked), count - 1))


def _real(places: range, size: int) -> range:
    """Those of evenly spaced places that an axis of that many has."""
    first = max(0, -(places.start // places.step))
    return places[first : max(first, -((places.start - size) // places.step))]


@dataclass(frozen=True)
class Transposed:
    """A transposed window: each input is spread over a kernel, `stride` apart. Numbers per axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]

    def output_sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sides that leave, as torch.nn.ConvTranspose2d gives them; below 1 where nothing is left."""
        parts = zip(sizes, self.kernel, self.stride, self.dilation, self.padding, self.output_padding, strict=True)
        return tuple((n - 1) * stride - 2 * pad + extent(kernel, d) + out for n, kernel, stride, d, pad, out in parts)

    def reads(self, sizes: tuple[int, ...]) -> tuple[Reads, ...]:
        """What each value reads, per axis: of place p, each (p + padding - dilation * tap) / stride that is whole."""
        parts = zip(self.kernel, self.stride, self.dilation, self.padding, strict=True)
        return tuple(
            Reads(stride, 1, partial(_spread, kernel, stride, dilation, padding))
            for kernel, stride, dilation, padding in parts
        )

    def giving(self, sizes: tuple[int, ...], wanted: tuple[int, ...]) -> Transposed:
        """The same with the `output_padding` that makes the wanted sides of these."""
        made = replace(self, output_padding=(0,) * len(sizes)).output_sizes(sizes)
        return replace(self, output_padding=tuple(side - short for side, short in zip(wanted, made, strict=True)))


def _spread(kernel: int, stride: int, dilation: int, padding: int, place: int) -> range:
    """The inputs that a transposed window adds up at one place."""
    moved = [place + padding - dilation * tap for tap in reversed(range(kernel))]
    read = [number // stride for number in moved if number % stride == 0]
    return range(read[0], read[-1] + 1, dilation // gcd(stride, dilation)) if read else range(0)


@dataclass(frozen=True)
class Resized:
    """Sides made other sides, per axis. `how` says what a value reads:

    `nearest` one input, `linear` the two around its centre, `cubic` the four, `adaptive` the inputs that its share of
    the axis touches.
    """

    sizes: tuple[int, ...]
    how: Literal["nearest", "linear", "cubic", "adaptive"]
    align_corners: bool = False

    def output_sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sides that leave."""
        return self.sizes

    def reads(self, sizes: tuple[int, ...]) -> tuple[Reads, ...]:
        """What each value reads, per axis."""
        return tuple(self._axis(size, out) for size, out in zip(sizes, self.sizes, strict=True))

    def _axis(self, size: int, out: int) -> Reads:
        if self.align_corners and self.how in ("linear", "cubic"):
            size, out = (size - 1, out - 1) if out > 1 else (0, 1)  # a single value reads the first
        common = gcd(size, out)
        advance, period = size // common, out // common
        reads = Reads(period, advance, partial(self._taps, advance, period))
        return _even(reads) if common == 1 and period > 1 else reads

    def _taps(self, advance: int, period: int, place: int) -> range:
        """The inputs of one value where `period` values stand for `advance` inputs."""
        if self.how == "nearest":
            return _one(place * advance // period)
        if self.how == "adaptive":
            return range(place * advance // period, -(-(place + 1) * advance // period))
        above, below = (2 * place + 1) * advance - period, 2 * period  # the centre, (place + 1/2) in / out - 1/2
        if self.align_corners:
            above, below = place * advance, period
        before = above // below
        if above % below == 0:
            return _one(before)
        return range(before - 1, before + 3) if self.how == "cubic" else range(before, before + 2)


def _one(place: int) -> range:
    return range(place, place + 1)


def _even(reads: Reads) -> Reads:
    """One period alone, by its own step where it has one: 66 places resized to 65 are those 65, one apart.

    What they read beside their steps grows or shrinks all the way, so that the last tells for all.
    """
    step = reads.taps(1).start - reads.taps(0).start
    even = Reads(1, step, lambda _phase: reads.taps(0))
    return even if step > 0 and even.reach(reads.period - 1) == reads.taps(reads.period - 1) else reads


Moves = Window | Transposed | Resized
"""What a block reads of its input, where it reads neither its own place alone nor everything."""


def numel(shape: Shape) -> int:
    """The number of values in a map."""
    return prod(shape)


def format_shape(shape: tuple[int, ...]) -> str:
    """(3, 39, 39) as `3x39x39`."""
    return "x".join(map(str, shape))
