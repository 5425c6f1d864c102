"""What was measured of the field of one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """Which pixels really move the value in the middle of a block's map.

    Attributes:
        size: the side of a square (line, cube) with as many pixels as move it noticeably.
        map: how strongly each pixel moves it, (*sides of the input), 0 or more.
    """

    size: float
    map: NDArray[np.float64]
