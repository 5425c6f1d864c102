"""The mean of the weights after each epoch, which generalises better than the last of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from fieldstone.training.checkpoint import Progressed, weights_of


@contextmanager
def averaged(network: nn.Module, at: Progressed) -> Iterator[None]:
    """Inside, the network has the mean of its weights after this epoch and all before; after it, its own again.

    Source: Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018. Kept statistics of
    batches are averaged as the weights are.
    """
    own = weights_of(network)
    at.averaged += 1
    for name, value in own.items():
        if not value.is_floating_point() or name not in at.average:
            at.average[name] = value.clone()
        else:
            at.average[name].lerp_(value, 1 / at.averaged)
    network.load_state_dict(at.average)
    try:
        yield
    finally:
        network.load_state_dict(own)
