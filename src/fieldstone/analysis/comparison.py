"""Two networks side by side, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, Literal

from fieldstone.analysis.findings import Finding
from fieldstone.analysis.memory import size_text
from fieldstone.analysis.passes import Passes
from fieldstone.analysis.summary import Summary
from fieldstone.analysis.table import table
from fieldstone.design.walk import Row
from fieldstone.geometry import format_shape

Change = Literal["same", "moved", "changed", "only in the first", "only in the second"]

MARKS: dict[str, str] = {"same": "", "moved": "~", "changed": "!", "only in the first": "-", "only in the second": "+"}
HEADINGS = ("", "path", "block", "output", "params", "path", "block", "output", "params")


@dataclass(frozen=True)
class Pair:
    """A block of the first network and the one that stands in its place in the second; None where there is none."""

    first: Row | None
    second: Row | None

    @property
    def change(self) -> Change:
        """`moved` is the same block with another output or field, since what comes before it differs."""
        if self.first is None or self.second is None:
            return "only in the second" if self.first is None else "only in the first"
        if self.first.block.text() != self.second.block.text():
            return "changed"
        same = self.first.output_shape == self.second.output_shape and self.first.params == self.second.params
        return "same" if same and self.first.receptive_field == self.second.receptive_field else "moved"


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two summaries, and their blocks in pairs. Its repr is the table that people read."""

    first: Summary
    second: Summary
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone inspect A B --json` prints."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "pairs": [
                {
                    "change": pair.change,
                    "first": None if pair.first is None else self.first.layer_json(pair.first),
                    "second": None if pair.second is None else self.second.layer_json(pair.second),
                }
                for pair in self.pairs
            ],
        }

    def __repr__(self) -> str:
        names = f"{self.first.name} and {self.second.name}"
        inputs = f"input {format_shape(self.first.input)} and {format_shape(self.second.input)}"
        lines = [(MARKS[pair.change], *_cells(pair.first), *_cells(pair.second)) for pair in self.pairs]
        legend = "! another block   ~ the same block with another output or field   - gone   + new"
        return "\n".join(
            [f"{names}: {inputs}", "", *table((HEADINGS, *lines), right=(4, 8)), "", legend, *self._said()]
        )

    def _said(self) -> Iterator[str]:
        one, two = self.first, self.second
        yield _change("parameters", one.params, two.params)
        yield _change("multiply-adds", one.macs, two.macs)
        sizes = one.training_bytes, two.training_bytes
        yield f"maps of one image to train: {size_text(sizes[0])}, then {size_text(sizes[1])} ({_ratio(*sizes)})"
        before, after = set(map(self._first_key, one.findings)), set(map(self._second_key, two.findings))
        gone = [found for found in one.findings if self._first_key(found) not in after]
        new = [found for found in two.findings if self._second_key(found) not in before]
        yield from (f"no longer: {found}" for found in self._passes[0].folded(gone))
        yield from (f"new: {found}" for found in self._passes[1].folded(new))

    def _first_key(self, finding: Finding) -> tuple[str, ...]:
        """The same for what is said of one written block, whatever its numbers are, in the first and the second."""
        return (finding.severity, finding.code, "first", self._passes[0].written(finding.where))

    def _second_key(self, finding: Finding) -> tuple[str, ...]:
        place = self._passes[1].written(finding.where)
        network, known = self._places.get(place, ("second", place))
        return (finding.severity, finding.code, network, known)

    @cached_property
    def _passes(self) -> tuple[Passes, Passes]:
        return Passes(self.first.rows), Passes(self.second.rows)

    @cached_property
    def _places(self) -> dict[str, tuple[str, str]]:
        """Where the written blocks of the second that have a counterpart stand in the first."""
        one, two = self._passes
        pairs = [(pair.first.path, pair.second.path) for pair in reversed(self.pairs) if pair.first and pair.second]
        return {two.written(theirs): ("first", one.written(mine)) for mine, theirs in pairs}


def compare(first: Summary, second: Summary) -> Comparison:
    """Pair the blocks: those that are written alike first, the others in their order between them.

    Where both have repeats, a pass goes with the pass of the same number.
    """
    passes = [Passes(one.rows) for one in (first, second)]
    both = all(one.repeats for one in passes)
    texts = [[(row.block.text(), one.numbers(row.path) if both else ()) for row in one.rows] for one in passes]
    pairs: list[Pair] = []
    for _, start, end, other, until in SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_opcodes():
        mine, theirs = first.rows[start:end], second.rows[other:until]
        shared = min(len(mine), len(theirs))
        pairs += map(Pair, mine[:shared], theirs[:shared])
        pairs += [Pair(row, None) for row in mine[shared:]]
        pairs += [Pair(None, row) for row in theirs[shared:]]
    return Comparison(first, second, tuple(pairs))


def _cells(row: Row | None) -> tuple[str, ...]:
    if row is None:
        return ("", "", "", "")
    return (row.path, row.block.text(), format_shape(row.output_shape), f"{row.params:,}" if row.params else "")


def _change(what: str, before: int, after: int) -> str:
    return f"{what}: {before:,}, then {after:,} ({_ratio(before, after)})"


def _ratio(before: int, after: int) -> str:
    return "the same" if before == after else f"{after / before:.2f} x" if before else "new"
