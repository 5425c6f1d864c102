"""Receptive fields against gradients of torch's own layers, one axis; every weight 1, so that nothing cancels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from fieldstone.design.design import Design
from fieldstone.design.field import Field
from fieldstone.geometry import Moves, Resized, Transposed, Window

PIXELS, FEW, MANY = 400, 60, 800
Layer = tuple[Moves, Callable[[Tensor], Tensor]]


def ones(kernel: int) -> Tensor:
    return torch.ones(1, 1, kernel, dtype=torch.float64)


@st.composite
def layer(draw: st.DrawFn, size: int) -> Layer:
    """A block that moves, and torch's layer of it, for an axis of that size."""
    kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 2))
    ratio = draw(st.sampled_from([(1, 3), (1, 2), (2, 3), (1, 1), (3, 2), (2, 1), (3, 1)]))
    out = max(1, size * ratio[0] // ratio[1])
    kinds = ["window", "window"]
    kinds += ["adaptive"] if size > FEW else []
    kinds += ["transposed", "nearest", "linear", "corners"] if size < MANY else []
    kind = draw(st.sampled_from(kinds))
    if kind == "window":
        window = Window((kernel,), (stride,), (dilation,), ((padding, padding),))
        return window, lambda x: F.conv1d(x, ones(kernel), stride=stride, padding=padding, dilation=dilation)
    if kind == "transposed":
        extra = draw(st.integers(0, max(stride, dilation) - 1))
        transposed = Transposed((kernel,), (stride,), (dilation,), (padding,), (extra,))
        return transposed, lambda x: F.conv_transpose1d(
            x, ones(kernel), stride=stride, padding=padding, output_padding=extra, dilation=dilation
        )
    if kind == "adaptive":
        return Resized((out,), "adaptive"), lambda x: F.adaptive_avg_pool1d(x, out)
    if kind == "nearest":
        return Resized((out,), "nearest"), lambda x: F.interpolate(x, out)
    corners = kind == "corners"
    return Resized((out,), "linear", corners), lambda x: F.interpolate(x, out, mode="linear", align_corners=corners)


def moving(value: Tensor, pixels: Tensor) -> tuple[int, int] | None:
    """The first and the last pixel that moves a value."""
    (gradient,) = torch.autograd.grad(value, pixels, retain_graph=True)
    places = (gradient.flatten().abs() > 1e-9).nonzero().flatten().tolist()  # torch's rounding is no weight
    return (places[0], places[-1]) if places else None


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_each_value_sees_what_moves_it(data: st.DataObject) -> None:
    pixels = torch.ones(1, 1, PIXELS, dtype=torch.float64, requires_grad=True)
    field, values, length = Field.of_input((PIXELS,)), pixels, PIXELS
    for _ in range(data.draw(st.integers(1, 4))):
        moves, compute = data.draw(layer(length))
        (after,) = moves.output_sizes((length,))
        if after < 1:
            continue
        field, values, length = field.moved(moves, (length,), (after,)), compute(values), after
        assert values.shape[2] == length
    seen = field.axes[0].seen
    margin = seen.field + max(1, int(seen.jump))  # nearer to the ends, some border on the way may clip
    for place in {0, length - 1, *range(length // 2, min(length, length // 2 + 6))}:
        span, moved = seen.span(place), moving(values[0, 0, place], pixels)
        if span is None or moved is None:
            assert moved is None
        elif span[0] >= margin and span[1] < PIXELS - margin:
            assert moved == span
        else:
            assert moved[0] >= span[0] - margin
            assert moved[1] <= span[1] + margin


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("out", [7, 11, 18, 20, 24, 31, 57])
def test_cubic_interpolation_reads_the_four_around_a_value(out: int, corners: bool) -> None:
    """Alone: its weights are not all positive, and could cancel after others. Torch has it for two axes."""
    pixels = torch.ones(1, 1, 24, dtype=torch.float64, requires_grad=True)
    rows = F.interpolate(pixels.unsqueeze(2), (1, out), mode="bicubic", align_corners=corners)
    seen = Field.of_input((24,)).moved(Resized((out,), "cubic", corners), (24,), (out,)).axes[0].seen
    for place in range(out):
        span = seen.span(place)
        assert span is not None
        assert moving(rows[0, 0, 0, place], pixels) == (max(0, span[0]), min(23, span[1]))


def test_receptive_field_and_jump_of_vgg_16_are_those_that_were_published() -> None:
    """Araujo, Norris and Sim, Distill 2019: VGG-16 sees 212 pixels, 32 apart."""
    seen = Field.of_input((224,))
    side = 224
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            seen = seen.moved(Window((3,), (1,), (1,), ((1, 1),)), (side,), (side,))
        seen = seen.moved(Window((2,), (2,), (1,), ((0, 0),)), (side,), (side // 2,))
        side //= 2
    assert (seen.receptive_field, seen.jump) == ((212,), (32,))


def test_paths_that_drift_apart_are_seen_together_at_every_place() -> None:
    pixels = torch.ones(1, 1, 64, dtype=torch.float64, requires_grad=True)
    start = Field.of_input((64,))
    slow = start.moved(Window((9,), (1,), (1,), ((4, 4),)), (64,), (64,))  # field 9, jump 1
    fast = start.moved(Window((1,), (4,), (1,), ((96, 96),)), (64,), (64,))  # field 1, jump 4
    assert (slow.receptive_field, fast.receptive_field, slow.joined(fast).jump) == ((9,), (1,), (1,))
    values = F.conv1d(pixels, ones(9), padding=4) + F.conv1d(pixels, ones(1), stride=4, padding=96)
    spans = [slow.joined(fast).axes[0].span(place) or (0, 0) for place in range(64)]
    assert [(max(0, first), min(63, last)) for first, last in spans] == [
        moving(value, pixels) for value in values[0, 0]
    ]
    after = slow.joined(fast).moved(Window((3,), (1,), (1,), ((0, 0),)), (64,), (62,))
    for field, made in ((slow.joined(fast), values), (after, F.conv1d(values, ones(3)))):
        moved = [moving(value, pixels) or (0, -1) for value in made[0, 0]]
        assert field.receptive_field == (max(last - first + 1 for first, last in moved),)


def test_a_block_that_sees_everything_ends_the_jump() -> None:
    window = Window((3, 3), (2, 2), (1, 1), ((0, 0), (0, 0)))
    seen = Field.of_input((10, 20)).moved(window, (10, 20), (4, 9)).whole(())
    assert (seen.receptive_field, seen.jump) == ((3 + 3 * 2, 3 + 8 * 2), None)


def test_a_gate_over_a_map_keeps_its_sides_for_a_crop() -> None:
    gated = {"residual": {"body": ["squeezeexcite 1"], "shortcut": ["conv 1 31 padding=15"]}}
    layers = [gated, "save a", "conv 1 5", "add a crop=true", "conv classes 1"]
    field = Design((1, 20), layers).walk(1)[-1].field
    assert field.axes[0].span(0) == (-15, 19)


def test_odd_ratios_one_after_another_are_quick_and_exact_where_values_are() -> None:
    sizes = [97, 89, 83, 79, 73, 71, 67]
    pixels = torch.ones(1, 1, 97, dtype=torch.float64, requires_grad=True)
    field, values = Field.of_input((97,)), pixels
    for before, after in pairwise(sizes):  # together a period of 71 * 73 * 79 * 83 * 89 * 97 values
        field = field.moved(Resized((after,), "adaptive"), (before,), (after,))
        values = F.adaptive_avg_pool1d(values, after)
    seen = field.axes[0].seen
    assert [seen.span(place) for place in range(67)] == [moving(value, pixels) for value in values[0, 0]]
