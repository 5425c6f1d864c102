"""Traces of adaptive pooling against torch and its gradients; what traces say, in text, JSON and faults."""

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
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.explain.boxes import WIDTH
from fieldstone.explain.windows import MaxWindow, MeanWindow, SpreadWindow
from traces import normal, per_axis, random_map, scattered, sides_of, some, traced, written

MAX_POOLS = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
AVG_POOLS = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


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
