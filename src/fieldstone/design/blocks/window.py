"""Blocks that slide a window over a map, or pool the whole of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import gcd, prod
from typing import ClassVar

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, main, option
from fieldstone.design.blocks.kinds import (
    COUNT,
    FILTERS,
    FLAG,
    PADDING,
    SIZES,
    Filters,
    Padding,
    Sizes,
    choice,
    write_sizes,
)
from fieldstone.geometry import WHOLE, Shape, Whole, Window, format_shape, same_padding


def per_axis(sizes: Sizes, rank: int, name: str) -> tuple[int, ...]:
    """`3` as (3, 3): one number per axis. Raises FitError if it was given for another rank."""
    if len(sizes) not in (1, rank):
        sides = "1 side" if rank == 1 else f"{rank} sides"
        raise FitError(
            f"its {name} {write_sizes(sizes)} is for {len(sizes)} axes, its input has {sides}",
            f"give {name} one number, or one per side",
        )
    return sizes * rank if len(sizes) == 1 else sizes


def needs_map(shape: Shape) -> tuple[int, ...]:
    """The sides of a map. Raises FitError on an input that was flattened."""
    if len(shape) == 1:
        raise FitError(f"its input is flat ({shape[0]} numbers) and has no sides", "put it before the map is flattened")
    return shape[1:]


@dataclass(frozen=True)
class Sliding(Block):
    """A block with a sliding window; how channels change is the variant's."""

    def window(self, sides: tuple[int, ...]) -> Window:
        raise NotImplementedError

    def padded(self, padding: Sizes) -> Sliding:
        raise NotImplementedError

    def wider_padding(self, shape: Shape) -> str | None:
        """The smallest padding that lets the window fit, as it is written; None if torch would refuse it."""
        needed = _needed(self.window(shape[1:]), shape[1:])
        try:
            self.padded(needed).output_shape(shape)
        except FitError:
            return None
        return write_sizes(needed)

    def output_sizes(self, shape: Shape) -> tuple[int, ...]:
        """The sides that leave. Raises FitError where no window fits."""
        sides = needs_map(shape)
        window = self.window(sides)
        sizes = window.output_sizes(sides)
        if min(sizes) > 0:
            return sizes
        padding = self.wider_padding(shape)
        raise TooSmallError(
            f"its input is {format_shape(shape)}{_with_padding(window)}, smaller than {_describe(window)}",
            None if padding is None else f"pad it (padding={padding})",
        )


def _with_padding(window: Window) -> str:
    before = tuple(pair[0] for pair in window.padding)
    return f" with padding {format_shape(before)}" if any(before) else ""


def _describe(window: Window) -> str:
    kernel = f"the {format_shape(window.kernel)} kernel"
    return kernel if window.extents == window.kernel else f"{kernel}, which spans {format_shape(window.extents)}"


