"""Tensors in a `.safetensors` file: what model files and checkpoints share."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from fieldstone.files import written_whole


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the processor, row by row in memory, none sharing it with another, as the format needs them."""
    plain = torch.contiguous_format
    return {name: tensor.detach().cpu().clone(memory_format=plain) for name, tensor in tensors.items()}


def content_digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over a text, then every tensor's bytes in name order."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write `copied` tensors whole. Raises OSError or SafetensorError."""
    with written_whole(path) as beside:
        save_file(tensors, beside, metadata=metadata)


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors of a file. Raises OSError or SafetensorError."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (safe_open is no mapping)
        return file.metadata() or {}, tensors
