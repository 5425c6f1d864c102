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
    return copy.deepcopy(module, _memo(module, _sizes_alone)).eval()


def with_values(module: nn.Module) -> nn.Module:
    """A copy that shares the parameters; buffers, which a run may write to, are its own. Ready to predict."""
    return _closed(copy.deepcopy(module, _memo(module, _same_values)).eval())


class Scripted(nn.Module):
    """Compiled code in the place where it stood: its calls are not torch's functions, and its parameters no objects."""

    def __init__(self, code: torch.jit.ScriptModule) -> None:
        super().__init__()
        self._code = (code,)  # not as a module of it
        self.weights = nn.ParameterList(nn.Parameter(one.detach(), one.requires_grad) for one in code.parameters())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._code[0](*args, **kwargs)


def _closed(module: nn.Module) -> nn.Module:
    """The module, each part that is compiled code behind a module that is not."""
    if isinstance(module, torch.jit.ScriptModule):
        return Scripted(module)
    for name, part in module.named_children():
        setattr(module, name, _closed(part))
    return module


def scripted(module: nn.Module) -> str | None:
    """The path of the first part that is compiled code."""
    return next((path for path, part in module.named_modules() if isinstance(part, torch.jit.ScriptModule)), None)


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
    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
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
