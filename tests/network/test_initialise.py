"""First weights: from the seed alone, of the distribution that was asked for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.initialise import Scheme, initialise

SCHEMES: tuple[Scheme, ...] = ("torch", "kaiming", "xavier")


def network() -> nn.Sequential:
    layers = ["conv 32 3", "batchnorm", "relu", {"residual": ["conv 32 3 padding=1"]}, "globalavgpool"]
    return build(Design((16, 12, 12), [*layers, "linear 64", "linear classes"]), 8)


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_seed_alone_decides(scheme: Scheme) -> None:
    one, other = network(), network()
    initialise(one, scheme, 3)
    torch.rand(5)
    initialise(other, scheme, 3)
    assert same(weights(one), weights(other))
    initialise(other, scheme, 4)
    assert not same(weights(one), weights(other))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_memory_layout_changes_nothing_and_is_kept(scheme: Scheme) -> None:
    one, other = network(), network().to(memory_format=torch.channels_last)
    initialise(one, scheme, 3)
    initialise(other, scheme, 3)
    assert same(weights(one), weights(other))
    assert other[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_device_changes_nothing(scheme: Scheme) -> None:
    one, other = network(), network().cuda()
    state = torch.cuda.get_rng_state()
    initialise(one, scheme, 3)
    initialise(other, scheme, 3)
    assert same(weights(one), weights(other.cpu()))
    assert torch.equal(state, torch.cuda.get_rng_state())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_random_state_of_torch_is_left_alone(scheme: Scheme) -> None:
    one = network()
    before = torch.get_rng_state()
    initialise(one, scheme, 3)
    assert torch.equal(before, torch.get_rng_state())


def test_torch_is_the_distribution_of_each_layer() -> None:
    """torch.nn.Conv2d and Linear: uniform within 1 / sqrt(fan in), weight and bias."""
    one = network()
    initialise(one, "torch", 0)
    for layer, fan_in in ((one[0], 16 * 9), (one[5], 32)):
        for values in (layer.weight, layer.bias):
            assert values.abs().max() <= 1 / math.sqrt(fan_in)
        assert layer.weight.std().item() == pytest.approx(1 / math.sqrt(3 * fan_in), rel=0.05)


def test_torch_draws_what_the_layers_draw_by_themselves() -> None:
    one = network()
    initialise(one, "torch", 11)
    torch.manual_seed(11)
    assert same(weights(one), weights(network()))


@pytest.mark.parametrize(
    ("scheme", "deviation"),
    [("kaiming", math.sqrt(2 / (32 * 9))), ("xavier", math.sqrt(2 / (16 * 9 + 32 * 9)))],
)
def test_named_schemes_have_their_published_deviation(scheme: Scheme, deviation: float) -> None:
    one = network()
    nn.init.constant_(one[1].weight, 5.0)
    initialise(one, scheme, 0)
    assert one[0].weight.std().item() == pytest.approx(deviation, rel=0.05)
    assert one[0].weight.mean().item() == pytest.approx(0, abs=deviation / 10)
    assert all((layer.bias == 0).all() for layer in one.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    assert (one[1].weight == 1).all()
    assert (one[1].bias == 0).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_network_of_the_users_own_is_drawn_too(scheme: Scheme) -> None:
    def own() -> nn.Module:
        return nn.ModuleDict({"a": nn.TransformerEncoderLayer(16, 2), "b": nn.LSTM(4, 4), "c": nn.Embedding(5, 3)})

    one, other = own(), own()
    initialise(one, scheme, 1)
    initialise(other, scheme, 1)
    assert same(weights(one), weights(other))
