"""Blocks that slide, pool, resize, pad and crop: torch's layers, and windows written out in NumPy."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from chains import single
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.network.build import build

Array = NDArray[np.float64]
MANY = settings(deadline=None, max_examples=300)
NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}

LAYERS: dict[str, nn.Module] = {
    "conv 4 3 stride=2 padding=1 groups=2": nn.Conv2d(6, 4, 3, 2, 1, groups=2),
    "conv 4 3 padding=same dilation=2": nn.Conv2d(6, 4, 3, padding=2, dilation=2),
    "depthwise 3": nn.Conv2d(6, 6, 3, groups=6),
    "depthwise 3x1 stride=2x1 padding=1x0 dilation=2x1 bias=false multiplier=3": nn.Conv2d(
        6, 18, (3, 1), (2, 1), (1, 0), (2, 1), groups=6, bias=False
    ),
    "depthwise 3 padding=1 padding_mode=circular": nn.Conv2d(6, 6, 3, padding=1, groups=6, padding_mode="circular"),
    "separable 5 3 padding=1": nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), nn.Conv2d(6, 5, 1)),
    "separable 5 3 multiplier=2 bias=false": nn.Sequential(
        nn.Conv2d(6, 12, 3, groups=6, bias=False), nn.Conv2d(12, 5, 1, bias=False)
    ),
    "upconv 4 3": nn.ConvTranspose2d(6, 4, 3),
    "upconv 4 3 stride=2 padding=1 output_padding=1": nn.ConvTranspose2d(6, 4, 3, 2, 1, 1),
    "upconv 4 2x4 stride=2x3 padding=0x1 output_padding=1x2 dilation=2 groups=2 bias=false": nn.ConvTranspose2d(
        6, 4, (2, 4), (2, 3), (0, 1), (1, 2), 2, False, 2
    ),
    "maxpool 3 stride=2 padding=1 dilation=2 ceil_mode=true": nn.MaxPool2d(3, 2, 1, 2, ceil_mode=True),
    "maxpool 2 name=kept": nn.MaxPool2d(2),
    "avgpool 3 stride=2 padding=1 ceil_mode=true count_include_pad=false": nn.AvgPool2d(3, 2, 1, True, False),
    "adaptivemaxpool 3x5": nn.AdaptiveMaxPool2d((3, 5)),
    "adaptivemaxpool 11": nn.AdaptiveMaxPool2d(11),
    "adaptiveavgpool 3": nn.AdaptiveAvgPool2d(3),
    "adaptiveavgpool 3x10": nn.AdaptiveAvgPool2d((3, 10)),
    "upsample 2": nn.Upsample(scale_factor=2),
    "upsample 1x3": nn.Upsample(scale_factor=(1, 3)),
    "upsample 2 mode=linear": nn.Upsample(scale_factor=2, mode="bilinear"),
    "upsample 2x3 mode=bilinear align_corners=true": nn.Upsample(None, (2, 3), "bilinear", True),
    "upsample 2 mode=bicubic": nn.Upsample(scale_factor=2, mode="bicubic"),
    "pixelshuffle 1": nn.PixelShuffle(1),
    "pad 1": nn.ZeroPad2d(1),
    "pad 1x2 value=0.5": nn.ConstantPad2d((2, 2, 1, 1), 0.5),
    "pad 2 mode=reflect before=1": nn.ReflectionPad2d((1, 2, 1, 2)),
    "pad 0 after=3x0 mode=replicate": nn.ReplicationPad2d((0, 0, 0, 3)),
    "pad 1 mode=circular": nn.CircularPad2d(1),
    "crop 1x2": nn.ZeroPad2d((-2, -2, -1, -1)),
}  # fmt: skip


@pytest.mark.parametrize("text", LAYERS)
def test_a_block_is_the_layer_of_torch(text: str) -> None:
    layer = LAYERS[text].double()
    ours, design = single(text, (6, 9, 10))
    row = design.walk(1)[0]
    for weight, other in zip(layer.parameters(), ours.parameters(), strict=True):
        other.data.copy_(weight)
    x = torch.randn(2, 6, 9, 10, dtype=torch.float64)
    with FlopCounterMode(display=False) as counter:
        expected = layer(x)
    output = ours(x) if "name=" not in text else ours[0](x, {})
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    assert row.output_shape == tuple(expected.shape[1:])
    assert row.params == sum(weight.numel() for weight in layer.parameters())
    assert 2 * 2 * row.macs == counter.get_total_flops()


def test_the_weights_of_a_block_stand_at_its_path() -> None:
    layers = ["conv 4 2 padding=same", "depthwise 3", "separable 4 3", "upconv 4 3 stride=2 padding=same", "upconv 4 3"]
    network = build(Design((1, 9, 9), [*layers, "conv classes 1"]), 1)
    names = [name for name, _ in network.named_parameters()]
    own = [f"{place}.{part}" for place in (1, 2) for part in ("weight", "bias")]
    separable = ["3.depthwise.weight", "3.pointwise.weight", "3.pointwise.bias"]
    assert names == [*own, *separable, *(f"{n}.{part}" for n in (4, 5, 6) for part in ("weight", "bias"))]


def test_an_even_kernel_with_same_padding_warns_of_nothing() -> None:
    network = build(Design((1, 8, 8), ["conv 2 2x4 padding=same", "conv classes 1"]), 1)
    assert network(torch.zeros(1, 1, 8, 8)).shape == (1, 1, 8, 8)


def tensorflow_same(side: int, span: int, stride: int) -> tuple[int, int]:
    """As TensorFlow documents it for tf.nn, for a window that spans that much."""
    total = max(span - stride, 0) if side % stride == 0 else max(span - side % stride, 0)
    return total // 2, total - total // 2


def lay(
    x: Array, kernel: int, stride: int, dilation: int, pads: list[tuple[int, int]], mode: str, value: float = 0.0
) -> tuple[Array, Array]:
    """Every window of a map (C, H, W), (C, rows, columns, k, k), and whether each place is a pixel."""
    fill: dict[str, Any] = {"constant_values": value} if mode == "constant" else {}
    wide = np.pad(x, [(0, 0), *pads], mode=mode, **fill)  # type: ignore[call-overload]
    real = np.pad(np.ones_like(x[0]), pads)
    starts = [range(0, side - dilation * (kernel - 1), stride) for side in wide.shape[1:]]
    cut = [
        (
            slice(top, top + dilation * (kernel - 1) + 1, dilation),
            slice(left, left + dilation * (kernel - 1) + 1, dilation),
        )
        for top, left in product(*starts)
    ]
    counts = tuple(map(len, starts))
    windows = np.stack([wide[:, rows, columns] for rows, columns in cut], axis=1)
    inside = np.stack([real[rows, columns] for rows, columns in cut])
    return windows.reshape(len(x), *counts, kernel, kernel), inside.reshape(*counts, kernel, kernel)


def two(least: int, most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(least, most), st.integers(least, most))


SIDES = two(1, 12)


@MANY
@given(SIDES, st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.sampled_from(sorted(NUMPY_MODES)))
def test_same_convolution_is_that_of_tensorflow(
    sides: tuple[int, int], kernel: int, stride: int, dilation: int, mode: str
) -> None:
    span = dilation * (kernel - 1) + 1
    pads = [tensorflow_same(side, span, stride) for side in sides]
    most = {"reflect": -1, "circular": 0}.get(mode, 99)
    if any(max(pad) > side + most for pad, side in zip(pads, sides, strict=True)):
        return  # torch refuses, and so does the walk
    keys = f"stride={stride} dilation={dilation} padding=same padding_mode={mode}"
    network, _ = single(f"conv 3 {kernel} {keys}", (2, *sides))
    weight, bias = (parameter.detach().numpy() for parameter in network.parameters())
    x = np.random.default_rng(0).normal(size=(2, *sides))
    windows, _ = lay(x, kernel, stride, dilation, pads, NUMPY_MODES[mode])
    expected = np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]
    assert expected.shape[1:] == tuple(-(-side // stride) for side in sides)
    np.testing.assert_allclose(network(torch.from_numpy(x)[None])[0].detach().numpy(), expected, atol=1e-12)


@MANY
@given(SIDES, st.integers(1, 6), st.integers(1, 5), st.integers(1, 3))
def test_same_max_pooling_never_takes_padding(sides: tuple[int, int], kernel: int, stride: int, dilation: int) -> None:
    pads = [tensorflow_same(side, dilation * (kernel - 1) + 1, stride) for side in sides]
    x = np.random.default_rng(0).normal(size=(2, *sides)) - 5  # below any zero
    windows, inside = lay(x, kernel, stride, dilation, pads, "constant", -np.inf)
    text = f"maxpool {kernel} stride={stride} dilation={dilation} padding=same"
    if not inside.any(axis=(2, 3)).all():
        with pytest.raises(DesignError, match="reads padding alone"):
            Design((2, *sides), [text, "conv classes 1"]).walk(1)
        return
    network, _ = single(text, (2, *sides))
    np.testing.assert_array_equal(network(torch.from_numpy(x)[None])[0].numpy(), windows.max(axis=(3, 4)))


@MANY
@given(SIDES, st.integers(1, 6), st.integers(1, 5), st.booleans(), st.booleans())
def test_same_average_pooling_counts_padding_or_does_not(
    sides: tuple[int, int], kernel: int, stride: int, counts: bool, ceil: bool
) -> None:
    pads = [tensorflow_same(side, kernel, stride) for side in sides]
    keys = f"padding=same count_include_pad={'true' if counts else 'false'} ceil_mode={'true' if ceil else 'false'}"
    network, _ = single(f"avgpool {kernel} stride={stride} {keys}", (2, *sides))
    x = np.random.default_rng(0).normal(size=(2, *sides))
    windows, inside = lay(x, kernel, stride, 1, pads, "constant")
    expected = windows.sum(axis=(3, 4)) / (kernel**2 if counts else inside.sum(axis=(2, 3)))
    np.testing.assert_allclose(network(torch.from_numpy(x)[None])[0].numpy(), expected, atol=1e-12)


def test_the_average_at_three_by_two_same_on_eight_pixels() -> None:
    """The case that Keras's own torch backend gets wrong: every window starts on a pixel, the last hangs over."""
    x = torch.arange(8, dtype=torch.float64).reshape(1, 1, 8)
    for key, last in (("count_include_pad=false", 6.5), ("count_include_pad=true", 13 / 3)):
        network, _ = single(f"avgpool 3 stride=2 padding=same {key}", (1, 8))
        assert network(x).flatten().tolist() == pytest.approx([1, 3, 5, last])


