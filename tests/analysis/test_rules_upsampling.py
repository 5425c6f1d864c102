"""Checkerboards: a transposed convolution of ones in torch counts the products at every place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fieldstone.analysis.findings import Finding
from fieldstone.design.design import Design
from fieldstone.geometry import Shape, format_shape
from fieldstone.network.build import build
from rules import numbers, said

SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def written(block: str, **options: tuple[int, ...] | int) -> str:
    texts = {key: format_shape(value) if isinstance(value, tuple) else value for key, value in options.items()}
    return f"{block} {' '.join(f'{key}={value}' for key, value in texts.items())}"


def check(shape: Shape, block: str) -> list[Finding]:
    return said("FS106", shape, block, "conv classes 1")


def counts_of(shape: Shape, block: str) -> torch.Tensor:
    """How many products torch adds up at each place that every tap reaches."""
    part = build(Design(shape, [block, "conv classes 1"]), 1)[0]
    kernel, stride, dilation = part.kernel_size, part.stride, part.dilation
    ones = torch.ones(1, 1, *kernel)
    whole = SPREAD[len(kernel)](torch.ones(1, *shape), ones, stride=stride, dilation=dilation)
    spans = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
    return whole[0, 0][tuple(slice(span, side - span) for span, side in zip(spans, whole.shape[2:], strict=True))]


@pytest.mark.parametrize("seed", range(150))
def test_places_that_get_more_products_than_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    kernel, stride = tuple(rng.integers(1, 6, rank).tolist()), tuple(rng.integers(1, 4, rank).tolist())
    dilation = tuple(rng.integers(1, 3, rank).tolist())
    shape = (1, *(12,) * rank)
    padding = tuple(rng.integers(0, 3, rank).tolist())
    more = tuple(int(rng.integers(0, max(pair))) for pair in zip(stride, dilation, strict=True))
    options = {"stride": stride, "dilation": dilation, "padding": padding, "output_padding": more}
    block = written(f"upconv 1 {format_shape(kernel)}", **options)
    inner = counts_of(shape, block)
    found = check(shape, block)
    assert len(found) == (inner.min() < inner.max())
    if found:
        assert numbers(found[0].message.split("adds up ")[1])[:2] == [inner.min(), inner.max()]
        assert found[0].where == "1"
        assert found[0].fix.endswith("upsample and convolve with stride 1")
    if found and found[0].fix.startswith("write "):
        mended = found[0].fix.removeprefix("write ").split(", or")[0]
        inner = counts_of(shape, mended)
        assert inner.min() == inner.max()
        before, after = (build(Design(shape, [one, "conv classes 1"]), 1)[0] for one in (block, mended))
        assert before(torch.ones(1, *shape)).shape == after(torch.ones(1, *shape)).shape


@pytest.mark.parametrize(
    ("up", "mended"),
    [
        ("upconv 8 3 stride=2 padding=1 output_padding=1", "upconv 8 4 stride=2 padding=1"),
        ("upconv 8 3 stride=2 padding=same", "upconv 8 4 stride=2 padding=same"),
        ("upconv 8 5 stride=2 padding=2 output_padding=1", "upconv 8 6 stride=2 padding=2"),
        ("upconv 8 2x3 stride=2 padding=0x1 output_padding=0x1", "upconv 8 2x4 stride=2 padding=0x1"),
    ],
)
def test_applied_as_it_is_written_it_fits_into_a_u_net(up: str, mended: str) -> None:
    before = ["conv 8 3 padding=1", "relu", "save a", "conv 16 3 stride=2 padding=1", "relu"]
    after = ["relu", "concat a", "conv classes 1"]
    (found,) = said("FS106", (3, 32, 32), *before, up, *after)
    assert found.fix == f"write {mended}, or upsample and convolve with stride 1"
    assert said("FS106", (3, 32, 32), *before, mended, *after) == []
    assert build(Design((3, 32, 32), [*before, mended, *after]), 5)(torch.rand(1, 3, 32, 32)).shape == (1, 5, 32, 32)


def test_where_no_such_kernel_gives_the_same_sides_none_is_proposed() -> None:
    (found,) = check((1, 9), "upconv 1 7 stride=4 dilation=4")  # 57 of 9
    assert found.fix == "upsample and convolve with stride 1"


EVEN = [(4, 2), (2, 2), (3, 1), (6, 3)]
UNEVEN = [(3, 2), (5, 2), (2, 3), (1, 2)]


@pytest.mark.parametrize(("kernel", "stride"), EVEN + UNEVEN)
def test_kernels_that_their_stride_divides_are_even(kernel: int, stride: int) -> None:
    found = check((1, 8, 8), f"upconv 1 {kernel} stride={stride}")
    assert bool(found) == ((kernel, stride) in UNEVEN)


def test_the_finding_gives_the_counts() -> None:
    (found,) = check((1, 8, 8), "upconv 1 3 stride=2")
    assert "adds up 1 to 4 products a place, in a pattern that repeats every 2 places" in found.message


def test_unpooling_adds_nothing_up() -> None:
    assert not said("FS106", (1, 9, 9), "maxpool 3 stride=2 name=p", "maxunpool p", "conv classes 1")
