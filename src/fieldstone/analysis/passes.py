"""The passes of repeats: which rows stand in which, and findings of one written block in all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fieldstone.analysis.findings import Finding
from fieldstone.design.blocks.structure import Repeat
from fieldstone.design.walk import Row


@dataclass(frozen=True)
class Passes:
    """The repeats of a network's rows."""

    rows: Sequence[Row]

    @cached_property
    def repeats(self) -> frozenset[str]:
        """Their paths."""
        return frozenset(row.path for row in self.rows if isinstance(row.block, Repeat))

    def written(self, path: str) -> str:
        """The path without the passes: the same for one block in each pass."""
        parts = path.split(".")
        return ".".join("*" if self._is_pass(parts, depth) else part for depth, part in enumerate(parts))

    def numbers(self, path: str) -> tuple[str, ...]:
        """The passes that a path is in, the outermost first."""
        parts = path.split(".")
        return tuple(part for depth, part in enumerate(parts) if self._is_pass(parts, depth))

    def _is_pass(self, parts: Sequence[str], depth: int) -> bool:
        return ".".join(parts[:depth]) in self.repeats

    def folded(self, findings: Sequence[Finding]) -> Iterator[Finding]:
        """Of findings at one written block, the one in the first pass, which says in how many more passes it is."""
        together: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            together.setdefault((finding.code, self.written(finding.where)), []).append(finding)
        for first, *others in together.values():
            more = f" and {len(others)} more pass{'es' if len(others) > 1 else ''}" if others else ""
            yield replace(first, where=f"{first.where}{more}")
