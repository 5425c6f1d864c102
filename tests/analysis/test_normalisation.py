"""Rules about batch normalisation: torch says that a bias does nothing, and how a variance shifts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import fieldstone as fs
from fieldstone.network.build import build
from rules import numbers, said

END = ["relu", "globalavgpool", "linear classes"]


@pytest.mark.parametrize(
    ("layers", "where", "channels", "mended"),
    [
        (["conv 8 3", "batchnorm", *END], "1", 8, "conv 8 3 bias=false"),
        (["conv 6 3 groups=3 padding=1", "batchnorm", *END], "1", 6, "conv 6 3 padding=1 groups=3 bias=false"),
        (["conv 8 3", "batchnorm affine=false", *END], "1", 8, "conv 8 3 bias=false"),
        (["upconv 8 3", "batchnorm", *END], "1", 8, "upconv 8 3 bias=false"),
        (["depthwise 3", "batchnorm", *END], "1", 3, "depthwise 3 bias=false"),
        (["flatten", "linear 1", "batchnorm", "relu", "linear classes"], "2", 1, "linear 1 bias=false"),
        (
            ["relu", {"residual": ["conv 3 1", "batchnorm", "relu"]}, "relu", *END],
            "2.body.1",
            3,
            "conv 3 1 bias=false",
        ),
        (
            ["conv 8 3", {"branches concat": [["batchnorm", "relu"], ["batchnorm", "tanh"]]}, *END],
            "1",
            8,
            "conv 8 3 bias=false",
        ),
    ],
)
def test_a_bias_before_batchnorm_is_noted_and_does_nothing(
    layers: list[Any], where: str, channels: int, mended: str
) -> None:
    (found,) = said("FS205", (3, 9, 9), *layers)
    assert (found.severity, found.where) == ("note", where)
    assert numbers(found.message)[-1] == channels
    assert found.fix == f"write {mended}"
    network = build(fs.Design((3, 9, 9), layers), 10).double()
    inputs = torch.randn(8, 3, 9, 9, dtype=torch.float64)
    before, bias = network(inputs), network.get_parameter(f"{where}.bias")
    with torch.no_grad():
        bias += torch.randn(channels, dtype=torch.float64)
    torch.testing.assert_close(network(inputs), before)
    network(inputs).square().sum().backward()
    assert bias.grad is not None
    torch.testing.assert_close(bias.grad, torch.zeros_like(bias), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    "layers",
    [
        ["conv 8 3 bias=false", "batchnorm", *END],
        ["conv 8 3", *END],
        ["conv 8 3", "relu", "batchnorm", *END],
        ["conv 8 3", "groupnorm 2", *END],
        ["conv 8 3", {"residual": ["batchnorm", "relu", "conv 8 1"]}, *END],  # the sum keeps it
        ["conv 8 3", "save x", "batchnorm", "concat x", *END],
        ["layernorm", "batchnorm", *END],  # a bias of another kind: one a value
        ["globalavgpool", "linear classes"],
    ],
)
def test_a_bias_of_which_something_is_left_is_none(layers: list[Any]) -> None:
    assert said("FS205", (3, 9, 9), *layers) == []


def test_the_parameters_that_are_fewer_are_counted() -> None:
    layers = ["conv 8 3", "batchnorm", *END]
    (found,) = said("FS205", (3, 9, 9), *layers)
    fixed = fs.Design((3, 9, 9), [found.fix.removeprefix("write "), *layers[1:]])
    saved = fs.inspect(fs.Design((3, 9, 9), layers)).params - fs.inspect(fixed).params
    assert found.message == f"batchnorm at 2 takes away the bias of conv 8 3, {saved} parameters"
    assert said("FS205", (3, 9, 9), *fixed.layers) == []


@pytest.mark.parametrize(
    ("layers", "where", "norm"),
    [
        (["conv 8 3", "dropout 0.2", "batchnorm", *END], "2", "3"),
        (["conv 8 3", "relu", "channeldropout 0.2", "conv 8 3", "batchnorm", *END], "3", "5"),
        (["conv 8 3", "relu", "dropout 0.2", "maxpool 2", "relu", "conv 8 3", "batchnorm", *END], "3", "7"),
        (["flatten", "dropout 0.2", "linear 9", "batchnorm", "relu", "linear classes"], "2", "4"),
        (["conv 3 1", {"residual": ["relu", "conv 3 1", "dropout 0.2"]}, "batchnorm", *END], "2.body.3", "3"),
        (
            [{"repeat 2": [{"branches concat": [[], ["batchnorm", "relu", "conv 8 1", "dropout 0.2"]]}]}, *END],
            "1.1.1.2.4",
            "1.2.1.2.1",
        ),  # as a densenet with dropout
    ],
)
def test_dropout_before_batchnorm_is_found(layers: list[Any], where: str, norm: str) -> None:
    (found,) = said("FS206", (3, 9, 9), *layers)
    assert (found.severity, found.where, found.fix) == (
        "warning",
        where,
        "put it after the last batchnorm, or leave it out",
    )
    assert f"1.25 times as large in training as in prediction, and batchnorm at {norm} " in found.message


@pytest.mark.parametrize(
    "layers",
    [
        ["conv 8 3", "batchnorm", "relu", "globalavgpool", "dropout 0.2", "linear classes"],
        ["conv 8 3", "dropout 0", "batchnorm", *END],
        ["conv 8 3", "selu", "alphadropout 0.2", "conv 8 3", "batchnorm", *END],  # it keeps mean and variance
        ["conv 8 3", "dropout 0.2", "groupnorm 2", "conv 8 3", "batchnorm", *END],
        ["conv 8 3", "dropout 0.2", "conv 8 3", "relu", "conv 8 3", "batchnorm", *END],  # far
        ["conv 8 3", {"branches concat": [["batchnorm"], ["dropout 0.2"]]}, *END],
    ],
)
def test_dropout_that_no_batchnorm_is_near_is_none(layers: list[Any]) -> None:
    assert said("FS206", (3, 9, 9), *layers) == []


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("between", [[], ["conv 4 1 bias=false"]])
def test_the_variance_that_batchnorm_keeps_is_as_many_times_that_of_prediction(p: float, between: list[str]) -> None:
    torch.manual_seed(0)
    layers = [f"dropout {p}", *between, "batchnorm momentum=1", *END]
    network = build(fs.Design((4, 50, 50), layers), 10)
    inputs = torch.randn(50, 4, 50, 50)
    with torch.no_grad():
        network(inputs)
        norm = network[1 + len(between)]
        seen = network[: 1 + len(between)].eval()(inputs).var(dim=(0, 2, 3))
    (found,) = said("FS206", (4, 50, 50), *layers)
    times = float(found.message.split(" mean square ")[1].split()[0])
    torch.testing.assert_close(norm.running_var / seen, torch.full((4,), times), rtol=0.03, atol=0)
