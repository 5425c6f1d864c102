"""Maps on their way, and what is kept under names for blocks further on."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from fieldstone.design.blocks.block import FitError
from fieldstone.design.blocks.pooling import MaxPool, Pooled
from fieldstone.design.blocks.structure import Save
from fieldstone.design.field import Field
from fieldstone.geometry import Shape

INPUT = "input"
"""The name of the design's input, and the source of what takes it."""


class Map(NamedTuple):
    """A map on its way: its shape, what a value of it sees, and the path of the row that made it."""

    shape: Shape
    field: Field
    source: str = INPUT


Kept = Map | Pooled
Names = dict[str, Kept]
T = TypeVar("T", Map, Pooled)


class NotKeptError(FitError):
    """Nothing in sight was kept under a name; `by` is the kind of block that would keep it."""

    def __init__(self, name: str, by: type[Save] | type[MaxPool], message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.name = name
        self.by = by


def keep(name: str, kept: Kept, names: Names) -> None:
    """Keep it under a name. Raises FitError if that is taken."""
    if name in names:
        taken = "is always the design's input" if name == INPUT else "is already saved"
        raise FitError(f"the name {name} {taken}", "choose another name")
    names[name] = kept


def named(name: str, names: Names, kind: type[T]) -> T:
    """What was kept under a name. Raises FitError if nothing was, or a pooling where a map is needed."""
    kept = names.get(name)
    if isinstance(kept, kind):
        return kept
    others = [other for other, value in names.items() if isinstance(value, kind)]
    uses = f", or use {', '.join(others)}" if others else ""
    if kept is not None:
        what = "a maxpool, not a map" if kind is Map else "a map, not a maxpool"
        raise FitError(f"{name} is the name of {what}", f"give the other another name{uses}")
    if kind is Map:
        raise NotKeptError(name, Save, f"no map {name} was saved before it", f"put `save {name}` before it{uses}")
    fix = f"write one as `maxpool 2 name={name}`{uses}"
    raise NotKeptError(name, MaxPool, f"no maxpool was named {name} before it", fix)
