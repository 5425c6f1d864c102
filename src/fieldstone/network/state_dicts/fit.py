"""Which library's names a state dict has, and which design of the gallery its tensors fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.state_dicts.names import Names, known, names_of
from fieldstone.network.state_dicts.translate import Translated, translate


@dataclass(frozen=True)
class Fit:
    """What a state dict is to a design.

    Attributes:
        design: with the channels that the first layer's tensor has, and the classes of the head's.
        names: of the library whose names it has, or comes closest to.
        network: of that design, without storage.
    """

    design: Design
    names: Names
    network: nn.Module
    translated: Translated


def fit(name: str, tensors: Mapping[str, Tensor], input: Sequence[int] | None = None) -> Fit:
    """The library with the fewest faults, and the tensors by our names if there are none.

    Args:
        name: a design of the gallery that has a table.
        input: the input of the network, where it is not to be the design's own.

    Raises:
        DesignError: the design does not walk on that input.
    """
    fits = [_fit(name, names, tensors, input) for names in names_of(name)]
    return min(fits, key=lambda one: len(one.translated.faults))


def fitting(tensors: Mapping[str, Tensor]) -> list[str]:
    """The designs of the gallery that the tensors fit, every one of them."""
    return [name for name in known() if not fit(name, tensors).translated.faults]


def _fit(name: str, names: Names, tensors: Mapping[str, Tensor], input: Sequence[int] | None) -> Fit:
    design = Design.named(name)
    classes = _size(tensors, names.layers[-1], 0) or design.classes
    channels = _size(tensors, names.layers[0], 1) or design.input[0]
    design = design.resolve(input=input or (channels, *design.input[1:]), classes=classes)
    assert design.classes is not None
    with torch.device("meta"):
        network = build(design, design.classes)
    return Fit(design, names, network, translate(network, names, tensors))


def _size(tensors: Mapping[str, Tensor], layer: str, axis: int) -> int | None:
    """How many outputs (axis 0) or inputs (axis 1) a layer's weights have; None where there are no such weights."""
    weight = tensors.get(f"{layer}.weight")
    return None if weight is None or weight.ndim <= axis else weight.shape[axis]
