"""Each row of docs/keras.md against Keras itself, on its JAX backend: `make test-keras`."""

from __future__ import annotations

import inspect
import os
import re
from typing import Any

import numpy as np
import pytest
import torch

import keras_by_hand
from chains import chain, run
from fieldstone.design.design import Design
from fieldstone.network.build import build
from keras_cases import EACH_CASE, Case
from keras_rows import ARGUMENTS, ROWS, Arrays, Options

if os.environ.get("KERAS_BACKEND") != "jax":
    pytest.skip("`make test-keras` runs these, with Keras on JAX", allow_module_level=True)

import keras
from keras import layers

# Keras's variables have the `__array__` of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def test_every_layer_of_the_pages_on_convolution_and_pooling_has_its_row() -> None:
    public = {one.__name__ for one in vars(layers).values() if inspect.isclass(one)}
    documented = {name for name in public if re.search(r"(Conv|Pooling)\dD", name) and "LSTM" not in name}
    assert len(documented) >= 28
    assert documented <= {row.layer for row in ROWS.values()}


@pytest.mark.parametrize(("name", "case"), EACH_CASE)
def test_a_row_computes_what_keras_computes(name: str, case: Case) -> None:
    shape, options = case
    row = ROWS[name]
    arrays = keras_by_hand.weights(row.layer, shape[0], len(shape) - 1, options)
    x = np.random.default_rng(2).normal(size=(2, *shape)).astype(np.float32)
    expected = by_keras(row.layer, x, options, arrays)
    np.testing.assert_allclose(row.run(x, options, arrays), expected, **CLOSE)
    by_hand = [keras_by_hand.compute(row.layer, one, options, arrays) for one in x.astype(float)]
    np.testing.assert_allclose(by_hand, expected, **CLOSE, err_msg="the windows by hand are not those of Keras")


def by_keras(name: str, x: np.ndarray, options: Options, arrays: Arrays) -> np.ndarray:
    """What Keras's layer gives for a batch (N, C, *sides), in that order."""
    kind = getattr(layers, name)
    layer = kind(**dict(argument(kind, letter, value, options) for letter, value in options.items() if letter != "W"))
    last = np.moveaxis(x, 1, -1)
    layer.build(last.shape)
    assert {weight.name for weight in layer.weights} == arrays.keys()
    for weight in layer.weights:
        assert weight.shape == arrays[weight.name].shape
        weight.assign(arrays[weight.name])
    return np.moveaxis(keras.ops.convert_to_numpy(layer(last)), -1, 1)


def argument(kind: type, letter: str, value: Any, options: Options) -> tuple[str, Any]:
    """A letter of the page as an argument of that layer."""
    names = ARGUMENTS["V, W" if letter == "V" else letter]
    taken = {*inspect.signature(kind).parameters, *(["groups"] if letter == "G" else [])}
    (name,) = taken.intersection(names)
    if letter == "V":
        one_axis = not isinstance(value, tuple)
        value = (value, options["W"]) if one_axis else tuple(zip(value, options["W"], strict=True))
    return name, value


@pytest.mark.parametrize("layer", sorted({row.layer for row in ROWS.values()}))
def test_the_defaults_are_those_of_the_page(layer: str) -> None:
    defaults = {name: one.default for name, one in inspect.signature(getattr(layers, layer)).parameters.items()}
    pooling = "Pooling" in layer
    page = {
        "strides": {None} if pooling else {1, (1,), (1, 1), (1, 1, 1)},
        "dilation_rate": {1, (1, 1), (1, 1, 1)},
        "groups": {32} if layer == "GroupNormalization" else {1},
        "use_bias": {True},
        "depth_multiplier": {1},
        "output_padding": {None},
        "keepdims": {False},
        "interpolation": {"nearest"},
        "epsilon": {0.001},
        "momentum": {0.99},
        "pool_size": {2, (2, 2), (2, 2, 2)} if layer.startswith("Max") else {inspect.Parameter.empty},
        "padding": {1, (1, 1), ((1, 1),) * 3} if layer.startswith("Zero") else {"valid"},
    }
    assert all(default in page[name] for name, default in defaults.items() if name in page)


def test_flatten_and_dense_are_carried_across_in_another_order() -> None:
    model = keras.Sequential([layers.Conv2D(5, 3), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(4)])
    x = np.random.default_rng(3).normal(size=(2, 3, 8, 10)).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(np.moveaxis(x, 1, -1)))
    first, first_bias, kernel, bias = model.get_weights()
    h, w, c, f = 3, 4, 5, 4
    rows = kernel.reshape(h, w, c, f).transpose(3, 2, 0, 1).reshape(f, c * h * w)  # the page's expression
    network = build(Design((3, 8, 10), ["conv 5 3", "maxpool 2", "flatten", "linear classes"]), 4).eval()
    state = zip(network.state_dict(), (first.transpose(3, 2, 0, 1), first_bias, rows, bias), strict=True)
    network.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state})
    with torch.inference_mode():
        np.testing.assert_allclose(network(torch.from_numpy(x)).numpy(), expected, **CLOSE)


def test_batch_statistics_move_as_the_page_says() -> None:
    x = np.random.default_rng(4).normal(2, 3, size=(4, 3, 5, 6)).astype(np.float32)
    layer = layers.BatchNormalization(momentum=0.9)
    expected = keras.ops.convert_to_numpy(layer(np.moveaxis(x, 1, -1), training=True))
    norm = build(Design((3, 5, 6), ["batchnorm eps=0.001 momentum=0.1", "flatten", "linear classes"]), 1).train()[0]
    output = norm(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(np.moveaxis(output, 1, -1), expected, **CLOSE)
    _, _, mean, variance = map(keras.ops.convert_to_numpy, layer.weights)
    np.testing.assert_allclose(norm.running_mean.numpy(), mean, **CLOSE)
    n = x[:, 0].size
    new, old = variance - 0.9, norm.running_var.numpy() - 0.9  # 0.1 · the batch's, over n and over n - 1
    np.testing.assert_allclose(old, new * n / (n - 1), **CLOSE)


def test_bicubic_upsampling_differs_as_the_page_says() -> None:
    x = np.random.default_rng(5).normal(size=(1, 2, 6, 6)).astype(np.float32)
    keras_gives = by_keras("UpSampling2D", x, {"N": 2, "I": "bicubic"}, {})
    ours = run(chain((2, 6, 6), ["upsample 2 mode=bicubic"]), 1, x)
    assert np.abs(ours - keras_gives).max() > 0.05


@pytest.mark.parametrize("layer", ["Conv2D", "Conv2DTranspose"])
def test_strides_and_dilation_together_are_refused_by_keras(layer: str) -> None:
    with pytest.raises(ValueError, match=r"`strides > 1` not supported in conjunction with `dilation_rate > 1`"):
        getattr(layers, layer)(2, 3, strides=2, dilation_rate=2)(np.ones((1, 9, 9, 2)))


def test_a_window_too_large_gives_keras_an_empty_map() -> None:
    assert layers.MaxPooling2D(9)(np.ones((1, 8, 8, 4))).shape == (1, 0, 0, 4)
