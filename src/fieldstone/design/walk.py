"""From the input to the logits: the shape, the weights and the field of view at every block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

from fieldstone.design.blocks.attention import SqueezeExcite
from fieldstone.design.blocks.block import Block, FitError, TooSmallError
from fieldstone.design.blocks.pooling import MaxPool, MaxUnpool, Pooled
from fieldstone.design.blocks.shape import Upsample
from fieldstone.design.blocks.structure import Blocks, Chain, Join, Parallel, Residual, Save, Structure, joined_shape
from fieldstone.design.field import Field
from fieldstone.design.mending import loses_sides, mend_join, mend_paths
from fieldstone.design.names import INPUT, Map, Names, NotKeptError, keep, named
from fieldstone.errors import DesignError
from fieldstone.geometry import Moves, Shape, Whole, format_shape

MOST_SIDE = 4096  # the largest input that a message proposes


@dataclass(frozen=True)
class Row:
    """What happens at one block.

    Attributes:
        path: `5.body.2`: 1-based places; within a `repeat` the pass and then the block, within `branches` the branch
            and then the block, within a residual `body` or `shortcut` and then the block.
        block: as it was written (`linear classes`).
        bound: the same with numbers in the place of `classes` and of names: what it is here.
        input_shape, output_shape: (C, *sides), or (C,) once flattened.
        params, macs: its own; 0 for a structure, whose blocks have rows of their own, so that a sum is a total.
        field: what a value of its output sees of the design's input; None where that is not known, in a module.
        sources: the paths of the rows whose outputs it takes; `input` is the design's input. A row that only holds or
            names what others made (`repeat`, a list, `save`) is nobody's source: its own is the row that made it.
        frozen: how many of its parameters training leaves alone; those of a design all learn.
    """

    path: str
    block: Block
    bound: Block
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    field: Field | None
    sources: tuple[str, ...]
    frozen: int = 0

    @property
    def window(self) -> Moves | Whole | None:
        """What a value of its output reads of its input; None for its own place alone."""
        return self.bound.window(self.input_shape[1:])

    @property
    def trainable(self) -> int:
        """The parameters that training changes."""
        return self.params - self.frozen

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """Pixels of the input per axis, unclipped, by all paths together; None as `field`."""
        return None if self.field is None else self.field.receptive_field

    @property
    def jump(self) -> tuple[float, ...] | None:
        """Input pixels between neighbours per axis; None once a block saw its whole input, and as `field`."""
        return None if self.field is None else self.field.jump


class Made(NamedTuple):
    """What a block made, and the rows whose outputs it took."""

    map: Map
    sources: tuple[str, ...]


class Walked(NamedTuple):
    """The rows, and the shape that leaves."""

    rows: tuple[Row, ...]
    output_shape: Shape


def walk(
    shape: Shape, layers: Blocks, outputs: int, file: str | None, instead: Mapping[str, Block] | None = None
) -> Walked:
    """Walk a design.

    Args:
        instead: by path, blocks that stand there in the place of the design's.

    Raises:
        DesignError: a block does not fit its input.
    """

    def larger_input() -> str | None:
        rank = len(shape) - 1
        side = _smallest_side(lambda side: _fits((shape[0], *(side,) * rank), layers, outputs))
        return None if side is None else format_shape((side,) * rank)

    return _walk(shape, layers, Walker(outputs, file, larger_input, instead or {}))


def _walk(shape: Shape, layers: Blocks, walker: Walker) -> Walked:
    start = Map(shape, Field.of_input(shape[1:]))
    end = walker.blocks(layers, "", start, {INPUT: start})
    return Walked(tuple(walker.rows), end.shape)


def _fits(shape: Shape, layers: Blocks, outputs: int) -> bool:
    try:
        _walk(shape, layers, Walker(outputs, None, lambda: None, tries=True))
    except DesignError:
        return False
    return True


def _smallest_side(fits: Callable[[int], bool]) -> int | None:
    """The smallest side that walks, where larger ones do too: found by doubling, then halving the difference."""
    side = 1
    while not fits(side):
        side *= 2
        if side > MOST_SIDE:
            return None
    low, high = side // 2, side
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


@dataclass
class Walker:
    """One walk: collects rows; turns a block's fault into a `DesignError` with its place.

    `tries` says that it only asks whether something walks.
    """

    outputs: int
    file: str | None
    larger_input: Callable[[], str | None]
    instead: Mapping[str, Block] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    tries: bool = False

    def blocks(self, blocks: Blocks, path: str, here: Map, names: Names) -> Map:
        prefix = f"{path}." if path else ""
        for number, block in enumerate(blocks, 1):
            here = self.block(block, f"{prefix}{number}", here, names)
        return here

    def block(self, block: Block, path: str, here: Map, names: Names) -> Map:
        block = self.instead.get(path, block)
        place = len(self.rows)  # a structure's row stands before those of its blocks, and is known after them
        try:
            bound = self.bound(block, names)
            after = self.after(bound, path, here, names)
            own = (bound.params(here.shape), bound.macs(here.shape))
        except FitError as fault:
            message, fix = f"{block.text()}: {self.fact(fault)}", self.remedy(fault)
            raise DesignError(message, file=self.file, line=block.line, path=path, fix=fix) from fault
        made, sources = after
        self.rows.insert(place, Row(path, block, bound, here.shape, made.shape, *own, made.field, sources))
        return made

    def bound(self, block: Block, names: Names) -> Block:
        """The block with numbers in the place of `classes` and of names."""
        if isinstance(block, Upsample) and block.like is not None:
            return replace(block, saved=named(block.like, names, Map).shape)
        if isinstance(block, MaxUnpool):
            return replace(block, pooled=named(block.name, names, Pooled))
        return block.with_outputs(self.outputs)

    def after(self, block: Block, path: str, here: Map, names: Names) -> Made:
        if isinstance(block, Structure):
            return self.structure(block, path, here, names)
        if isinstance(block, Join):
            return self.join(block, path, here, names)
        if isinstance(block, Save):
            keep(block.name, here, names)
            return Made(here, (here.source,))
        shape = block.output_shape(here.shape)
        seen = _seen(block.window(here.shape[1:]), here, shape)
        if isinstance(block, SqueezeExcite):  # each value stays where it is, times a gate that saw everything
            seen = seen.joined(here.field)
        if isinstance(block, MaxPool) and block.name is not None:
            keep(block.name, Pooled(block, here.shape, shape, path), names)
        indices = (block.pooled.source,) if isinstance(block, MaxUnpool) and block.pooled else ()
        return Made(Map(shape, seen, path), (here.source, *indices))

    def structure(self, block: Structure, path: str, here: Map, names: Names) -> Made:
        first = len(self.rows)
        ends = self.ends(block, path, here, names)
        if not isinstance(block, Parallel):
            return Made(ends[-1][1], (ends[-1][1].source,))
        try:
            return _joined(block.how, path, ends)
        except FitError as fault:
            raise FitError(str(fault), self.mend(block, path, here, names, self.rows[first:])) from fault

    def ends(self, block: Structure, path: str, here: Map, names: Names) -> list[tuple[str, Map]]:
        """Where each path of a structure ends, with what it is called."""
        ends: list[tuple[str, Map]] = []
        start = here
        for part, blocks in block.paths():
            inner = dict(names) if block.opens_scope else names
            end = self.blocks(blocks, f"{path}.{part}" if part else path, start, inner)
            start = end if isinstance(block, Chain) else here
            ends.append((_called(block, part), end))
        return ends

    def mend(self, block: Parallel, path: str, here: Map, names: Names, rows: list[Row]) -> str | None:
        """What makes the paths fit; None in a walk that tries a remedy, so that none is sought for a remedy."""
        if self.tries:
            return None

        def ends_of(changed: Parallel) -> list[tuple[str, Shape]] | None:
            walker = Walker(self.outputs, None, lambda: None, tries=True)
            try:
                return [(name, end.shape) for name, end in walker.ends(changed, path, here, dict(names))]
            except DesignError:
                return None

        losing = dict.fromkeys(row.block for row in rows if loses_sides(row.bound, row.input_shape, row.output_shape))
        return mend_paths(block, here.shape, tuple(losing), ends_of)

    def join(self, block: Join, path: str, here: Map, names: Names) -> Made:
        saved = named(block.name, names, Map)
        shape = block.cropped(saved.shape, here.shape)
        if shape != saved.shape:
            saved = saved._replace(shape=shape, field=saved.field.cut(shape[1:]))
        try:
            return _joined(block.keyword, path, [(f"the saved map {block.name}", saved), ("its input", here)])
        except FitError as fault:
            raise FitError(str(fault), mend_join(block, saved, here)) from fault

    def fact(self, fault: FitError) -> str:
        """What is so; of a name that is out of sight, where it was kept."""
        if isinstance(fault, NotKeptError):
            for row in reversed(self.rows):
                if isinstance(row.block, fault.by) and row.block.name == fault.name:
                    return f"the name {fault.name} was given at {row.path}, and is not seen outside of that list"
        return str(fault)

    def remedy(self, fault: FitError) -> str | None:
        if not isinstance(fault, TooSmallError):
            return fault.fix
        sides = self.larger_input()
        larger = sides and f"give the design an input of at least {sides}"
        return " or ".join(part for part in (fault.fix, larger) if part) or None


def _seen(moves: Moves | Whole | None, here: Map, shape: Shape) -> Field:
    """What the values see after a block."""
    if moves is None:
        return here.field
    if isinstance(moves, Whole):
        return here.field.whole(shape[1:])
    return here.field.moved(moves, here.shape[1:], shape[1:])


def _joined(how: str, path: str, maps: list[tuple[str, Map]]) -> Made:
    shape = joined_shape(how, [(name, one.shape) for name, one in maps])
    field = reduce(Field.joined, (one.field for _, one in maps))
    return Made(Map(shape, field, path), tuple(one.source for _, one in maps))


def _called(block: Structure, part: str) -> str:
    if not isinstance(block, Residual):
        return f"branch {part}"
    return "its input" if part == "shortcut" and not block.shortcut else f"its {part}"
