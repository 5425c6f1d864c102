"""A few blocks as a network, and what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.design.design import Design
from fieldstone.network.build import build


def chain(shape: tuple[int, ...], blocks: Sequence[Any]) -> nn.Sequential:
    """The network of some blocks or words, and the head that a design must have."""
    return build(Design(shape, [*blocks, "flatten", "linear classes"]), 1).eval()


def weights_of(network: nn.Sequential, blocks: int) -> dict[str, Tensor]:
    """The weights and statistics of its first blocks, without the head's and without counters."""
    state = network.state_dict().items()
    return {name: w for name, w in state if int(name.split(".")[0]) <= blocks and w.is_floating_point()}


def run(network: nn.Sequential, blocks: int, x: np.ndarray) -> np.ndarray:
    """What the first blocks give for one map or a batch, in its own precision."""
    kept: list[Tensor] = []
    network[blocks - 1].register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.inference_mode():
        network(torch.from_numpy(x))
    return kept[0].numpy()


def single(block: str, shape: tuple[int, ...]) -> tuple[nn.Module, Design]:
    """The built block alone, in float64, and its design, whose head is not run."""
    design = Design(shape, [block, "globalavgpool", "linear classes"])
    return build(design, 1)[:1].double(), design
