"""The built module: standard layers under the names that paths give, and what they compute."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.network.build import build

NESTED = """
input: 3x16x16
layers:
  - conv 4 3 padding=1
  - save a
  - repeat 2: [conv 4 3 padding=same, relu]
  - residual: [conv 4 3 padding=1, batchnorm]
  - residual: {body: [conv 6 3 stride=2 padding=1], shortcut: [conv 6 1 stride=2, batchnorm]}
  - [conv 6 3, relu]
  - branches concat: [[conv 2 1], [conv 3 1, relu, conv 3 3 padding=1], []]
  - concat a crop=true
  - globalavgpool
  - linear classes
"""


def test_weights_are_stored_under_the_path_of_their_block() -> None:
    network = build(Design.parse(NESTED), 7)
    weights = [name for name in network.state_dict() if name.endswith("weight")]
    assert weights == [
        "1.weight", "3.1.1.weight", "3.2.1.weight", "4.body.1.weight", "4.body.2.weight", "5.body.1.weight",
        "5.shortcut.1.weight", "5.shortcut.2.weight", "6.1.weight", "7.1.1.weight", "7.2.1.weight", "7.2.3.weight",
        "10.weight",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["three-conv", "lenet-5", "vgg-small"])
def test_a_chain_is_a_plain_sequential_of_torch_layers(name: str) -> None:
    network = build(Design.named(name), 10)
    assert type(network) is nn.Sequential
    assert all(type(module).__module__.startswith("torch.nn.") for module in network.modules())


def test_repeats_and_lists_of_plain_blocks_are_plain_sequentials_too() -> None:
    design = Design((1, 8, 8), [{"repeat 2": ["conv 1 3", "relu"]}, ["relu", "flatten"], "linear classes"])
    assert all(type(module).__module__.startswith("torch.nn.") for module in build(design, 2).modules())


def test_what_the_structures_compute_is_what_their_words_say() -> None:
    network = build(Design.parse(NESTED), 7).eval()
    layer = dict(network.named_modules())
    x = torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        a = y = layer["1"](x)
        for turn in "12":
            y = layer[f"3.{turn}.1"](y).relu()
        y = layer["4.body.2"](layer["4.body.1"](y)) + y
        y = layer["5.body.1"](y) + layer["5.shortcut.2"](layer["5.shortcut.1"](y))
        y = layer["6.1"](y).relu()
        y = torch.cat([layer["7.1.1"](y), layer["7.2.3"](layer["7.2.1"](y).relu()), y], dim=1)
        y = torch.cat([a[:, :, 5:11, 5:11], y], dim=1)  # 16 cut to 6: 5 off each end
        y = layer["10"](y.mean(dim=(2, 3)))
        assert torch.equal(network(x), y)


def test_a_name_lives_in_its_pass_and_is_seen_inward() -> None:
    layers = ["save a", {"repeat 2": ["save b", "conv 1 1", {"branches add": [["add b"], ["multiply a"]]}]}]
    network = build(Design((1, 4, 4), [*layers, "concat input", "conv classes 1"]), 2)
    layer = dict(network.named_modules())
    x = y = torch.randn(3, 1, 4, 4)
    with torch.inference_mode():
        for turn in "12":
            b, y = y, layer[f"2.{turn}.2"](y)
            y = (b + y) + x * y
        assert torch.allclose(network(x), layer["4"](torch.cat([x, y], dim=1)))


def test_global_pooling_is_one_module_and_keeps_sides_only_if_asked() -> None:
    x = torch.randn(2, 3, 5, 7)
    for word, numbers in (("globalavgpool", x.mean(dim=(2, 3))), ("globalmaxpool", x.amax(dim=(2, 3)))):
        flat = build(Design((3, 5, 7), [word, "linear classes"]), 1)
        assert torch.allclose(flat[0](x), numbers)
        kept = build(Design((3, 5, 7), [f"{word} keepdims=true", "conv classes 1"]), 1)
        assert torch.allclose(kept[0](x), numbers[:, :, None, None])


def test_an_even_kernel_with_same_padding_pads_the_end_more() -> None:
    network = build(Design((1, 6), ["conv classes 2 padding=same bias=false"]), 1)
    x = torch.randn(1, 1, 6)
    assert torch.allclose(network(x), F.conv1d(F.pad(x, (0, 1)), network[0].weight))


def test_options_reach_the_layers_of_torch() -> None:
    words = {
        "conv 4 3x5 stride=2 padding=1x2 dilation=1x2 groups=2 bias=false padding_mode=replicate": nn.Conv2d(
            2, 4, (3, 5), 2, (1, 2), (1, 2), 2, False, "replicate"
        ),
        "maxpool 3 stride=1 padding=1 ceil_mode=true dilation=2": nn.MaxPool2d(
            (3, 3), (1, 1), (1, 1), (2, 2), ceil_mode=True
        ),
        "avgpool 3 ceil_mode=true count_include_pad=false padding=same": nn.AvgPool2d(
            (3, 3), (3, 3), (1, 1), True, False
        ),
        "batchnorm eps=0.001 momentum=0.01": nn.BatchNorm2d(2, 0.001, 0.01),
        "dropout 0.25": nn.Dropout(0.25),
        "leakyrelu negative_slope=0.2": nn.LeakyReLU(0.2),
        "gelu approximate=tanh": nn.GELU("tanh"),
        "elu alpha=0.5": nn.ELU(0.5),
        "softmax": nn.Softmax(dim=1),
    }
    for text, layer in words.items():
        built = build(Design((2, 16, 16), [text, "flatten", "linear classes bias=false"]), 3)
        assert repr(built[0]) == repr(layer)
        assert built[2].bias is None


@pytest.mark.parametrize("side", [28, 29, 45, 63, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_vgg_small_takes_every_side_that_the_gallery_promises(side: int, channels: int) -> None:
    low, high = named.input_sides("vgg-small") or (0, 0)
    assert low <= side <= high
    network = build(Design.named("vgg-small").resolve(input=(channels, side, side)), 4)
    with torch.inference_mode():
        assert network(torch.zeros(2, channels, side, side)).shape == (2, 4)
