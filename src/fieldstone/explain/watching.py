"""What the modules of a network give while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def outputs_of(network: nn.Module, paths: Iterable[str]) -> Iterator[Mapping[str, Tensor]]:
    """What leaves the modules at some paths, by path, once the network ran in here."""
    maps: dict[str, Tensor] = {}

    def keep(path: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, args: object, output: Tensor) -> None:
            maps[path] = output

        return network.get_submodule(path).register_forward_hook(hook)

    handles = [keep(path) for path in paths]
    try:
        yield maps
    finally:
        for handle in handles:
            handle.remove()
