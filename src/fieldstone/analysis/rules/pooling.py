"""Rules about pooling: what its windows take for values, and what they leave out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import percent, short
from fieldstone.design.blocks.pooling import AvgPool, Pool
from fieldstone.geometry import Reads, Window


def counted_padding(subject: Subject) -> Iterator[Found]:
    """An average that takes the zeros of its padding for values."""
    for row in subject.rows:
        window = window_of(row)
        if not (isinstance(row.block, AvgPool) and row.block.count_include_pad and isinstance(window, Window)):
            continue
        axes = enumerate(zip(row.input_shape[1:], row.output_shape[1:], strict=True))
        poorest = [_poorest(window, axis, size, count) for axis, (size, count) in axes]
        real, counted = prod(real for real, _ in poorest), prod(counted for _, counted in poorest)
        if real < counted:
            yield Found(
                row.path,
                f"{row.block.text()} counts padding: where its window hangs over most, {counted - real} of the "
                f"{counted} values are zeros that are not in the map, and a mean of ones is {real / counted:.2f}",
                "add count_include_pad=false",
            )


def _poorest(window: Window, axis: int, size: int, count: int) -> tuple[int, int]:
    """How many values are real, and how many are counted, where the real ones are the smallest share on an axis."""
    before, after = window.padding[axis]
    starts = (place * window.stride[axis] - before for place in (0, count - 1))
    spans = [(start, min(start + window.kernel[axis], size + after)) for start in starts]  # torch counts no further
    counts = [(min(end, size) - max(start, 0), end - start) for start, end in spans]
    return min(counts, key=lambda pair: Fraction(*pair))


def skipping_pool(subject: Subject) -> Iterator[Found]:
    """A pooling that steps over values; those that the floor cuts off at the end are another finding."""
    for row in subject.rows:
        window = window_of(row)
        if not (isinstance(row.block, Pool) and isinstance(window, Window)):
            continue
        sides = row.input_shape[1:]
        axes = zip(window.reads(sides), sides, row.output_shape[1:], strict=True)
        found = [_read(reads, size, count) for reads, size, count in axes]
        gaps = (max(0, step - span) for step, span in zip(window.stride, window.extents, strict=True))
        ends = zip(found, sides, gaps, strict=True)
        reached = prod(min(size, end + gap) for (_, end), size, gap in ends)  # the floor drops the rest
        if (skipped := reached - prod(read for read, _ in found)) > 0:
            yield Found(
                row.path,
                f"{row.block.text()} steps over {skipped:,} of the {prod(sides):,} places of its map "
                f"({percent(skipped / prod(sides))}): its window is {short(window.kernel)}"
                f"{_spaced(window)}, its stride {short(window.stride)}",
                f"use stride={short(tuple(map(min, window.stride, window.kernel)))}"
                f"{'' if max(window.dilation) == 1 else ' and no dilation'}, or a kernel as large as the stride",
            )


def _spaced(window: Window) -> str:
    return "" if max(window.dilation) == 1 else f" with dilation {short(window.dilation)}"


def _read(reads: Reads, size: int, count: int) -> tuple[int, int]:
    """How many places along an axis some window reads, and how many there are up to the last of them.

    Taps that lie whole strides apart read in turn the same places: those of one such phase are runs of turns.
    """
    stride, read, reached = reads.advance, 0, 0
    phases: dict[int, list[int]] = {}
    for tap in reads.at(0):
        phases.setdefault(tap % stride, []).append(tap // stride)
    for phase, turns in phases.items():
        end, most = 0, -((phase - size) // stride)
        for turn in turns:  # from the first tap to the last
            begin, end = max(turn, end), max(end, min(turn + count, most))
            if end > begin:
                read += end - begin
                reached = max(reached, phase + (end - 1) * stride + 1)
    return read, reached


POOLED = ("conv 8 3 padding=1", "relu")
END = ("globalavgpool", "linear classes")

RULES = (
    Rule(
        code="FS102",
        severity="warning",
        title="average pooling that counts padding",
        why="Torch's average pooling takes the zeros around the map for values. Means at the border are pulled to 0, "
        "so that the same thing looks weaker at the border than in the middle.",
        source="torch.nn.AvgPool2d, count_include_pad",
        check=counted_padding,
        bad=Example((3, 32, 32), (*POOLED, "avgpool 3 stride=1 padding=1", *END)),
        good=Example((3, 32, 32), (*POOLED, "avgpool 3 stride=1 padding=1 count_include_pad=false", *END)),
    ),
    Rule(
        code="FS103",
        severity="warning",
        title="pooling that steps over values",
        why="A pooling sums up what its window holds. With a stride larger than the window, rows and columns between "
        "two windows are never read: what stands there is lost, and what moves by a pixel appears and disappears.",
        source="torch.nn.MaxPool2d; Zhang, Making Convolutional Networks Shift-Invariant Again, arXiv:1904.11486",
        check=skipping_pool,
        bad=Example((3, 32, 32), (*POOLED, "maxpool 2 stride=3", *END)),
        good=Example((3, 32, 32), (*POOLED, "maxpool 3 stride=3 padding=1", *END)),
    ),
)
