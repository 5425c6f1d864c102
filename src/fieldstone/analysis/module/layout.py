"""Torch's functions that lay a tensor out anew, and where the sides of the map are after them."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any, NamedTuple

from fieldstone.analysis.module.calls import Call
from fieldstone.analysis.module.windows import borders
from fieldstone.analysis.other import Other, unknown
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.shape import Crop, Flatten
from fieldstone.geometry import Shape, Window


class Laid(NamedTuple):
    """The block, and the dimensions of the result that are the sides of the map; None where they cannot be said."""

    block: Block
    axes: Shape | None


def _unsaid(call: Call) -> Laid:
    return Laid(unknown(call.what, is_view=True), None)


def _reshaped(call: Call) -> Laid:
    """To a row of numbers, or to other dimensions before the same sides."""
    before, after, axes = call.first.dims, call.dims, call.first.axes
    if len(after) == 2 and after[0] == before[0] and len(before) > 2:
        return Laid(Flatten(), ()) if axes is None or axes == last(len(axes), before) else _unsaid(call)
    if axes and axes == last(len(axes), before) and after[-len(axes) :] == call.first.sides and len(after) > len(axes):
        return Laid(Other(call.what, is_view=True), last(len(axes), after))
    return _unsaid(call)


def last(count: int, dims: Shape) -> Shape:
    """The last dimensions."""
    return tuple(range(len(dims) - count, len(dims)))


def _permuted(order: Callable[[Call], list[int]]) -> Callable[[Call], Laid]:
    """Dimensions in another order: `order` gives, for each of the result, which it was."""

    def lay(call: Call) -> Laid:
        if call.first.axes is None:
            return _unsaid(call)
        places = order(call)
        return Laid(Other(call.what, is_view=True), tuple(places.index(axis) for axis in call.first.axes))

    return lay


def _exchanged(call: Call) -> list[int]:
    order = list(range(len(call.dims)))
    one, other = call.dim(call.get(1, "dim0")), call.dim(call.get(2, "dim1"))
    order[one], order[other] = other, one
    return order


def _turned(call: Call) -> list[int]:
    """`.T` and `.mT`: all, or the last two, the other way round."""
    order = list(range(len(call.dims)))
    return order[::-1] if call.name == "T" else [*order[:-2], order[-1], order[-2]]


def _parted(call: Call) -> Laid:
    """Some of the channels."""
    fits = call.is_channel(call.get(2, "dim", 0)) and len(call.dims) == len(call.first.dims)
    return Laid(Other(call.what, is_view=True), call.first.axes) if fits else _unsaid(call)


def _indexed(call: Call) -> Laid:
    """Slices: of the channels, or each n-th place of a side between two borders, which is a window of one pixel."""
    given = call.get(1, "index")
    index = _complete(given if isinstance(given, tuple) else (given,), len(call.first.dims))
    axes = call.first.axes
    if not axes or index is None or len(call.dims) != len(call.first.dims):
        return _unsaid(call)
    return _cut(call, axes, [index[axis] for axis in axes])


def _narrowed(call: Call) -> Laid:
    """Some of the channels, or a part of a side."""
    dim, start, length = call.dim(call.get(1, "dim")), call.get(2, "start"), call.get(3, "length")
    axes = call.first.axes
    if not axes or not isinstance(start, int):
        return _unsaid(call)
    first = start % call.first.dims[dim] if length else 0
    return _cut(call, axes, [slice(first, first + length) if axis == dim else slice(None) for axis in axes])


def _cut(call: Call, axes: Shape, slices: list[slice]) -> Laid:
    """What the slices leave of the sides: all, less at the ends, or each n-th place."""
    sides = call.first.sides
    kept = [range(*part.indices(size)) for part, size in zip(slices, sides, strict=True)]
    before = tuple(places.start for places in kept)
    after = tuple(size - 1 - places[-1] for places, size in zip(kept, sides, strict=True))
    steps = tuple(places.step for places in kept)
    if max(steps) > 1:
        one = (1,) * len(axes)
        padding = tuple((-first, -rest) for first, rest in zip(before, after, strict=True))
        return Laid(Other(call.what, Window(one, steps, one, padding), is_view=True), axes)
    if max(before + after) == 0:
        return Laid(Other(call.what, is_view=True), axes)
    return Laid(Crop(*borders(before, after)), axes) if len(call.dims) == len(sides) + 2 else _unsaid(call)


def _stacked(call: Call) -> Laid:
    """Maps one after the other along a new dimension, before their sides."""
    axes, place = call.first.axes, call.get(1, "dim", 0)
    if not axes or place % len(call.dims) > min(axes):
        return _unsaid(call)
    return Laid(Other(call.what), tuple(axis + 1 for axis in axes))


def _complete(index: tuple[Any, ...], rank: int) -> tuple[slice, ...] | None:
    """A slice for every dimension; None where something else is among them."""
    if any(not isinstance(part, slice | EllipsisType) or getattr(part, "step", None) == 0 for part in index):
        return None
    place = index.index(...) if ... in index else len(index)
    before, after = index[:place], index[place + 1 :]
    slices = (*before, *(slice(None),) * (rank - len(before) - len(after)), *after)
    return slices if all(part.step is None or part.step > 0 for part in slices) else None


RESHAPES = ("flatten", "view", "reshape", "squeeze", "unsqueeze", "unflatten", "expand", "expand_as")
LAYOUTS: dict[str, Callable[[Call], Laid]] = {
    **dict.fromkeys(RESHAPES, _reshaped),
    "permute": _permuted(lambda call: [call.dim(dim) for dim in call.rest(1, "dims")]),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), _permuted(_exchanged)),
    **dict.fromkeys(("t", "T", "mT"), _permuted(_turned)),
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), _parted),
    "stack": _stacked,
    "narrow": _narrowed,
    "getitem": _indexed,
}  # fmt: skip
"""By the function's name; its arguments' places are those of torch's functions."""
