"""Tensors under another library's names, to those of a network of ours: all of them, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

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
        misshapen: what is there in another shape, or not in floating point.
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
        return (*self.misshapen, *self.missing, *self.unknown)


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
    theirs = _their_names(network, names)
    made: dict[str, Tensor] = {}
    missing, misshapen = [], []
    for ours, wanted in network.state_dict().items():
        name, path = theirs[ours], ours.rpartition(".")[0]
        if name not in tensors and ours.endswith(COUNTER):
            made[ours] = torch.zeros((), dtype=torch.int64)
        elif name not in tensors:
            missing.append(f"{name} {kind_text(wanted)} is missing, for block {path}")
        elif not _fits(tensors[name], wanted):
            misshapen.append(f"{name} is {kind_text(tensors[name])}, not {kind_text(wanted)}, for block {path}")
        else:
            made[ours] = tensors[name].reshape(wanted.shape).to(wanted.dtype)
    others = sorted(name for name in tensors.keys() - set(theirs.values()) if not name.endswith(COUNTER))
    ignored = tuple(name for name in others if name.startswith(names.ignored))
    unknown = tuple(f"{name} {kind_text(tensors[name])} has no place" for name in others if name not in ignored)
    whole = not (missing or misshapen or unknown)
    return Translated(made if whole else {}, tuple(missing), unknown, tuple(misshapen), ignored)


LINES = 10
"""So many tensors that do not match are named."""


def mismatches(faults: Sequence[str]) -> str:
    """How many tensors do not match, and the first of them, a line each."""
    count = f"{len(faults):,} tensors do" if len(faults) > 1 else "1 tensor does"
    more = [f"  and {len(faults) - LINES:,} more"] if len(faults) > LINES else []
    return "\n".join([f"{count} not match:", *(f"  {line}" for line in faults[:LINES]), *more])


def kind_text(tensor: Tensor) -> str:
    """`64x3x7x7`, or `a number`; and what its numbers are, where they are no floating point."""
    shape = "x".join(map(str, tensor.shape)) or "a number"
    return (
        shape
        if tensor.is_floating_point() or not tensor.ndim
        else f"{shape} of {str(tensor.dtype).removeprefix('torch.')}"
    )


def _their_names(network: nn.Module, names: Names) -> dict[str, str]:
    """The library's name of each of the network's tensors."""
    paths = layer_paths(network)
    assert len(paths) == len(names.layers), f"{names.library}: {len(names.layers)} names for {len(paths)} layers"
    layers = dict(zip(paths, names.layers, strict=True))
    parts = {ours: ours.rpartition(".") for ours in network.state_dict()}
    return {ours: f"{layers[path]}.{kind}" for ours, (path, _, kind) in parts.items()}


def _fits(tensor: Tensor, wanted: Tensor) -> bool:
    """Whether it has the numbers that are wanted, in the same shape, or flat where the other is not."""
    if wanted.is_floating_point() and not tensor.is_floating_point():
        return False
    if tensor.shape == wanted.shape:
        return True
    flat = min(tensor.ndim, wanted.ndim) == 2
    return flat and len(tensor) == len(wanted) and prod(tensor.shape[1:]) == prod(wanted.shape[1:])
