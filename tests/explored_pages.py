"""Pages of the explorer for the tests: a design with random weights and statistics, an image of noise, one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

import fieldstone as fs
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.payload import Seen
from fieldstone.progress import Progress
from fieldstone.verbs.choosing.explorable import explorable
from fieldstone.verbs.explore import file_payload


@torch.no_grad()
def randomised(network: nn.Module) -> None:
    """Biases that are not 0, and statistics of normalisation that are no first ones."""
    generator = torch.Generator().manual_seed(5)
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith(("bias", "running_mean")):
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
        elif name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.3)


def seen_of(
    design: fs.Design, change: Callable[[nn.Module], None] = randomised, classes: tuple[str, ...] | None = None
) -> Seen:
    """What the network makes of the noise; `change(network)` sets its weights before."""
    explored = explorable(design, None, "cpu")
    explored = replace(explored, classes=classes or explored.classes)
    change(explored.network)
    pixels = np.random.default_rng(2).integers(0, 256, design.input, dtype=np.uint8)
    return Seen.of(explored, "noise.png", (10, 10), pixels)


def write_page(seen: Seen, path: Path) -> Path:
    path.write_text(html(file_payload(seen, Progress.quiet())), encoding="utf-8")
    return path
