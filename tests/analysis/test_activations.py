"""Missing activations: torch says what is one linear map. Late ones: torch says where the order makes no difference."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import fieldstone as fs
from fieldstone.design.blocks.activation import ACTIVATIONS, OVER_CHANNELS
from fieldstone.network.build import build
from rules import numbers, said

END = ["relu", "globalavgpool", "linear classes"]
BOTTLENECK = ["conv 24 1", "batchnorm", "relu6", "conv 24 3 padding=1 groups=24", "batchnorm", "relu6", "conv 6 1"]


@pytest.mark.parametrize(
    ("layers", "where", "what"),
    [
        (["conv 8 3", "conv 8 3", *END], "2", "conv 8 3 at 1"),
        (["conv 8 3", "batchnorm", "dropout 0.1", "avgpool 2", "conv 8 3", *END], "5", "conv 8 3 at 1"),
        (["flatten", "linear 20", "relu", "linear 9", "linear classes"], "5", "linear 9 at 4"),
        (["conv 8 3", "globalavgpool", "linear classes"], "3", "conv 8 3 at 1"),
        (["conv 8 3", "flatten", "linear classes"], "3", "conv 8 3 at 1"),
        (["conv 8 3", "groupnorm 2", "conv 8 3", *END], "3", "conv 8 3 at 1"),
        (["conv 8 3", {"residual": ["relu", "conv 8 1"]}, "relu", "conv 8 1", "conv 9 3", *END], "5", "conv 8 1 at 4"),
        (
            [
                "relu",
                {"branches concat": [["conv 4 1"], ["conv 4 3 padding=1"], ["conv 4 3 padding=1"]]},
                "conv 8 3",
                *END,
            ],
            "3",
            "conv 4 1 at 2.1.1 and conv 4 3 padding=1 at 2.2.1 and 1 more",
        ),
        (["conv 4 1", "save a", "conv 5 3 padding=1", "concat a", "conv 8 3", *END], "3", "conv 4 1 at 1"),
        (["conv 3 3 groups=3", "conv 8 1", "batchnorm", "conv 9 3", *END], "4", "conv 8 1 at 2"),
        (["conv 8 1x3", "conv 8 1x3", *END], "2", "conv 8 1x3 at 1"),
        (["separable 8 3", "separable 8 3", *END], "2", "separable 8 3 at 1"),
        (["conv 8 3", "upconv 8 2 stride=2", *END], "2", "conv 8 3 at 1"),
        (["conv 8 3", "upsample 2", "pad 1", "conv 8 3", *END], "4", "conv 8 3 at 1"),
        (["conv 3 3 groups=3", "conv 8 3", *END], "2", "conv 3 3 groups=3 at 1"),  # not pointwise
        (["conv 2 1", "conv 2 3", *END], "2", "conv 2 1 at 1"),  # narrows and does not widen
        (["conv 2 1", "conv 3 1", *END], "2", "conv 2 1 at 1"),  # 12 weights where 9 would do
    ],
)
def test_two_layers_without_an_activation_between_are_found(layers: list[Any], where: str, what: str) -> None:
    found = [one for one in said("FS203", (3, 16, 16), *layers) if one.where == where]
    assert [one.severity for one in found] == ["warning"]
    name = fs.Design((3, 16, 16), layers).layers[int(where) - 1].keyword
    assert found[0].message.startswith(f"no activation stands between {what} and this {name} ")
    assert found[0].fix == "put one between, such as relu, or leave one of the layers out"


@pytest.mark.parametrize(
    "layers",
    [
        ["conv 8 3", "relu", "conv 8 3", *END],
        ["conv 8 3", "maxpool 2", "conv 8 3", *END],
        ["conv 8 3", "localresponsenorm 3", "conv 8 3", *END],
        ["conv 8 3", "squeezeexcite 2", "conv 8 3", *END],
        ["relu", {"branches multiply": [["conv 8 1"], ["conv 8 1", "sigmoid"]]}, "conv 8 3", *END],
        ["conv 3 3 groups=3", "batchnorm", "conv 8 1", *END],  # depthwise and pointwise
        ["depthwise 3", "batchnorm", "conv 8 1", *END],
        ["separable 8 3", "batchnorm", "relu", "separable 8 3", *END],
        [
            "conv 8 3 padding=1",
            "relu",
            "save x",
            "maxpool 2",
            "conv 9 1",
            "relu",
            "upconv 8 2 stride=2",
            "concat x",
            "conv 8 3",
            *END,
        ],  # a u-net
        ["conv 12 3 groups=3", "conv 8 1", *END],
        ["conv 8 1x3", "conv 8 3x1", *END],  # a row and a column
        ["conv 8 3", "relu", "conv 4 1", "batchnorm", "conv 24 1", *END],  # a linear bottleneck
        ["flatten", "linear 9", "linear 99", "relu", "linear classes"],  # a matrix as a product of two
        ["conv 6 1", *({"residual": [*BOTTLENECK, "batchnorm"]} for _ in range(3)), *BOTTLENECK, *BOTTLENECK, *END],
        ["conv 8 3", {"repeat 2": [{"residual": ["batchnorm", "relu", "conv 8 3 padding=1"]}]}, "batchnorm", *END],
        ["conv 8 3", {"residual": {"body": ["relu", "conv 16 1"], "shortcut": ["conv 16 1"]}}, *END],
        ["relu", {"residual": ["conv 3 1", "batchnorm"]}, "conv 8 3", *END],  # a sum keeps what was there
        ["conv 8 3 padding=1", "relu", "save skip", "conv 8 1", "concat skip", "conv 8 3", *END],  # as in a u-net
        ["conv 8 3", "save linear", "relu", "concat linear", "conv 8 3", *END],  # a kept value beside its relu
        ["relu", "conv 8 1", "save a", "conv classes 1", "concat a"],  # it leaves the network too
        ["conv 8 3", "relu", "conv classes 1", "conv 10 4 groups=10"],  # scores, enlarged or smoothed
    ],
)
def test_what_is_meant_or_kept_elsewhere_is_none(layers: list[Any]) -> None:
    assert said("FS203", (3, 16, 16), *layers) == []


def is_affine(part: nn.Sequential, shape: tuple[int, ...]) -> bool:
    """Whether the middle of two inputs goes to the middle of their outputs."""
    one, two = (4 * torch.randn(5, *shape, dtype=torch.float64) for _ in "ab")
    with torch.no_grad():
        return torch.allclose(part((one + two) / 2), (part(one) + part(two)) / 2, atol=1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_found_is_affine_in_torch_and_the_rest_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    between = ["batchnorm", "dropout 0.5", "avgpool 2 stride=1", "relu", "tanh", "maxpool 2 stride=1", "silu"]
    layers: list[str] = []
    for place in range(4):  # ever more filters of 3x3: no pair is one that is meant
        layers += [f"conv {8 + place} 3", *rng.choice(between, rng.integers(0, 3)).tolist()]
    design = fs.Design((2, 24, 24), [*layers, *END])
    network = build(design, 10).double().eval()
    assert isinstance(network, nn.Sequential)
    rows = design.walk(10)
    places = [place for place, row in enumerate(rows) if row.block.keyword == "conv"]
    affine = [str(b + 1) for a, b in pairwise(places) if is_affine(network[a : b + 1], rows[a].input_shape)]
    assert [one.where for one in said("FS203", design.input, *design.layers)] == affine


@pytest.mark.parametrize(
    ("layers", "where", "of", "values"),
    [
        (["conv 8 3 padding=1", "relu", "maxpool 2", "flatten"], "3", 8 * 16 * 16, 8 * 8 * 8),
        (["conv 8 3 padding=1", "relu", "maxpool 3 stride=2 padding=1", "flatten"], "3", 8 * 16 * 16, 8 * 8 * 8),
        (["conv 8 3 padding=1", "batchnorm", "tanh", "globalmaxpool"], "4", 8 * 16 * 16, 8),
        (["conv 8 3 padding=1", {"repeat 2": ["relu", "maxpool 2"]}, "flatten"], "2.1.2", 8 * 16 * 16, 8 * 8 * 8),
        (["conv 8 3 padding=1", ["relu"], ["maxpool 2"], "flatten"], "3.1", 8 * 16 * 16, 8 * 8 * 8),
    ],
)
def test_an_activation_before_the_pooling_is_noted(layers: list[Any], where: str, of: int, values: int) -> None:
    found = said("FS204", (3, 16, 16), *layers, "linear classes")[0]
    assert (found.severity, found.where) == ("note", where)
    shares = numbers(found.message.split(" computes ")[1])
    assert (shares[0], shares[-2], shares[-1]) == (of, values, min(99, round(100 * (1 - values / of))))


@pytest.mark.parametrize(
    "layers",
    [
        ["conv 8 3", "maxpool 2", "relu", "flatten"],
        ["conv 8 3", "silu", "maxpool 2", "flatten"],
        ["conv 8 3", "prelu", "maxpool 2", "flatten"],
        ["conv 8 3", "relu", "batchnorm", "maxpool 2", "flatten"],
        ["conv 8 3", "relu", "avgpool 2", "flatten"],
        ["conv 8 3", "relu", "maxpool 3 stride=1 padding=1", "flatten"],  # as many values as before
        [{"repeat 2": ["conv 8 3 padding=1", "relu"]}, "maxpool 2", "flatten"],  # the last pass cannot be exchanged
        ["relu", {"repeat 2": ["maxpool 2", "conv 3 3 padding=1", "relu"]}, "flatten"],
        ["maxpool 2", "flatten"],
    ],
)
def test_where_the_order_matters_or_nothing_is_saved_there_is_no_note(layers: list[Any]) -> None:
    assert said("FS204", (3, 16, 16), *layers, "linear classes") == []


def test_an_activation_that_is_used_elsewhere_too_stays_where_it_is() -> None:
    small = ["maxpool 2", "conv 8 3 padding=1", "relu", "maxpool 2 stride=1", "globalavgpool", "linear 8"]
    layers = ["conv 8 3", "relu", {"branches add": [small, ["globalavgpool", "linear 8"]]}, "linear classes"]
    assert [one.where for one in said("FS204", (3, 16, 16), *layers)] == ["3.1.4"]


@pytest.mark.parametrize("named", ["", " name=p"])
def test_a_pooling_whose_places_are_used_gives_something_else_before_the_activation(named: str) -> None:
    pooling, back = f"maxpool 2{named}", ["maxunpool p"] if named else ["upsample 2"]
    late, early = (
        ["conv 8 3 padding=1", *order, "conv 8 1", "relu", *back, "conv classes 1"]
        for order in (("relu", pooling), (pooling, "relu"))
    )
    networks = [build(fs.Design((3, 32, 32), layers), 10).eval() for layers in (late, early)]
    networks[1].load_state_dict(networks[0].state_dict())
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        after, before = (network(images) for network in networks)
    assert bool(said("FS204", (3, 32, 32), *late)) == torch.allclose(after, before, atol=1e-6) == (not named)


class Unpooling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool, self.back = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values, places = self.pool(images.relu())
        unpooled: torch.Tensor = self.back(values.tanh(), places)
        return unpooled


def test_that_of_a_module_is_none_either() -> None:
    assert [one.code for one in fs.inspect(Unpooling(), (3, 32, 32)).findings if one.code == "FS204"] == []


WORDS = [kind.keyword for kind in ACTIVATIONS if kind not in OVER_CHANNELS and kind.keyword != "threshold"]


@pytest.mark.parametrize("word", [*WORDS, "threshold 0.1 -1", "threshold -1 2", "leakyrelu negative_slope=-1"])
@pytest.mark.parametrize("shape", [(2, 9), (2, 9, 8), (2, 5, 6, 7)])
def test_where_it_is_said_the_pooling_gives_the_same_before_the_activation(word: str, shape: tuple[int, ...]) -> None:
    pooling, end = "maxpool 3 stride=2 padding=1", ["flatten", "linear classes"]
    late, early = ([word, pooling, *end], [pooling, word, *end])
    inputs = torch.randn(50, *shape, generator=torch.Generator().manual_seed(0))
    inputs += torch.linspace(-6, 6, 50).reshape(50, *(1 for _ in shape))  # windows below 0, above it, and around
    with torch.no_grad():
        after, before = (build(fs.Design(shape, layers), 10).eval()[:2](inputs) for layers in (late, early))
    same = torch.allclose(after, before, atol=1e-6)
    learned = word in ("prelu", "rrelu")  # the same with the slope of now, and not with every one
    assert bool(said("FS204", shape, *late)) == (same and not learned)
    assert said("FS204", shape, *early) == []
