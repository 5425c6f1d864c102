"""Activations: each value by itself, softmax over the channels. Keys are torch's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from fieldstone.design.blocks.block import Block, option
from fieldstone.design.blocks.kinds import REAL, choice


@dataclass(frozen=True)
class ReLU(Block):
    keyword: ClassVar[str] = "relu"
    syntax: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyReLU(Block):
    keyword: ClassVar[str] = "leakyrelu"
    syntax: ClassVar[str] = "leakyrelu"
    negative_slope: float = field(default=0.01, metadata=option(REAL))


@dataclass(frozen=True)
class GELU(Block):
    keyword: ClassVar[str] = "gelu"
    syntax: ClassVar[str] = "gelu"
    approximate: str = field(default="none", metadata=option(choice("none", "tanh")))


@dataclass(frozen=True)
class SiLU(Block):
    keyword: ClassVar[str] = "silu"
    syntax: ClassVar[str] = "silu"


@dataclass(frozen=True)
class ELU(Block):
    keyword: ClassVar[str] = "elu"
    syntax: ClassVar[str] = "elu"
    alpha: float = field(default=1.0, metadata=option(REAL))


@dataclass(frozen=True)
class Tanh(Block):
    keyword: ClassVar[str] = "tanh"
    syntax: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Sigmoid(Block):
    keyword: ClassVar[str] = "sigmoid"
    syntax: ClassVar[str] = "sigmoid"


@dataclass(frozen=True)
class Softmax(Block):
    keyword: ClassVar[str] = "softmax"
    syntax: ClassVar[str] = "softmax"
