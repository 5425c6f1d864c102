"""What calls of torch are called: one name for all spellings of a function, and a path for each call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn
from torch.overrides import resolve_name

from fieldstone.design.names import INPUT

SPELLINGS = {
    "iadd": "add", "radd": "add", "imul": "mul", "rmul": "mul", "multiply": "mul", "isub": "sub", "subtract": "sub",
    "truediv": "div", "itruediv": "div", "divide": "div", "rtruediv": "rdiv", "imatmul": "matmul",
}  # fmt: skip

MODULES = {"torch.nn.functional.": "F.", "torch.Tensor.": "Tensor."}


def full_name(function: Callable[..., Any]) -> str:
    """`torch.roll`, `F.grid_sample`, `Tensor.permute`, `aten.roll`; of a property `Tensor.T`."""
    full = str(resolve_name(function) or getattr(function, "__name__", "call")).removesuffix(".__get__")
    return next((short + full.removeprefix(long) for long, short in MODULES.items() if full.startswith(long)), full)


def canonical(function: Callable[..., Any]) -> str:
    """`add` for `+`, `+=`, `torch.add`, `Tensor.add_` and `aten.add.Tensor`."""
    name = getattr(function, "__name__", "")
    if name == "__get__":  # a property: its name stands further up
        name = full_name(function).rpartition(".")[2]
    name = name.partition(".")[0].strip("_").removesuffix("_with_indices")
    return SPELLINGS.get(name, name)


def is_in_place(function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it may have changed what it gives back: `relu_(x)`, `relu(x, inplace=True)` and `relu(x, True)`."""
    name = getattr(function, "__name__", "")
    return (name.endswith("_") and not name.endswith("__")) or any(one is True for one in (*args, *kwargs.values()))


def is_torchs(part: nn.Module) -> bool:
    """Whether it is a layer of torch's own without layers in it."""
    return type(part).__module__.startswith("torch.nn.") and not any(True for _ in part.children())


class Names:
    """Paths, each given once: what is called again gets a number."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._given = {INPUT}

    def new(self, path: str) -> str:
        name, turn = path, 1
        while name in self._given or (turn > 1 and name in self.modules):
            turn += 1
            name = f"{path}_{turn}"
        self._given.add(name)
        return name
