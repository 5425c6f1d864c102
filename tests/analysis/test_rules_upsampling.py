"""Checkerboards: a transposed convolution of ones in torch counts the products at every place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fieldstone.analysis.rule import Found, Subject
from fieldstone.analysis.rules.upsampling import checkerboard
from fieldstone.design.blocks.block import Block
from fieldstone.design.design import Design
from fieldstone.geometry import Shape, Transposed
from rules import numbers

SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@dataclass(frozen=True)
class Spread(Block):
    """A transposed window, whatever block has it."""

    keyword = "spread"
    transposed: Transposed

    def window(self, sides: tuple[int, ...]) -> Transposed:
        return self.transposed

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.transposed.output_sizes(input_shape[1:]))


def check(shape: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> list[Found]:
    transposed = Transposed(kernel, stride, dilation, (0,) * len(kernel), (0,) * len(kernel))
    head = Design(shape, ["conv classes 1"])
    design = replace(head, layers=(Spread(transposed), *head.layers))
    return list(checkerboard(Subject(shape, design.walk(10))))


@pytest.mark.parametrize("seed", range(150))
def test_places_that_get_more_products_than_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    kernel, stride = tuple(rng.integers(1, 6, rank).tolist()), tuple(rng.integers(1, 4, rank).tolist())
    dilation = tuple(rng.integers(1, 3, rank).tolist())
    shape = (1, *(12,) * rank)
    counts = SPREAD[rank](torch.ones(1, *shape), torch.ones(1, 1, *kernel), stride=stride, dilation=dilation)
    spans = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
    inner = counts[0, 0][tuple(slice(span, side - span) for span, side in zip(spans, counts.shape[2:], strict=True))]
    found = check(shape, kernel, stride, dilation)
    assert len(found) == (inner.min() < inner.max())
    if found:
        assert numbers(found[0].message.split("adds up ")[1])[:2] == [inner.min(), inner.max()]
        assert found[0].where == "1"
        wanted = found[0].fix.split("kernel of ")[1].split(",")[0].split()[0].split("x")
        mended = tuple(map(int, wanted)) * (rank if len(wanted) == 1 else 1)
        assert not check(shape, mended, stride, (1,) * rank if "without dilation" in found[0].fix else dilation)


EVEN = [(4, 2), (2, 2), (3, 1), (6, 3)]
UNEVEN = [(3, 2), (5, 2), (2, 3), (1, 2)]


@pytest.mark.parametrize(("kernel", "stride"), EVEN + UNEVEN)
def test_kernels_that_their_stride_divides_are_even(kernel: int, stride: int) -> None:
    said = check((1, 8, 8), (kernel, kernel), (stride, stride), (1, 1))
    assert bool(said) == ((kernel, stride) in UNEVEN)


def test_the_finding_gives_the_counts_and_the_next_even_kernel() -> None:
    (found,) = check((1, 8, 8), (3, 3), (2, 2), (1, 1))
    assert "adds up 1 to 4 products a place, in a pattern that repeats every 2 places" in found.message
    assert found.fix == "use a kernel of 4, or upsample and convolve with stride 1"


def test_unpooling_adds_nothing_up() -> None:
    design = Design((1, 9, 9), ["maxpool 3 stride=2 name=p", "maxunpool p", "conv classes 1"])
    assert not list(checkerboard(Subject(design.input, design.walk(10))))
