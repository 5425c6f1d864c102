"""What is wrong, or could be better, with a design that runs: rules as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from fieldstone.design.blocks.activation import Sigmoid, Softmax
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.walk import Row
from fieldstone.geometry import Window, format_shape

Severity = Literal["error", "warning", "note"]

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
        window = row.block.window(len(sides)) if sides else None
        if not isinstance(window, Window):
            continue
        skipped = (max(0, step - span) for step, span in zip(window.stride, window.extents, strict=True))
        lost = [max(0, count - skip) for count, skip in zip(window.unread(sides), skipped, strict=True)]
        if any(lost):
            fitting = format_shape(tuple(side - count for side, count in zip(sides, lost, strict=True)))
            yield Found(
                row.path,
                f"{row.block.text()} never reads {_border(lost)} of its {format_shape(row.input_shape)} input",
                f"pad it, or give it {fitting}, which it reads whole",
            )


def _border(lost: Sequence[int]) -> str:
    """[2, 1] as `the last 2 rows and the last column`."""
    named = zip(("plane", "row", "column")[-len(lost) :], lost, strict=True)
    return " and ".join(
        f"the last {name}" if count == 1 else f"the last {count} {name}s" for name, count in named if count
    )


def doubled_activation(rows: Sequence[Row]) -> Iterator[Found]:
    """A softmax or sigmoid at the end: the loss and the prediction apply it to logits, so it would act twice."""
    last = rows[-1]
    if isinstance(last.block, Softmax | Sigmoid):
        name = last.block.keyword
        yield Found(
            last.path,
            f"the network ends with {name}, and the loss applies it to logits once more",
            f"remove this {name}; probabilities are made by the task",
        )


def heavy_linear(rows: Sequence[Row]) -> Iterator[Found]:
    """Most parameters in one linear layer, which a global average pooling before it would save."""
    total = sum(row.params for row in rows)
    for row in rows:
        if isinstance(row.block, Linear) and row.params > LARGE_SHARE * total and row.params > LARGE_LAYER:
            yield Found(
                row.path,
                f"{row.block.text()} holds {row.params:,} of the {total:,} parameters ({row.params / total:.0%})",
                "globalavgpool in the place of flatten leaves it one input a channel",
            )


RULES = (
    Rule("FS101", "warning", dropped_pixels),
    Rule("FS201", "error", doubled_activation),
    Rule("FS301", "note", heavy_linear),
)
