"""Windows against torch's own layers: sizes, weights, and what torch refuses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fieldstone.design.blocks.block import FitError
from fieldstone.design.blocks.convolution import Conv
from fieldstone.design.blocks.pooling import AvgPool, MaxPool, Pool

MANY = settings(deadline=None, max_examples=2500)
CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
MAX = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVG = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)

# Torch's own layer says once that an even kernel with `same` copies its input.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


def run(layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that torch gives; None where it refuses, and where a window of padding alone gives no number."""
    try:
        with torch.inference_mode():
            output = layer(torch.zeros(1, *shape))
            return tuple(output.shape[1:]) if output.isfinite().all() else None
    except (RuntimeError, AssertionError):
        return None


def ours(block: Conv | Pool, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return block.output_shape(shape)
    except FitError:
        return None


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, ...]:
    rank = draw(st.integers(1, 3))
    return (draw(st.integers(1, 4)), *draw(st.tuples(*[st.integers(1, {1: 40, 2: 16, 3: 8}[rank])] * rank)))


def sizes(draw: st.DrawFn, rank: int, least: int, most: int) -> tuple[int, ...]:
    return draw(st.tuples(*[st.integers(least, most)] * rank))


@MANY
@given(shapes(), st.data())
def test_convolution_gives_the_sizes_and_weights_of_torch_or_refuses_with_it(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    rank = len(shape) - 1
    groups = data.draw(st.sampled_from([n for n in (1, 2, 4) if shape[0] % n == 0]))
    kernel, dilation = sizes(data.draw, rank, 1, 5), sizes(data.draw, rank, 1, 3)
    same = data.draw(st.integers(0, 3)) == 0
    stride = (1,) * rank if same else sizes(data.draw, rank, 1, 4)
    padding = "same" if same else sizes(data.draw, rank, 0, 4)
    mode = data.draw(st.sampled_from(["zeros", "zeros", "zeros", "reflect", "replicate", "circular"]))
    filters, bias = groups * data.draw(st.integers(1, 2)), data.draw(st.booleans())
    layer = CONV[rank - 1](shape[0], filters, kernel, stride, padding, dilation, groups, bias, mode)
    block = Conv(
        filters, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias, padding_mode=mode
    )
    expected = run(layer, shape)
    assert ours(block, shape) == expected
    if expected is not None:
        assert block.params(shape) == sum(weight.numel() for weight in layer.parameters())
        assert block.macs(shape) == layer.weight.numel() * torch.Size(expected[1:]).numel()


@MANY
@given(shapes(), st.booleans(), st.data())
def test_pooling_gives_the_sizes_of_torch_or_refuses_with_it(
    shape: tuple[int, ...], average: bool, data: st.DataObject
) -> None:
    rank = len(shape) - 1
    kernel = sizes(data.draw, rank, 1, 5)
    stride = data.draw(st.sampled_from([None, sizes(data.draw, rank, 1, 4)]))
    padding = tuple(data.draw(st.integers(0, size // 2)) for size in kernel)
    ceil_mode = data.draw(st.booleans())
    dilation = (1,) * rank if average else sizes(data.draw, rank, 1, 3)
    if average:
        layer: nn.Module = AVG[rank - 1](kernel, stride, padding, ceil_mode)
        block: Pool = AvgPool(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode)
    else:
        layer = MAX[rank - 1](kernel, stride, padding, dilation, ceil_mode=ceil_mode)
        block = MaxPool(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, dilation=dilation)
    assert ours(block, shape) == run(layer, shape)


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("padding", range(5))
def test_pooling_takes_the_padding_that_torch_takes(kernel: int, padding: int) -> None:
    for block, layer in ((MaxPool, nn.MaxPool2d), (AvgPool, nn.AvgPool2d)):
        given_ = block((kernel,), padding=(padding,))
        assert ours(given_, (1, 12, 12)) == run(layer(kernel, padding=padding), (1, 12, 12))


@pytest.mark.parametrize("side", range(3, 12))
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_same_pooling_at_stride_one_keeps_the_size(side: int, kernel: int) -> None:
    assert MaxPool((kernel,), stride=(1,), padding="same").output_shape((2, side, side)) == (2, side, side)


def test_a_kernel_for_other_axes_is_refused() -> None:
    with pytest.raises(FitError, match=r"its kernel 3x5 is for 2 axes, its input has 3 sides"):
        Conv(1, (3, 5)).output_shape((1, 8, 8, 8))
