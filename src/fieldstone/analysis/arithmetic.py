"""The arithmetic of a block, written out: the sides that leave it, and what its values see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fieldstone.analysis.rule import Subject
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.geometry import Moves, Resized, Shape, Transposed, Whole, Window, format_shape

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
NAMES: dict[type, str] = {
    Window: "floor((input + 2·padding − dilation·(kernel−1) − 1)/stride) + 1",
    Transposed: "(input−1)·stride − 2·padding + dilation·(kernel−1) + output padding + 1",
    Resized: "as the block says",
}
"""What stands where in the formulas, by what moves. Source: torch.nn.Conv2d, MaxPool2d and ConvTranspose2d."""


@dataclass(frozen=True, repr=False)
class Arithmetic:
    """How the numbers of one block come about.

    Attributes:
        names: what the terms of `sizes` are; None where no window moves.
        sizes: a formula per axis.
        fields: a formula per axis; none where the field stays, or where several paths meet.
    """

    row: Row
    names: str | None
    sizes: tuple[str, ...]
    fields: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone inspect --explain PATH --json` prints."""
        return {
            "path": self.row.path,
            "block": self.row.block.text(),
            "input": list(self.row.input_shape),
            "output": list(self.row.output_shape),
            "terms": self.names,
            "sizes": list(self.sizes),
            "fields": list(self.fields),
        }

    def __repr__(self) -> str:
        row = self.row
        shapes = f"{format_shape(row.input_shape)} → {format_shape(row.output_shape)}"
        lines = [f"{row.path}  {row.block.text()}: {shapes}", ""]
        if self.names is not None:
            lines += [f"sides   {self.names}", *_indented(joined(self.sizes)), ""]
        if self.fields:
            lines += [
                "field   field before + (span of the window − 1)·jump before",
                *_indented(joined(self.fields)),
                "",
            ]
        lines += [f"sees    {_sees(row)}"]
        return "\n".join(lines)


def explain(subject: Subject, path: str) -> Arithmetic:
    """The arithmetic of the block at a path.

    Raises:
        DesignError: there is no block at that path.
    """
    row = next((row for row in subject.rows if row.path == path), None)
    if row is None:
        ends = dict.fromkeys((subject.rows[0].path, subject.rows[-1].path))
        raise DesignError(f"there is no block {path}", fix=f"give a path of the table, such as {' or '.join(ends)}")
    moves = row.window
    if moves is None or isinstance(moves, Whole):
        return Arithmetic(row, None, (), ())
    return Arithmetic(row, NAMES[type(moves)], size_formulas(moves, row.input_shape[1:]), _fields(subject, row, moves))


def size_formulas(moves: Moves, sides: tuple[int, ...]) -> tuple[str, ...]:
    """Per axis the size that leaves, as in `floor((5 + 2·0 − 1·(3−1) − 1)/1) + 1 = 3`."""
    write = WRITERS[type(moves)]
    sizes = moves.output_sizes(sides)
    return tuple(write(moves, axis, side, size) for axis, (side, size) in enumerate(zip(sides, sizes, strict=True)))


def _window(window: Window, axis: int, side: int, size: int) -> str:
    before, after = window.padding[axis]
    kernel, stride, dilation = window.kernel[axis], window.stride[axis], window.dilation[axis]
    pair = [str(pad) if pad >= 0 else f"(−{-pad})" for pad in (before, after)]
    padding = f"2·{pair[0]}" if before == after else " + ".join(pair)
    room = side + before + after - window.extents[axis]
    text = f"{'ceil' if window.ceil_mode else 'floor'}(({side} + {padding} − {dilation}·({kernel}−1) − 1)/{stride}) + 1"
    dropped = window.ceil_mode and size < -(-room // stride) + 1  # torch: the last one would start after the input
    return f"{text}{' − 1' if dropped else ''} = {size}"


def _transposed(moves: Transposed, axis: int, side: int, size: int) -> str:
    kernel, stride, dilation = moves.kernel[axis], moves.stride[axis], moves.dilation[axis]
    padding, more = moves.padding[axis], moves.output_padding[axis]
    added = f"{'−' if more < 0 else '+'} {abs(more)}"
    return f"({side}−1)·{stride} − 2·{padding} + {dilation}·({kernel}−1) {added} + 1 = {size}"


def _resized(moves: Resized, axis: int, side: int, size: int) -> str:
    reads = f"value i reads floor((i−1)·{side}/{size}) + 1 to ceil(i·{side}/{size}): "
    return f"{reads if moves.how == 'adaptive' else ''}{side} becomes {size}"


WRITERS: dict[type, Callable[..., str]] = {Window: _window, Transposed: _transposed, Resized: _resized}


def _fields(subject: Subject, row: Row, moves: Moves) -> tuple[str, ...]:
    """`3 + (5 − 1)·1 = 7` per axis, where one sliding window follows one map that moves evenly."""
    seen, after = subject.field(row.sources[0]), row.receptive_field
    if not isinstance(moves, Window) or seen is None or seen.jump is None or after is None:
        return ()
    before, jump = seen.receptive_field, seen.jump
    if not _add_up(before, moves.extents, jump, after):
        return ()
    parts = zip(before, moves.extents, jump, after, strict=True)
    return tuple(f"{field} + ({span}−1)·{step} = {made}" for field, span, step, made in parts)


def _add_up(before: Shape, extents: Shape, jump: tuple[float, ...], after: Shape) -> bool:
    """Whether the formula holds: it does not after transposed windows and where paths of several jumps met."""
    parts = zip(before, extents, jump, strict=True)
    return tuple(field + (span - 1) * step for field, span, step in parts) == after


def _sees(row: Row) -> str:
    if row.field is None:
        return "not known"
    field = f"{format_shape(row.field.receptive_field)} of the input"
    jump, start = row.field.jump, row.field.start
    if jump is None or start is None:
        return f"{field}, at once"
    return f"{field}, {_numbers(jump)} from a value to the next, the first about {_numbers(start)}"


def _numbers(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else ", ".join(f"{value:g}" for value in values)


def _indented(lines: list[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def joined(formulas: tuple[str, ...]) -> list[str]:
    """The lines that say them: one where all axes agree."""
    if len(set(formulas)) == 1:
        return [formulas[0] + (" along each side" if len(formulas) > 1 else "")]
    names = AXES[len(formulas)]
    width = max(map(len, names))
    return [f"{name:<{width}}  {formula}" for name, formula in zip(names, formulas, strict=True)]
