"""The rows of a network as the steps of a drawing: a block that works, with the light ones around it; repeats once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.structure import Join, Parallel, Repeat
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import Moves, Shape, Whole


@dataclass(frozen=True)
class Step:
    """One map and the blocks that made it.

    Attributes:
        rows: in the order that they run; none for the input.
        sources: the places of the steps whose maps it takes, one for each use.
        shape: (C, *sides) that leaves.
        folds: the paths of the folded repeats that it stands in, the outermost first.
    """

    rows: tuple[Row, ...]
    sources: tuple[int, ...]
    shape: Shape
    folds: tuple[str, ...] = ()

    @property
    def how(self) -> str | None:
        """How it puts maps together; None where it takes one map."""
        block = self.rows[0].block if self.rows else None
        if isinstance(block, Parallel):
            return block.how
        if isinstance(block, Join):
            return block.keyword
        return "join" if len(self.sources) > 1 else None

    @property
    def main(self) -> Row | None:
        """The row that works."""
        return next((row for row in self.rows if not _light(row)), self.rows[0] if self.rows else None)

    @property
    def window(self) -> Moves | Whole | None:
        """What one value reads of the map that comes in; None for its own place, and for a join."""
        return None if self.main is None or self.how is not None else self.main.window


@dataclass(frozen=True)
class Steps:
    """All steps as they run, the input first; and the folded repeats by path."""

    all: tuple[Step, ...]
    repeats: Mapping[str, Row]


def steps_of(subject: Subject, unfolded: frozenset[str] = frozenset()) -> Steps:
    """The steps of a network; the repeats at the paths in `unfolded` are drawn pass by pass."""
    found = {row.path: row for row in subject.rows if isinstance(row.block, Repeat) and row.path not in unfolded}
    rows = [row for row in subject.order if _in_first_pass(row.path, found) == row.path]
    sources = {row.path: tuple(_in_first_pass(source, found) for source in row.sources) for row in rows}
    uses = Counter(source for taken in sources.values() for source in taken)
    steps = [Step((), (), subject.input)]
    place = {INPUT: 0}
    for row in rows:
        before = steps[place[sources[row.path][0]]]
        folds = _folds(row.path, found)
        alone = len(sources[row.path]) == 1 == uses[sources[row.path][0]]
        if alone and before.rows and before.folds == folds and _goes_with(before, row):
            place[row.path] = place[sources[row.path][0]]
            steps[place[row.path]] = Step((*before.rows, row), before.sources, row.output_shape, folds)
            continue
        place[row.path] = len(steps)
        steps.append(Step((row,), tuple(place[source] for source in sources[row.path]), row.output_shape, folds))
    kept = {path for step in steps for path in step.folds}
    return Steps(tuple(steps), {path: row for path, row in found.items() if path in kept})


def _goes_with(step: Step, row: Row) -> bool:
    """Whether a row joins the step before it: a light one any step, and any row a step that has only light ones."""
    if isinstance(row.block, Parallel | Join):
        return False
    only_light = step.how is None and all(map(_light, step.rows))
    return only_light or (_light(row) and row.output_shape == row.input_shape)


def _light(row: Row) -> bool:
    """Whether it looks at each value alone and keeps the sides, or only lays the values out in a row."""
    if isinstance(row.block, Parallel | Join) or row.macs:
        return False
    kept = row.output_shape == row.input_shape or len(row.output_shape) == 1
    return kept and row.window is None


def _in_first_pass(path: str, repeats: Mapping[str, Row]) -> str:
    """The row that stands for this one in the first pass of every folded repeat around it."""
    parts: list[str] = []
    for part in path.split("."):
        parts.append("1" if ".".join(parts) in repeats else part)
    return ".".join(parts)


def _folds(path: str, repeats: Mapping[str, Row]) -> tuple[str, ...]:
    parts = path.split(".")
    above = [".".join(parts[:end]) for end in range(1, len(parts))]
    return tuple(one for one in above if one in repeats)
