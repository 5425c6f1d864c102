"""Folded normalisation, against the network as it was."""

import pytest
import torch
from torch import nn

from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.fold import folded


def with_statistics(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                assert values is not None
                values.data.copy_(torch.rand(values.shape, generator=generator) + 0.5)
    return network.eval()


@pytest.mark.parametrize("name", ["resnet-18", "mobilenet-v2", "efficientnet-lite-0", "densenet-121", "googlenet"])
def test_logits_stay(name: str) -> None:
    network = with_statistics(build(Design.named(name).resolve(input=(3, 64, 64)), 10))
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before, after = network(inputs).double(), folded(network)(inputs).double()
    assert (before - after).norm() < 1e-4 * before.norm()


def test_convolutions_carry_the_normalisation_and_the_network_keeps_its_own() -> None:
    network = build(Design.named("mobilenet-v2"), 10)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded(network).modules())
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == 52
    assert network.training


def test_normalisation_before_a_convolution_stays() -> None:
    chain = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4))
    assert sum(isinstance(module, nn.BatchNorm2d) for module in folded(chain).modules()) == 2
