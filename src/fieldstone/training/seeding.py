"""What is random inside a step, such as dropout: seeded for each step, on the processor and on the device."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager

import torch


def step_seed(seed: int, step: int) -> int:
    """The seed of everything random inside one step."""
    return int.from_bytes(hashlib.sha256(f"fieldstone-step {seed} {step}".encode()).digest()[:8]) >> 1


def seed_devices(device: torch.device, seed: int) -> None:
    """Seed the processor and the device.

    `torch.manual_seed` would seed every kind of device, and where one was never used it keeps each call for later, with
    the stack that made it: a third of a millisecond a step, and memory that grows.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        module = torch.get_device_module(device)
        getattr(module, "manual_seed_all", module.manual_seed)(seed)


def borrowed_chance(device: torch.device) -> AbstractContextManager[None]:
    """Inside, the random states of processor and device may change; after it they are as before."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])
