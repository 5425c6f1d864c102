"""Fused optimizers beside channels-last weights, restored, against torch's plain ones that were never stopped."""

import copy

import pytest
import torch
from torch import nn

from fieldstone.model.inference import place, to_fastest_format
from fieldstone.training.optimizer import make_optimizer, optimizer_tensors, restore_optimizer
from fieldstone.training.recipe import Recipe

CPU = torch.device("cpu")


def plain(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    groups = [
        {"params": [p for p in network.parameters() if p.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in network.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def steps(network: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for number in range(first, last):
        inputs = torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(number))
        optimizer.zero_grad()
        network(to_fastest_format(inputs)).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_restored_optimizer_goes_on_as_torch_without_a_stop(name: str) -> None:
    torch.manual_seed(0)
    first = nn.Conv2d(3, 8, 3, bias=False)  # before a normalisation, a bias has no gradient but noise
    network = nn.Sequential(first, nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))
    recipe = Recipe(optimizer=name).resolved(images=100, photos=True, precision="fp32")
    reference = copy.deepcopy(network)
    steps(reference, plain(reference, recipe), 0, 9)

    place(network, CPU)
    optimizer = make_optimizer(network, recipe, CPU, {})
    steps(network, optimizer, 0, 5)
    state = {name: value.contiguous().clone() for name, value in optimizer_tensors(network, optimizer).items()}
    again = place(copy.deepcopy(network), CPU)
    fresh = make_optimizer(again, recipe, CPU, {})
    restore_optimizer(again, fresh, state)
    steps(again, fresh, 5, 9)
    steps(network, optimizer, 5, 9)

    for ours, undisturbed, theirs in zip(again.parameters(), network.parameters(), reference.parameters(), strict=True):
        assert torch.equal(ours, undisturbed)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_biases_and_normalisation_do_not_decay() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    recipe = Recipe(weight_decay=0.3).resolved(images=100, photos=True, precision="fp32")
    decays = {
        p: group["weight_decay"]
        for group in make_optimizer(network, recipe, CPU, {}).param_groups
        for p in group["params"]
    }
    assert {name: decays[p] for name, p in network.named_parameters()} == {
        "0.weight": 0.3, "0.bias": 0.0, "1.weight": 0.0, "1.bias": 0.0,
    }  # fmt: skip
