"""Tensors under another library's names, to those of a network of ours: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fieldstone.network.state_dicts.names import Names

COUNTER = "num_batches_tracked"
"""How many batches a batch normalisation has seen; old files lack it, and inference does not need it."""


@dataclass(frozen=True)
class Translated:
    """What came of it.

    Attributes:
        tensors: by our names; none of them where something does not match.
        missing: what the network needs and the file lacks, as a line each.
        unknown: what the file holds and the network has no place for.
        misshapen: what is there in another shape.
        ignored: what the file holds and the network does without.
    """

    tensors: dict[str, Tensor]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Every line that says what does not match."""
        return (*self.missing, *self.misshapen, *self.unknown)


def layer_paths(network: nn.Module) -> list[str]:
    """The paths of the layers that hold tensors, in the order of the blocks."""
    return [
        path
        for path, module in network.named_modules()
        if any(True for _ in module.parameters(recurse=False)) or any(True for _ in module.buffers(recurse=False))
    ]


def translate(network: nn.Module, names: Names, tensors: Mapping[str, Tensor]) -> Translated:
    """The tensors of a state dict by the network's own names.

    A convolution over a whole map and a linear layer hold the same numbers in two shapes; each is taken for the other.

    Args:
        network: the network to fill, whose tensors say which names and shapes are needed; it is not changed.
        names: what the library calls its layers, in the order of `layer_paths`.
    """
    paths = layer_paths(network)
    assert len(paths) == len(names.layers), f"{names.library}: {len(names.layers)} names for {len(paths)} layers"
    theirs = dict(zip(paths, names.layers, strict=True))
    made: dict[str, Tensor] = {}
    missing, misshapen = [], []
    for ours, wanted in network.state_dict().items():
        path, _, kind = ours.rpartition(".")
        name = f"{theirs[path]}.{kind}"
        if name not in tensors:
            if kind == COUNTER:
                made[ours] = torch.zeros((), dtype=torch.int64)
            else:
                missing.append(f"{name} {shape_text(wanted)} is missing, for block {path}")
        elif (fitting := _fitting(tensors[name], wanted)) is None:
            shapes = f"{shape_text(tensors[name])}, not {shape_text(wanted)}"
            misshapen.append(f"{name} is {shapes}, for block {path}")
        else:
            made[ours] = fitting
    used = {f"{theirs[path]}.{kind}" for path, _, kind in (ours.rpartition(".") for ours in network.state_dict())}
    others = [name for name in tensors if name not in used and not name.endswith(COUNTER)]
    ignored = [name for name in others if name.startswith(names.ignored)] if names.ignored else []
    unknown = [f"{name} {shape_text(tensors[name])} has no place" for name in others if name not in ignored]
    whole = not (missing or misshapen or unknown)
    return Translated(made if whole else {}, tuple(missing), tuple(unknown), tuple(misshapen), tuple(ignored))


def shape_text(tensor: Tensor) -> str:
    """`64x3x7x7`, or `a number`."""
    return "x".join(map(str, tensor.shape)) or "a number"


def _fitting(tensor: Tensor, wanted: Tensor) -> Tensor | None:
    """The tensor in the shape and number format that is wanted; None where it has other numbers."""
    if tensor.shape != wanted.shape:
        if len(tensor) != len(wanted) or tensor.flatten(1).shape != wanted.flatten(1).shape:
            return None
        tensor = tensor.reshape(wanted.shape)
    return tensor.to(wanted.dtype)
