"""Convolutions: plain, depthwise, separable and transposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from math import gcd, prod
from typing import ClassVar

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, block, main, option
from fieldstone.design.blocks.kinds import (
    CONV_PADDING,
    COUNT,
    FILTERS,
    FLAG,
    NATURALS,
    PADDING,
    SIZES,
    Filters,
    Padding,
    Sizes,
    choice,
    write_sizes,
)
from fieldstone.design.blocks.window import Sliding, check_border, folded, needs_map, padding_of, per_axis
from fieldstone.geometry import Shape, Transposed, Window, extent, format_shape

BORDERS = choice("zeros", "reflect", "replicate", "circular")


@block
class Filtered(Block):
    """A block whose filters make the channels of its output; they may be `classes`."""

    out_channels: Filters = field(metadata=main(FILTERS))

    @property
    def filters(self) -> int:
        assert isinstance(self.out_channels, int)
        return self.out_channels


@block
class Convolution(Sliding):
    """A kernel over 1, 2 or 3 axes, and how it slides."""

    kernel_size: Sizes = field(metadata=main(SIZES))
    stride: Sizes = field(default=(1,), metadata=option(SIZES))
    padding: Padding = field(default=(0,), metadata=option(CONV_PADDING))
    dilation: Sizes = field(default=(1,), metadata=option(SIZES))

    def window(self, sides: tuple[int, ...]) -> Window:
        rank = len(sides)
        kernel = per_axis(self.kernel_size, rank, "kernel")
        stride = per_axis(self.stride, rank, "stride")
        dilation = per_axis(self.dilation, rank, "dilation")
        return Window(kernel, stride, dilation, padding_of(self.padding, sides, kernel, stride, dilation))

    def padded(self, padding: Padding) -> Convolution:
        return replace(self, padding=padding)


@block
class Conv(Convolution, Filtered):
    """Convolution (torch.nn.Conv1d, Conv2d, Conv3d).

    `padding=same` gives ceil(side / stride) values, as TensorFlow's SAME, the odd pad after; `causal` pads before.
    """

    keyword: ClassVar[str] = "conv"
    syntax: ClassVar[str] = "conv FILTERS KERNEL"
    groups: int = field(default=1, metadata=option(COUNT))
    bias: bool = field(default=True, metadata=option(FLAG))
    padding_mode: str = field(default="zeros", metadata=option(BORDERS))

    def output_shape(self, input_shape: Shape) -> Shape:
        sizes = self.output_sizes(input_shape)
        sides = input_shape[1:]
        check_border("padding_mode", self.padding_mode, self.window(sides).padding, sides)
        _check_groups(self.groups, input_shape[0], self.filters)
        return (self.filters, *sizes)

    def params(self, input_shape: Shape) -> int:
        return self._weights(input_shape) + (self.filters if self.bias else 0)

    def macs(self, input_shape: Shape) -> int:
        return self._weights(input_shape) * prod(self.output_sizes(input_shape))

    def _weights(self, input_shape: Shape) -> int:
        return self.filters * (input_shape[0] // self.groups) * prod(self.window(input_shape[1:]).kernel)


def _check_groups(groups: int, in_channels: int, out_channels: int) -> None:
    for channels, which in ((in_channels, "input channels"), (out_channels, "filters")):
        if channels % groups:
            common = gcd(in_channels, out_channels)
            near = max(n for n in range(1, min(groups, common) + 1) if common % n == 0)
            raise FitError(f"groups={groups} does not divide its {channels} {which}", f"use groups={near}")


@block
class ByChannel(Convolution):
    """A convolution of each channel by itself, and what follows it: plain convolutions, one after another."""

    bias: bool = field(default=True, metadata=option(FLAG))
    padding_mode: str = field(default="zeros", metadata=option(BORDERS))
    multiplier: int = field(default=1, metadata=option(COUNT))

    def convolutions(self, in_channels: int) -> tuple[Conv, ...]:
        """The same as plain convolutions."""
        raise NotImplementedError

    def depthwise(self, in_channels: int, bias: bool) -> Conv:
        """Each channel convolved `multiplier` times; channel c gives those from c * multiplier on."""
        return Conv(
            in_channels * self.multiplier,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=in_channels,
            bias=bias,
            padding_mode=self.padding_mode,
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        *_, (last, shape) = self._steps(input_shape)
        return last.output_shape(shape)

    def params(self, input_shape: Shape) -> int:
        return sum(step.params(shape) for step, shape in self._steps(input_shape))

    def macs(self, input_shape: Shape) -> int:
        return sum(step.macs(shape) for step, shape in self._steps(input_shape))

    def _steps(self, shape: Shape) -> Iterator[tuple[Conv, Shape]]:
        for step in self.convolutions(shape[0]):
            yield step, shape
            shape = step.output_shape(shape)


@block
class Depthwise(ByChannel):
    """Each channel convolved by itself (torch.nn.Conv2d with as many groups as channels)."""

    keyword: ClassVar[str] = "depthwise"
    syntax: ClassVar[str] = "depthwise KERNEL"

    def convolutions(self, in_channels: int) -> tuple[Conv, ...]:
        return (self.depthwise(in_channels, self.bias),)


@block
class Separable(ByChannel, Filtered):
    """Each channel convolved by itself, without a bias, then a 1x1 convolution, which has it.

    Source: Chollet, "Xception", arXiv:1610.02357; keras.layers.SeparableConv2D.
    """

    keyword: ClassVar[str] = "separable"
    syntax: ClassVar[str] = "separable FILTERS KERNEL"

    def convolutions(self, in_channels: int) -> tuple[Conv, ...]:
        return self.depthwise(in_channels, False), Conv(self.filters, (1,), bias=self.bias)


@block
class UpConv(Filtered):
    """Transposed convolution: each value spread over a kernel (torch.nn.ConvTranspose1d, 2d, 3d).

    `padding=same` gives side * stride, as keras.layers.Conv2DTranspose: what is too much is cut off both ends, the odd
    one off the end; what is missing under a kernel that spans less than the stride is added to the end.
    """

    keyword: ClassVar[str] = "upconv"
    syntax: ClassVar[str] = "upconv FILTERS KERNEL"
    kernel_size: Sizes = field(metadata=main(SIZES))
    stride: Sizes = field(default=(1,), metadata=option(SIZES))
    padding: Padding = field(default=(0,), metadata=option(PADDING))
    output_padding: Sizes = field(default=(0,), metadata=option(NATURALS))
    dilation: Sizes = field(default=(1,), metadata=option(SIZES))
    groups: int = field(default=1, metadata=option(COUNT))
    bias: bool = field(default=True, metadata=option(FLAG))

    def window(self, sides: tuple[int, ...]) -> Transposed:
        """As torch's numbers; an `output_padding` of -1 is a value that is cut off the end."""
        rank = len(sides)
        kernel = per_axis(self.kernel_size, rank, "kernel")
        stride = per_axis(self.stride, rank, "stride")
        dilation = per_axis(self.dilation, rank, "dilation")
        more = per_axis(self.output_padding, rank, "output_padding")
        if self.padding != "same":
            assert not isinstance(self.padding, str)
            return Transposed(kernel, stride, dilation, per_axis(self.padding, rank, "padding"), more)
        spans = tuple(map(extent, kernel, dilation))
        padding = tuple(max(0, span - step) // 2 for span, step in zip(spans, stride, strict=True))
        more = tuple(step - span + 2 * pad for step, span, pad in zip(stride, spans, padding, strict=True))
        return Transposed(kernel, stride, dilation, padding, more)

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        self._check_output_padding(len(sides))
        sizes = self.window(sides).output_sizes(sides)
        if min(sizes) < 1:
            raise self._cut_away(input_shape)
        _check_groups(self.groups, input_shape[0], self.filters)
        return (self.filters, *sizes)

    def params(self, input_shape: Shape) -> int:
        return self._weights(input_shape) + (self.filters if self.bias else 0)

    def macs(self, input_shape: Shape) -> int:
        """Every input value times its kernel, what falls off the ends too, as torch.utils.flop_counter counts."""
        return self._weights(input_shape) * prod(input_shape[1:])

    def _weights(self, input_shape: Shape) -> int:
        return input_shape[0] * (self.filters // self.groups) * prod(self.window(input_shape[1:]).kernel)

    def _check_output_padding(self, rank: int) -> None:
        stride, dilation = per_axis(self.stride, rank, "stride"), per_axis(self.dilation, rank, "dilation")
        more = per_axis(self.output_padding, rank, "output_padding")
        written = write_sizes(self.output_padding)
        if self.padding == "same" and any(more):
            raise FitError(
                f"padding=same sets the sides by itself, output_padding={written} would change them",
                "leave output_padding out, or give the padding as a number",
            )
        most = tuple(max(pair) - 1 for pair in zip(stride, dilation, strict=True))
        if any(pad > limit for pad, limit in zip(more, most, strict=True)):
            raise FitError(
                f"output_padding={written} is not smaller than its stride {write_sizes(self.stride)} "
                f"or its dilation {write_sizes(self.dilation)}",
                f"use output_padding={write_sizes(folded(tuple(map(min, more, most))))}",
            )

    def _cut_away(self, shape: Shape) -> TooSmallError:
        window = self.window(shape[1:])
        whole = replace(window, padding=(0,) * len(window.padding)).output_sizes(shape[1:])
        most = folded(tuple(min(pad, (side - 1) // 2) for pad, side in zip(window.padding, whole, strict=True)))
        return TooSmallError(
            f"it makes {format_shape(whole)} of its {format_shape(shape)} input, "
            f"and padding {format_shape(window.padding)} cuts all of it away",
            f"use padding={write_sizes(most)}",
        )
