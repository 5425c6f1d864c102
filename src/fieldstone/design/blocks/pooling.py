"""Pooling: by windows, of the whole map, to given sides, and its way back."""

from __future__ import annotations

from dataclasses import field, replace
from typing import ClassVar, NamedTuple

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, block, main, option
from fieldstone.design.blocks.kinds import FLAG, NAME, PADDING, SIZES, Padding, Sizes
from fieldstone.design.blocks.window import Pairs, Sliding, described, needs_map, padding_of, per_axis
from fieldstone.geometry import WHOLE, Resized, Shape, Transposed, Whole, Window, format_shape


@block
class Pool(Sliding):
    """Pooling over a sliding window; the stride is the kernel where none is given, as in torch.

    `padding=same` gives ceil(side / stride) values, as TensorFlow's SAME, the odd pad after.
    """

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
        padding = padding_of(self.padding, sides, kernel, stride, dilation)
        for (pad, _), size in zip(padding, kernel, strict=True):
            if pad > size // 2 and self.padding != "same":
                raise FitError(
                    f"padding {pad} is more than half of its kernel {size}, which torch refuses",
                    f"use padding={size // 2} or less, or a `pad` in front of it",
                )
        return Window(kernel, stride, dilation, padding, self.ceil_mode)

    def pads_first(self, sides: tuple[int, ...]) -> bool:
        """Whether torch's layer cannot pad so: other numbers before than after, or more than half of its kernel."""
        window = self.window(sides)
        axes = zip(window.padding, window.kernel, strict=True)
        return any(before != after or after > size // 2 for (before, after), size in axes)

    def padded(self, padding: Padding) -> Pool:
        return replace(self, padding=padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.output_sizes(input_shape))


@block
class MaxPool(Pool):
    """The largest value of each window (torch.nn.MaxPool1d, MaxPool2d, MaxPool3d).

    With a `name` it keeps where each largest value stood, for a `maxunpool`.
    """

    keyword: ClassVar[str] = "maxpool"
    syntax: ClassVar[str] = "maxpool KERNEL"
    dilation: Sizes = field(default=(1,), metadata=option(SIZES))
    name: str | None = field(default=None, metadata=option(NAME))

    def dilations(self, rank: int) -> tuple[int, ...]:
        return per_axis(self.dilation, rank, "dilation")

    def output_shape(self, input_shape: Shape) -> Shape:
        shape = super().output_shape(input_shape)
        window = self.window(input_shape[1:])
        if any(dilation > 1 for dilation in window.dilation) and window.misses(input_shape[1:]):
            raise TooSmallError(
                f"a window of {described(window)}, reads padding alone of its {format_shape(input_shape)} input, "
                "and has no largest value",
                "use less dilation or padding",
            )
        return shape


@block
class AvgPool(Pool):
    """The mean of each window (torch.nn.AvgPool1d, AvgPool2d, AvgPool3d)."""

    keyword: ClassVar[str] = "avgpool"
    syntax: ClassVar[str] = "avgpool KERNEL"
    count_include_pad: bool = field(default=True, metadata=option(FLAG))

    def pads_first(self, sides: tuple[int, ...]) -> bool:
        return super().pads_first(sides) or (self.padding == "same" and self._exceeds(sides))

    def output_shape(self, input_shape: Shape) -> Shape:
        """As `Pool`; torch's 3-d average alone wants the kernel inside the input itself, padding not counted."""
        shape = super().output_shape(input_shape)
        if self.padding != "same" and self._exceeds(input_shape[1:]):
            raise TooSmallError(
                f"its input is {format_shape(input_shape)}, smaller than {described(self.window(input_shape[1:]))}; "
                "torch does not count padding here",
                "use padding=same",
            )
        return shape

    def _exceeds(self, sides: tuple[int, ...]) -> bool:
        """Whether its kernel is larger than the input in torch's 3-d average, which takes no such kernel."""
        return len(sides) == 3 and any(map(int.__lt__, sides, self.window(sides).kernel))


@block
class GlobalPool(Block):
    """One number per channel from the whole map."""

    keepdims: bool = field(default=False, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        return (input_shape[0], *(1 for _ in sides)) if self.keepdims else input_shape[:1]

    def window(self, sides: tuple[int, ...]) -> Whole:
        return WHOLE


@block
class GlobalMaxPool(GlobalPool):
    """The largest value of each channel (torch.nn.AdaptiveMaxPool2d(1))."""

    keyword: ClassVar[str] = "globalmaxpool"
    syntax: ClassVar[str] = "globalmaxpool"


@block
class GlobalAvgPool(GlobalPool):
    """The mean of each channel (torch.nn.AdaptiveAvgPool2d(1))."""

    keyword: ClassVar[str] = "globalavgpool"
    syntax: ClassVar[str] = "globalavgpool"


@block
class AdaptivePool(Block):
    """A map of the given sides: each value from its share of the input, floor(i·in/out) to ceil((i+1)·in/out)."""

    output_size: Sizes = field(metadata=main(SIZES))

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.window(needs_map(input_shape)).sizes)

    def window(self, sides: tuple[int, ...]) -> Resized:
        return Resized(per_axis(self.output_size, len(sides), "size"), "adaptive")


@block
class AdaptiveMaxPool(AdaptivePool):
    """The largest value of each share (torch.nn.AdaptiveMaxPool1d, 2d, 3d)."""

    keyword: ClassVar[str] = "adaptivemaxpool"
    syntax: ClassVar[str] = "adaptivemaxpool SIZE"


@block
class AdaptiveAvgPool(AdaptivePool):
    """The mean of each share (torch.nn.AdaptiveAvgPool1d, 2d, 3d)."""

    keyword: ClassVar[str] = "adaptiveavgpool"
    syntax: ClassVar[str] = "adaptiveavgpool SIZE"


class Pooled(NamedTuple):
    """What a named max pooling leaves for its way back: itself, the shapes that came and left, and its path."""

    pool: MaxPool
    input_shape: Shape
    output_shape: Shape
    source: str

    @property
    def window(self) -> Window:
        return self.pool.window(self.input_shape[1:])

    @property
    def pads(self) -> Pairs:
        """The padding that is a layer of its own; () where torch's pooling pads."""
        return self.window.padding if self.pool.pads_first(self.input_shape[1:]) else ()

    @property
    def torch_window(self) -> Window:
        """The window of torch's pooling."""
        return replace(self.window, padding=((0, 0),) * len(self.pads)) if self.pads else self.window

    @property
    def torch_sides(self) -> tuple[int, ...]:
        """The sides on which torch's pooling counts places."""
        sides = self.input_shape[1:]
        return tuple(side + sum(pair) for side, pair in zip(sides, self.pads or ((0, 0),) * len(sides), strict=True))


@block
class MaxUnpool(Block):
    """Each value put back where the pooling of that name found its largest, 0 elsewhere (torch.nn.MaxUnpool2d).

    Source: Badrinarayanan, Kendall and Cipolla, "SegNet", arXiv:1511.00561.
    """

    keyword: ClassVar[str] = "maxunpool"
    syntax: ClassVar[str] = "maxunpool NAME"
    name: str = field(metadata=main(NAME))
    pooled: Pooled | None = field(default=None, compare=False, repr=False, kw_only=True)

    def output_shape(self, input_shape: Shape) -> Shape:
        assert self.pooled is not None
        if input_shape != self.pooled.output_shape:
            raise FitError(
                f"its input is {format_shape(input_shape)}, the maxpool {self.name} "
                f"gave {format_shape(self.pooled.output_shape)}",
                "make them equal: `conv C 1` sets the channels, padding keeps sides",
            )
        return self.pooled.input_shape

    def window(self, sides: tuple[int, ...]) -> Transposed:
        """The windows of the pooling, seen from a place: any of those that cover it may have found its largest there.

        For one image a value comes from at most those; which one is decided by the values, not by the design.
        """
        assert self.pooled is not None
        window = self.pooled.window
        before = tuple(pair[0] for pair in window.padding)
        plain = Transposed(window.kernel, window.stride, window.dilation, before, (0,) * len(sides))
        return plain.giving(sides, self.pooled.input_shape[1:])
