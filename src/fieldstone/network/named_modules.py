"""The modules that hand names on, and those that keep or take what stands under one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import torch
from torch import Tensor, nn

Names = dict[str, Tensor]


class NamedSequential(nn.Sequential):
    """A chain that hands the saved maps to the children that use them.

    One dict serves every scope: the walk has refused each name that is used outside its own, or saved again inside it.
    """

    def forward(self, input: Tensor, names: Names | None = None) -> Tensor:
        names = {"input": input} if names is None else names
        for child in self:
            input = _called(child, input, names)
        return input


class Parallel(nn.Module):
    """Every path from the same input, put together."""

    def __init__(self, how: str, paths: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.how = how
        for part, path in paths.items():
            self.add_module(part, path)

    def forward(self, input: Tensor, names: Names | None = None) -> Tensor:
        return _JOINS[self.how]([_called(path, input, names) for path in self.children()])

    def extra_repr(self) -> str:
        return self.how


class Save(nn.Module):
    """Keeps its input under a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, input: Tensor, names: Names) -> Tensor:
        names[self.name] = input
        return input

    def extra_repr(self) -> str:
        return self.name


class Join(nn.Module):
    """The saved map and the input, put together; the saved one first, its centre where it is to be cropped."""

    def __init__(self, how: str, name: str, crop: bool) -> None:
        super().__init__()
        self.how = how
        self.name = name
        self.crop = crop

    def forward(self, input: Tensor, names: Names) -> Tensor:
        saved = names[self.name]
        return _JOINS[self.how]([_centre(saved, input.shape[2:]) if self.crop else saved, input])

    def extra_repr(self) -> str:
        return f"{self.how} {self.name}"


class KeepingPool(nn.Module):
    """Max pooling that keeps under a name where each largest value stood."""

    def __init__(self, name: str, pool: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.pool = pool

    def forward(self, input: Tensor, names: Names) -> Tensor:
        output: Tensor
        output, names[self.name] = self.pool(input)
        return output

    def extra_repr(self) -> str:
        return self.name


class Unpool(nn.Module):
    """Each value where the pooling of that name found it; then the pooling's own padding is cut off."""

    def __init__(self, name: str, unpool: nn.Module, sizes: tuple[int, ...], cut: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.unpool = unpool
        self.sizes = sizes
        self.cut = cut

    def forward(self, input: Tensor, names: Names) -> Tensor:
        output: Tensor = self.cut(self.unpool(input, names[self.name], self.sizes))
        return output

    def extra_repr(self) -> str:
        return self.name


USES_NAMES = (Save, Join, KeepingPool, Unpool)
"""The modules that keep something under a name, or take it."""

_TAKE_NAMES = (NamedSequential, Parallel, *USES_NAMES)


def _called(module: nn.Module, input: Tensor, names: Names | None) -> Tensor:
    output: Tensor = module(input, names) if isinstance(module, _TAKE_NAMES) else module(input)
    return output


def _centre(saved: Tensor, sides: torch.Size) -> Tensor:
    """The middle of a map; the odd pixel is cut from the end."""
    for axis, side in enumerate(sides, 2):
        saved = saved.narrow(axis, (saved.shape[axis] - side) // 2, side)
    return saved


_JOINS: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "concat": lambda maps: torch.cat(maps, dim=1),
    "add": lambda maps: reduce(torch.add, maps),
    "multiply": lambda maps: reduce(torch.mul, maps),
}
