"""Blocks that no design can write: what the rows of a module have in place of them. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Add, Concat, Multiply
from fieldstone.geometry import WHOLE, Moves, Whole


@dataclass(frozen=True)
class Other(Block):
    """An operation of torch without a word in the notation.

    Attributes:
        what: how it is shown, such as `torch.roll`.
        moves: what a value of it reads of its input; None for its own place alone.
        known: whether that is known; where it is not, `moves` is the whole map, and its row has no field.
        is_view: whether it only lays the same memory out anew.
    """

    keyword = syntax = "other"
    what: str = ""
    moves: Moves | Whole | None = None
    known: bool = field(default=True, kw_only=True)
    is_view: bool = field(default=False, kw_only=True)

    def text(self) -> str:
        return self.what

    def window(self, sides: tuple[int, ...]) -> Moves | Whole | None:
        return self.moves


def unknown(what: str, *, is_view: bool = False) -> Other:
    """An operation of which it is not known what it reads."""
    return Other(what, WHOLE, known=False, is_view=is_view)


@dataclass(frozen=True)
class Sum(Add):
    """Maps added, none of which has a name."""

    name: str = ""

    def text(self) -> str:
        return self.keyword


@dataclass(frozen=True)
class Product(Multiply):
    """Maps multiplied, none of which has a name."""

    name: str = ""

    def text(self) -> str:
        return self.keyword


@dataclass(frozen=True)
class Stack(Concat):
    """Maps one after the other along the channels, none of which has a name."""

    name: str = ""

    def text(self) -> str:
        return self.keyword
