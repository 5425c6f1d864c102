"""Activations: each value by itself, a few over the channels.

A class has the name of its layer in torch.nn and its keys are the layer's arguments, so that it is built and printed by
its name alone. (`PReLU` alone has a word more.)
"""

from __future__ import annotations

from dataclasses import field

from fieldstone.design.blocks.block import Block, FitError, block, main, option
from fieldstone.design.blocks.kinds import COUNT, NOT_NEGATIVE, POSITIVE, REAL, Kind, choice
from fieldstone.geometry import Shape


@block
class Activation(Block):
    """A function without weights that are multiplied with the input."""

    @property
    def monotone(self) -> bool:
        """Whether a larger input never gives a smaller output, whatever was learned, in training too.

        Then the largest value of a window is the same before and after it.
        """
        return True


@block
class NotMonotone(Activation):
    """An activation that falls somewhere, or draws or learns its slope, or looks at other channels too."""

    @property
    def monotone(self) -> bool:
        return False


@block
class ReLU(Activation):
    """max(x, 0)."""

    keyword = syntax = "relu"


@block
class ReLU6(Activation):
    """min(max(x, 0), 6)."""

    keyword = syntax = "relu6"


@block
class LeakyReLU(Activation):
    """x, below 0 times the slope."""

    keyword = syntax = "leakyrelu"
    negative_slope: float = field(default=0.01, metadata=option(REAL))

    @property
    def monotone(self) -> bool:
        return self.negative_slope >= 0


CHANNELS = "channels"
SLOPES = Kind("a whole number above 0, or `channels`", lambda text: text if text == CHANNELS else COUNT.read(text))


@block
class PReLU(NotMonotone):
    """x, below 0 times a slope that is learned, one or one a channel; it can become negative.

    Source: He, Zhang, Ren and Sun, arXiv:1502.01852.
    """

    keyword = syntax = "prelu"
    num_parameters: int | str = field(default=1, metadata=option(SLOPES))
    init: float = field(default=0.25, metadata=option(REAL))

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.params(input_shape) not in (1, input_shape[0]):
            message = f"num_parameters={self.num_parameters} is neither 1 nor its {input_shape[0]} channels"
            raise FitError(message, f"write num_parameters={CHANNELS}")
        return input_shape

    def params(self, input_shape: Shape) -> int:
        return self.num_parameters if isinstance(self.num_parameters, int) else input_shape[0]


@block
class RReLU(NotMonotone):
    """x, below 0 times a slope: in training drawn for each value between two bounds, else their mean."""

    keyword = syntax = "rrelu"
    lower: float = field(default=1 / 8, metadata=option(REAL))
    upper: float = field(default=1 / 3, metadata=option(REAL))

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.lower > self.upper:
            raise FitError(f"lower={self.lower:g} is above upper={self.upper:g}", "exchange them")
        return input_shape


@block
class ELU(Activation):
    """x, below 0 α · (exp(x) − 1). Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289."""

    keyword = syntax = "elu"
    alpha: float = field(default=1.0, metadata=option(REAL))

    @property
    def monotone(self) -> bool:
        return self.alpha >= 0


@block
class CELU(Activation):
    """x, below 0 α · (exp(x / α) − 1). Source: Barron, arXiv:1704.07483."""

    keyword = syntax = "celu"
    alpha: float = field(default=1.0, metadata=option(POSITIVE))


@block
class SELU(Activation):
    """1.0507 · x, below 0 1.7581 · (exp(x) − 1). Source: Klambauer et al., arXiv:1706.02515."""

    keyword = syntax = "selu"


@block
class GELU(NotMonotone):
    """x · Φ(x). Source: Hendrycks and Gimpel, arXiv:1606.08415."""

    keyword = syntax = "gelu"
    approximate: str = field(default="none", metadata=option(choice("none", "tanh")))


@block
class SiLU(NotMonotone):
    """x · sigmoid(x). Source: Hendrycks and Gimpel, arXiv:1606.08415."""

    keyword = syntax = "silu"


@block
class Mish(NotMonotone):
    """x · tanh(log(1 + exp(x))). Source: Misra, arXiv:1908.08681."""

    keyword = syntax = "mish"


