"""Blocks that hold blocks, and blocks that put maps together.

A structure is a few named paths of blocks. In a `Chain` each path takes what the one before it gave; in a `Parallel`
each takes the structure's input, and a join puts their outputs together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Listing
from dataclasses import field, fields, replace
from itertools import chain
from typing import Any, ClassVar

from fieldstone.design.blocks.block import Block, FitError, block, main, option
from fieldstone.design.blocks.kinds import COUNT, FLAG, NAME, choice
from fieldstone.geometry import Shape, format_shape

Blocks = tuple[Block, ...]
JOINS = ("concat", "add", "multiply")


@block
class Structure(Block):
    """A block that holds blocks.

    `paths` gives (part, blocks): the part is what the path adds to the structure's own, "" for nothing.
    """

    opens_scope: ClassVar[bool] = True

    def paths(self) -> tuple[tuple[str, Blocks], ...]:
        raise NotImplementedError

    def count(self) -> int:
        """How many blocks it is once unrolled, itself included; nothing is unrolled for it."""
        return 1 + sum(map(count, chain.from_iterable(blocks for _, blocks in self.paths())))


def count(block: Block) -> int:
    """How many blocks a block is once unrolled."""
    return block.count() if isinstance(block, Structure) else 1


def inner(block: Block) -> dict[str, Any]:
    """The fields of a structure that hold blocks."""
    if not isinstance(block, Structure):
        return {}
    named = [entry.name for entry in fields(block) if "kind" not in entry.metadata and entry.name != "line"]
    return {name: getattr(block, name) for name in named}


def mapped(value: Any, change: Callable[[Block], Block]) -> Any:
    """A block changed, and all that are in it; or the same for the blocks of a tuple, and of the tuples in it."""
    if isinstance(value, tuple):
        return tuple(mapped(one, change) for one in value)
    return change(replace(value, **{name: mapped(blocks, change) for name, blocks in inner(value).items()}))


@block
class Chain(Structure):
    """Paths one after another."""


@block
class Repeat(Chain):
    """The same blocks several times, each time with weights of its own."""

    keyword: ClassVar[str] = "repeat"
    syntax: ClassVar[str] = "repeat N: [BLOCK, …]"
    times: int = field(metadata=main(COUNT))
    body: Blocks = ()

    def paths(self) -> tuple[tuple[str, Blocks], ...]:
        return tuple((str(turn), self.body) for turn in range(1, self.times + 1))

    def count(self) -> int:
        return 1 + self.times * sum(map(count, self.body))


@block
class Sequence(Chain):
    """A list inside a list: blocks that belong together. It opens no scope."""

    keyword: ClassVar[str] = "sequence"
    syntax: ClassVar[str] = "[BLOCK, …]"
    opens_scope: ClassVar[bool] = False
    body: Blocks = ()

    def paths(self) -> tuple[tuple[str, Blocks], ...]:
        return (("", self.body),)


@block
class Parallel(Structure):
    """Paths side by side, and how they are put together."""

    @property
    def how(self) -> str:
        """One of JOINS."""
        raise NotImplementedError


@block
class Residual(Parallel):
    """A body plus its own input, or plus a shortcut from it; no activation is implied.

    Source: He, Zhang, Ren and Sun, arXiv:1512.03385.
    """

    keyword: ClassVar[str] = "residual"
    syntax: ClassVar[str] = "residual: [BLOCK, …] or residual: {body: […], shortcut: […]}"
    body: Blocks = ()
    shortcut: Blocks = ()

    @property
    def how(self) -> str:
        return "add"

    def paths(self) -> tuple[tuple[str, Blocks], ...]:
        return (("body", self.body), ("shortcut", self.shortcut))


@block
class Branches(Parallel):
    """Several paths from one input, put together; an empty one is the input itself."""

    keyword: ClassVar[str] = "branches"
    syntax: ClassVar[str] = "branches concat|add|multiply: [[BLOCK, …], […], []]"
    join: str = field(metadata=main(choice(*JOINS)))
    branches: tuple[Blocks, ...] = ()

    @property
    def how(self) -> str:
        return self.join

    def paths(self) -> tuple[tuple[str, Blocks], ...]:
        return tuple((str(number), blocks) for number, blocks in enumerate(self.branches, 1))


@block
class Save(Block):
    """Gives the map a name, for a join further on."""

    keyword: ClassVar[str] = "save"
    syntax: ClassVar[str] = "save NAME"
    name: str = field(metadata=main(NAME))


@block
class Join(Block):
    """Puts a saved map and the input together, the saved map first; the keyword says how."""

    name: str = field(metadata=main(NAME))
    crop: bool = field(default=False, metadata=option(FLAG))

    def cropped(self, saved: Shape, here: Shape) -> Shape:
        """The shape of the saved map as it is joined. Raises FitError if there is less of it than of the input."""
        if not self.crop or len(saved) != len(here):
            return saved
        if any(side < need for side, need in zip(saved[1:], here[1:], strict=True)):
            raise FitError(
                f"crop=true cannot cut the saved map {self.name} ({format_shape(saved)}) to an input of "
                f"{format_shape(here)}, which is larger",
                "save a larger map",
            )
        return (saved[0], *here[1:])


@block
class Concat(Join):
    """One after the other along the channels (torch.cat)."""

    keyword: ClassVar[str] = "concat"
    syntax: ClassVar[str] = "concat NAME"


@block
class Add(Join):
    """Value by value, their sum."""

    keyword: ClassVar[str] = "add"
    syntax: ClassVar[str] = "add NAME"


@block
class Multiply(Join):
    """Value by value, their product."""

    keyword: ClassVar[str] = "multiply"
    syntax: ClassVar[str] = "multiply NAME"


def fit(how: str, shapes: Iterable[Shape]) -> bool:
    """Whether maps of these shapes can be put together."""
    kept = 1 if how == "concat" else 0  # the first axis that has to agree
    return len({shape[kept:] for shape in shapes}) == 1


def joined_shape(how: str, shapes: Listing[tuple[str, Shape]]) -> Shape:
    """The shape of maps put together, each given with what to call it. Raises FitError where they do not fit."""
    if not fit(how, (shape for _, shape in shapes)):
        said = ", ".join(f"{name} is {format_shape(shape)}" for name, shape in shapes)
        raise FitError(f"{said}; {how} needs equal {'sides' if how == 'concat' else 'shapes'}")
    first = shapes[0][1]
    return (sum(shape[0] for _, shape in shapes), *first[1:]) if how == "concat" else first
