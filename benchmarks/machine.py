"""One line that says where a figure was measured."""

import os
import platform
from pathlib import Path

import torch


def machine(device: str = "cpu") -> str:
    """Processor, cores, its half-precision units, the GPU where one is used, and the versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    bf16 = "AVX-512 BF16" if torch.cpu._is_avx512_bf16_supported() else "no AVX-512 BF16"
    name = ", ".join(names) or platform.processor() or platform.machine()
    gpu = "" if device == "cpu" else f", {torch.cuda.get_device_name(device)}"
    return (
        f"{name}, {os.cpu_count()} cores, {bf16}{gpu}; Python {platform.python_version()}, torch {torch.__version__};"
    )
