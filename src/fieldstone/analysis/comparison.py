"""Two networks side by side, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from fieldstone.analysis.findings import Finding
from fieldstone.analysis.memory import size_text
from fieldstone.analysis.summary import Summary, layer_json
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
                    "first": None if pair.first is None else layer_json(pair.first, self.first.input[1:]),
                    "second": None if pair.second is None else layer_json(pair.second, self.second.input[1:]),
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
        gone = [found for found in one.findings if _key(found) not in map(_key, two.findings)]
        new = [found for found in two.findings if _key(found) not in map(_key, one.findings)]
        yield from (f"no longer: {found}" for found in gone)
        yield from (f"new: {found}" for found in new)


def compare(first: Summary, second: Summary) -> Comparison:
    """Pair the blocks: those that are written alike first, the others in their order between them."""
    texts = [[row.block.text() for row in one.rows] for one in (first, second)]
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


def _key(finding: Finding) -> tuple[str, str]:
    return (finding.code, finding.message)
