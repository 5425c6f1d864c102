"""What a rule is, and what it looks at: the rows of a network as a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Chain, Parallel, Save
from fieldstone.design.field import Field
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.geometry import Moves, Shape, Whole

Severity = Literal["error", "warning", "note"]


Rewalk = Callable[[Mapping[str, Block]], tuple[Row, ...]]

MOST_TRIALS = 50
"""As often a design is walked with another block in it, to see what a finding can propose."""


@dataclass(frozen=True)
class Subject:
    """What a rule looks at.

    Attributes:
        input: (C, *sides).
        rows: every row in pre-order.
        classes: how many classes; None where it is not known, as for a module.
        task: the task that was asked for; None leaves it open.
        object_size: the sides in pixels of what is to be recognised, where that was said.
        memory: the bytes that a training step may take, where that was said.
        batch_size: images in that step.
        walk: gives the rows of the design with other blocks at some paths; None for a module.
        leaving: the paths of the rows that a module returns, in order; () leaves it to the rows, as in a design.
    """

    input: Shape
    rows: tuple[Row, ...]
    classes: int | None = None
    task: str | None = None
    object_size: tuple[int, ...] | None = None
    memory: int | None = None
    batch_size: int = 1
    leaving: tuple[str, ...] = ()
    walk: Rewalk | None = field(default=None, compare=False, repr=False)

    @cached_property
    def makers(self) -> Mapping[str, Row]:
        """By path, the rows that make something new: neither containers nor names."""
        return {row.path: row for row in self.rows if not isinstance(row.block, Chain | Save)}

    @cached_property
    def users(self) -> Mapping[str, tuple[Row, ...]]:
        """By path, or `input`, the rows that take its output."""
        users: dict[str, list[Row]] = {}
        for row in self.makers.values():
            for source in dict.fromkeys(row.sources):
                users.setdefault(source, []).append(row)
        return {path: tuple(rows) for path, rows in users.items()}

    def before(self, row: Row) -> tuple[Row, ...]:
        """The rows whose outputs it takes; the design's input is none."""
        return tuple(self.makers[source] for source in row.sources if source != INPUT)

    def field(self, source: str) -> Field | None:
        """What the values of a source see: of the input, each itself; None where it is not known."""
        return Field.of_input(self.input[1:]) if source == INPUT else self.makers[source].field

    def after(self, row: Row) -> tuple[Row, ...]:
        """The rows that take its output."""
        return self.users.get(row.path, ())

    @property
    def last(self) -> Row:
        """The row whose output leaves the network; of several the first."""
        if self.leaving:
            return self.makers[self.leaving[0]]
        return next(row for row in reversed(tuple(self.makers.values())) if not self.after(row))

    @cached_property
    def used(self) -> frozenset[str]:
        """The paths of which what leaves the network is made: a module may look at a map to decide, and no more."""
        used: set[str] = set()
        waiting = [*(self.leaving or (self.last.path,))]
        while waiting:
            path = waiting.pop()
            if path not in used and path in self.makers:
                used.add(path)
                waiting += self.makers[path].sources
        return frozenset(used)

    def takes(self, row: Row, block: Block) -> bool:
        """Whether the design walks with another block in the place of a row's, in each pass, to an output that fits.

        Of a module it is not known: that the block takes the input of the row has to be enough.
        """
        if self.walk is None:
            return True
        trial = (id(row.block), block.text())
        if trial not in self._trials:
            self._trials[trial] = len(self._trials) < MOST_TRIALS and self._walks(self.walk, row, block)
        return self._trials[trial]

    def _walks(self, walk: Rewalk, row: Row, block: Block) -> bool:
        try:
            rows = walk({one.path: block for one in self.rows if one.block is row.block})
        except DesignError:
            return False
        before, after = (one.last.output_shape for one in (self, replace(self, rows=rows)))
        return len(after) == 1 or after == before

    @cached_property
    def _trials(self) -> dict[tuple[int, str], bool]:
        """What was found of blocks in the places of others."""
        return {}

    @cached_property
    def order(self) -> tuple[Row, ...]:
        """The rows that make something, as they run: a join after its paths."""
        waiting: list[Row] = []
        order: list[Row] = []
        for row in self.makers.values():
            while waiting and not row.path.startswith(f"{waiting[-1].path}."):
                order.append(waiting.pop())
            (waiting if isinstance(row.block, Parallel) else order).append(row)
        return (*order, *reversed(waiting))


def window_of(row: Row) -> Moves | Whole | None:
    """What a value of its output reads of its input; None for its own place alone, and for an input without sides."""
    return row.window if len(row.input_shape) > 1 else None


def joined_by(row: Row) -> str:
    """How a row that joins maps does it: `concat`, `add` or `multiply`."""
    return row.block.how if isinstance(row.block, Parallel) else row.block.keyword


class Found(NamedTuple):
    """What a rule says of one block: the path, what is so, and what to do."""

    where: str
    message: str
    fix: str


class Example(NamedTuple):
    """A small network for the documentation and the tests; `options` are fields of `Subject`."""

    input: Shape
    layers: tuple[Any, ...]
    options: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Rule:
    """A rule: the table of which the code, the documentation and the tests are made.

    Attributes:
        title: what is found, as a heading.
        why: why it matters, in a few sentences.
        source: who says so.
        check: yields what it finds.
        bad, good: a network that has it, and one that has not.
    """

    code: str
    severity: Severity
    title: str
    why: str
    source: str
    check: Callable[[Subject], Iterator[Found]]
    bad: Example
    good: Example
