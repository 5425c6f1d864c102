"""What is wrong, or could be better, with a design that runs: rules as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Literal, NamedTuple

from fieldstone.design.blocks.activation import Sigmoid, Softmax
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.structure import Parallel, Save
from fieldstone.design.blocks.window import Conv, GlobalPool
from fieldstone.design.walk import Row
from fieldstone.geometry import Window, format_shape

Severity = Literal["error", "warning", "note"]

SIDES = {1: ("value",), 2: ("row", "column"), 3: ("plane", "row", "column")}
"""What one step along each side is called, by the number of sides."""

LARGE_SHARE = 0.5
LARGE_LAYER = 10_000
"""A linear layer is worth a word where it holds more than this share of more than so many parameters."""


@dataclass(frozen=True)
class Finding:
    """One result of a check: `where` is the path of a block."""

    code: str
    severity: Severity
    where: str
    message: str
    fix: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.severity} {self.code} at {self.where}: {self.message}; {self.fix}"


class Found(NamedTuple):
    """What a rule says of one block."""

    where: str
    message: str
    fix: str


class Rule(NamedTuple):
    """A rule: `check` yields what it finds in the rows of a walked design."""

    code: str
    severity: Severity
    check: Callable[[Sequence[Row]], Iterator[Found]]


def find(rows: Sequence[Row], allow: Mapping[str, str]) -> tuple[Finding, ...]:
    """Every finding of every rule that the design does not allow, in the order of the rules."""
    return tuple(
        Finding(rule.code, rule.severity, *found)
        for rule in RULES
        if rule.code not in allow
        for found in rule.check(rows)
    )


def dropped_pixels(rows: Sequence[Row]) -> Iterator[Found]:
    """Real pixels at a border that no window reads, because the stride does not reach them.

    The size of an output is floor((size + padding - extent) / stride) + 1 (torch.nn.Conv2d): what the floor cuts off is
    lost, unless it is padding, or no more than a stride wider than its window skips everywhere.
    """
    for row in rows:
        sides = row.input_shape[1:]
        window = row.block.window(sides) if sides else None
        if not isinstance(window, Window) or _wraps(row):
            continue
        skipped = (max(0, step - span) for step, span in zip(window.stride, window.extents, strict=True))
        lost = [max(0, count - skip) for count, skip in zip(window.unread(sides), skipped, strict=True)]
        if any(lost):
            yield Found(
                row.path,
                f"{row.block.text()} never reads {_border(lost)} of its {format_shape(row.input_shape)} input",
                f"pad it, or give it {format_shape(_reached(window, sides, lost))}, which it reads to the end",
            )


def _reached(window: Window, sides: Sequence[int], lost: Sequence[int]) -> tuple[int, ...]:
    """The sides, each that loses pixels grown until one more window fits."""
    axes = zip(sides, lost, window.stride, window.extents, window.padding, strict=True)
    return tuple(side + (-(side + sum(pad) - span) % step if count else 0) for side, count, step, span, pad in axes)


def _wraps(row: Row) -> bool:
    """Whether padding shows the end of the input at its beginning."""
    return isinstance(row.block, Conv) and row.block.padding_mode == "circular"


def _border(lost: Sequence[int]) -> str:
    """[2, 1] as `the last 2 rows and the last column`."""
    named = zip(SIDES[len(lost)], lost, strict=True)
    return " and ".join(
        f"the last {name}" if count == 1 else f"the last {count} {name}s" for name, count in named if count
    )


def doubled_activation(rows: Sequence[Row]) -> Iterator[Found]:
    """A softmax or sigmoid at the end: the loss and the prediction apply it to logits, so it would act twice."""
    last = next((row for row in reversed(rows) if not isinstance(row.block, Flatten | Save)), rows[-1])
    beside = any(isinstance(row.block, Parallel) and last.path.startswith(f"{row.path}.") for row in rows)
    if isinstance(last.block, Softmax | Sigmoid) and not beside:
        name = last.block.keyword
        yield Found(
            last.path,
            f"the network ends with {name}, and the loss applies it to logits once more",
            f"remove this {name}; probabilities are made by the task",
        )


def heavy_linear(rows: Sequence[Row]) -> Iterator[Found]:
    """Most parameters in one linear layer, which a global average pooling in the place of its flatten would save."""
    total = sum(row.params for row in rows)
    for place, row in enumerate(rows):
        large = row.params > LARGE_SHARE * total and row.params > LARGE_LAYER
        if large and isinstance(row.block, Linear) and _reads_a_map(rows[:place]):
            yield Found(
                row.path,
                f"{row.block.text()} holds {row.params:,} of the {total:,} parameters ({row.params / total:.0%})",
                "globalavgpool in the place of flatten leaves it one input a channel",
            )


def _reads_a_map(before: Sequence[Row]) -> bool:
    """Whether the numbers after these rows are all values of a map: the last that made them flat was a flatten."""
    flat = next((row for row in reversed(before) if isinstance(row.block, Flatten | GlobalPool | Linear)), None)
    return flat is not None and isinstance(flat.block, Flatten) and prod(flat.input_shape[1:]) > 1


RULES = (
    Rule("FS101", "warning", dropped_pixels),
    Rule("FS201", "error", doubled_activation),
    Rule("FS301", "note", heavy_linear),
)
