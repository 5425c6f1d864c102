"""Normalisation and dropout. Keys are torch's."""

from __future__ import annotations

from dataclasses import field
from math import isqrt
from typing import ClassVar

from fieldstone.design.blocks.block import Block, FitError, TooSmallError, block, main, option
from fieldstone.design.blocks.kinds import COUNT, FLAG, NOT_NEGATIVE, POSITIVE, PROBABILITY, REAL
from fieldstone.design.blocks.window import needs_map
from fieldstone.geometry import Shape, numel


@block
class BatchNorm(Block):
    """Each channel to mean 0 and deviation 1 over the batch, then scaled and moved (torch.nn.BatchNorm1d, 2d, 3d).

    It always keeps running statistics (torch's `track_running_stats`): without them the prediction for an image would
    depend on the images beside it. Source: Ioffe and Szegedy, arXiv:1502.03167.
    """

    keyword: ClassVar[str] = "batchnorm"
    syntax: ClassVar[str] = "batchnorm"
    eps: float = field(default=1e-5, metadata=option(POSITIVE))
    momentum: float = field(default=0.1, metadata=option(PROBABILITY))
    affine: bool = field(default=True, metadata=option(FLAG))

    def params(self, input_shape: Shape) -> int:
        return 2 * input_shape[0] if self.affine else 0


@block
class GroupNorm(Block):
    """As batch normalisation, but over groups of an image's channels (torch.nn.GroupNorm).

    Source: Wu and He, arXiv:1803.08494.
    """

    keyword: ClassVar[str] = "groupnorm"
    syntax: ClassVar[str] = "groupnorm GROUPS"
    num_groups: int = field(metadata=main(COUNT))
    eps: float = field(default=1e-5, metadata=option(POSITIVE))
    affine: bool = field(default=True, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        channels, values = input_shape[0], numel(input_shape)
        if channels % self.num_groups == 0 and values > self.num_groups:
            return input_shape
        which = "does not divide its" if channels % self.num_groups else "leaves one value a group of its"
        most = min(self.num_groups, values - 1)
        fix = f"use groupnorm {_largest_divisor(channels, most)}" if most else "leave it out"
        raise FitError(f"num_groups {self.num_groups} {which} {_channels(channels)}", fix)

    def params(self, input_shape: Shape) -> int:
        return 2 * input_shape[0] if self.affine else 0


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`, in time of the number's root."""
    halves = [n for n in range(1, isqrt(number) + 1) if number % n == 0]
    return max(n for half in halves for n in (half, number // half) if n <= most)


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


@block
class InstanceNorm(Block):
    """As batch normalisation, but over each channel of an image by itself (torch.nn.InstanceNorm1d, 2d, 3d).

    Source: Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022.
    """

    keyword: ClassVar[str] = "instancenorm"
    syntax: ClassVar[str] = "instancenorm"
    eps: float = field(default=1e-5, metadata=option(POSITIVE))
    momentum: float = field(default=0.1, metadata=option(PROBABILITY))
    affine: bool = field(default=False, metadata=option(FLAG))
    track_running_stats: bool = field(default=False, metadata=option(FLAG))

    def output_shape(self, input_shape: Shape) -> Shape:
        if numel(needs_map(input_shape)) == 1:
            raise TooSmallError(
                "its input has one value a channel, whose deviation is 0", "use layernorm or batchnorm here"
            )
        return input_shape

    def params(self, input_shape: Shape) -> int:
        return 2 * input_shape[0] if self.affine else 0


@block
class LayerNorm(Block):
    """As batch normalisation, but over all values of an image, each with its own scale (torch.nn.LayerNorm).

    `affine` is torch's `elementwise_affine`. Source: Ba, Kiros and Hinton, arXiv:1607.06450.
    """

    keyword: ClassVar[str] = "layernorm"
    syntax: ClassVar[str] = "layernorm"
    eps: float = field(default=1e-5, metadata=option(POSITIVE))
    affine: bool = field(default=True, metadata=option(FLAG))
    bias: bool = field(default=True, metadata=option(FLAG))

    def params(self, input_shape: Shape) -> int:
        return numel(input_shape) * (self.affine + (self.affine and self.bias))


@block
class LocalResponseNorm(Block):
    """x / (k + alpha · mean of the squares of `size` channels around it) ** beta (torch.nn.LocalResponseNorm).

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.
    """

    keyword: ClassVar[str] = "localresponsenorm"
    syntax: ClassVar[str] = "localresponsenorm SIZE"
    size: int = field(metadata=main(COUNT))
    alpha: float = field(default=1e-4, metadata=option(NOT_NEGATIVE))
    beta: float = field(default=0.75, metadata=option(REAL))
    k: float = field(default=1.0, metadata=option(NOT_NEGATIVE))

    def output_shape(self, input_shape: Shape) -> Shape:
        needs_map(input_shape)
        return input_shape


@block
class Dropout(Block):
    """In training, each value to zero with probability p (torch.nn.Dropout)."""

    keyword: ClassVar[str] = "dropout"
    syntax: ClassVar[str] = "dropout P"
    p: float = field(default=0.5, metadata=main(PROBABILITY))


@block
class ChannelDropout(Block):
    """In training, each whole channel to zero with probability p (torch.nn.Dropout1d, 2d, 3d).

    Source: Tompson, Goroshin, Jain, LeCun and Bregler, arXiv:1411.4280.
    """

    keyword: ClassVar[str] = "channeldropout"
    syntax: ClassVar[str] = "channeldropout P"
    p: float = field(default=0.5, metadata=main(PROBABILITY))

    def output_shape(self, input_shape: Shape) -> Shape:
        needs_map(input_shape)
        return input_shape


@block
class AlphaDropout(Block):
    """Dropout that keeps mean and deviation, for networks with selu (torch.nn.AlphaDropout).

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515.
    """

    keyword: ClassVar[str] = "alphadropout"
    syntax: ClassVar[str] = "alphadropout P"
    p: float = field(default=0.5, metadata=main(PROBABILITY))
