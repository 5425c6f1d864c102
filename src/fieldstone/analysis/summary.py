"""A design, walked: a row a block, totals, findings. Its repr is the table that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fieldstone.analysis.findings import Finding, find
from fieldstone.design.blocks.structure import Repeat
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.geometry import format_shape

HEADINGS = ("path", "block", "output", "params", "multiply-adds", "receptive field")


@dataclass(frozen=True, repr=False)
class Summary:
    """What is known of a design before anything runs.

    Attributes:
        classes: how many classes, `classes_from` where that number is from.
        outputs: how many numbers leave the network.
        rows: every block in pre-order, repeats unrolled.
    """

    design: Design
    classes: int
    classes_from: str
    outputs: int
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def params(self) -> int:
        """All parameters."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """All multiply-adds for one input."""
        return sum(row.macs for row in self.rows)

    @property
    def has_errors(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone inspect --json` prints."""
        return {
            "input": list(self.design.input),
            "classes": self.classes,
            "outputs": self.outputs,
            "layers": [
                {
                    "path": row.path,
                    "block": row.block.text(),
                    "output": list(row.output_shape),
                    "params": row.params,
                    "macs": row.macs,
                    "receptive_field": list(row.receptive_field),
                    "jump": None if row.jump is None else list(row.jump),
                }
                for row in self.rows
            ],
            "totals": {"params": self.params, "macs": self.macs},
            "findings": [finding.to_json() for finding in self.findings],
        }

    def __repr__(self) -> str:
        title = f"{self.design.name or 'design'}: input {format_shape(self.design.input)}, {self.classes} classes"
        title += f" ({self.classes_from}), {self.outputs} output{'s' if self.outputs > 1 else ''}"
        totals = f"{self.params:,} parameters, {self.macs:,} multiply-adds"
        said = [str(finding) for finding in self.findings] or ["no findings"]
        said += [f"allowed {code}: {reason}" for code, reason in self.design.allow.items()]
        return "\n".join([title, "", *_table(self.rows), "", totals, *said])


def summarise(design: Design, classes: int, classes_from: str, outputs: int) -> Summary:
    """Walk a design and check it.

    Raises:
        DesignError: a block that does not fit its input.
    """
    rows = design.walk(outputs)
    return Summary(design, classes, classes_from, outputs, rows, find(rows, design.allow))


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [HEADINGS, *_lines(rows, 0)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return [
        "  ".join(
            cell.rjust(width) if 3 <= column <= 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _lines(rows: Sequence[Row], depth: int) -> Iterator[tuple[str, ...]]:
    """The cells of a line for every row; of a repeat the first pass, and one line for the others."""
    place = 0
    while place < len(rows):
        row = rows[place]
        inner = _below(row.path, rows, place + 1)
        yield _cells(row.path, depth, row.block.text(), row, row.params, row.macs)
        if isinstance(row.block, Repeat):
            first = _below(f"{row.path}.1", inner, 0)
            yield from _lines(first, depth + 1)
            yield from _later_passes(row, row.block.times, inner[len(first) :], depth + 1)
        else:
            yield from _lines(inner, depth + 1)
        place += 1 + len(inner)


def _later_passes(repeat: Row, times: int, rows: Sequence[Row], depth: int) -> Iterator[tuple[str, ...]]:
    """Their totals together, so that the columns add up; the output and the field are those after the last pass."""
    if times > 1:
        path, name = (f"{repeat.path}.2", "pass 2") if times == 2 else (f"{repeat.path}.2-{times}", f"passes 2-{times}")
        yield _cells(path, depth, name, repeat, sum(row.params for row in rows), sum(row.macs for row in rows))


def _below(path: str, rows: Sequence[Row], start: int) -> Sequence[Row]:
    """The rows from `start` on that stand inside `path`."""
    end = next((place for place in range(start, len(rows)) if not rows[place].path.startswith(f"{path}.")), len(rows))
    return rows[start:end]


def _cells(path: str, depth: int, name: str, row: Row, params: int, macs: int) -> tuple[str, ...]:
    counts = (f"{params:,}" if params else "", f"{macs:,}" if macs else "")
    return (path, "  " * depth + name, format_shape(row.output_shape), *counts, format_shape(row.receptive_field))
