"""Normalisation and dropout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from fieldstone.design.blocks.block import Block, main, option
from fieldstone.design.blocks.kinds import POSITIVE, PROBABILITY
from fieldstone.geometry import Shape


@dataclass(frozen=True)
class BatchNorm(Block):
    """Each channel to mean 0 and deviation 1 over the batch, then scaled and moved (torch.nn.BatchNorm1d, 2d, 3d).

    Source: Ioffe and Szegedy, arXiv:1502.03167.
    """

    keyword: ClassVar[str] = "batchnorm"
    syntax: ClassVar[str] = "batchnorm"
    eps: float = field(default=1e-5, metadata=option(POSITIVE))
    momentum: float = field(default=0.1, metadata=option(PROBABILITY))

    def params(self, input_shape: Shape) -> int:
        return 2 * input_shape[0]


@dataclass(frozen=True)
class Dropout(Block):
    """In training, each value to zero with probability p (torch.nn.Dropout)."""

    keyword: ClassVar[str] = "dropout"
    syntax: ClassVar[str] = "dropout P"
    p: float = field(default=0.5, metadata=main(PROBABILITY))
