"""What builds the module of a block, and torch's layers by the rank of the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fieldstone.design.walk import Row

Rows = Mapping[str, Row]
Builder = Callable[[Any, Row, Rows], nn.Module]


def ranked(*layers: type[nn.Module]) -> Callable[[Row], type[nn.Module]]:
    """The layer for the rank of a row's input; a flat one takes the first."""
    return lambda row: layers[max(0, len(row.input_shape) - 2)]


CONV = ranked(nn.Conv1d, nn.Conv2d, nn.Conv3d)
ADAPTIVE_AVG_POOL = ranked(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