def _needed(window: Window, sides: tuple[int, ...]) -> Sizes:
    """The smallest padding per axis, not below what there is, that lets the window fit; one number where they agree."""
    axes = zip(sides, window.extents, window.padding, strict=True)
    needed = tuple(max(before, -((side - span) // 2)) for side, span, (before, _) in axes)
    return needed[:1] if len(set(needed)) == 1 else needed


@dataclass(frozen=True)
class Conv(Sliding):
    """Convolution over 1, 2 or 3 axes (torch.nn.Conv1d, Conv2d, Conv3d)."""

    keyword: ClassVar[str] = "conv"
    syntax: ClassVar[str] = "conv FILTERS KERNEL"
    out_channels: Filters = field(metadata=main(FILTERS))
    kernel_size: Sizes = field(metadata=main(SIZES))
    stride: Sizes = field(default=(1,), metadata=option(SIZES))
    padding: Padding = field(default=(0,), metadata=option(PADDING))
    dilation: Sizes = field(default=(1,), metadata=option(SIZES))
    groups: int = field(default=1, metadata=option(COUNT))
    bias: bool = field(default=True, metadata=option(FLAG))
    padding_mode: str = field(default="zeros", metadata=option(choice("zeros", "reflect", "replicate", "circular")))

    def window(self, sides: tuple[int, ...]) -> Window:
        rank = len(sides)
        kernel = per_axis(self.kernel_size, rank, "kernel")
        stride = per_axis(self.stride, rank, "stride")
        dilation = per_axis(self.dilation, rank, "dilation")
        if self.padding == "same":
            if any(step > 1 for step in stride):
                half = tuple(same_padding(*axis)[1] for axis in zip(kernel, dilation, strict=True))
                written = write_sizes(half[:1] if len(set(half)) == 1 else half)
                raise FitError("padding=same needs stride 1, as in torch", f"give numbers, such as padding={written}")
            padding = tuple(map(same_padding, kernel, dilation))
        else:
            assert not isinstance(self.padding, str)
            padding = tuple((pad, pad) for pad in per_axis(self.padding, rank, "padding"))
        return Window(kernel, stride, dilation, padding)

    def padded(self, padding: Sizes) -> Conv:
        return replace(self, padding=padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes = self.output_sizes(input_shape)
        self._check_border(input_shape[1:])
        self._check_groups(input_shape[0])
        assert isinstance(self.out_channels, int)
        return (self.out_channels, *sizes)

    def params(self, input_shape: Shape) -> int:
        assert isinstance(self.out_channels, int)
        return self._weights(input_shape) + (self.out_channels if self.bias else 0)

    def macs(self, input_shape: Shape) -> int:
        return self._weights(input_shape) * prod(self.output_sizes(input_shape))

    def _weights(self, input_shape: Shape) -> int:
        assert isinstance(self.out_channels, int)
        kernel = self.window(input_shape[1:]).kernel
        return self.out_channels * (input_shape[0] // self.groups) * prod(kernel)

    def _check_border(self, sides: tuple[int, ...]) -> None:
        """Torch mirrors less than the input, and wraps it around at most once."""
        most = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        widest = [max(pair) for pair in self.window(sides).padding]
        if most is not None and any(pad > side + most for pad, side in zip(widest, sides, strict=True)):
            raise FitError(
                f"padding_mode={self.padding_mode} cannot pad {format_shape(tuple(widest))} "
                f"around an input of {format_shape(sides)}",
                "use padding_mode=zeros or replicate, or less padding",
            )

    def _check_groups(self, in_channels: int) -> None:
        assert isinstance(self.out_channels, int)
        for channels, which in ((in_channels, "input channels"), (self.out_channels, "filters")):
            if channels % self.groups:
                common = gcd(in_channels, self.out_channels)
                near = max(n for n in range(1, min(self.groups, common) + 1) if common % n == 0)
                raise FitError(f"groups={self.groups} does not divide its {channels} {which}", f"use groups={near}")


@dataclass(frozen=True)
class Pool(Sliding):
    """Pooling over a sliding window; the stride is the kernel where none is given, as in torch."""

    kernel_size: Sizes = field(metadata=main(SIZES))
    stride: Sizes | None = field(default=None, metadata=option(SIZES))
    padding: Padding = field(default=(0,), metadata=option(PADDING))
    ceil_mode: bool = field(default=False, metadata=option(FLAG))

    def dilations(self, rank: int) -> tuple[int, ...]:
        return (1,) * rank

    def window(self, sides: tuple[int, ...]) -> Window:
        rank = len(sides)
        kernel = per_axis(self.kernel_size, rank, "kernel")
        stride = kernel if self.stride is None else per_axis(self.stride, rank, "stride")
        dilation = self.dilations(rank)
        padding = self._padding(kernel, dilation)
        for pad, size in zip(padding, kernel, strict=True):
            if pad > size // 2:
                raise FitError(
                    f"padding {pad} is more than half of its kernel {size}, which torch refuses",
                    f"use padding={size // 2} or less",
                )
        return Window(kernel, stride, dilation, tuple((pad, pad) for pad in padding), self.ceil_mode)

    def _padding(self, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
        if self.padding != "same":
            assert not isinstance(self.padding, str)
            return per_axis(self.padding, len(kernel), "padding")
        pairs = list(map(same_padding, kernel, dilation))
        for (before, after), size in zip(pairs, kernel, strict=True):
            if before != after or before > size // 2:
                half = tuple(number // 2 for number in kernel)
                written = write_sizes(half[:1] if len(set(half)) == 1 else half)
                raise FitError(
                    f"padding=same would pad {before} before and {after} after; pooling pads both sides alike, "
                    f"by at most half of its kernel {format_shape(kernel)}",
                    f"give the number, such as padding={written}",
                )
        return tuple(before for before, _ in pairs)

    def padded(self, padding: Sizes) -> Pool:
        return replace(self, padding=padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.output_sizes(input_shape))


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest value of each window (torch.nn.MaxPool1d, MaxPool2d, MaxPool3d)."""

    keyword: ClassVar[str] = "maxpool"
    syntax: ClassVar[str] = "maxpool KERNEL"
    dilation: Sizes = field(default=(1,), metadata=option(SIZES))

    def dilations(self, rank: int) -> tuple[int, ...]:
        return per_axis(self.dilation, rank, "dilation")


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window (torch.nn.AvgPool1d, AvgPool2d, AvgPool3d)."""

    keyword: ClassVar[str] = "avgpool"
    syntax: ClassVar[str] = "avgpool KERNEL"
    count_include_pad: bool = field(default=True, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        """As `Pool`; torch's 3-d average alone wants the kernel inside the input itself, padding not counted."""
        shape = super().output_shape(input_shape)
        kernel = self.window(input_shape[1:]).kernel
        if len(kernel) == 3 and any(side < size for side, size in zip(input_shape[1:], kernel, strict=True)):
            raise TooSmallError(
                f"its input is {format_shape(input_shape)}, smaller than the {format_shape(kernel)} kernel; "
                "torch does not count padding here"
            )
        return shape


@dataclass(frozen=True)
class GlobalPool(Block):
    """One number per channel from the whole map."""

    keepdims: bool = field(default=False, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        return (input_shape[0], *(1 for _ in sides)) if self.keepdims else input_shape[:1]

    def window(self, sides: tuple[int, ...]) -> Whole:
        return WHOLE


@dataclass(frozen=True)
class GlobalMaxPool(GlobalPool):
    """The largest value of each channel (torch.nn.AdaptiveMaxPool2d(1))."""

    keyword: ClassVar[str] = "globalmaxpool"
    syntax: ClassVar[str] = "globalmaxpool"


@dataclass(frozen=True)
class GlobalAvgPool(GlobalPool):
    """The mean of each channel (torch.nn.AdaptiveAvgPool2d(1))."""

    keyword: ClassVar[str] = "globalavgpool"
    syntax: ClassVar[str] = "globalavgpool"
