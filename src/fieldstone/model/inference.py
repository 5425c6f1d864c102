"""The one inference path: pixels -> preprocessing -> network -> logits. Training, testing and predicting all use it."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.data.batches import in_turn
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DeviceError
from fieldstone.network.memory import within_memory

MOST_IMAGES, MOST_NUMBERS = 256, 2**23  # of one batch
SMALLER = "take another device, or a smaller network, as by --width 0.5"
MEMORY_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


class Normalise(nn.Module):
    """Pixels to what the network sees: x = pixel · scale, then (x − mean) / std, per channel; (N, C, *spatial)."""

    factor: Tensor
    offset: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        assert preprocessing.mean is not None
        assert preprocessing.std is not None
        axes = (1, -1, *(1 for _ in preprocessing.size))
        mean = torch.tensor(preprocessing.mean, dtype=torch.float64).reshape(axes)
        std = torch.tensor(preprocessing.std, dtype=torch.float64).reshape(axes)
        self.register_buffer("factor", (preprocessing.scale / std).float())
        self.register_buffer("offset", (-mean / std).float())

    def forward(self, pixels: Tensor) -> Tensor:
        return to_fastest_format(torch.addcmul(self.offset, to_fastest_format(pixels.float()), self.factor))


def to_fastest_format(tensor: Tensor) -> Tensor:
    """The same numbers with channels last in memory, where convolutions of its rank are faster so.

    `Tensor.contiguous` leaves a tensor of one channel as it is, since its order is the same either way; but then its
    strides still say "channels first", and every layer after it follows them.
    """
    layout = MEMORY_FORMATS.get(tensor.dim())
    return tensor if layout is None else tensor.to(memory_format=layout)


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on a device, the weights of its convolutions laid out as their inputs are.

    Raises:
        DeviceError: the device has too little memory.
    """
    count = sum(parameter.numel() for parameter in network.parameters())
    with within_memory(DeviceError(f"{device} has too little memory for {count:,} parameters", fix=SMALLER)):
        network.to(device)
        for parameter in network.parameters():
            parameter.data = to_fastest_format(parameter.data)
    return network


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no autograd inside; each module's own mode is restored after."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def logits(
    network: nn.Module,
    normalise: nn.Module,
    images: np.ndarray[Any, np.dtype[np.uint8]],
    indices: np.ndarray[Any, np.dtype[np.int64]],
    device: torch.device,
    advance: Callable[[int], None] | None = None,
) -> Tensor:
    """The network's outputs for some rows of an array of images, on the CPU in float32: (len(indices), outputs).

    Raises:
        DeviceError: the device has too little memory.
    """
    parts = []
    size = max(1, min(MOST_IMAGES, MOST_NUMBERS // math.prod(images.shape[1:]), len(indices)))
    refusal = DeviceError(f"{device} has too little memory for {size} images in this network", fix=SMALLER)
    with evaluating(network), within_memory(refusal):
        for rows, pixels in in_turn(images, indices, size, device):
            parts.append(network(normalise(pixels)).float())
            if advance is not None:
                advance(len(rows))
    return torch.cat(parts).cpu()
