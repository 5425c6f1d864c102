"""First weights, from the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

Scheme = Literal["torch", "kaiming", "xavier"]

_DRAWN: dict[str, Callable[[Tensor], object]] = {
    "kaiming": partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
    "xavier": nn.init.xavier_normal_,
}


def initialise(network: nn.Module, scheme: Scheme, seed: int) -> None:
    """Draw the network's weights anew, in place.

    The same network and seed give the same weights on every device and in every memory layout; torch's own random
    state is left as it was. A parameter that no layer of torch holds, and that its module cannot reset, stays.

    Args:
        scheme: `torch`, each layer's own distribution; `kaiming` (He et al., arXiv:1502.01852; normal, fan out) or
            `xavier` (Glorot and Bengio 2010; normal) for convolution and linear layers, with biases 0.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        for module in network.modules():
            if hasattr(module, "reset_parameters") or hasattr(module, "_reset_parameters"):
                _reset(module, scheme)


def _reset(module: nn.Module, scheme: Scheme) -> None:
    """Reset a contiguous copy on the CPU, so that neither device nor layout changes what is drawn; copy it back."""
    fresh = deepcopy(module).cpu()
    for parameter in fresh.parameters():
        parameter.data = parameter.data.contiguous()
    reset = fresh.reset_parameters if hasattr(fresh, "reset_parameters") else fresh._reset_parameters
    assert callable(reset)
    reset()
    if scheme != "torch" and isinstance(fresh, nn.Linear | nn.modules.conv._ConvNd):
        _DRAWN[scheme](fresh.weight)
        if fresh.bias is not None:
            nn.init.zeros_(fresh.bias)
    for old, new in zip(
        (*module.parameters(), *module.buffers()), (*fresh.parameters(), *fresh.buffers()), strict=True
    ):
        old.copy_(new)
