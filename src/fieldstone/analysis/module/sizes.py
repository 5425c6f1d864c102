"""The sizes that a few kernels give, without torch's own on the meta device.

Torch has those in Python, and the first one that runs loads its compiler: that takes longer than all else together.
What is here are the kernels that nearly every network has, where the sizes are plain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

BOOLEAN = {
    aten.eq, aten.ne, aten.lt, aten.le, aten.gt, aten.ge, aten.logical_and, aten.logical_or, aten.logical_not,
    aten.logical_xor, aten.isnan, aten.isinf, aten.isfinite, aten.isposinf, aten.isneginf, aten.signbit,
}  # fmt: skip
"""Kernels of each value by itself that give truth values."""


def sizes_alone(kernel: Any, args: Any, kwargs: Any) -> Any:
    """Runs a kernel, or makes an empty result of the same sizes, type and strides where the arguments are on meta."""
    plain = _plain(kernel, args, kwargs)
    return kernel(*args, **kwargs) if plain is None else plain(*args)


def _plain(kernel: Any, args: Any, kwargs: Any) -> Callable[..., Any] | None:
    tensors = [one for one in args if isinstance(one, Tensor)]
    tensors += args[0] if args and isinstance(args[0], list) else []
    if kwargs or not tensors or not all(one.is_meta and one.dtype == tensors[0].dtype for one in tensors):
        return None
    packet = kernel._overloadpacket
    if packet in SIZES:
        return SIZES[packet]
    each = torch.Tag.pointwise in kernel.tags and packet not in BOOLEAN and len(kernel._schema.returns) == 1
    return _each if each and tensors[0].is_floating_point() and not kernel._schema.is_mutable else None


def _each(*args: Any) -> Tensor:
    """Of each value by itself; the strides are those of a tensor that has the result's shape and no gaps."""
    tensors = [one for one in args if isinstance(one, Tensor)]
    shape = torch.broadcast_shapes(*(one.shape for one in tensors))  # type: ignore[no-untyped-call]  # torch has none
    dense = next((one for one in tensors if one.shape == shape and _is_dense(one)), None)
    return tensors[0].new_empty(shape) if dense is None else dense.new_empty_strided(shape, dense.stride())


def _is_dense(tensor: Tensor) -> bool:
    spans = zip(tensor.shape, tensor.stride(), strict=True)
    return tensor.numel() == 1 + sum((size - 1) * stride for size, stride in spans)


def _batch_norm(given: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    return _each(given), given.new_empty(given.shape[1]), given.new_empty(given.shape[1])


def _mean(given: Tensor, dims: list[int] | None = None, keepdim: bool = False) -> Tensor:
    rank = given.dim()
    gone = {dim % rank for dim in (dims or range(rank))}
    sizes = [1 if dim in gone else size for dim, size in enumerate(given.shape) if keepdim or dim not in gone]
    return given.new_empty(sizes)


def _add_product(added: Tensor, one: Tensor, other: Tensor) -> Tensor:
    if one.shape[1] != other.shape[0]:
        shapes = f"{one.shape[0]}x{one.shape[1]} and {other.shape[0]}x{other.shape[1]}"
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})")
    return one.new_empty(one.shape[0], other.shape[1])


SIZES: dict[Any, Callable[..., Any]] = {
    aten.native_batch_norm: _batch_norm,
    aten.mean: _mean,
    aten.addmm: _add_product,
}
