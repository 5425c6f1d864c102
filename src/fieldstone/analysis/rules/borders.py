"""Rules about what happens at the borders of a map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import SIDES, short
from fieldstone.design.blocks.block import FitError
from fieldstone.design.blocks.convolution import ByChannel, Conv, Convolution
from fieldstone.design.blocks.kinds import Sizes
from fieldstone.design.blocks.pooling import AvgPool, Pool
from fieldstone.design.blocks.shape import Crop, Pad
from fieldstone.design.blocks.window import Sliding, folded
from fieldstone.design.walk import Row
from fieldstone.geometry import Window, format_shape


def dropped_pixels(subject: Subject) -> Iterator[Found]:
    """What the floor cuts off: not padding, and more than a stride wider than its window skips everywhere."""
    for row in subject.rows:
        sides, window = row.input_shape[1:], window_of(row)
        if not isinstance(window, Window) or _wraps(row) or isinstance(row.block, Crop):  # a crop means it
            continue
        after = _padded(subject, row)
        lost = _lost(window, sides, after)
        if any(lost):
            larger = f"give it {format_shape(_reached(window, sides, lost))}, which it reads to the end"
            mended = [block.text() for block in _mended(row, window, lost, after) if subject.takes(row, block)]
            yield Found(
                row.path,
                f"{row.block.text()} never reads {_border(lost)} of its {format_shape(row.input_shape)} input",
                f"write {' or '.join(mended)}, or {larger}" if mended else larger,
            )


def _lost(window: Window, sides: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
    """Real pixels at the end of each side that are not read; `after` at each end are none."""
    skipped = (max(0, step - span) for step, span in zip(window.stride, window.extents, strict=True))
    parts = zip(window.unread(tuple(sides)), skipped, after, strict=True)
    return tuple(max(0, count - skip - pad) for count, skip, pad in parts)


def _mended(row: Row, window: Window, lost: Sequence[int], after: Sequence[int]) -> Iterator[Sliding]:
    """The block with a last window that hangs over the end, where it can, and with padding: those that lose nothing."""
    block, sides = row.block, row.input_shape[1:]
    if not isinstance(block, Convolution | Pool):
        return
    padding = None if isinstance(block.padding, str) else _more_padding(window, sides, lost, after)
    others: list[Sliding] = [replace(block, ceil_mode=True)] if isinstance(block, Pool) else []
    others += [block.padded(padding)] if padding else []
    for other in map(_of_values_alone, others):
        try:
            other.with_outputs(row.output_shape[0]).output_shape(row.input_shape)
        except FitError:  # as padding of more than half of a pooling's kernel
            continue
        if not any(_lost(other.window(sides), sides, after)):
            yield other


def _of_values_alone(block: Sliding) -> Sliding:
    """An average that pads does not count what it pads."""
    return replace(block, count_include_pad=False) if isinstance(block, AvgPool) and block.padding != (0,) else block


def _more_padding(window: Window, sides: Sequence[int], lost: Sequence[int], after: Sequence[int]) -> Sizes | None:
    """The least padding at both ends of the sides that lose pixels with which they lose none; None if there is none.

    What is lost comes again with as much more padding as the stride.
    """
    found = [before for before, _ in window.padding]
    for axis in (axis for axis, count in enumerate(lost) if count):
        for more in range(1, window.stride[axis] + 1):
            pads = [(pad + more * (place == axis),) * 2 for place, pad in enumerate(found)]
            if not _lost(replace(window, padding=tuple(pads)), sides, after)[axis]:
                found[axis] += more
                break
        else:
            return None
    return folded(tuple(found))


def _reached(window: Window, sides: Sequence[int], lost: Sequence[int]) -> tuple[int, ...]:
    """The sides, each that loses pixels grown until one more window fits."""
    axes = zip(sides, lost, window.stride, window.extents, window.padding, strict=True)
    return tuple(side + (-(side + sum(pad) - span) % step if count else 0) for side, count, step, span, pad in axes)


def _padded(subject: Subject, row: Row) -> tuple[int, ...]:
    """What a `pad` in front of the row added at the end of each side: no real pixels."""
    rank = len(row.input_shape) - 1
    pad = next((source.block for source in subject.before(row) if isinstance(source.block, Pad)), Pad((0,)))
    return tuple(after for _, after in pad.pairs(rank))


def _wraps(row: Row) -> bool:
    """Whether padding shows the end of the input at its beginning."""
    return isinstance(row.block, Conv | ByChannel) and row.block.padding_mode == "circular"


def _border(lost: Sequence[int]) -> str:
    """[2, 1] as `the last 2 rows and the last column`."""
    named = zip(SIDES[len(lost)], lost, strict=True)
    return " and ".join(
        f"the last {name}" if count == 1 else f"the last {count} {name}s" for name, count in named if count
    )


def half_a_pixel(subject: Subject) -> Iterator[Found]:
    """Padding that keeps the sides but has one more after the map than before it: the output stands between places."""
    for row in subject.rows:
        window = window_of(row)
        if not isinstance(window, Window):
            continue
        axes = zip(window.padding, window.stride, window.kernel, SIDES[len(window.kernel)], strict=True)
        moved = [name for (before, after), stride, size, name in axes if stride == 1 < size and after == before + 1]
        if moved:
            yield Found(
                row.path,
                f"{row.block.text()} moves its output by half a {' and half a '.join(moved)}: its kernel of "
                f"{format_shape(window.kernel)} has no centre, so that {_paddings(window)}",
                "use an odd kernel",
            )


def _paddings(window: Window) -> str:
    before, after = (tuple(pair[end] for pair in window.padding) for end in (0, 1))
    return f"padding is {short(before)} before and {short(after)} after the map"


RULES = (
    Rule(
        code="FS101",
        severity="warning",
        title="real pixels dropped at a border",
        why="The size of an output is floor((size + padding - extent) / stride) + 1. What the floor cuts off are rows "
        "and columns at the end of the map that no window reads: the network never sees them.",
        source="torch.nn.Conv2d; Dumoulin and Visin, arXiv:1603.07285, relation 6",
        check=dropped_pixels,
        bad=Example((3, 33, 33), ("conv 8 3 padding=1", "relu", "maxpool 2", "globalavgpool", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "maxpool 2", "globalavgpool", "linear classes")),
    ),
    Rule(
        code="FS105",
        severity="note",
        title="even kernel with padding=same",
        why="A kernel of 2 or 4 has no centre. With padding=same its output keeps its sides, but every value stands "
        "half a place beside what it describes; several such layers add up, and a skip connection around them joins "
        "maps that do not lie on each other.",
        source="torch.nn.Conv2d, padding='same', which pads the odd one after the map",
        check=half_a_pixel,
        bad=Example((3, 32, 32), ("conv 8 4 padding=same", "relu", "globalavgpool", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 5 padding=same", "relu", "globalavgpool", "linear classes")),
    ),
)