@pytest.mark.parametrize("shape", [(2, 1, 3, 2), (2, 3, 4, 5)])
@pytest.mark.parametrize("counts", ["true", "false"])
def test_same_average_pooling_in_three_axes_takes_maps_smaller_than_its_kernel(
    shape: tuple[int, ...], counts: str
) -> None:
    network, _ = single(f"avgpool 3 stride=1 padding=same count_include_pad={counts}", shape)
    x = torch.randn(1, *shape, dtype=torch.float64)
    ones = torch.ones(2, 1, 3, 3, 3, dtype=torch.float64)
    sums = F.conv3d(x, ones, padding=1, groups=2)
    count = 27 if counts == "true" else F.conv3d(torch.ones_like(x), ones, padding=1, groups=2)
    torch.testing.assert_close(network(x), sums / count)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(1, 12))
@MANY
def test_a_causal_convolution_sees_nothing_that_comes_later(
    kernel: int, dilation: int, stride: int, length: int
) -> None:
    network, _ = single(f"conv 2 {kernel} dilation={dilation} stride={stride} padding=causal", (1, length))
    weight, bias = (parameter.detach().numpy() for parameter in network.parameters())
    x = np.random.default_rng(0).normal(size=length)
    spread = np.zeros((2, dilation * (kernel - 1) + 1))
    spread[:, ::dilation] = weight[:, 0]
    expected = [np.convolve(x, taps[::-1])[:length:stride] + add for taps, add in zip(spread, bias, strict=True)]
    np.testing.assert_allclose(network(torch.from_numpy(x)[None, None])[0].detach().numpy(), expected, atol=1e-12)


