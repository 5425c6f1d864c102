"""What makes maps fit that are to be put together: the next thing to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv
from fieldstone.design.blocks.structure import Branches, Join, Parallel, Residual, fit, mapped
from fieldstone.design.blocks.window import Sliding, folded
from fieldstone.design.names import Map
from fieldstone.geometry import Shape

MOST_STRIDE = 16

Ends = Sequence[tuple[str, Shape]]  # of each path, what to call it and its shape


class Change(NamedTuple):
    """A structure changed, and how that is said."""

    block: Parallel
    steps: tuple[str, ...]


def strided(channels: int, before: Shape, after: Shape) -> Conv | None:
    """The `conv C 1` whose stride alone gives the sides of the second map from those of the first."""
    if not len(before) == len(after) > 1:
        return None
    strides = tuple(_stride(*sides) for sides in zip(before[1:], after[1:], strict=True))
    known = tuple(stride for stride in strides if stride)
    return Conv(channels, (1,), folded(known)) if len(known) == len(strides) else None


def _stride(before: int, after: int) -> int | None:
    return next((stride for stride in range(1, MOST_STRIDE + 1) if -(-before // stride) == after), None)


def loses_sides(block: Block, before: Shape, after: Shape) -> bool:
    """Whether a window gives fewer values than its stride alone would: whether it lacks padding."""
    if not isinstance(block, Sliding):
        return False
    axes = zip(before[1:], after[1:], block.window(before[1:]).stride, strict=True)
    return any(left < -(-side // stride) for side, left, stride in axes)


def mend_paths(
    block: Parallel, here: Shape, losing: tuple[Block, ...], ends_of: Callable[[Parallel], Ends | None]
) -> str:
    """For paths that end unlike: padding for what loses sides, and what to end them with. It was walked.

    Args:
        losing: the blocks in the paths of which `loses_sides` is true.
        ends_of: walks the paths of a block from the same input; None where it does not walk.
    """
    for padding in dict.fromkeys((losing, ())):
        padded = _padded(block, padding)
        ends = ends_of(padded.block)
        change = ends and _ended_alike(padded.block, here, ends)
        after = change and ends_of(change.block)
        if change and after and fit(block.how, (shape for _, shape in after)):
            return ", and ".join(padded.steps + change.steps)
    return make_equal(block.how, [shape for _, shape in ends_of(block) or ()])


def _padded(block: Parallel, losing: tuple[Block, ...]) -> Change:
    same: dict[Block, Block] = {one: one.padded("same") for one in losing if isinstance(one, Sliding)}
    changed: Parallel = mapped(block, lambda one: same.get(one, one))
    written = " and ".join(f"`{one.text()}`" for one in same.values())
    return Change(changed, (f"write {written}",) if same else ())


def _ended_alike(block: Parallel, here: Shape, ends: Ends) -> Change | None:
    """With a shortcut that fits the body, or a convolution at the end of the branches that are unlike the others."""
    if isinstance(block, Branches):
        return _branches_alike(block, ends)
    assert isinstance(block, Residual)
    (_, body), (_, other) = ends
    if body == other:
        return Change(block, ())
    shortcut = strided(body[0], here, body)
    if shortcut is None:
        return None
    return Change(replace(block, shortcut=(shortcut,)), (f"give it `shortcut: [{shortcut.text()}]`",))


def _branches_alike(block: Branches, ends: Ends) -> Change | None:
    sides = min(shape[1:] for _, shape in ends)
    common, _ = Counter(shape[0] for _, shape in ends).most_common(1)[0]
    branches, last = [], []
    for blocks, (name, shape) in zip(block.branches, ends, strict=True):
        wanted = (shape[0] if block.how == "concat" else common, *sides)
        end = strided(wanted[0], shape, wanted)
        if end is None:
            return None
        branches.append(blocks if shape == wanted else (*blocks, end))
        last += [] if shape == wanted else [f"{name} with `{end.text()}`"]
    return Change(replace(block, branches=tuple(branches)), (f"end {' and '.join(last)}",) if last else ())


def make_equal(how: str, shapes: Sequence[Shape]) -> str:
    """What to do where nothing simple is known to fit."""
    if len(set(map(len, shapes))) > 1:
        return "flatten all of them or none"
    if how == "concat":
        return "make the sides equal: padding keeps them, a stride makes them fewer"
    if all(len(shape) == 1 for shape in shapes):
        return "make them equal: `linear N` sets how many numbers there are"
    return "make them equal: padding keeps sides, `conv C 1` sets the channels"


def lying_on(channels: int, saved: Map, here: Map) -> Conv | None:
    """The convolution that makes of a saved map, of values closer together, one that lies on the other.

    Its values are as many and as far apart, and the first looks at the same pixel.
    """
    steps = saved.field.jump, here.field.jump, saved.field.start, here.field.start
    if None in steps:
        return None
    axes = list(zip(*(step for step in steps if step is not None), strict=True))
    strides = tuple(there / jump for jump, there, _, _ in axes)
    beside = tuple((first - start) / jump for jump, _, start, first in axes)
    kernel, padding = tuple(1 + 2 * max(0, at) for at in beside), tuple(max(0, -at) for at in beside)
    if max(strides) == 1 or any(number % 1 for number in (*strides, *kernel, *padding)):
        return None
    size, stride, pad = (folded(tuple(map(int, numbers))) for numbers in (kernel, strides, padding))
    conv = Conv(channels, size, stride, pad)
    sides = conv.window(saved.shape[1:]).output_sizes(saved.shape[1:])
    return conv if sides == here.shape[1:] else None


def _as_path(block: Join, conv: Conv) -> str:
    """How a saved map goes through a convolution on its way to the join."""
    if block.keyword == "add":
        return f"write a residual with `shortcut: [{conv.text()}]`"
    return f"write `branches {block.keyword}` with `[{conv.text()}]` as the path of {block.name}"


def mend_join(block: Join, saved_map: Map, here_map: Map) -> str:
    """For a saved map and another: what to put before the join, or how to cut the saved one."""
    saved, here = saved_map.shape, here_map.shape
    if len(saved) != len(here):
        return make_equal(block.keyword, (saved, here))
    if saved[1:] == here[1:]:
        return f"put `{f'linear {saved[0]}' if len(saved) == 1 else f'conv {saved[0]} 1'}` before it"
    alike = block.keyword == "concat" or saved[0] == here[0]
    resize = f"`upsample like={block.name}`" + ("" if alike else f" and `conv {saved[0]} 1`")
    if set(here[1:]) == {1}:
        gate = "write the gate as `squeezeexcite`, or " if block.keyword == "multiply" else ""
        return f"{gate}put {resize} before it"
    shortcut, lying = strided(here[0], saved, here), lying_on(here[0], saved_map, here_map)
    if lying and (shortcut is None or shortcut.stride != lying.stride):
        return f"a stride stands between them, without padding: {_as_path(block, lying)}"
    if shortcut:
        residual = f", or write a residual with `shortcut: [{shortcut.text()}]`" if block.keyword == "add" else ""
        return f"a stride stands between them: put {resize} before it{residual}"
    smaller = strided(here[0] if block.keyword == "concat" else saved[0], here, saved)
    if smaller:
        return f"a stride stands before the saved map: put `{smaller.text()}` before it"
    larger = all(side >= need for side, need in zip(saved[1:], here[1:], strict=True))
    if larger and saved_map.field.jump != here_map.field.jump:
        return "a stride stands between them: pad the blocks between, and give the saved map the same stride on its way"
    return (
        "cut it with crop=true, or pad the blocks between"
        if larger and alike
        else make_equal(block.keyword, (saved, here))
    )
