"""What the values of blocks that slide, resize, pad and crop see, against the pixels that move them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv, Depthwise, Separable, UpConv
from fieldstone.design.blocks.pooling import AdaptiveAvgPool, AvgPool, MaxPool, MaxUnpool
from fieldstone.design.blocks.shape import Crop, Pad, Upsample
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.network.build import build

PIXELS, FEW, MANY = 400, 60, 800
Span = tuple[int, int] | None


def small(least: int, most: int) -> st.SearchStrategy[tuple[int]]:
    return st.tuples(st.integers(least, most))


SLIDE: dict[str, Any] = {
    "stride": small(1, 3),
    "padding": st.sampled_from(["same", "causal", (0,), (1,)]),
    "dilation": small(1, 3),
}
SLIDING = [
    st.builds(Conv, st.just(2), small(1, 4), **SLIDE),
    st.builds(Depthwise, small(1, 4), **SLIDE),
    st.builds(Separable, st.just(2), small(1, 4), **SLIDE),
    st.builds(AvgPool, small(1, 4), stride=small(1, 3), padding=st.just("same"), count_include_pad=st.booleans()),
    st.builds(Pad, small(0, 3), before=st.none() | small(0, 3), mode=st.just("constant")),
    st.builds(Crop, small(0, 3), after=st.none() | small(0, 3)),
]
SHRINKING = [st.builds(AdaptiveAvgPool, small(20, 60))]
GROWING = [
    st.builds(UpConv, st.just(2), small(1, 4), stride=small(1, 3), padding=st.just("same"), dilation=small(1, 2)),
    st.builds(UpConv, st.just(2), small(1, 4), stride=small(1, 3), padding=small(0, 2)),
    st.builds(Upsample, small(1, 3), mode=st.sampled_from(["nearest", "linear"])),
    st.builds(Upsample, small(1, 3), mode=st.just("linear"), align_corners=st.just(True)),
]


def ones(network: nn.Module) -> nn.Module:
    """In float64, every weight 1: no gradient can cancel."""
    network = network.double().eval()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    return network


def moving(value: Tensor, pixels: Tensor) -> list[Span]:
    """Per axis the first and the last pixel that moves a value."""
    (gradient,) = torch.autograd.grad(value, pixels, retain_graph=True)
    places = (gradient[0].sum(dim=0).abs() > 1e-9).nonzero()  # torch's rounding is no weight
    return [(int(axis.min()), int(axis.max())) if len(axis) else None for axis in places.T]


@st.composite
def chains(draw: st.DrawFn) -> list[Block]:
    blocks: list[Block] = []
    length = PIXELS
    for _ in range(draw(st.integers(1, 4))):
        kinds = SLIDING + (SHRINKING if length > FEW else []) + (GROWING if length < MANY else [])
        block = draw(st.one_of(kinds))
        try:
            length = Design((1, PIXELS), [*blocks, block, Conv(1, (1,)), *HEAD]).walk(1)[-3].output_shape[1]
        except DesignError:
            continue  # a crop of more than there is
        blocks.append(block)
    return blocks


HEAD = ["globalavgpool", "linear classes"]


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(chains())
def test_each_value_sees_what_moves_it(blocks: list[Block]) -> None:
    design = Design((1, PIXELS), [*blocks, Conv(1, (1,)), *HEAD])
    *_, row, _, _ = rows = design.walk(1)
    pixels = torch.ones(1, 1, PIXELS, dtype=torch.float64, requires_grad=True)
    values = ones(build(design, 1)[:-2])(pixels)[0, 0]
    seen, length = row.field.axes[0].seen, row.output_shape[1]
    assert len(values) == length
    steps = max((jump for one in rows for jump in one.jump or ()), default=1)
    margin = seen.field + 16 * int(steps + 1)  # nearer to the ends, some border on the way, or a crop's, may clip
    for place in {0, length - 1, *range(length // 2, min(length, length // 2 + 6))}:
        span, (moved, *_) = seen.span(place), moving(values[place], pixels)
        if span is None or moved is None:
            assert moved is None
        elif span[0] >= margin and span[1] < PIXELS - margin:
            assert moved == span
        else:
            assert moved[0] >= span[0] - margin
            assert moved[1] <= span[1] + margin


@pytest.mark.parametrize(
    "block",
    [
        "pixelshuffle 2",
        "upsample 2x3 mode=bicubic",
        "upsample 2 mode=bicubic align_corners=true",
        "upconv 4 2x3 stride=2x3",
    ],
)
def test_two_axes_are_followed_each_by_itself(block: str) -> None:
    design = Design((1, 14, 14), ["conv 4 3x1", "conv 4 1x2", block, "conv classes 1"])
    row = design.walk(1)[-1]
    pixels = torch.ones(1, 1, 14, 14, dtype=torch.float64, requires_grad=True)
    values = ones(build(design, 1))(pixels)[0, 0]
    middle = tuple(side // 2 for side in row.output_shape[1:])
    for place in ((middle[0] + down, middle[1] + right) for down in range(3) for right in range(3)):
        assert moving(values[place], pixels) == [
            axis.seen.span(at) for axis, at in zip(row.field.axes, place, strict=True)
        ]


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    st.builds(
        MaxPool,
        small(1, 4),
        stride=small(1, 4),
        padding=st.sampled_from([(0,), "same"]),
        dilation=small(1, 2),
        name=st.just("p"),
    )
)
def test_an_unpooled_value_sees_the_windows_that_may_have_put_it_there(pool: MaxPool) -> None:
    """One image shows some of them; over many images all, and never another."""
    design = Design((1, 40), [pool, MaxUnpool("p"), "conv classes 1"])
    row = design.walk(1)[1]
    network = build(design, 1)[:2].double()
    pixels = torch.rand(600, 1, 40, dtype=torch.float64, requires_grad=True)
    values = network(pixels)[:, 0]
    window = pool.window((40,))
    stride, dilation, before = window.stride[0], window.dilation[0], window.padding[0][0]
    for place in range(18, 22):
        (taps,) = row.bound.window((0,)).reads((0,))  # type: ignore[union-attr]
        laid = [[at * stride - before + dilation * tap for tap in range(window.kernel[0])] for at in range(40)]
        cover = [at for at, places in enumerate(laid) if place in places]
        assert list(taps.at(place)) == cover
        assert bool((values[:, place] != 0).any()) == bool(cover)
