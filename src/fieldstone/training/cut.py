"""A network in two before its head."""

from __future__ import annotations

from torch import nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.training.halves import Halves, halves
from fieldstone.training.own_head import halves_of_own


def cut(network: nn.Module, head: str, design: Design | None, preprocessing: Preprocessing) -> Halves:
    """A network in two before its head, whether a design made it or the user.

    Raises:
        DesignError: it cannot be cut there.
    """
    if design is not None:
        return halves(network, head)
    return halves_of_own(network, head, (preprocessing.channels, *preprocessing.size))
