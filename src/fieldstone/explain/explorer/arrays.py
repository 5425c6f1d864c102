"""The numbers of a page: float32 arrays by name, and which of them a file of bounded size holds."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from fieldstone.analysis.memory import size_text
from fieldstone.geometry import Shape

LITTLE_ENDIAN = np.dtype("<f4")
PREVIEW_MAPS, PREVIEW_SIDE = 9, 44


@dataclass
class Arrays:
    """Tensors by name; their bytes are made when they are asked for."""

    tensors: dict[str, Tensor] = field(default_factory=dict)

    def add(self, name: str, tensor: Tensor) -> str:
        """Keep a tensor; its name."""
        self.tensors[name] = tensor
        return name

    def shape(self, name: str) -> Shape:
        return tuple(self.tensors[name].shape)

    def bytes(self, name: str) -> bytes:
        """Little-endian float32, in row order."""
        values = self.tensors[name].detach().float().cpu().contiguous().numpy()
        return values.astype(LITTLE_ENDIAN, copy=False).tobytes()

    def size(self, name: str) -> int:
        return 4 * self.tensors[name].numel()

    def described(self) -> dict[str, Any]:
        """Their shapes alone: a page asks for the numbers one by one."""
        return {name: {"shape": list(self.shape(name))} for name in self.tensors}

    def written(self, most: int) -> dict[str, Any]:
        """Shapes and numbers, the smallest first, as long as all of them have no more than `most` bytes."""
        kept, total = set(), 0
        for name in sorted(self.tensors, key=self.size):
            total += self.size(name)
            if total > most:
                break
            kept.add(name)
        return {name: self._one(name, name in kept) for name in self.tensors}

    def _one(self, name: str, kept: bool) -> Mapping[str, Any]:
        shape = {"shape": list(self.shape(name))}
        if kept:
            return shape | {"packed": packed(self.bytes(name))}
        return shape | {"left_out": size_text(self.size(name)), **self._preview(name)}

    def _preview(self, name: str) -> dict[str, Any]:
        """Of a map that a file does not hold, every so many values of the first channels."""
        if len(self.shape(name)) != 3:
            return {}
        step = max(1, -(-max(self.shape(name)[1:]) // PREVIEW_SIDE))
        first = Arrays({"": self.tensors[name][:PREVIEW_MAPS, ::step, ::step]})
        return {"preview": {"shape": list(first.shape("")), "base64": _text(first.bytes(""))}}


def packed(content: bytes) -> str:
    """Numbers of four bytes as text: their first bytes, their second bytes, …, deflated; then base64.

    Signs and exponents of neighbours are alike, so that they take a seventh less when they stand together.
    """
    planes = np.frombuffer(content, np.uint8).reshape(-1, 4).T  # (numbers, 4) -> (4, numbers)
    return _text(zlib.compress(np.ascontiguousarray(planes).tobytes()))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
