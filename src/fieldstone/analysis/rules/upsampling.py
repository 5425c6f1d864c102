"""Rules about maps that are made larger."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, prod

from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import short
from fieldstone.geometry import Transposed


def checkerboard(subject: Subject) -> Iterator[Found]:
    """A transposed convolution that adds up more weights at some places than at their neighbours."""
    for row in subject.rows:
        window = window_of(row)
        if not isinstance(window, Transposed) or row.block.text().startswith("maxunpool"):  # which adds nothing up
            continue
        counts = [sorted(map(len, reads.taps)) for reads in window.reads(row.input_shape[1:])]
        least, most = prod(axis[0] for axis in counts), prod(axis[-1] for axis in counts)
        if least < most:
            yield Found(
                row.path,
                f"{row.block.text()} adds up {least} to {most} products a place, in a pattern that repeats every "
                f"{short(window.stride)} places: its stride {short(window.stride)} does not divide its kernel "
                f"{short(window.kernel)}{_spaced(window)}",
                f"{_even(window)}, or upsample and convolve with stride 1",
            )


def _spaced(window: Transposed) -> str:
    return "" if max(window.dilation) == 1 else f" evenly at dilation {short(window.dilation)}"


def _even(window: Transposed) -> str:
    """The next larger kernel that the stride divides; a dilation that shares a factor with it always leaves gaps."""
    axes = list(zip(window.kernel, window.stride, window.dilation, strict=True))
    kernel = short(tuple(-(-size // stride) * stride for size, stride, _ in axes))
    gaps = any(gcd(stride, step) > 1 for _, stride, step in axes)
    return f"use a kernel of {kernel}{' without dilation' if gaps else ''}"


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
