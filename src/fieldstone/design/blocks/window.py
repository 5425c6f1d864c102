"""What the blocks share that slide a window over a map: their padding, and what they say where it does not fit."""

from __future__ import annotations

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, block
from fieldstone.design.blocks.kinds import Padding, Sizes, write_sizes
from fieldstone.geometry import Shape, Window, extent, format_shape, strided_same_padding

Pairs = tuple[tuple[int, int], ...]  # (before, after) per axis


def per_axis(sizes: Sizes, rank: int, name: str) -> tuple[int, ...]:
    """`3` as (3, 3): one number per axis. Raises FitError if it was given for another rank."""
    if len(sizes) not in (1, rank):
        sides = "1 side" if rank == 1 else f"{rank} sides"
        raise FitError(
            f"its {name} {write_sizes(sizes)} is for {len(sizes)} axes, its input has {sides}",
            f"give {name} one number, or one per side",
        )
    return sizes * rank if len(sizes) == 1 else sizes


def folded(sizes: tuple[int, ...]) -> Sizes:
    """(3, 3) as `3`: one number where they agree."""
    return sizes[:1] if len(set(sizes)) == 1 else sizes


def needs_map(shape: Shape) -> tuple[int, ...]:
    """The sides of a map. Raises FitError on an input that was flattened."""
    if len(shape) == 1:
        raise FitError(f"its input is flat ({shape[0]} numbers) and has no sides", "put it before the map is flattened")
    return shape[1:]


def padding_of(padding: Padding, sides: tuple[int, ...], kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    """The padding of an input with these sides. Raises FitError for `causal` on more than one."""
    if padding == "same":
        return tuple(map(strided_same_padding, sides, map(extent, kernel, dilation), stride))
    if padding == "causal":
        if len(sides) > 1:
            raise FitError(
                f"padding=causal is for one side, in time; its input has {len(sides)}",
                "use padding=same, or a `pad` with before= and after= in front of it",
            )
        return ((extent(kernel[0], dilation[0]) - 1, 0),)
    assert not isinstance(padding, str)
    return tuple((pad, pad) for pad in per_axis(padding, len(sides), "padding"))


def check_border(key: str, mode: str, padding: Pairs, sides: tuple[int, ...]) -> None:
    """Torch mirrors less than the input, and wraps it around at most once. Raises FitError for more."""
    most = {"reflect": -1, "circular": 0}.get(mode)
    widest = tuple(max(pair) for pair in padding)
    if most is not None and any(pad > side + most for pad, side in zip(widest, sides, strict=True)):
        raise FitError(
            f"{key}={mode} cannot pad {format_shape(widest)} around an input of {format_shape(sides)}",
            f"use {key}={'zeros' if key == 'padding_mode' else 'constant'} or replicate, or less padding",
        )


@block
class Sliding(Block):
    """A block with a sliding window; how channels change is the variant's."""

    def window(self, sides: tuple[int, ...]) -> Window:
        raise NotImplementedError

    def padded(self, padding: Padding) -> Sliding:
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
            f"its input is {format_shape(shape)}{_with_padding(window)}, smaller than {described(window)}",
            None if padding is None else f"pad it (padding={padding})",
        )


def _with_padding(window: Window) -> str:
    before = tuple(pair[0] for pair in window.padding)
    return f" with padding {format_shape(before)}" if any(before) else ""


def described(window: Window) -> str:
    """`the 3x3 kernel`, and what it spans where it is dilated."""
    kernel = f"the {format_shape(window.kernel)} kernel"
    return kernel if window.extents == window.kernel else f"{kernel}, which spans {format_shape(window.extents)}"


def _needed(window: Window, sides: tuple[int, ...]) -> Sizes:
    """The smallest padding per axis, not below what there is, that lets the window fit."""
    axes = zip(sides, window.extents, window.padding, strict=True)
    return folded(tuple(max(before, -((side - span) // 2)) for side, span, (before, _) in axes))
