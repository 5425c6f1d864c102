"""Pooling that counts padding or steps over values: torch says what a mean of ones is, and what has a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fieldstone.geometry import format_shape
from rules import numbers, said

END = ("globalavgpool", "linear classes")
MEAN = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
LARGEST = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


@pytest.mark.parametrize(
    ("shape", "block", "message"),
    [
        ((1, 8, 8), "avgpool 3 stride=1 padding=1", "5 of the 9 values are zeros"),
        ((1, 8), "avgpool 3 stride=1 padding=1", "1 of the 3 values are zeros"),
        ((1, 8, 8, 8), "avgpool 3 stride=1 padding=1", "19 of the 27 values are zeros"),
        ((1, 8, 8), "avgpool 2 padding=1", "3 of the 4 values are zeros"),
        ((1, 8, 8), "avgpool 3 stride=1 padding=1x0", "3 of the 9 values are zeros"),
        ((1, 8, 8), "avgpool 3 stride=1 padding=same", "5 of the 9 values are zeros"),
        ((1, 8, 8), "avgpool 3 stride=1 padding=1 count_include_pad=false", None),
        ((1, 8, 8), "avgpool 3 stride=1", None),
        ((1, 9, 9), "avgpool 2 ceil_mode=true", None),  # what hangs over the end is not counted
        ((1, 8, 8), "maxpool 3 stride=1 padding=1", None),
        ((1, 8, 8), "conv 1 3 padding=1", None),
    ],
)
def test_an_average_that_counts_padding(shape: tuple[int, ...], block: str, message: str | None) -> None:
    found = said("FS102", shape, block, *END)
    assert [message in one.message for one in found] == ([] if message is None else [True])
    assert {(one.severity, one.where, one.fix) for one in found} <= {("warning", "1", "add count_include_pad=false")}


@pytest.mark.parametrize("seed", range(150))
def test_means_of_ones_shrink_as_far_as_it_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    kernel = tuple(rng.integers(1, 6, rank).tolist())
    padding = tuple(int(rng.integers(0, size // 2 + 1)) for size in kernel)
    stride = tuple(rng.integers(1, 5, rank).tolist())
    shape = tuple(int(size + rng.integers(0, 6)) for size in kernel)
    ceil = bool(rng.integers(2))
    text = f"avgpool {format_shape(kernel)} stride={format_shape(stride)} padding={format_shape(padding)}"
    text += f" ceil_mode={str(ceil).lower()}"
    least = MEAN[rank](torch.ones(1, 1, *shape), kernel, stride, padding, ceil_mode=ceil).min()
    found = said("FS102", (1, *shape), text, *END)
    assert len(found) == (least < 1 - 1e-6)
    if found:
        assert found[0].message.endswith(f"a mean of ones is {least.item():.2f}")
        zeros, counted = numbers(found[0].message.split("over most, ")[1])[:2]
        assert 1 - zeros / counted == pytest.approx(least.item())
        assert not said("FS102", (1, *shape), f"{text} count_include_pad=false", *END)


@pytest.mark.parametrize(
    ("shape", "block", "message", "fix"),
    [
        ((1, 9, 9), "maxpool 2 stride=3", "45 of the 81 places", "use stride=2, or"),
        ((1, 8), "avgpool 1 stride=2", "4 of the 8 places", "use stride=1, or"),
        ((1, 8, 8), "avgpool 2x3 stride=2x4", "16 of the 64 places", "use stride=2x3, or"),
        ((1, 8, 8, 8), "maxpool 1x2x2 stride=2", "256 of the 512 places", "use stride=1x2x2, or"),
        ((1, 9, 9), "maxpool 2 stride=4 dilation=2", "use stride=2 and no dilation", "use stride=2 and no dilation"),
        ((1, 9, 9), "maxpool 2 dilation=2 stride=1", None, None),
        ((1, 9, 9), "maxpool 3 stride=3", None, None),
        ((1, 9, 9), "maxpool 2", None, None),
        ((1, 9, 9), "maxpool 3 stride=2", None, None),
        ((1, 9, 9), "conv 4 1 stride=2", None, None),  # the shortcut of a residual network
    ],
)
def test_pooling_that_steps_over_values(shape: tuple[int, ...], block: str, message: str | None, fix: str) -> None:
    found = said("FS103", shape, block, *END)
    assert len(found) == (message is not None)
    if found:
        assert message in found[0].message or message in found[0].fix
        assert found[0].fix.startswith(fix)
        assert (found[0].severity, found[0].where) == ("warning", "1")


@pytest.mark.parametrize("seed", range(150))
def test_what_it_steps_over_has_no_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    kernel = tuple(rng.integers(1, 4, rank).tolist())
    padding = tuple(int(rng.integers(0, size // 2 + 1)) for size in kernel)
    stride = tuple(rng.integers(1, 5, rank).tolist())
    dilation = (1,) * rank if seed % 2 else tuple(rng.integers(1, 4, rank).tolist())
    shape = tuple(d * (size - 1) + 1 + int(rng.integers(0, 7)) for size, d in zip(kernel, dilation, strict=True))
    text = f"maxpool {format_shape(kernel)} stride={format_shape(stride)} padding={format_shape(padding)}"
    found = said("FS103", (1, *shape), f"{text} dilation={format_shape(dilation)}", *END)
    reads = read(shape, kernel, stride, padding, dilation)
    ends = [int(np.flatnonzero(reads.any(other(rank, axis)))[-1]) + 1 for axis in range(rank)]
    gaps = [max(0, step - d * (size - 1) - 1) for step, size, d in zip(stride, kernel, dilation, strict=True)]
    inner = reads[tuple(slice(end + gap) for end, gap in zip(ends, gaps, strict=True))]  # the floor drops the rest
    assert (numbers(found[0].message.split("steps over ")[1])[:2] if found else [0, reads.size]) == [
        inner.size - inner.sum(),
        reads.size,
    ]
    if found:
        mended = f"maxpool {format_shape(kernel)} {found[0].fix.split(', or')[0].removeprefix('use ').split()[0]}"
        assert not said("FS103", (1, *shape), f"{mended} padding={format_shape(padding)}", *END)


def other(rank: int, axis: int) -> tuple[int, ...]:
    return tuple(one for one in range(rank) if one != axis)


def read(shape: tuple[int, ...], *options: tuple[int, ...]) -> np.ndarray:
    """Which places a pooling reads: those that alone are large are found by one of its windows."""
    rank = len(shape)
    single = torch.eye(int(np.prod(shape))).reshape(-1, 1, *shape)
    return LARGEST[rank](single, *options).flatten(1).amax(1).reshape(shape).numpy() > 0
