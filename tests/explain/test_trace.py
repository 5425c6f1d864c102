"""Traces against torch's own layers, over random blocks, ranks and inputs."""

from __future__ import annotations

import json
import re
from math import inf, isnan, nan, prod
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow
from traces import Draw, per_axis, random_map, sides_of, traced, written

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_convolution_is_torchs(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    channels, filters = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, dilation = per_axis(draw, rank, 1, 3), per_axis(draw, rank, 1, 3)
    same = draw(st.booleans())
    stride = (1,) * rank if same else per_axis(draw, rank, 1, 3)
    padding = "same" if same else per_axis(draw, rank, 0, 3)
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    values = random_map(draw, channels, sides_of(draw, rank))
    layer = CONVS[rank](
        channels, filters, kernel, stride, padding, dilation, groups, draw(st.booleans()), mode
    ).double()
    text = f"conv {filters} {written(kernel)} stride={written(stride)} dilation={written(dilation)} groups={groups}"
    text += f" padding={'same' if same else written(padding)} padding_mode={mode}"
    weight, bias = (None if one is None else one.detach().numpy() for one in (layer.weight, layer.bias))

    trace = traced(text, values, rank, weight=weight, bias=bias)

    expected = layer(torch.tensor(values).double()[None])[0].detach().numpy()
    np.testing.assert_allclose(trace.output, expected, rtol=0, atol=1e-9)
    for window in trace.windows:
        assert isinstance(window, ProductWindow)
        np.testing.assert_array_equal(window.products, window.values * weight[window.position[0]])
        assert abs(window.products.sum() - window.sum) < 1e-9
        assert abs(window.sum + (window.bias or 0) - expected[window.position]) < 1e-9
        check_reading(trace, window, mode)


def check_reading(trace: fs.Trace, window: Any, mode: str) -> None:
    """The values are the input's, or what torch pads with."""
    widths = [number for pair in reversed(trace.padding) for number in pair]
    kind = {"zeros": "constant"}.get(mode, mode)
    padded = F.pad(torch.tensor(trace.input)[None], widths, mode=kind)[0].numpy()
    for taps in np.ndindex(window.inside.shape):
        place = [axis[tap] for axis, tap in zip(window.places, taps, strict=True)]
        moved = [at + before for at, (before, _) in zip(place, trace.padding, strict=True)]
        inside = all(0 <= at < side for at, side in zip(place, trace.input.shape[1:], strict=True))
        assert inside == window.inside[taps]
        read = window.values[:, *taps]
        np.testing.assert_array_equal(read, padded[list(window.channels)][:, *moved])
        if inside:
            np.testing.assert_array_equal(read, trace.input[list(window.channels)][:, *place])


def random_pool(draw: Draw, rank: int) -> tuple[dict[str, Any], str]:
    kernel = per_axis(draw, rank, 1, 4)
    padding = tuple(draw(st.integers(0, size // 2)) for size in kernel)
    stride, ceil = per_axis(draw, rank, 1, 4), draw(st.booleans())
    text = f"{written(kernel)} stride={written(stride)} padding={written(padding)} ceil_mode={str(ceil).lower()}"
    return {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}, text


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_max_pooling_and_its_winners_are_torchs(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    options, text = random_pool(draw, rank)
    dilation = per_axis(draw, rank, 1, 3)
    values = random_map(draw, draw(st.integers(1, 3)), sides_of(draw, rank)).astype(float)
    if draw(st.booleans()):
        values.flat[draw(st.integers(0, values.size - 1)) :: 3] = draw(st.sampled_from([nan, inf]))

    trace = traced(f"maxpool {text} dilation={written(dilation)}", values, rank)

    found, places = MAX_POOLS[rank](torch.tensor(values)[None], **options, dilation=dilation, return_indices=True)
    np.testing.assert_array_equal(trace.output, found[0].numpy())
    for window in trace.windows:
        assert isinstance(window, MaxWindow)
        if window.winner is None:
            assert window.value == -inf
            assert not window.inside.any()
            continue
        flat = np.unravel_index(places[0][window.position].item(), values.shape[1:])
        assert window.winner == (window.position[0], *flat)
        np.testing.assert_equal(values[window.winner], window.value)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_average_pooling_and_its_counts_are_torchs(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    options, text = random_pool(draw, rank)
    include = draw(st.booleans())
    values = random_map(draw, draw(st.integers(1, 3)), sides_of(draw, rank)).astype(float)

    trace = traced(f"avgpool {text} count_include_pad={str(include).lower()}", values, rank)

    pool = AVG_POOLS[rank]
    expected = pool(torch.tensor(values)[None], **options, count_include_pad=include)[0].numpy()
    np.testing.assert_allclose(trace.output, expected, rtol=0, atol=1e-9)
    # The mean of ones that divides by padding too is the share of real values: so torch tells its counts.
    ones = torch.ones(1, 1, *values.shape[1:], dtype=torch.float64)
    share = pool(ones, **options, count_include_pad=include)[0, 0].numpy()
    for window in trace.windows:
        assert isinstance(window, MeanWindow)
        assert window.mean == window.value == trace.output[window.position]
        assert abs(window.sum / window.count - window.value) < 1e-9
        assert abs(window.inside.sum() / window.count - share[window.position[1:]]) < 1e-9


@pytest.mark.parametrize("shape", [(7,), (4, 5), (2, 4, 5), (3, 2, 3, 4)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling_is_one_window(shape: tuple[int, ...], keepdims: bool) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    rank = {1: 1, 2: 2, 3: 2, 4: 3}[len(shape)]
    maps = values if values.ndim > rank else values[None]
    rows = maps.reshape(len(maps), -1)
    for text, expected in (("globalmaxpool", rows.max(1)), ("globalavgpool", rows.mean(1))):
        trace = fs.trace(f"{text} keepdims={str(keepdims).lower()}", values)
        assert trace.output.shape == ((len(maps), *[1] * rank) if keepdims else (len(maps),))
        np.testing.assert_allclose(trace.output.ravel(), expected, atol=1e-9)
        assert len(trace.windows) == len(maps)
        np.testing.assert_array_equal(trace.windows[-1].values, maps[-1:])
    best = fs.trace("globalmaxpool", values).windows[0]
    assert isinstance(best, MaxWindow)
    assert best.winner == (0, *np.unravel_index(maps[0].argmax(), maps.shape[1:]))


def test_windows_are_found_by_number_and_by_place() -> None:
    windows = fs.trace("maxpool 2", np.arange(32).reshape(2, 4, 4)).windows
    positions = [window.position for window in windows]
    assert positions == [(c, y, x) for c in range(2) for y in range(2) for x in range(2)]
    assert [windows[number].position for number in range(len(windows))] == positions
    assert windows[-1].position == windows[1, 1, 1].position == windows[-1, -1, -1].position == (1, 1, 1)
    assert [window.position for window in windows[2:4]] == positions[2:4]
    assert windows[1, 0, 1].start == (0, 2)
    for key in (8, (2, 0, 0), (0, 0), (0, 0, 0, 0)):
        with pytest.raises(IndexError, match=r"index|range"):
            windows[key]


def test_one_channel_needs_no_axis() -> None:
    grid = np.arange(9).reshape(3, 3)
    trace = fs.trace("conv 1 2", grid.tolist(), weight=[[1, 0], [0, -1]], bias=10)
    assert trace.input.shape == (1, 3, 3)
    assert trace.output.tolist() == [[[6, 6], [6, 6]]]
    assert trace.windows[1, 0].position == (0, 1, 0)
    assert fs.trace("maxpool 2", range(6)).output.tolist() == [[1, 3, 5]]
    assert fs.trace("maxpool 2", grid, rank=1).output.tolist() == [[1], [4], [7]]


def test_windows_past_the_padding_do_not_count() -> None:
    trace = fs.trace("avgpool 3 stride=2 padding=1 ceil_mode=true", np.ones((4, 4)))
    corner = trace.windows[2, 2]
    assert isinstance(corner, MeanWindow)
    assert corner.places == ((3, 4, 5), (3, 4, 5))  # 4 is padding, 5 is past it
    assert corner.inside.sum() == 1
    assert corner.count == 4
    assert trace.padded.shape == (1, 7, 7)


def test_tensors_are_taken_as_they_are() -> None:
    weight = nn.Conv2d(1, 1, 2).weight
    trace = fs.trace("conv 1 2", torch.ones(3, 3, dtype=torch.bfloat16), weight=weight)
    np.testing.assert_allclose(trace.output, weight.sum().item(), atol=1e-6)
    assert fs.trace("maxpool 2", torch.arange(4).reshape(2, 2)).output.tolist() == [[[3]]]


def test_nan_and_infinity_are_traced() -> None:
    values = np.array([[nan, 1.0], [inf, 2.0]])
    assert isnan(fs.trace("maxpool 2", values).output.item())
    assert isnan(fs.trace("conv 1 2", values, weight=np.zeros((2, 2))).output.item())
    trace = fs.trace("avgpool 2", np.array([[inf, 1.0], [1.0, 1.0]]))
    assert trace.output.item() == inf
    assert trace.to_json()["windows"][0]["value"] == "Infinity"


@pytest.mark.parametrize("block", ["maxpool 2 padding=1", "avgpool 2", "conv 2 2", "globalavgpool"])
def test_json_holds_everything(block: str) -> None:
    values = np.random.default_rng(1).normal(size=(2, 3, 3))
    weight = np.ones((2, 2, 2, 2)) if block.startswith("conv") else None
    trace = fs.trace(block, values, weight=weight)
    told = json.loads(json.dumps(trace.to_json(), allow_nan=False))
    assert told["block"] == block
    assert told["input"] == values.tolist()
    assert told["output"] == trace.output.tolist()
    assert len(told["windows"]) == trace.output.size == prod(trace.output.shape)
    for one, window in zip(told["windows"], trace.windows, strict=True):
        assert one["position"] == list(window.position)
        assert one["places"] == [list(axis) for axis in window.places]
        assert one["value"] == trace.output[window.position]
    if block.startswith("maxpool"):
        assert told["padding"] == {"sides": [[1, 1], [1, 1]], "mode": "constant", "value": "-Infinity"}
        assert told["windows"][0]["values"] == [[["-Infinity", "-Infinity"], ["-Infinity", values[0, 0, 0]]]]
        assert told["windows"][0]["winner"] == [0, 0, 0]


GRID = np.ones((5, 5))


@pytest.mark.parametrize(
    ("block", "input", "arrays", "message"),
    [
        ("relu", GRID, {}, "relu: it slides no window, so there is none to trace; trace one of conv, depthwise"),
        ("linear 3", GRID, {}, "linear 3: it slides no window"),
        ("add input", GRID, {}, "add input: it slides no window"),
        ({"repeat 2": ["maxpool 3"]}, GRID, {}, "repeat: it slides no window"),
        ("maxpol 3", GRID, {}, "maxpol 3: there is no block 'maxpol'; did you mean `maxpool`"),
        (3, GRID, {}, "3 is no block; write it as text"),
        ("conv classes 3", GRID, {}, "conv classes 3: outside a design, `classes` is no number; write a number"),
        ("maxpool 7", GRID, {}, "maxpool 7: its input is 1x5x5, smaller than the 7x7 kernel; pad it (padding=1)"),
        ("maxpool 3x3", np.ones(5), {}, "maxpool 3x3: its kernel 3x3 is for 2 axes, its input has 1 side"),
        ("conv 3 3 groups=2", np.ones((4, 5, 5)), {}, "groups=2 does not divide its 3 filters; use groups=1"),
        ("maxpool 3", np.ones((1, 1, 1, 5, 5)), {}, "input is 1x1x1x5x5: its axes are not (C, *sides) with one to"),
        ("maxpool 3", 3, {}, "input is a single number: its axes are not (C, *sides)"),
        ("maxpool 3", np.ones((1, 3, 5, 5)), {"rank": 2}, "its axes are not 2 sides, after channels or alone"),
        ("maxpool 3", GRID, {"rank": 4}, "rank is 4, not the number of sides of a map; give 1, 2 or 3"),
        ("maxpool 3", np.ones((0, 5)), {}, "input of shape 0x5 is empty; give it at least one value"),
        ("maxpool 3", [[1, 2], [3]], {}, "input is no array: its rows differ in length"),
        ("maxpool 3", [["a"]], {}, "input holds text, not real numbers"),
        ("maxpool 3", [[None]], {}, "input holds Python objects, not real numbers"),
        ("maxpool 3", torch.ones(5, 5, dtype=torch.complex64), {}, "input holds complex numbers, not real numbers"),
        ("maxpool 3", GRID, {"weight": GRID}, "maxpool 3: it has no weights; leave weight and bias out"),
        ("conv 1 3", GRID, {}, "computes with its weights, and there are none; give weight=, an array of 1x1x3x3"),
        ("conv 2 3", GRID, {"weight": np.ones((3, 3))}, "conv 2 3: weight is 3x3; give it 2x1x3x3 (filters x channels"),
        ("conv 1 3", GRID, {"weight": np.ones((3, 3)), "bias": [1, 2]}, "conv 1 3: bias is 2; give it one number"),
        ("conv 1 3 bias=false", GRID, {"weight": np.ones((3, 3)), "bias": 1}, "bias=false says that it has none"),
    ],
)
def test_faults_name_what_is_wrong(block: Any, input: Any, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(fs.FieldstoneError, match=re.escape(message)):
        fs.trace(block, input, **arrays)
