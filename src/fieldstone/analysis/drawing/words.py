"""What is written at a map: the blocks that made it, its shape, and what it sees."""

from __future__ import annotations

from fieldstone.analysis.drawing.marks import Line
from fieldstone.analysis.drawing.steps import Step
from fieldstone.design.blocks.structure import Parallel
from fieldstone.design.blocks.window import folded
from fieldstone.design.field import Field
from fieldstone.design.walk import Row
from fieldstone.geometry import Shape

LONGEST_LINE, LONGEST_WORD = 16, 26  # letters
UNSAID = ("bias=", "eps=", "momentum=", "affine=", "track_running_stats=", "num_parameters=", "init=")
"""Options of weights, not of shapes or windows: a drawing is clearer without, and its tooltips have them."""


def label(step: Step) -> tuple[Line, ...]:
    """The blocks, a line each and more for options."""
    if not step.rows:
        return (Line("input"),)
    return tuple(line for row in step.rows for line in _block(row))


def _block(row: Row) -> list[Line]:
    if isinstance(row.block, Parallel):
        return [Line(row.block.how, code=True)]
    words = row.block.text().split()
    named = [word for word in words if "=" in word and not word.startswith(UNSAID)]
    heads = _wrapped([word for word in words if "=" not in word])
    return [
        *(Line(text, code=True, bold=multiplies(row)) for text in heads),
        *(Line(text, code=True, muted=True) for text in _wrapped(named)),
    ]


def multiplies(row: Row) -> bool:
    """Whether its values are sums of products with weights; a normalisation or PReLU only scales each by itself."""
    return row.params > 0 and row.macs > 0


def _wrapped(words: list[str]) -> list[str]:
    lines: list[str] = []
    for word in words:
        short = word if len(word) <= LONGEST_WORD else f"{word[: LONGEST_WORD - 1]}…"
        if lines and len(lines[-1]) + 1 + len(short) <= LONGEST_LINE:
            lines[-1] += f" {short}"
        else:
            lines.append(short)
    return lines


def foot(step: Step) -> tuple[Line, ...]:
    """The shape, and what a value sees of the input."""
    shape = Line(times(step.shape), code=True)
    return (shape, Line(sees(step.rows[-1]), muted=True)) if step.rows else (shape,)


def sees(row: Row) -> str:
    """What a value sees, in pixels of the input."""
    if row.field is None:
        return "sees what is not known"
    return "sees all" if row.field.saw_everything else f"sees {field(row.field)}"


def field(seen: Field) -> str:
    """The receptive field as one number where all axes agree."""
    return times(folded(seen.receptive_field))


def times(shape: Shape) -> str:
    """(3, 39, 39) as `3×39×39`."""
    return "×".join(map(str, shape))


def tooltip(row: Row) -> str:
    """All of a row."""
    counts = f"{row.params:,} parameters, {row.macs:,} multiply-adds"
    return f"{row.path} {row.block.text()}: {times(row.output_shape)}, {counts}, {sees(row)}"
