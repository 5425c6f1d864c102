"""Which library's names a state dict has, and which design of the gallery its tensors fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.state_dicts.names import Names, known, names_of
from fieldstone.network.state_dicts.prefix import Below, below
from fieldstone.network.state_dicts.translate import Translated, layer_paths, translate


@dataclass(frozen=True)
class Fit:
    """What a state dict is to a design.

    Attributes:
        design: with the channels that the first layer's tensor has, and the classes of the head's.
        names: of the library whose names it has, or comes closest to.
        network: of that design, without storage.
        below: which of the tensors it is by their names.
        headless: whether they lack the head, which is all zeros then.
    """

    design: Design
    names: Names
    network: nn.Module
    translated: Translated
    below: Below
    headless: bool


def fit(
    name: str, tensors: Mapping[str, Tensor], input: Sequence[int] | None = None, *, without_head: bool = False
) -> Fit:
    """The library with the fewest faults, and the tensors by our names if there are none.

    Args:
        name: a design of the gallery that has a table.
        input: the input of the network, where it is not to be the design's own.
        without_head: whether it is no fault that the head is missing, or another in its place.

    Raises:
        DesignError: the design does not walk on that input.
    """
    fits = [_fit(name, names, tensors, input, without_head) for names in names_of(name)]
    return min(fits, key=lambda one: len(one.translated.faults))


def fitting(tensors: Mapping[str, Tensor]) -> list[str]:
    """The designs of the gallery that the tensors fit, every one of them."""
    return [name for name in known() if not fit(name, tensors).translated.faults]


def _fit(name: str, names: Names, given: Mapping[str, Tensor], input: Sequence[int] | None, without_head: bool) -> Fit:
    found = below([f"{layer}.weight" for layer in names.layers], given)
    design, tensors = Design.named(name), found.tensors
    classes = _size(tensors, names.layers[-1], 0) or design.classes
    channels = _size(tensors, names.layers[0], 1) or design.input[0]
    design = design.resolve(input=input or (channels, *design.input[1:]), classes=classes)
    assert design.classes is not None
    with torch.device("meta"):
        network = build(design, design.classes)
    headless = without_head and f"{names.layers[-1]}.weight" not in tensors
    if headless:
        tensors = _with_head(tensors, names.layers[-1], network)
    return Fit(design, names, network, translate(network, names, tensors), found, headless)


def _with_head(tensors: Mapping[str, Tensor], head: str, network: nn.Module) -> Mapping[str, Tensor]:
    """The tensors with a head of zeros in the place of what stands there."""
    layer = network.get_submodule(layer_paths(network)[-1])
    zeros = {f"{head}.{kind}": torch.zeros(tensor.shape) for kind, tensor in layer.state_dict().items()}
    return {name: one for name, one in tensors.items() if not name.startswith(f"{head}.")} | zeros


def _size(tensors: Mapping[str, Tensor], layer: str, axis: int) -> int | None:
    """How many outputs (axis 0) or inputs (axis 1) a layer's weights have; None where there are no such weights."""
    weight = tensors.get(f"{layer}.weight")
    return None if weight is None or weight.ndim <= axis else weight.shape[axis]
