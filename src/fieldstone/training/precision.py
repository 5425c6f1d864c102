"""Number formats: which one `auto` means here, and the context that computes in it."""

import platform
from contextlib import AbstractContextManager, nullcontext

import torch

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def best_precision(device: torch.device) -> str:
    """`bf16` where the processor computes in it faster than in float32, else `fp32`."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if device.type == "cpu" and platform.machine() in ("x86_64", "AMD64"):
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return "bf16" if fast else "fp32"
    return "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Inside, convolutions and linear layers compute in the given precision; weights stay float32."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision])


def gradient_scaler(device: torch.device, precision: str) -> torch.amp.GradScaler:
    """Keeps float16 gradients from vanishing; for the other precisions it does nothing."""
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")
