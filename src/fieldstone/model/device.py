"""Where a network runs."""

from typing import Any

import torch

from fieldstone import __version__
from fieldstone.errors import DeviceError


def pick_device(asked: str | torch.device | None = None) -> torch.device:
    """The device that was asked for, else the accelerator of this machine, else its processor.

    Raises:
        DeviceError: no such device here.
    """
    if asked is None:
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return torch.device("cpu") if found is None else found
    try:
        device = torch.device(asked)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as fault:
        raise DeviceError(
            f"device {str(asked)!r} is not available here", fix="use --device cpu, or leave it out"
        ) from fault
    return device


def made_with(device: torch.device) -> dict[str, Any]:
    """The versions, device and number of threads of this process: with others come other bits."""
    gpu = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    return {
        "fieldstone": __version__,
        "torch": torch.__version__,
        "device": f"{device}{gpu}",
        "threads": torch.get_num_threads(),
    }