@MANY
@given(SIDES, st.integers(1, 5), st.integers(1, 4), st.integers(1, 2))
def test_same_transposed_convolution_is_the_gradient_of_the_same_convolution(
    sides: tuple[int, int], kernel: int, stride: int, dilation: int
) -> None:
    """As Keras's Conv2DTranspose: what tf.nn.conv2d with SAME from side * stride to side passes back."""
    network, design = single(f"upconv 3 {kernel} stride={stride} dilation={dilation} padding=same", (2, *sides))
    large = tuple(side * stride for side in sides)
    assert design.walk(1)[0].output_shape == (3, *large)
    (top, bottom), (left, right) = (tensorflow_same(side, dilation * (kernel - 1) + 1, stride) for side in large)
    weight, bias = network.parameters()
    y = torch.zeros(1, 3, *large, dtype=torch.float64, requires_grad=True)
    down = F.conv2d(F.pad(y, (left, right, top, bottom)), weight.detach(), stride=stride, dilation=dilation)
    x = torch.randn(1, 2, *sides, dtype=torch.float64)
    (expected,) = torch.autograd.grad(down, y, x)
    torch.testing.assert_close(network(x), expected + bias.detach()[:, None, None])


@MANY
@given(two(1, 6), two(1, 4), two(1, 3), two(0, 3), two(1, 3), two(0, 2))
def test_a_transposed_convolution_has_the_sides_of_torch_or_is_refused_with_it(
    sides: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    more: tuple[int, int],
) -> None:
    keys = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": more}
    written = " ".join(f"{key}={a}x{b}" for key, (a, b) in keys.items())
    layer = nn.ConvTranspose2d(2, 3, kernel, **keys)  # type: ignore[arg-type]
    design = Design((2, *sides), [f"upconv 3 {kernel[0]}x{kernel[1]} {written}", "conv classes 1"])
    try:
        expected = tuple(layer(torch.zeros(1, 2, *sides)).shape[1:])
    except RuntimeError:
        expected = (0,)
    if min(expected) == 0:  # torch refuses what is less than nothing, and gives maps without a value
        with pytest.raises(DesignError, match=r"not smaller than its stride|cuts all of it away"):
            design.walk(1)
        return
    assert design.walk(1)[0].output_shape == expected
