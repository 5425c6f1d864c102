"""Blocks that lay the values of a map out anew, resize it, or change its borders."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, block, main, option
from fieldstone.design.blocks.kinds import COUNT, FLAG, NAME, NATURALS, REAL, SIZES, Sizes, choice, write_sizes
from fieldstone.design.blocks.window import Pairs, check_border, folded, needs_map, per_axis
from fieldstone.geometry import Resized, Shape, Window, format_shape, numel


@block
class Flatten(Block):
    """A map as one row of numbers (torch.nn.Flatten)."""

    keyword: ClassVar[str] = "flatten"
    syntax: ClassVar[str] = "flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (numel(input_shape),)


LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""Torch's words for linear interpolation, by the number of sides."""


@block
class Upsample(Block):
    """A map with its sides times whole numbers, or with those of a saved map (torch.nn.Upsample)."""

    keyword: ClassVar[str] = "upsample"
    syntax: ClassVar[str] = "upsample FACTOR or upsample like=NAME"
    factor: Sizes | None = field(default=None, metadata=main(SIZES))
    like: str | None = field(default=None, metadata=option(NAME))
    mode: str = field(default="nearest", metadata=option(choice("nearest", *LINEAR.values(), "bicubic")))
    align_corners: bool = field(default=False, metadata=option(FLAG))
    saved: Shape | None = field(default=None, compare=False, repr=False, kw_only=True)  # the shape of the map `like`

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        if (self.factor is None) == (self.like is None):
            raise FitError(
                f"it has {'neither' if self.like is None else 'both'} a factor {'nor' if self.like is None else 'and'} "
                "a map that it is like",
                f"write it as `{self.syntax}`",
            )
        self.torch_mode(len(sides))
        return (input_shape[0], *self.window(sides).sizes)

    def window(self, sides: tuple[int, ...]) -> Resized:
        words: dict[str, Literal["nearest", "linear", "cubic"]] = {"nearest": "nearest", "bicubic": "cubic"}
        how = words.get(self.mode, "linear")
        return Resized(self._sizes(sides), how, self.align_corners)

    def torch_mode(self, rank: int) -> str:
        """Torch's word for the mode. Raises FitError where it has none for that many sides."""
        linear = LINEAR[rank]
        fits = {"nearest": "nearest", "linear": linear, linear: linear, **({"bicubic": "bicubic"} if rank == 2 else {})}
        if self.mode not in fits:
            needs = 2 if self.mode == "bicubic" else next(n for n, word in LINEAR.items() if word == self.mode)
            raise FitError(f"mode={self.mode} is for {needs} sides, its input has {rank}", "use mode=linear")
        if self.align_corners and self.mode == "nearest":
            raise FitError("align_corners=true has no meaning for mode=nearest", "leave it out, or use mode=linear")
        return fits[self.mode]

    def _sizes(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        if self.factor is not None:
            factors = per_axis(self.factor, len(sides), "factor")
            return tuple(side * factor for side, factor in zip(sides, factors, strict=True))
        assert self.saved is not None
        if len(self.saved) != len(sides) + 1:
            raise FitError(
                f"the saved map {self.like} is flat ({self.saved[0]} numbers) and has no sides",
                "save it before it is flattened, or give a factor",
            )
        return self.saved[1:]


@block
class PixelShuffle(Block):
    """r·r channels as one with both sides times r (torch.nn.PixelShuffle).

    Source: Shi et al., arXiv:1609.05158.
    """

    keyword: ClassVar[str] = "pixelshuffle"
    syntax: ClassVar[str] = "pixelshuffle FACTOR"
    upscale_factor: int = field(metadata=main(COUNT))

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        channels, square = input_shape[0], self.upscale_factor**2
        if len(sides) != 2:
            raise FitError(f"it is for 2 sides, its input has {len(sides)}", "use upsample or upconv")
        if channels % square:
            more = -(-channels // square) * square
            raise FitError(
                f"its {channels} input channels are no multiple of {self.upscale_factor}·{self.upscale_factor} = "
                f"{square}",
                f"give it {more}: `conv {more} 1` before it",
            )
        return (channels // square, *self.window(sides).sizes)

    def window(self, sides: tuple[int, ...]) -> Resized:
        return Resized(tuple(side * self.upscale_factor for side in sides), "nearest")


@block
class Borders(Block):
    """Changes both ends of every side alike, or by `before` and `after`."""

    both: Sizes = field(metadata=main(NATURALS))
    before: Sizes | None = field(default=None, metadata=option(NATURALS))
    after: Sizes | None = field(default=None, metadata=option(NATURALS))

    def pairs(self, rank: int) -> Pairs:
        """The numbers (before, after) per axis."""
        both = per_axis(self.both, rank, self.keyword)
        before = both if self.before is None else per_axis(self.before, rank, "before")
        after = both if self.after is None else per_axis(self.after, rank, "after")
        return tuple(zip(before, after, strict=True))


def _shifted(padding: Pairs) -> Window:
    """Each value as it stands, on a map with more at its ends, or less where negative."""
    one = (1,) * len(padding)
    return Window(one, one, one, padding)


@block
class Pad(Borders):
    """More at the ends: a value, or what the map itself has there (torch.nn.ConstantPad2d, ReflectionPad2d, …)."""

    keyword: ClassVar[str] = "pad"
    syntax: ClassVar[str] = "pad SIZE"
    mode: str = field(default="constant", metadata=option(choice("constant", "reflect", "replicate", "circular")))
    value: float = field(default=0.0, metadata=option(REAL))

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        check_border("mode", self.mode, self.pairs(len(sides)), sides)
        if self.mode != "constant" and self.value:
            fix = "leave it out, or use mode=constant"
            raise FitError(f"value={self.value:g} has no meaning for mode={self.mode}", fix)
        return (input_shape[0], *self.window(sides).output_sizes(sides))

    def window(self, sides: tuple[int, ...]) -> Window:
        return _shifted(self.pairs(len(sides)))


@block
class Crop(Borders):
    """Less at the ends (torch.nn.ZeroPad2d with negative numbers)."""

    keyword: ClassVar[str] = "crop"
    syntax: ClassVar[str] = "crop SIZE"

    def output_shape(self, input_shape: Shape) -> Shape:
        sides = needs_map(input_shape)
        sizes = self.window(sides).output_sizes(sides)
        if min(sizes) < 1:
            cut = tuple(map(sum, self.pairs(len(sides))))
            most = folded(tuple((side - 1) // 2 for side in sides))
            raise TooSmallError(
                f"it cuts {format_shape(cut)} from its {format_shape(input_shape)} input and leaves nothing",
                f"cut at most {write_sizes(most)} from both ends",
            )
        return (input_shape[0], *sizes)

    def window(self, sides: tuple[int, ...]) -> Window:
        return _shifted(tuple((-before, -after) for before, after in self.pairs(len(sides))))