@block
class Hardswish(NotMonotone):
    """x · min(max(x + 3, 0), 6) / 6. Source: Howard et al., arXiv:1905.02244."""

    keyword = syntax = "hardswish"


@block
class Tanh(Activation):
    """The hyperbolic tangent."""

    keyword = syntax = "tanh"


@block
class Hardtanh(Activation):
    """x, cut at two bounds."""

    keyword = syntax = "hardtanh"
    min_val: float = field(default=-1.0, metadata=option(REAL))
    max_val: float = field(default=1.0, metadata=option(REAL))

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.min_val >= self.max_val:
            message = f"min_val={self.min_val:g} is not below max_val={self.max_val:g}"
            raise FitError(message, "give it a smaller min_val or a larger max_val")
        return input_shape


@block
class Tanhshrink(Activation):
    """x − tanh(x); its slope is tanh(x)², never below 0."""

    keyword = syntax = "tanhshrink"


@block
class Sigmoid(Activation):
    """1 / (1 + exp(−x))."""

    keyword = syntax = "sigmoid"


@block
class Hardsigmoid(Activation):
    """min(max(x + 3, 0), 6) / 6."""

    keyword = syntax = "hardsigmoid"


@block
class LogSigmoid(Activation):
    """log(1 / (1 + exp(−x)))."""

    keyword = syntax = "logsigmoid"


@block
class Softplus(Activation):
    """log(1 + exp(β · x)) / β; x itself where β · x is above the threshold."""

    keyword = syntax = "softplus"
    beta: float = field(default=1.0, metadata=option(POSITIVE))
    threshold: float = field(default=20.0, metadata=option(REAL))

    @property
    def monotone(self) -> bool:
        """The step down to x at the threshold t is log(1 + exp(−t)) / β: from 20 on it is less than rounding."""
        return self.threshold >= 20


@block
class Softsign(Activation):
    """x / (1 + |x|)."""

    keyword = syntax = "softsign"


@block
class Hardshrink(Activation):
    """x, but 0 between −λ and λ."""

    keyword = syntax = "hardshrink"
    lambd: float = field(default=0.5, metadata=option(NOT_NEGATIVE))


@block
class Softshrink(Activation):
    """x moved towards 0 by λ, but 0 between −λ and λ."""

    keyword = syntax = "softshrink"
    lambd: float = field(default=0.5, metadata=option(NOT_NEGATIVE))


@block
class Threshold(Activation):
    """x above the threshold, a fixed value elsewhere."""

    keyword = "threshold"
    syntax = "threshold THRESHOLD VALUE"
    threshold: float = field(metadata=main(REAL))
    value: float = field(metadata=main(REAL))

    @property
    def monotone(self) -> bool:
        return self.value <= self.threshold


@block
class Softmax(NotMonotone):
    """exp(x) as a share of its sum over the channels."""

    keyword = syntax = "softmax"


@block
class LogSoftmax(NotMonotone):
    """The logarithm of softmax."""

    keyword = syntax = "logsoftmax"


@block
class GLU(NotMonotone):
    """a · sigmoid(b), of the first and the second half of the channels. Source: Dauphin et al., arXiv:1612.08083."""

    keyword = syntax = "glu"

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape[0] % 2:
            raise FitError(f"its input has {input_shape[0]} channels, which cannot be halved", "give it an even number")
        return (input_shape[0] // 2, *input_shape[1:])


OVER_CHANNELS: tuple[type[Activation], ...] = (Softmax, LogSoftmax, GLU)
"""Those that take the channels together: torch's `dim=1`."""

ACTIVATIONS: tuple[type[Activation], ...] = (
    ReLU, ReLU6, LeakyReLU, PReLU, RReLU, ELU, CELU, SELU, GELU, SiLU, Mish, Hardswish, Tanh, Hardtanh, Tanhshrink,
    Sigmoid, Hardsigmoid, LogSigmoid, Softplus, Softsign, Hardshrink, Softshrink, Threshold, *OVER_CHANNELS,
)  # fmt: skip
