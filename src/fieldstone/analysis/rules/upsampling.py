"""Rules about maps that are made larger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd, prod

from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import short
from fieldstone.design.blocks.block import FitError
from fieldstone.design.blocks.convolution import UpConv
from fieldstone.design.blocks.window import folded
from fieldstone.design.walk import Row
from fieldstone.geometry import Transposed, extent


def checkerboard(subject: Subject) -> Iterator[Found]:
    """A transposed convolution that adds up more weights at some places than at their neighbours."""
    for row in subject.rows:
        window = window_of(row)
        if not isinstance(window, Transposed) or row.block.text().startswith("maxunpool"):  # which adds nothing up
            continue
        axes = window.reads(row.input_shape[1:])
        counts = [sorted(len(reads.taps(phase)) for phase in range(reads.period)) for reads in axes]
        least, most = prod(axis[0] for axis in counts), prod(axis[-1] for axis in counts)
        if least < most:
            yield Found(
                row.path,
                f"{row.block.text()} adds up {least} to {most} products a place, in a pattern that repeats every "
                f"{short(window.stride)} places: its stride {short(window.stride)} does not divide its kernel "
                f"{short(window.kernel)}{_spaced(window)}",
                _mend(row, window),
            )


def _spaced(window: Transposed) -> str:
    return "" if max(window.dilation) == 1 else f" evenly at dilation {short(window.dilation)}"


def _mend(row: Row, window: Transposed) -> str:
    """The block with the next larger kernel that the stride divides, where one gives the same sides."""
    instead = "upsample and convolve with stride 1"
    even = _even(row.block, window) if isinstance(row.block, UpConv) else None
    return f"write {even.text()}, or {instead}" if even and _fits(even, row) else instead


def _fits(block: UpConv, row: Row) -> bool:
    """Whether the block would give the row's output."""
    try:
        return block.with_outputs(row.output_shape[0]).output_shape(row.input_shape) == row.output_shape
    except FitError:  # more output padding than torch takes
        return False


def _even(block: UpConv, window: Transposed) -> UpConv:
    """With such a kernel, and as much more padding; a dilation that shares a factor with the stride leaves gaps."""
    axes = list(zip(window.kernel, window.stride, window.dilation, strict=True))
    gaps = any(gcd(stride, step) > 1 for _, stride, step in axes)
    kernel = tuple(-(-size // stride) * stride for size, stride, _ in axes)
    dilation = tuple(1 if gaps else step for step in window.dilation)
    even = replace(block, kernel_size=folded(kernel), dilation=folded(dilation))
    if block.padding == "same":  # which sets the sides
        return even
    longer = map(int.__sub__, map(extent, kernel, dilation), map(extent, window.kernel, window.dilation))
    ends = zip(window.padding, window.output_padding, longer, strict=True)
    cuts = [2 * pad - more + grown for pad, more, grown in ends]
    padding, more = zip(*map(_ends, cuts), strict=True)
    return replace(even, padding=folded(padding), output_padding=folded(more))


def _ends(cut: int) -> tuple[int, int]:
    """Padding and output padding that take so much off the sides together: 2 * padding - output_padding."""
    padding = max(0, -(-cut // 2))
    return padding, 2 * padding - cut


BEFORE = ("conv 8 3 stride=2 padding=1", "relu")

RULES = (
    Rule(
        code="FS106",
        severity="warning",
        title="checkerboard from a transposed convolution",
        why="A transposed convolution spreads every value over a kernel. Where the stride does not divide the kernel, "
        "some places get more products than their neighbours, and the output shows a checkerboard that training "
        "hardly removes.",
        source="Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016",
        check=checkerboard,
        bad=Example((3, 32, 32), (*BEFORE, "upconv classes 3 stride=2 padding=1 output_padding=1")),
        good=Example((3, 32, 32), (*BEFORE, "upconv classes 4 stride=2 padding=1")),
    ),
)
