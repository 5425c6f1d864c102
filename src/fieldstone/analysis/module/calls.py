"""A call of torch while a module runs: what it was given, and what is known of the maps among that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from torch import Tensor

from fieldstone.design.field import Field
from fieldstone.geometry import Shape, numel


class Value(NamedTuple):
    """A tensor that was made from the module's input.

    Attributes:
        dims: its sizes as torch has them, the batch of one first.
        axes: which of its dimensions are the sides of the input, in their order; () once flattened, None if unknown.
        field: what a value of it sees; None if unknown.
        source: the path of the row that made it.
    """

    dims: Shape
    axes: Shape | None
    field: Field | None
    source: str

    @property
    def shape(self) -> Shape:
        """As designs have it, for one image: channels, however many dimensions they have, then sides."""
        first = 1 if self.dims[:1] == (1,) else 0  # windows may be laid into the batch: then it counts
        if not self.axes:
            return self.dims[first:] or (1,)
        return (prod(size for dim, size in enumerate(self.dims) if dim not in self.axes), *self.sides)

    @property
    def sides(self) -> Shape:
        return tuple(self.dims[axis] for axis in self.axes or ())

    @property
    def sees_everything(self) -> bool:
        """Whether every path to every value saw its whole input: wherever such values are laid, it stays so."""
        axes = () if self.field is None else self.field.axes
        return bool(axes) and all(path.advance == 0 for axis in axes for path in (*axis.paths, axis.smallest))


@dataclass(frozen=True)
class Call:
    """One call, done.

    Attributes:
        name: the function's, the same for all of its spellings: `add` for `+`, `+=`, `torch.add` and `Tensor.add_`.
        what: how it is shown where the notation has no word for it.
        values: the tensors it took that were made from the module's input, in order.
        dims: the sizes of (the first tensor of) its result.
    """

    name: str
    what: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    values: tuple[Value, ...]
    dims: Shape

    def get(self, place: int, name: str, default: Any = None) -> Any:
        """An argument, by place or name."""
        return self.args[place] if place < len(self.args) else self.kwargs.get(name, default)

    def rest(self, place: int, name: str) -> tuple[Any, ...]:
        """Arguments that are given one by one or as one sequence: `permute(0, 1)` and `permute((0, 1))`."""
        given = self.args[place:] or (self.kwargs.get(name, ()),)
        return tuple(given[0]) if len(given) == 1 and isinstance(given[0], list | tuple) else given

    @property
    def first(self) -> Value:
        return self.values[0]

    @property
    def widest(self) -> Value:
        """The largest: of a map and its gate the map."""
        return max(self.values, key=lambda value: numel(value.dims))

    def dim(self, number: int) -> int:
        """A dimension of the first value, counted from the front."""
        return number % len(self.first.dims)

    def is_channel(self, number: int) -> bool:
        """Whether a dimension is neither the batch nor a side."""
        axes = tuple(range(2, len(self.first.dims))) if self.first.axes is None else self.first.axes
        return self.dim(number) not in (0, *axes)


def tensors(things: Any) -> Iterator[Tensor]:
    """Every tensor in nested arguments or results, in order."""
    if isinstance(things, Tensor):
        yield things
    elif isinstance(things, Mapping):
        for thing in things.values():
            yield from tensors(thing)
    elif isinstance(things, list | tuple | set):
        for thing in things:
            yield from tensors(thing)
