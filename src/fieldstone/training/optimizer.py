"""Optimizer and schedule, from a recipe."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.training.recipe import Recipe

MOMENTUM = 0.9
WARM_UP = 0.25
"""The share of a one-cycle schedule in which the learning rate rises."""


def make_optimizer(
    network: nn.Module, recipe: Recipe, device: torch.device, rates: Mapping[str, float]
) -> torch.optim.Optimizer:
    """The recipe's optimizer, fused where torch has it; biases and normalisation weights do not decay.

    Args:
        rates: by parameter, what its learning rate is multiplied with; 1 where it is not named. The optimizer's groups
            keep it as `rate`.
    """
    assert recipe.learning_rate is not None
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decay = (recipe.weight_decay or 0.0) if parameter.dim() > 1 else 0.0
            groups.setdefault((rates.get(name, 1.0), decay), []).append(parameter)
    given: list[dict[str, Any]] = [
        {"params": some, "weight_decay": decay, "rate": rate} for (rate, decay), some in groups.items()
    ]
    fused = device.type in ("cpu", "cuda", "mps")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(given, lr=recipe.learning_rate, momentum=MOMENTUM, nesterov=True, fused=fused)
    return torch.optim.AdamW(given, lr=recipe.learning_rate, fused=fused)


def one_cycle(done: float) -> float:
    """Rises in a line for a quarter, then falls as a cosine to 0 (after Smith, Super-Convergence, 2018)."""
    if done < WARM_UP:
        return 0.04 + 0.96 * done / WARM_UP
    return cosine((done - WARM_UP) / (1 - WARM_UP))


def cosine(done: float) -> float:
    """Falls from 1 to 0 as half a cosine (Loshchilov and Hutter, SGDR, 2017)."""
    return (1 + math.cos(math.pi * done)) / 2


SCHEDULES: dict[str, Callable[[float], float]] = {
    "one-cycle": one_cycle,
    "cosine": cosine,
    "constant": lambda _: 1.0,
}


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of one step of `steps`, a function of its number alone."""
    assert recipe.learning_rate is not None
    return recipe.learning_rate * SCHEDULES[recipe.schedule](step / steps)


def optimizer_tensors(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's state by `parameter name` + `/` + `state name`."""
    return {
        f"{name}/{key}": value
        for name, parameter in network.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(network: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimizer the state that `optimizer_tensors` took.

    State with a parameter's shape takes its strides too: fused optimizers read both as one block of memory, and
    beside a channels-last parameter a contiguous state gives wrong updates without an error.
    """
    parameters = dict(network.named_parameters())
    for place, value in tensors.items():
        name, key = place.rsplit("/", 1)
        parameter = parameters[name]
        like = torch.empty_like(parameter, dtype=value.dtype) if value.shape == parameter.shape else value
        optimizer.state[parameter][key] = like.copy_(value).to(parameter.device)


def block_rates(network: nn.Module, decay: float) -> dict[str, float]:
    """By parameter, what its learning rate is multiplied with: `decay` once for each block of the design after its own.

    The blocks of a network of the user's own are its children, in the order in which it has them.
    Source: layer-wise decay as in Clark et al., ELECTRA, 2020, with the design's blocks that hold weights as layers.
    """
    names = [name for name, _ in network.named_parameters()]
    blocks = list(dict.fromkeys(name.split(".")[0] for name in names))
    return {name: decay ** (len(blocks) - 1 - blocks.index(name.split(".")[0])) for name in names}
