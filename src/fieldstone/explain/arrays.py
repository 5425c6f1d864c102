"""The door: what a person calls an array, as float64 numbers of the shape that is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldstone.errors import TraceError
from fieldstone.geometry import Shape, format_shape

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

RANKS = {1: 1, 2: 2, 3: 2, 4: 3}
"""How many sides a map has, by the axes of its array, where `rank` does not say it."""

KINDS = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "Python objects"}
"""What NumPy's kinds of values are called."""


def as_map(input: Any, rank: int | None) -> Array:
    """An input as (C, *sides); one channel may come without its axis.

    Raises:
        TraceError: it holds no numbers, or has another number of axes.
    """
    values = _numbers("input", input)
    if rank not in (None, 1, 2, 3):
        raise TraceError(f"rank is {rank!r}, not the number of sides of a map", fix="give 1, 2 or 3, or leave it out")
    sides = RANKS.get(values.ndim) if rank is None else rank
    if sides is None or values.ndim - sides not in (0, 1):
        needed = "(C, *sides) with one to three sides" if rank is None else f"{rank} sides, after channels or alone"
        fix = "give one map, without a batch"
        raise TraceError(f"input is {_shown(values.shape)}: its axes are not {needed}", fix=fix)
    if values.size == 0:
        raise TraceError(f"input of shape {_shown(values.shape)} is empty", fix="give it at least one value")
    return values if values.ndim > sides else values[None]  # (*sides) -> (1, *sides)


FORWARD = "filters x channels of a group x kernel"
TRANSPOSED = "channels x filters of a group x kernel"


def as_weight(weight: Any, shape: Shape, block: str, axes: str = FORWARD) -> Array:
    """The weights of a convolution in the shape of torch; of one filter on one channel the kernel will do.

    Raises:
        TraceError: there are none, they hold no numbers, or have another shape.
    """
    needed = f"{format_shape(shape)} ({axes})"
    if weight is None:
        fix = f"give weight=, an array of {needed}"
        raise TraceError(f"{block}: a convolution computes with its weights, and there are none", fix=fix)
    values = _numbers("weight", weight)
    if values.shape == shape[2:] and shape[:2] == (1, 1):
        return values[None, None]  # (*kernel) -> (1, 1, *kernel)
    if values.shape != shape:
        raise TraceError(f"{block}: weight is {_shown(values.shape)}", fix=f"give it {needed}")
    return values


def as_pair(weight: Any, shapes: tuple[Shape, Shape], block: str) -> tuple[Any, Any]:
    """The two arrays of a convolution in two steps, as they come.

    Raises:
        TraceError: it is no pair.
    """
    if isinstance(weight, list | tuple) and len(weight) == 2:
        return weight[0], weight[1]
    first, second = map(format_shape, shapes)
    fix = f"give weight=(depthwise, pointwise), arrays of {first} and {second}"
    raise TraceError(f"{block}: it computes with two arrays of weights, one a step", fix=fix)


def as_bias(bias: Any, filters: int, block: str, *, allowed: bool) -> Array | None:
    """The biases of a convolution, (filters,); one may be a number.

    Raises:
        TraceError: they hold no numbers, are not one a filter, or the block has none.
    """
    if bias is None:
        return None
    if not allowed:
        raise TraceError(f"{block}: bias is given, and bias=false says that it has none", fix="leave one of them out")
    values = _numbers("bias", bias)
    if values.shape != (filters,) and (values.shape, filters) != ((), 1):
        one = "one number" if filters == 1 else f"{filters} numbers, one a filter"
        raise TraceError(f"{block}: bias is {_shown(values.shape)}", fix=f"give it {one}")
    return values.reshape(filters)


def _numbers(name: str, value: Any) -> Array:
    if hasattr(value, "detach"):  # a tensor, without importing torch: it may be on a GPU, need a gradient, be bfloat16
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError as fault:
        fix = "give rows of the same length"
        raise TraceError(f"{name} is no array: its rows differ in length", fix=fix) from fault
    if array.dtype.kind not in "biuf":
        fix = "give integers or decimal numbers"
        raise TraceError(f"{name} holds {KINDS.get(array.dtype.kind, array.dtype.name)}, not real numbers", fix=fix)
    return array.astype(np.float64)


def _shown(shape: tuple[int, ...]) -> str:
    return format_shape(shape) or "a single number"
