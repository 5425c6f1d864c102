"""Effective receptive fields: which pixels really move a value, measured by gradients.

Source: Luo, Li, Urtasun and Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
arXiv:1701.04128.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fieldstone.analysis.effective_field import EffectiveField
from fieldstone.design.walk import Row
from fieldstone.explain.watching import outputs_of
from fieldstone.geometry import Shape, Window
from fieldstone.model.inference import in_evaluation_mode
from fieldstone.progress import Bar

TWO_SIGMA = 0.9545
"""A pixel counts where it moves the value by more than 1 - this share of what the strongest pixel does (Luo, 4.1)."""
SAMPLES = 8


def effective_fields(
    network: nn.Module,
    rows: Sequence[Row],
    shape: Shape,
    bar: Bar,
    *,
    trained: bool,
    inputs: Tensor | None = None,
    seed: int = 0,
) -> dict[str, EffectiveField]:
    """For each block with a sliding window, by path: how strongly each pixel moves the value in the middle of its map.

    The strength is the root mean square of the gradient over images, input channels and random mixes of the map's
    channels; all by the network as it is, which is left as it was.

    Args:
        network: built from the design that the rows are of.
        shape: (C, *sides) of its input.
        trained: whether batch normalisation has learned statistics; else it takes those of the inputs.
        inputs: (N, C, *sides), as the network wants them; without it normal noise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inputs = torch.randn(SAMPLES, *shape) if inputs is None else inputs
        device = next(network.parameters(), inputs).device
        inputs = inputs.to(device).requires_grad_()
        with _still(network):
            if not trained:
                take_statistics(network, inputs)
            with outputs_of(network, _windowed(rows)) as maps:
                network(inputs)
            fields = {}
            for path, values in maps.items():
                fields[path] = _measure(values, inputs)
                bar.advance(1)
    return fields


def count(rows: Sequence[Row]) -> int:
    """How many blocks `effective_fields` measures."""
    return len(_windowed(rows))


def _windowed(rows: Sequence[Row]) -> list[str]:
    return [row.path for row in rows if isinstance(row.window, Window)]


def _measure(values: Tensor, inputs: Tensor) -> EffectiveField:
    mixed = values
    for side in values.shape[2:]:
        mixed = mixed.select(2, side // 2)  # -> (N, C), the middle
    (gradient,) = torch.autograd.grad(mixed, inputs, torch.randn_like(mixed), retain_graph=True)
    return field_of(gradient.double().square().mean(dim=(0, 1)))


def field_of(squares: Tensor) -> EffectiveField:
    """The field, of the mean squares of the gradient at each pixel, (*sides)."""
    strength = squares.sqrt().cpu()
    moved = int((strength > (1 - TWO_SIGMA) * strength.max()).sum()) if strength.max() > 0 else 0
    return EffectiveField(moved ** (1 / strength.dim()), strength.numpy())


@contextmanager
def _still(network: nn.Module) -> Iterator[None]:
    """Evaluation mode; modes and buffers are restored after."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    try:
        with in_evaluation_mode(network):
            yield
    finally:
        for name, value in network.named_buffers():
            value.copy_(buffers[name])


def take_statistics(network: nn.Module, inputs: Tensor) -> None:
    """Give batch normalisation the statistics of these inputs, as training would."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.train()
        module.momentum = 1.0
    with torch.no_grad():
        network(inputs)
    for module, momentum in zip(norms, momenta, strict=True):
        module.eval()
        module.momentum = momentum
