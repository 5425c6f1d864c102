"""Traces of depthwise, separable and transposed convolution, against torch and its gradients."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from fieldstone.explain.windows import ProductWindow, SpreadWindow
from traces import Draw, normal, per_axis, random_map, scattered, sides_of, some, tensor, traced, written

CONVS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
UP_CONVS = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def padded_by_hand(values: Tensor, padding: Any, spans: tuple[int, ...], stride: tuple[int, ...], mode: str) -> Tensor:
    """A (1, C, *sides) map with the padding of a convolution; `same` as TensorFlow defines it."""
    sides = values.shape[2:]
    if padding == "causal":
        pairs = [(spans[0] - 1, 0)]
    elif padding == "same":
        axes = zip(sides, spans, stride, strict=True)
        totals = [max(0, (ceil(side / step) - 1) * step + span - side) for side, span, step in axes]
        pairs = [(total // 2, total - total // 2) for total in totals]
    else:
        pairs = [(pad, pad) for pad in padding]
    widths = [number for pair in reversed(pairs) for number in pair]
    return F.pad(values, widths, mode={"zeros": "constant"}.get(mode, mode))


def random_depthwise(draw: Draw, rank: int, values: np.ndarray) -> tuple[str, np.ndarray, Any]:
    """Options of a depthwise convolution, its weights, and what torch makes of the map with them."""
    kernel, dilation, stride = per_axis(draw, rank, 1, 3), per_axis(draw, rank, 1, 3), per_axis(draw, rank, 1, 3)
    padding = draw(st.sampled_from(["same", "causal"] if rank == 1 else ["same"]) | st.just(per_axis(draw, rank, 0, 3)))
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    multiplier = draw(st.integers(1, 3))
    weight = normal(draw, multiplier * len(values), 1, *kernel)

    def convolved() -> Tensor:
        spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
        padded = padded_by_hand(tensor(values)[None], padding, spans, stride, mode)
        return CONVS[rank](padded, tensor(weight), None, stride, 0, dilation, len(values))

    text = f"{written(kernel)} stride={written(stride)} dilation={written(dilation)} multiplier={multiplier}"
    text += f" padding={padding if isinstance(padding, str) else written(padding)} padding_mode={mode}"
    return text, weight, convolved


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_depthwise_is_torchs_convolution_in_groups(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    values = random_map(data.draw, data.draw(st.integers(1, 3)), sides_of(data.draw, rank))
    text, weight, convolved = random_depthwise(data.draw, rank, values)
    bias = normal(data.draw, len(weight)) if data.draw(st.booleans()) else None

    trace = traced(f"depthwise {text}", values, rank, weight=weight, bias=bias)

    expected = convolved()[0].numpy() + (0 if bias is None else bias.reshape(-1, *[1] * rank))
    np.testing.assert_allclose(trace.output, expected, rtol=0, atol=1e-9)
    for window in trace.windows:
        assert isinstance(window, ProductWindow)
        assert list(window.channels) == [window.position[0] * len(values) // len(weight)]
        np.testing.assert_array_equal(window.products, window.values * weight[window.position[0]])
        assert abs(window.products.sum() + (window.bias or 0) - expected[window.position]) < 1e-9


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_separable_is_two_of_torchs_convolutions(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    values = random_map(data.draw, data.draw(st.integers(1, 3)), sides_of(data.draw, rank))
    text, depthwise, convolved = random_depthwise(data.draw, rank, values)
    filters = data.draw(st.integers(1, 3))
    pointwise = normal(data.draw, filters, len(depthwise), *[1] * rank)
    bias = normal(data.draw, filters) if data.draw(st.booleans()) else None

    trace = traced(f"separable {filters} {text}", values, rank, weight=(depthwise, pointwise), bias=bias)

    first = convolved()
    second = CONVS[rank](first, tensor(pointwise), tensor(bias))
    assert trace.before is not None
    assert trace.steps == (trace.before, trace)
    assert [step.step for step in trace.steps] == ["depthwise", "pointwise"]
    np.testing.assert_allclose(trace.before.output, first[0].numpy(), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(trace.before.output, trace.input)
    np.testing.assert_array_equal(trace.before.input, values)
    np.testing.assert_allclose(trace.output, second[0].numpy(), rtol=0, atol=1e-9)
    for window in trace.windows:
        assert window.channels == range(len(depthwise))
        assert window.start == window.position[1:]
        np.testing.assert_array_equal(window.values.ravel(), trace.input[:, *window.position[1:]])


def upconv_by_hand(
    values: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...], padding: Any, more: Any, *rest: Any
) -> Tensor:
    """(1, C, *sides) -> (1, O, *sides); `same` is what is whole, cut or filled up to side * stride."""
    rank = values.dim() - 2
    if padding != "same":
        return UP_CONVS[rank](values, weight, bias, stride, padding, more, *rest)
    made = UP_CONVS[rank](values, weight, None, stride, 0, 0, *rest)
    for axis, (step, side) in enumerate(zip(stride, values.shape[2:], strict=True), 2):
        over = made.shape[axis] - side * step
        if over >= 0:
            made = made.narrow(axis, over // 2, side * step)
        else:
            made = F.pad(made, [*[0, 0] * (made.dim() - 1 - axis), 0, -over])
    return made if bias is None else made + bias.reshape(-1, *[1] * rank)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_transposed_convolution_is_torchs_and_its_windows_are_the_gradients(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    channels, filters = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, dilation, stride = per_axis(draw, rank, 1, 4), per_axis(draw, rank, 1, 3), per_axis(draw, rank, 1, 4)
    padding = draw(st.just("same") | st.just(per_axis(draw, rank, 0, 3)))
    most = [max(pair) - 1 for pair in zip(stride, dilation, strict=True)]
    more = (0,) * rank if padding == "same" else tuple(draw(st.integers(0, limit)) for limit in most)
    values = random_map(draw, channels, tuple(min(side, 5) for side in sides_of(draw, rank)))
    weight = normal(draw, channels, filters // groups, *kernel)
    bias = normal(draw, filters) if draw(st.booleans()) else None
    text = f"upconv {filters} {written(kernel)} stride={written(stride)} dilation={written(dilation)} groups={groups}"
    text += f" padding={'same' if padding == 'same' else written(padding)} output_padding={written(more)}"

    trace = traced(text, values, rank, weight=weight, bias=bias)

    given, kernels = tensor(values)[None].requires_grad_(), tensor(weight).requires_grad_()
    made = upconv_by_hand(given, kernels, tensor(bias), stride, padding, more, groups, dilation)[0]
    np.testing.assert_allclose(trace.output, made.detach().numpy(), rtol=0, atol=1e-9)
    for window in some(draw, trace.windows):
        assert isinstance(window, SpreadWindow)
        by_value, by_weight = torch.autograd.grad(made[window.position], (given, kernels), retain_graph=True)
        np.testing.assert_allclose(scattered(window.weight, values.shape, window, window.places), by_value[0])
        filter = window.position[0] % (filters // groups)
        spread = scattered(window.values, (channels, *kernel), window, window.taps)
        np.testing.assert_allclose(spread, by_weight[:, filter])
        assert not by_weight[:, [other for other in range(filters // groups) if other != filter]].any()
        assert abs(window.products.sum() + (window.bias or 0) - window.value) < 1e-9
        assert window.inside.all()
