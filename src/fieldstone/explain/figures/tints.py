"""The scale of a map: from 0 to its largest value, or to both signs about 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.figures.paint import signed_tint, tint


@dataclass(frozen=True)
class Scale:
    """The classes of a map's values; `role` is `in` or `out`."""

    role: str
    most: float
    is_signed: bool

    @classmethod
    def of(cls, role: str, values: Array) -> Scale:
        """Of finite values; one below 0 makes the map signed."""
        finite = values[np.isfinite(values)]
        most = float(np.abs(finite).max()) if finite.size else 0.0
        return cls(role, most, bool((finite < 0).any()))

    @classmethod
    def of_weights(cls, values: Array) -> Scale:
        """Weights have signs in any case."""
        return cls("pos", cls.of("pos", values).most, True)

    def __call__(self, value: float) -> str:
        return signed_tint(value, self.most) if self.is_signed else tint(self.role, value, self.most)
