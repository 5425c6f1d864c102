"""The head of a network of the user's own: which of its layers that is, and the network in two before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.errors import DesignError
from fieldstone.geometry import Shape
from fieldstone.model.inference import evaluating
from fieldstone.model.tensors import content_digest
from fieldstone.network.paths import is_inside
from fieldstone.training.halves import Halves

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""What a head can be."""

POINTWISE: tuple[Callable[[], nn.Module], ...] = (
    nn.Identity, nn.ReLU, nn.Sigmoid, lambda: nn.Softmax(dim=1), lambda: nn.LogSoftmax(dim=1)
)  # fmt: skip
POOLS = {4: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool1d, 5: nn.AdaptiveAvgPool3d}
"""What is known to follow a head: one of these functions before or after the mean of each map, by its dimensions."""

IMAGES = 4  # of noise, that tell what a network does


def find_head(network: nn.Module, shape: Shape, outputs: int) -> str | None:
    """The path of the layer that runs last, if it has weights for so many outputs; else None.

    Args:
        shape: (C, H, W) of an image.
    """
    order: list[str] = []
    paths = {module: path for path, module in network.named_modules() if isinstance(module, LAYERS)}
    with _hooked(paths, lambda module, *_: order.append(paths[module])):
        _answer(network, shape)
    last = network.get_submodule(order[-1]) if order else None
    weight = getattr(last, "weight", None)
    return order[-1] if isinstance(weight, Tensor) and len(weight) == outputs else None


def halves_of_own(network: nn.Module, head: str, shape: Shape) -> Halves:
    """Cut a network before its head.

    The trunk runs the network and gives what the head was given. What follows the head is found by trial: whatever the
    head gives in its place, the network has to answer what a known end makes of that.

    Raises:
        DesignError: what follows the head is not known, it runs several times, or its weights are not to train.
    """
    layer = network.get_submodule(head)
    if not all(parameter.requires_grad for parameter in layer.parameters()):
        raise DesignError(
            "the head does not train: its parameters require no gradients",
            path=head,
            fix="give it requires_grad_(True), or set head_first=false",
        )
    trunk = BeforeHead(network, layer)
    end = _end(network, layer, shape)
    if end is None:
        raise DesignError(
            "nobody knows what follows the head in its forward, so the features before it cannot be kept alone",
            path=head,
            fix="end the network in its head, or in the mean of each of its maps; or set head_first=false",
        )
    weights = {name: value for name, value in network.state_dict().items() if not is_inside(name, head)}
    return Halves(trunk, nn.Sequential(layer, *end), weights, _function(trunk, shape))


class BeforeHead(nn.Module):
    """What a layer of a network is given."""

    def __init__(self, network: nn.Module, layer: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.layer = layer

    def forward(self, input: Tensor) -> Tensor:
        given: list[Tensor] = []
        hook = self.layer.register_forward_pre_hook(
            lambda _, args, kwargs: given.append(args[0] if args else kwargs["input"]), with_kwargs=True
        )
        try:
            self.network(input)
        finally:
            hook.remove()
        return given[-1]


@contextmanager
def _hooked(layers: Iterable[nn.Module], hook: Callable[..., Any]) -> Iterator[None]:
    """Inside, the hook sees each of these layers, its input and its output, and may give another output."""
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _noise(shape: Sequence[int], device: torch.device) -> Tensor:
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(0)).to(device)


def _answer(network: nn.Module, shape: Shape) -> Any:
    """What a network makes of images of noise."""
    device = next(network.parameters()).device
    with evaluating(network):
        return network(_noise((IMAGES, *shape), device))


def _end(network: nn.Module, layer: nn.Module, shape: Shape) -> tuple[nn.Module, ...] | None:
    """The modules that follow the head; None where they are none that is known."""
    made: list[Tensor] = []

    def replace(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        made.append(_noise(output.shape, output.device).to(output.dtype))
        return made[-1]

    with _hooked([layer], replace):
        answer = _answer(network, shape)
    if len(made) != 1 or len(made[0]) != IMAGES or not _is_of_channels(layer, made[0]):
        return None
    with torch.inference_mode():
        for end in _ends(made[0].dim()):
            found = nn.Sequential(*end)(made[0])
            if found.shape == answer.shape and torch.allclose(found, answer, rtol=1e-4, atol=1e-5):
                return end
    return None


def _is_of_channels(layer: nn.Module, output: Tensor) -> bool:
    """Whether the layer's outputs are the second dimension: those of a linear layer are the last."""
    return not isinstance(layer, nn.Linear) or output.dim() == 2


def _ends(dims: int) -> Iterator[tuple[nn.Module, ...]]:
    """Every end that is known, of outputs (N, outputs, ...) with so many dimensions."""
    if dims == 2:
        yield ()
        yield from ((pointwise(),) for pointwise in POINTWISE[1:])
    elif dims in POOLS:
        for pointwise, first in product(POINTWISE, (True, False)):
            mean = (POOLS[dims](1), nn.Flatten())
            yield (pointwise(), *mean) if first else (*mean, pointwise())


def _function(trunk: nn.Module, shape: Shape) -> str:
    """What tells apart two modules with the same weights: their answers to noise."""
    features: Tensor = _answer(trunk, shape)
    return content_digest("", {"features": features.float().cpu().contiguous()})
