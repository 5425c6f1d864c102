"""Where a network runs."""

import torch

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
