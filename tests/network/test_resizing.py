"""Maps made larger, unpooled, shuffled, padded and cropped, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from chains import single
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.network.build import build

MANY = settings(deadline=None, max_examples=300)
SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@MANY
@given(
    SIDES, st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.sampled_from(["same", "0", "1"]), st.booleans()
)
def test_unpooling_puts_each_value_where_the_pooling_found_it(
    sides: tuple[int, int], kernel: int, stride: int, dilation: int, padding: str, ceil: bool
) -> None:
    keys = f"stride={stride} dilation={dilation} padding={padding} ceil_mode={'true' if ceil else 'false'}"
    design = Design((2, *sides), [f"maxpool {kernel} {keys} name=p", "maxunpool p", "conv classes 1"])
    try:
        pooled, unpooled, _ = (row.output_shape for row in design.walk(1))
    except DesignError:
        return  # it does not fit; others hold when
    network = build(design, 1)[:2].double()
    x = torch.randn(1, 2, *sides, dtype=torch.float64)
    output = network(x)[0].numpy()
    assert output.shape == unpooled == (2, *sides)
    largest = network[0](x, {})[0].numpy()
    assert largest.shape == pooled
    values = x[0].numpy()  # all different
    expected = np.where(np.isin(values, largest), values, 0.0)
    np.testing.assert_array_equal(output, expected)


def test_unpooled_values_are_those_that_come_not_those_that_went() -> None:
    x = torch.tensor([[[1.0, 5.0, 2.0, 3.0, 4.0]]])
    network = build(Design((1, 5), ["maxpool 2 name=p", "tanh", "maxunpool p", "conv classes 1"]), 1)[:3]
    tanh = np.tanh([5.0, 3.0])
    assert network(x).flatten().tolist() == pytest.approx([0, tanh[0], 0, tanh[1], 0])


def test_upsampling_like_a_saved_map_takes_its_sides() -> None:
    layers = ["conv 2 3", "save a", "maxpool 2", "upsample like=a mode=linear", "upsample like=input", "conv classes 1"]
    network = build(Design((1, 9, 12), layers), 1)
    x = torch.randn(1, 1, 9, 12)
    pooled = F.max_pool2d(network[0](x), 2)
    expected = F.interpolate(F.interpolate(pooled, (7, 10), mode="bilinear"), (9, 12))
    torch.testing.assert_close(network[:5](x, {}), expected)


def test_channels_become_pixels_row_by_row() -> None:
    x = np.arange(2 * 4 * 3 * 2, dtype=float).reshape(8, 3, 2)
    network, _ = single("pixelshuffle 2", (8, 3, 2))
    expected = np.empty((2, 6, 4))
    for c, row, column in np.ndindex(2, 6, 4):
        expected[c, row, column] = x[4 * c + 2 * (row % 2) + column % 2, row // 2, column // 2]
    np.testing.assert_array_equal(network(torch.from_numpy(x)[None])[0].numpy(), expected)


@pytest.mark.parametrize(("mode", "numpy"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_pads_show_what_numpy_pads_with(mode: str, numpy: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 6))
    network, _ = single(f"pad 2 before=1x0x3 mode={mode}", x.shape)
    expected = np.pad(x, [(0, 0), (1, 2), (0, 2), (3, 2)], mode=numpy)  # type: ignore[call-overload]
    np.testing.assert_array_equal(network(torch.from_numpy(x)[None])[0].numpy(), expected)
    back, _ = single("crop 2 before=1x0x3", expected.shape)
    np.testing.assert_array_equal(back(torch.from_numpy(expected)[None])[0].numpy(), x)
