"""A copy of a module to run in its place: the module itself is neither moved, changed nor computed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

LAZY: tuple[Any, ...] = (UninitializedParameter, UninitializedBuffer)


def without_memory(module: nn.Module) -> nn.Module:
    """A copy whose tensors have sizes alone, ready to predict."""
    made = copy.deepcopy(module, _memo(module, _sizes_alone)).eval()
    for part in made.modules():
        if isinstance(part, torch.jit.ScriptModule):  # copied by itself, tensors and all
            part.to("meta")
    return made


def with_values(module: nn.Module) -> nn.Module:
    """A copy that shares the parameters; buffers, which a run may write to, are its own. Ready to predict."""
    return copy.deepcopy(module, _memo(module, _same_values)).eval()


def _memo(module: nn.Module, stand_in: Callable[[Tensor], Tensor]) -> dict[int, Tensor]:
    """What `deepcopy` is to take for each tensor that the module holds."""
    return {id(one): stand_in(one) for part in module.modules() for one in _held(part)}


def _held(part: nn.Module) -> Iterator[Tensor]:
    """Parameters, buffers and plain attributes, in lists and dictionaries too."""
    for thing in vars(part).values():
        inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else (thing,)
        yield from (one for one in inner if isinstance(one, Tensor))


def _sizes_alone(tensor: Tensor) -> Tensor:
    if isinstance(tensor, LAZY):  # its first input sizes it
        return _lazy(tensor, torch.device("meta"))
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def _same_values(tensor: Tensor) -> Tensor:
    if isinstance(tensor, LAZY):
        return _lazy(tensor, tensor.device)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(tensor.detach(), tensor.requires_grad)
    return tensor.detach().clone()


def _lazy(tensor: Tensor, device: torch.device) -> Tensor:
    """Another one that waits for its sizes."""
    kind: Any = type(tensor)
    made: Tensor = kind(device=device, dtype=tensor.dtype)
    return made
