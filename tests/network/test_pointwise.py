"""Blocks that slide no window, as modules and as plain PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fieldstone.design.blocks.activation import ACTIVATIONS
from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.code import plain_code

LAYERS: dict[str, nn.Module] = {
    "batchnorm affine=false": nn.BatchNorm2d(6, affine=False),
    "groupnorm 3": nn.GroupNorm(3, 6),
    "groupnorm 2 eps=0.001 affine=false": nn.GroupNorm(2, 6, 0.001, affine=False),
    "instancenorm": nn.InstanceNorm2d(6),
    "instancenorm eps=0.001 momentum=0.2 affine=true track_running_stats=true": nn.InstanceNorm2d(
        6, 0.001, 0.2, True, True
    ),
    "layernorm": nn.LayerNorm((6, 8, 8)),
    "layernorm eps=0.001 affine=false": nn.LayerNorm((6, 8, 8), 0.001, elementwise_affine=False),
    "layernorm bias=false": nn.LayerNorm((6, 8, 8), bias=False),
    "localresponsenorm 5": nn.LocalResponseNorm(5),
    "localresponsenorm 4 alpha=0.1 beta=0.5 k=2": nn.LocalResponseNorm(4, 0.1, 0.5, 2.0),
    "channeldropout 0.2": nn.Dropout2d(0.2),
    "alphadropout 0.2": nn.AlphaDropout(0.2),
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "leakyrelu negative_slope=0.2": nn.LeakyReLU(0.2),
    "prelu": nn.PReLU(),
    "prelu num_parameters=channels init=0.1": nn.PReLU(6, 0.1),
    "prelu num_parameters=6": nn.PReLU(6),
    "rrelu": nn.RReLU(),
    "rrelu lower=0.2 upper=0.3": nn.RReLU(0.2, 0.3),
    "elu alpha=0.5": nn.ELU(0.5),
    "celu": nn.CELU(),
    "celu alpha=0.5": nn.CELU(0.5),
    "selu": nn.SELU(),
    "gelu approximate=tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "hardswish": nn.Hardswish(),
    "tanh": nn.Tanh(),
    "hardtanh": nn.Hardtanh(),
    "hardtanh min_val=-2 max_val=3": nn.Hardtanh(-2.0, 3.0),
    "tanhshrink": nn.Tanhshrink(),
    "sigmoid": nn.Sigmoid(),
    "hardsigmoid": nn.Hardsigmoid(),
    "logsigmoid": nn.LogSigmoid(),
    "softplus": nn.Softplus(),
    "softplus beta=2 threshold=10": nn.Softplus(2.0, 10.0),
    "softsign": nn.Softsign(),
    "hardshrink": nn.Hardshrink(),
    "hardshrink lambd=0.2": nn.Hardshrink(0.2),
    "softshrink": nn.Softshrink(),
    "softshrink lambd=0.2": nn.Softshrink(0.2),
    "threshold 0.1 -2": nn.Threshold(0.1, -2.0),
    "softmax": nn.Softmax(dim=1),
    "logsoftmax": nn.LogSoftmax(dim=1),
    "glu": nn.GLU(dim=1),
}  # fmt: skip


@pytest.mark.parametrize("text", LAYERS)
def test_a_block_is_the_layer_of_torch_with_its_options(text: str) -> None:
    built = build(Design((6, 8, 8), [text, "flatten", "linear classes"]), 2)[0]
    assert repr(built) == repr(LAYERS[text])
    states = built.state_dict(), LAYERS[text].state_dict()
    assert [(key, value.tolist()) for key, value in states[0].items()] == [
        (key, value.tolist()) for key, value in states[1].items()
    ]


@pytest.mark.parametrize("text", LAYERS)
def test_a_block_is_printed_with_all_of_its_options(text: str) -> None:
    """Those too that only training shows, and first weights."""
    namespace: dict[str, Any] = {"__name__": "printed"}
    exec(plain_code(Design((6, 8, 8), [text, "flatten", "linear classes"]), 2), namespace)
    layer = namespace["Network"]().layers[0]
    assert repr(layer) == repr(LAYERS[text])
    assert [w.tolist() for w in layer.parameters()] == [w.tolist() for w in LAYERS[text].parameters()]


def test_no_activation_is_left_out() -> None:
    assert {text.split()[0] for text in LAYERS} >= {kind.keyword for kind in ACTIVATIONS}


@pytest.mark.parametrize("sides", [(), (5,), (5, 6), (5, 6, 7)], ids=str)
def test_the_rank_of_the_input_chooses_the_layer(sides: tuple[int, ...]) -> None:
    layers = ["batchnorm", "layernorm", "groupnorm 2", *(["instancenorm", "channeldropout"] if sides else [])]
    network = build(Design((4, *sides) if sides else (1, 4), [*([] if sides else ["flatten"]), *layers,
                                                            "flatten", "linear classes"]), 2)  # fmt: skip
    names = [type(module).__name__ for module in network][0 if sides else 1 : -2]
    rank = max(1, len(sides))
    maps = [f"InstanceNorm{rank}d", f"Dropout{rank}d"] if sides else []
    assert names == [f"BatchNorm{rank}d", "LayerNorm", "GroupNorm", *maps]
    assert network(torch.randn(3, *([4, *sides] if sides else [1, 4]))).shape == (3, 2)


def test_channel_dropout_drops_whole_channels() -> None:
    dropout = build(Design((64, 5, 6), ["channeldropout 0.25", "conv classes 1"]), 2)[0].train()
    means = dropout(torch.ones(8, 64, 5, 6)).mean(dim=(2, 3))
    assert {round(mean, 4) for mean in means.flatten().tolist()} == {0.0, 1.3333}
    assert 0.15 < (means == 0).float().mean().item() < 0.35


@pytest.mark.parametrize("sides", [(9,), (4, 5), (2, 3, 4)], ids=str)
@pytest.mark.parametrize(("words", "act", "gate"), [
    ("", torch.relu, torch.sigmoid),
    (" activation=silu gate=hardsigmoid", nn.functional.silu, nn.functional.hardsigmoid),
])  # fmt: skip
def test_squeeze_and_excitation_is_what_the_paper_writes(sides, words, act, gate) -> None:  # type: ignore[no-untyped-def]
    """Equations 2 to 4 of arXiv:1709.01507, with biases."""
    design = Design((6, *sides), [f"squeezeexcite 4{words}", "conv classes 1"])
    block = build(design, 2).double()[0]
    weights = {name: value.detach().flatten(1) if value.ndim > 1 else value for name, value in block.named_parameters()}
    assert list(weights) == ["reduce.weight", "reduce.bias", "expand.weight", "expand.bias"]
    inputs = torch.randn(3, 6, *sides, dtype=torch.float64)
    squeezed = inputs.flatten(2).mean(dim=2)
    excited = act(squeezed @ weights["reduce.weight"].T + weights["reduce.bias"])
    scale = gate(excited @ weights["expand.weight"].T + weights["expand.bias"])
    torch.testing.assert_close(block(inputs), inputs * scale.view(3, 6, *[1] * len(sides)))
    row = design.walk(2)[0]
    with FlopCounterMode(display=False) as counter:
        block(inputs[:1])
    assert (row.params, row.macs) == (
        sum(value.numel() for value in block.parameters()),
        counter.get_total_flops() // 2,
    )


def test_squeeze_and_excitation_sees_its_whole_input() -> None:
    design = Design((1, 20, 31), ["conv 2 3 stride=2", "squeezeexcite 1", "conv classes 3", "avgpool 2"])
    rows = design.walk(1)
    assert [row.jump for row in rows] == [(2, 2), None, None, None]
    assert {row.receptive_field for row in rows[1:]} == {(19, 31)}  # the last row of the input is never read
    network = build(design, 1).double()
    for weight in network.parameters():
        weight.data.fill_(0.1)
    inputs = torch.rand(1, 1, 20, 31, dtype=torch.float64, requires_grad=True)
    network(inputs)[0, 0, 0, 0].backward()
    assert inputs.grad is not None
    moved = inputs.grad[0, 0] != 0
    assert (moved[:19].all(), moved[19:].any()) == (True, False)


def test_the_class_of_squeeze_and_excitation_is_printed_once_and_only_where_it_is_used() -> None:
    layers = ["conv 8 3", "squeezeexcite 4", "squeezeexcite 2 activation=silu gate=hardsigmoid", "conv classes 1"]
    printed = plain_code(Design((3, 9, 9), layers), 3)
    assert printed.count("class SqueezeExcite(nn.Module):") == 1
    assert "            SqueezeExcite(8, 2),  # 8x7x7\n" in printed
    assert "            SqueezeExcite(8, 4, activation=nn.SiLU, gate=nn.Hardsigmoid),  # 8x7x7\n" in printed
    assert "SqueezeExcite" not in plain_code(Design.named("resnet-18"), 3)
