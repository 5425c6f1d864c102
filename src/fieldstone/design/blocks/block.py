"""What every block is: a keyword, its numbers, and what it does to a shape."""

from __future__ import annotations

from dataclasses import Field as DataclassField
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from fieldstone.design.blocks.kinds import CLASSES, Kind
from fieldstone.geometry import Moves, Shape, Whole


class FitError(Exception):
    """A block's own account of what does not fit; whoever knows file, line and path makes it a `DesignError`."""

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class TooSmallError(FitError):
    """The input is smaller than the window: another input would do. `fix` is what else would, if anything."""


def main(kind: Kind) -> dict[str, Any]:
    """The metadata of a field that is written by its place after the keyword."""
    return {"kind": kind, "place": "main"}


def option(kind: Kind) -> dict[str, Any]:
    """The metadata of a field that is written as `key=value` where it is not its default."""
    return {"kind": kind, "place": "option"}


Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def block(cls: type[Made]) -> type[Made]:
    """A frozen data class. `Block` compares and shows them all: to generate that for each would take half the time in
    which they are loaded, and what has no field of its own needs nothing."""
    has_own = cls.__annotations__ or len(cls.__bases__) > 1
    return dataclass(frozen=True, eq=False, repr=False)(cls) if has_own else cls


class Frozen:
    """What takes no attribute once it is made."""

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")


@block
class Block(Frozen):
    """One entry of a design; by itself it changes no shape, has no weights and looks at each value alone.

    Attributes:
        line: where it was written, 1-based; None outside a text.
    """

    keyword: ClassVar[str]
    syntax: ClassVar[str]  # how it is written, for messages
    line: int | None = field(default=None, compare=False, repr=False, kw_only=True)

    @classmethod
    def arguments(cls, place: str) -> tuple[DataclassField[Any], ...]:
        """The fields that are written: the `main` ones by place, the `option`s by key."""
        return tuple(entry for entry in fields(cls) if entry.metadata.get("place") == place)

    def text(self) -> str:
        """The block as it is written, defaults left out: `conv 10 3 stride=2`."""
        mains = [_written(self, entry) for entry in self.arguments("main") if getattr(self, entry.name) is not None]
        changed = [entry for entry in self.arguments("option") if getattr(self, entry.name) != entry.default]
        return " ".join([self.keyword, *mains, *(f"{entry.name}={_written(self, entry)}" for entry in changed)])

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._compared()))

    def __repr__(self) -> str:
        shown = (f"{entry.name}={getattr(self, entry.name)!r}" for entry in fields(self) if entry.repr)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _compared(self) -> tuple[Any, ...]:
        return tuple(getattr(self, entry.name) for entry in fields(self) if entry.compare)

    @property
    def is_head(self) -> bool:
        """Whether it is sized by `classes`."""
        return any(getattr(self, entry.name) is CLASSES for entry in self.arguments("main"))

    def with_outputs(self, outputs: int) -> Self:
        """The block with that number in the place of `classes`."""
        heads = [entry.name for entry in self.arguments("main") if getattr(self, entry.name) is CLASSES]
        changes: dict[str, Any] = dict.fromkeys(heads, outputs)
        return replace(self, **changes) if heads else self

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape that leaves, (C, *sides). Raises FitError where the input does not fit."""
        return input_shape

    def params(self, input_shape: Shape) -> int:
        """The number of its own trainable numbers."""
        return 0

    def macs(self, input_shape: Shape) -> int:
        """Its own multiply-adds: the products of weights for one input."""
        return 0

    def window(self, sides: tuple[int, ...]) -> Moves | Whole | None:
        """What one value of the output reads of an input with these sides; None for its own place alone."""
        return None


def _written(block: Block, entry: DataclassField[Any]) -> str:
    kind: Kind = entry.metadata["kind"]
    return kind.write(getattr(block, entry.name))
