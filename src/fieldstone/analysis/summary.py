"""A network, looked at: a row a block, totals, findings. Its repr is the table that people read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

from fieldstone.analysis.effective_field import EffectiveField
from fieldstone.analysis.findings import Finding, find
from fieldstone.analysis.leftovers import Unregistered, Untraced, Unused
from fieldstone.analysis.memory import alive_bytes, input_bytes, kept_bytes, size_text, training_bytes
from fieldstone.analysis.passes import Passes
from fieldstone.analysis.rule import Subject
from fieldstone.analysis.table import table
from fieldstone.design.blocks.structure import Repeat
from fieldstone.design.design import Design
from fieldstone.design.field import Field
from fieldstone.design.walk import Row
from fieldstone.geometry import Shape, format_shape

HEADINGS = ("path", "block", "output", "params", "multiply-adds", "receptive field")


@dataclass(frozen=True, repr=False)
class Summary:
    """What is known of a network before anything runs.

    Attributes:
        name: what it is called.
        subject: the input, the rows in pre-order with repeats unrolled, the classes and the task.
        classes_from: where the number of classes is from.
        outputs: how many numbers leave the network; None where no head is sized by the classes.
        allow: codes of findings that are meant, each with its reason.
        effective: by path, the effective receptive fields that were measured.
        weights: by path, whether a block's weights are `learned`, `frozen` or `new`, where some were learned before.
        unused, untraced, unregistered: what the rows of a module do not say; a design has none.
    """

    name: str
    subject: Subject
    classes_from: str
    outputs: int | None
    findings: tuple[Finding, ...]
    allow: Mapping[str, str]
    effective: Mapping[str, EffectiveField] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[Unused, ...] = ()
    untraced: tuple[Untraced, ...] = ()
    unregistered: tuple[Unregistered, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every block in pre-order, repeats unrolled."""
        return self.subject.rows

    @property
    def input(self) -> Shape:
        """(C, *sides)."""
        return self.subject.input

    @property
    def classes(self) -> int | None:
        """How many classes."""
        return self.subject.classes

    @property
    def params(self) -> int:
        """All parameters, those that nothing used too."""
        return sum(row.params for row in self.rows) + sum(one.params for one in self.unused)

    @property
    def trainable(self) -> int:
        """The parameters that training changes."""
        return self.params - sum(row.frozen for row in self.rows) - sum(one.frozen for one in self.unused)

    @property
    def macs(self) -> int:
        """All multiply-adds for one input."""
        return sum(row.macs for row in self.rows)

    @property
    def forward_bytes(self) -> int:
        """The most that the maps of one image take at one time in float32, each freed once nothing needs it."""
        return max(self._alive.values())

    @property
    def training_bytes(self) -> int:
        """What the maps of one image take in float32 where training keeps them all."""
        return training_bytes(self.subject)

    def has(self, *severities: str) -> bool:
        """Whether a finding is that severe."""
        return any(finding.severity in severities for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone inspect --json` prints."""
        return {
            "input": list(self.input),
            "classes": self.classes,
            "outputs": self.outputs,
            "layers": [self.layer_json(row) | self._more(row.path) for row in self.rows],
            "totals": {
                "params": self.params,
                "trainable": self.trainable,
                "macs": self.macs,
                "input_bytes": input_bytes(self.subject),
                "forward_bytes": self.forward_bytes,
                "training_bytes": self.training_bytes,
            },
            "findings": [finding.to_json() for finding in self.findings],
            "unused": [one.to_json() for one in self.unused],
            "untraced": [one.to_json() for one in self.untraced],
            "unregistered": [one.to_json() for one in self.unregistered],
        }

    def layer_json(self, row: Row) -> dict[str, Any]:
        """One row as programs read it; its `forward_bytes` are of all maps that are there while it runs."""
        return {
            "path": row.path,
            "block": row.block.text(),
            "output": list(row.output_shape),
            "params": row.params,
            "trainable": row.trainable,
            "macs": row.macs,
            "forward_bytes": self._alive.get(row.path, 0),
            "training_bytes": kept_bytes(self.subject, row),
            **_field_json(row.field, self.input[1:]),
            "sources": list(row.sources),
        }

    @cached_property
    def _alive(self) -> Mapping[str, int]:
        return alive_bytes(self.subject)

    def _more(self, path: str) -> dict[str, Any]:
        """What not every summary knows of a block."""
        found = self.effective.get(path)
        measured = {} if found is None else {"effective_field": round(found.size, 2)}
        return measured | ({"weights": self.weights.get(path)} if self.weights else {})

    def _table(self) -> list[str]:
        shown = [*_lines(self.rows, 0)]
        lines = [HEADINGS, *map(Line.cells, shown)]
        sizes = {path: f"{found.size:.1f}" for path, found in self.effective.items()}
        kept = {line.path: sum(kept_bytes(self.subject, row) for row in line.counted) for line in shown}
        maps = {path: size_text(count) if count else "" for path, count in kept.items()}
        more = {
            "maps to train": {} if self.subject.memory is None else maps,
            "effective": sizes,
            "weights": self.weights,
        }
        right = [3, 4]
        for heading, cells in more.items():
            if cells:
                right += [len(lines[0])] if heading != "weights" else []
                lines = [(*lines[0], heading), *((*line, cells.get(line[0], "")) for line in lines[1:])]
        return table(lines, right=right)

    def to_svg(self) -> str:
        """The network drawn to scale: the text of an SVG file."""
        from fieldstone.analysis.drawing.svg import draw  # it is large, and most ask for no drawing

        return draw(self.name, self.subject)

    def __repr__(self) -> str:
        title = f"{self.name}: input {format_shape(self.input)}"
        title += "" if self.classes is None else f", {self.classes} classes ({self.classes_from})"
        title += "" if self.outputs is None else f", {self.outputs} output{'s' if self.outputs > 1 else ''}"
        frozen = "" if self.trainable == self.params else f" ({self.trainable:,} trainable)"
        totals = f"{self.params:,} parameters{frozen}, {self.macs:,} multiply-adds; "
        totals += (
            f"maps of one image {size_text(self.forward_bytes)} forward, {size_text(self.training_bytes)} to train"
        )
        said = [str(one) for one in (*self.unused, *self.unregistered, *self.untraced)]
        said += [str(finding) for finding in Passes(self.rows).folded(self.findings)] or ["no findings"]
        said += [f"allowed {code}: {reason}" for code, reason in self.allow.items()]
        return "\n".join([title, "", *self._table(), "", totals, *said])


def summarise(
    design: Design, classes: int, classes_from: str, outputs: int, silent: Collection[str] = (), **asked: Any
) -> Summary:
    """Walk a design and check it.

    Args:
        silent: codes of findings that are not looked for.
        asked: other fields of the subject.

    Raises:
        DesignError: a block that does not fit its input.
    """
    walk = partial(design.walk, outputs)
    subject = Subject(design.input, walk(), classes, walk=walk, **asked)
    findings = find(subject, {*design.allow, *silent})
    return Summary(design.name or "design", subject, classes_from, outputs, findings, design.allow)


def _field_json(seen: Field | None, sides: tuple[int, ...]) -> dict[str, Any]:
    """What a value sees; null in each place where that is not known."""
    if seen is None:
        return dict.fromkeys(("receptive_field", "jump", "start", "smallest_field", "padding_share"))
    return {
        "receptive_field": list(seen.receptive_field),
        "jump": None if seen.jump is None else list(seen.jump),
        "start": None if seen.start is None else list(seen.start),
        "smallest_field": list(seen.smallest),
        "padding_share": [round(share, 4) for share in seen.padding_share(sides)],
    }


class Line(NamedTuple):
    """A line of the table: the row whose output it shows, and the rows whose numbers it counts."""

    path: str
    name: str
    row: Row
    counted: Sequence[Row]

    def cells(self) -> tuple[str, ...]:
        numbers = sum(row.params for row in self.counted), sum(row.macs for row in self.counted)
        counts = (f"{number:,}" if number else "" for number in numbers)
        seen = "-" if self.row.receptive_field is None else format_shape(self.row.receptive_field)
        return (self.path, self.name, format_shape(self.row.output_shape), *counts, seen)


def _lines(rows: Sequence[Row], depth: int) -> Iterator[Line]:
    """A line for every row; of a repeat the first pass, and one line for the others."""
    place = 0
    while place < len(rows):
        row = rows[place]
        inner = _below(row.path, rows, place + 1)
        yield Line(row.path, "  " * depth + row.block.text(), row, [row])
        if isinstance(row.block, Repeat):
            first = _below(f"{row.path}.1", inner, 0)
            yield from _lines(first, depth + 1)
            yield from _later_passes(row, row.block.times, inner[len(first) :], depth + 1)
        else:
            yield from _lines(inner, depth + 1)
        place += 1 + len(inner)


def _later_passes(repeat: Row, times: int, rows: Sequence[Row], depth: int) -> Iterator[Line]:
    """Their totals together, so that the columns add up; the output and the field are those after the last pass."""
    if times > 1:
        path, name = (f"{repeat.path}.2", "pass 2") if times == 2 else (f"{repeat.path}.2-{times}", f"passes 2-{times}")
        yield Line(path, "  " * depth + name, repeat, rows)


def _below(path: str, rows: Sequence[Row], start: int) -> Sequence[Row]:
    """The rows from `start` on that stand inside `path`."""
    end = next((place for place in range(start, len(rows)) if not rows[place].path.startswith(f"{path}.")), len(rows))
    return rows[start:end]
