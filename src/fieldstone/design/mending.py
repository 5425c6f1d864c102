"""What makes maps fit that are to be put together: the next thing to write."""

from __future__ import annotations

from collections.abc import Sequence

from fieldstone.design.blocks.convolution import Conv
from fieldstone.design.blocks.structure import Join, Residual, Structure
from fieldstone.design.blocks.window import folded
from fieldstone.geometry import Shape

MAKE_EQUAL = "make them equal: padding keeps sides, `conv C 1` sets the channels"
MOST_STRIDE = 16


def strided(channels: int, before: Shape, after: Shape) -> Conv | None:
    """The `conv C 1` whose stride alone gives the sides of the second map from those of the first."""
    if not len(before) == len(after) > 1:
        return None
    strides = tuple(_stride(*sides) for sides in zip(before[1:], after[1:], strict=True))
    known = tuple(stride for stride in strides if stride)
    return Conv(channels, (1,), folded(known)) if len(known) == len(strides) else None


def _stride(before: int, after: int) -> int | None:
    return next((stride for stride in range(1, MOST_STRIDE + 1) if -(-before // stride) == after), None)


def mend_paths(block: Structure, here: Shape, ends: Sequence[tuple[str, Shape]]) -> str:
    """For paths that end unlike: the shortcut that fits a residual, the stride that a branch lacks."""
    if isinstance(block, Residual):
        shortcut = strided(ends[0][1][0], here, ends[0][1])
        return f"give it `shortcut: [{shortcut.text()}]`" if shortcut else MAKE_EQUAL
    smallest = min((shape for _, shape in ends), key=lambda shape: shape[1:])
    for name, shape in ends:
        lacking = strided(shape[0], shape, smallest)
        if lacking and shape[1:] != smallest[1:]:
            return f"end {name} with a stride too, as in `{lacking.text()}`"
    return MAKE_EQUAL


def mend_join(block: Join, saved: Shape, here: Shape) -> str:
    """For a saved map and another: what to put before the join, or how to cut the saved one."""
    if len(saved) != len(here) or saved[1:] == here[1:]:
        return MAKE_EQUAL
    alike = block.keyword == "concat" or saved[0] == here[0]
    resize = f"`upsample like={block.name}`" + ("" if alike else f" and `conv {saved[0]} 1`")
    if set(here[1:]) == {1}:
        gate = "write the gate as `squeezeexcite`, or " if block.keyword == "multiply" else ""
        return f"{gate}put {resize} before it"
    shortcut = strided(here[0], saved, here)
    if shortcut:
        residual = f", or write a residual with `shortcut: [{shortcut.text()}]`" if block.keyword == "add" else ""
        return f"a stride stands between them: put {resize} before it{residual}"
    smaller = strided(here[0] if block.keyword == "concat" else saved[0], here, saved)
    if smaller:
        return f"a stride stands before the saved map: put `{smaller.text()}` before it"
    larger = all(side >= need for side, need in zip(saved[1:], here[1:], strict=True))
    return "cut it with crop=true, or pad the blocks between" if larger and alike else MAKE_EQUAL
