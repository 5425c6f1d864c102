"""Traces of depthwise, separable and transposed convolution and adaptive pooling, against torch and its gradients."""

from __future__ import annotations

import json
import re
from math import ceil, floor, inf, nan
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.explain.boxes import WIDTH
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow, SpreadWindow
from traces import Draw, per_axis, random_map, sides_of, traced, written

CONVS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
UP_CONVS = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOLS = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
AVG_POOLS = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


def normal(draw: Draw, *shape: int) -> np.ndarray:
    return np.random.default_rng(draw(st.integers(0, 2**32))).normal(size=shape)


def tensor(values: np.ndarray | None) -> Any:
    return None if values is None else torch.tensor(values, dtype=torch.float64)


def some(draw: Draw, windows: Any) -> list[Any]:
    """A few windows; their gradients cost."""
    numbers = draw(st.lists(st.integers(0, len(windows) - 1), min_size=1, max_size=4))
    return [windows[number] for number in numbers]


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


def scattered(numbers: np.ndarray, shape: tuple[int, ...], window: Any, places: Any) -> np.ndarray:
    """The numbers of a window where they belong in an array of zeros."""
    whole = np.zeros(shape)
    whole[np.ix_(window.channels, *places)] = numbers
    return whole


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_adaptive_max_pooling_and_its_winners_are_torchs(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    sizes = per_axis(draw, rank, 1, 5)
    values = random_map(draw, draw(st.integers(1, 3)), sides_of(draw, rank)).astype(float)
    if draw(st.booleans()):
        values.flat[draw(st.integers(0, values.size - 1)) :: 3] = draw(st.sampled_from([nan, inf, -inf]))

    trace = traced(f"adaptivemaxpool {written(sizes)}", values, rank)

    found, places = MAX_POOLS[rank](torch.tensor(values)[None], sizes, return_indices=True)
    np.testing.assert_array_equal(trace.output, found[0].numpy())
    for window in trace.windows:
        assert isinstance(window, MaxWindow)
        flat = np.unravel_index(places[0][window.position].item(), values.shape[1:])
        assert window.winner == (window.position[0], *flat)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_adaptive_average_pooling_and_its_shares_are_torchs(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    sizes = per_axis(draw, rank, 1, 5)
    values = random_map(draw, draw(st.integers(1, 3)), sides_of(draw, rank)).astype(float)

    trace = traced(f"adaptiveavgpool {written(sizes)}", values, rank)

    given = torch.tensor(values)[None].requires_grad_()
    made = AVG_POOLS[rank](given, sizes)[0]
    np.testing.assert_allclose(trace.output, made.detach().numpy(), rtol=0, atol=1e-9)
    for window in some(draw, trace.windows):
        assert isinstance(window, MeanWindow)
        (share,) = torch.autograd.grad(made[window.position], given, retain_graph=True)
        read = scattered(np.full(window.values.shape, 1 / window.count), values.shape, window, window.places)
        np.testing.assert_allclose(read, share[0])
        assert abs(window.sum / window.count - window.value) < 1e-9


@pytest.mark.parametrize(("side", "size"), [(7, 3), (5, 8), (6, 3)])
def test_the_formula_of_a_share_says_what_it_reads(side: int, size: int) -> None:
    trace = fs.trace(f"adaptivemaxpool {size}", np.arange(side))
    (formula,) = trace.formulas
    found = re.fullmatch(r"value i reads (.*) to (.*): \d+ becomes \d+", formula)
    assert found is not None
    for number, window in enumerate(trace.windows, 1):
        names = {"floor": floor, "ceil": ceil, "i": number}
        first, last = (eval(text.replace("−", "-").replace("·", "*"), names) for text in found.groups())
        assert [at + 1 for at in window.places[0]] == list(range(first, last + 1))


def test_where_nothing_reaches_the_bias_stands_alone() -> None:
    trace = fs.trace("upconv 1 1 stride=2 output_padding=1", [3, 4], weight=[2], bias=0.5)
    assert trace.output.tolist() == [[6.5, 0.5, 8.5, 0.5]]
    empty = trace.windows[1]
    assert isinstance(empty, SpreadWindow)
    assert (empty.places, empty.taps, empty.start, empty.sum, empty.value) == (((),), ((),), (), 0, 0.5)
    assert empty.to_json()["products"] == [[]]
    assert "nothing reaches it: 0.50, the bias" in repr(trace)
    assert "nothing reaches it: 0\n" in repr(fs.trace("upconv 1 1 stride=2 output_padding=1", [3, 4], weight=[2]))


def test_json_tells_both_steps() -> None:
    values, pair = np.arange(18.0).reshape(2, 3, 3), (np.ones((2, 1, 2, 2)), np.ones((3, 2, 1, 1)))
    trace = fs.trace("separable 3 2", values, weight=pair, bias=[1, 2, 3])
    told = json.loads(json.dumps(trace.to_json(), allow_nan=False))
    assert (told["block"], told["step"]) == ("separable 3 2", "pointwise")
    first = told["before"]
    assert (first["block"], first["step"], first["before"]) == ("separable 3 2", "depthwise", None)
    assert first["input"] == values.tolist()
    assert first["output"] == told["input"]
    assert [len(step["windows"]) for step in (first, told)] == [8, 12]


def test_json_of_a_transposed_convolution_tells_its_taps() -> None:
    told = fs.trace("upconv 1 3 stride=2", [5, 7], weight=[1, 2, 3]).to_json()
    middle = told["windows"][2]
    assert (middle["places"], middle["taps"], middle["products"]) == ([[0, 1]], [[2, 0]], [[15.0, 7.0]])
    assert middle["value"] == 22


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_text_fits(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    sides = draw(st.tuples(*[st.integers(3, {1: 30, 2: 14, 3: 5}[rank])] * rank))
    channels, size = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    values = normal(draw, channels, *sides) * 10.0 ** draw(st.integers(-9, 9))
    step = draw(st.integers(1, 4))
    weights = {
        f"upconv 2 {size} stride={step} dilation=2": normal(draw, channels, 2, *[size] * rank),
        f"separable 2 {min(3, size)} stride={step}": (
            normal(draw, channels, 1, *[min(3, size)] * rank),
            normal(draw, 2, channels, *[1] * rank),
        ),
        f"adaptivemaxpool {size}": None,
        f"adaptiveavgpool {size}": None,
    }
    block = draw(st.sampled_from(sorted(weights)))
    for line in repr(fs.trace(block, values, rank=rank, weight=weights[block])).splitlines():
        assert len(line) <= WIDTH, line
        assert line == line.rstrip(), line


GRID = np.ones((5, 5))
MAPS = np.ones((3, 5, 5))


@pytest.mark.parametrize(
    ("block", "input", "arrays", "message"),
    [
        ("relu", GRID, {}, "trace one of conv, depthwise, separable, upconv, maxpool, avgpool, globalmaxpool, "),
        ("upsample 2", GRID, {}, "upsample 2: it slides no window, so there is none to trace; trace one of conv"),
        ("localresponsenorm 3", GRID, {}, "globalavgpool, adaptivemaxpool, adaptiveavgpool"),
        (
            "maxunpool pool",
            GRID,
            {},
            "maxunpool pool: it puts each value where its maxpool found it, which the array does not say; "
            "trace the maxpool named pool: the `winner` of each of its windows is the place",
        ),
        ("adaptivemaxpool 2", GRID, {"bias": 1}, "adaptivemaxpool 2: it has no weights; leave weight and bias out"),
        ("adaptiveavgpool 2x2", np.ones(5), {}, "adaptiveavgpool 2x2: its size 2x2 is for 2 axes"),
        ("depthwise 3", MAPS, {"weight": MAPS}, "depthwise 3: weight is 3x5x5; give it 3x1x3x3 (filters x channels"),
        ("depthwise 3", MAPS, {}, "depthwise 3: a convolution computes with its weights, and there are none"),
        ("separable classes 3", MAPS, {}, "separable classes 3: outside a design, `classes` is no number"),
        (
            "separable 2 3",
            MAPS,
            {},
            "separable 2 3: it computes with two arrays of weights, one a step; "
            "give weight=(depthwise, pointwise), arrays of 3x1x3x3 and 2x3x1x1",
        ),
        ("separable 2 3", MAPS, {"weight": np.ones((2, 3))}, "separable 2 3: it computes with two arrays of weights"),
        ("separable 2 3", MAPS, {"weight": (1, 2)}, "separable 2 3, depthwise: weight is a single number; give it 3x1"),
        (
            "separable 2 3 bias=false",
            MAPS,
            {"weight": (np.ones((3, 1, 3, 3)), np.ones((2, 3, 1, 1))), "bias": [1, 2]},
            "separable 2 3 bias=false, pointwise: bias is given, and bias=false says that it has none",
        ),
        ("upconv 2 3", MAPS, {}, "there are none; give weight=, an array of 3x2x3x3 (channels x filters of a group x"),
        (
            "upconv 3 3 groups=3",
            MAPS,
            {"weight": GRID},
            "groups=3: weight is 5x5; give it 3x1x3x3 (channels x filters",
        ),
        (
            "upconv 2 3",
            MAPS,
            {"weight": np.ones((3, 2, 3, 3)), "bias": 1},
            "bias is a single number; give it 2",
        ),
    ],
)
def test_faults_name_what_is_wrong(block: Any, input: Any, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(fs.FieldstoneError, match=re.escape(message)):
        fs.trace(block, input, **arrays)
