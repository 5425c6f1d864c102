"""Even kernels that keep the sides: the centre of gravity of torch's output says where it stands."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from rules import said

END = ("globalavgpool", "linear classes")


@pytest.mark.parametrize(
    ("shape", "block", "moved"),
    [
        ((1, 8), "conv 4 2 padding=same", "half a value"),
        ((1, 8, 8), "conv 4 4 padding=same", "half a row and half a column"),
        ((1, 8, 8), "conv 4 3x2 padding=same", "half a column"),
        ((1, 8, 8, 8), "conv 4 3x2x3 padding=same", "half a row"),
        ((1, 8, 8), "conv 4 2 padding=same dilation=3", "half a row and half a column"),
        ((1, 8, 8), "conv 4 2 padding=same dilation=2", None),  # spans 3
        ((1, 8, 8), "conv 4 3 padding=same", None),
        ((1, 8, 8), "conv 4 4 stride=2 padding=1", None),  # between four pixels, as pooling is
        ((1, 8, 8), "conv 4 2", None),
        ((1, 8, 8), "maxpool 2", None),
    ],
)
def test_an_even_kernel_that_keeps_the_sides(shape: tuple[int, ...], block: str, moved: str | None) -> None:
    found = said("FS105", shape, block, *END)
    assert [f"moves its output by {moved}: " in one.message for one in found] == ([] if moved is None else [True])
    assert {(one.severity, one.where) for one in found} <= {("note", "1")}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_point_moves_by_half_a_place(kernel: int, dilation: int) -> None:
    point = torch.zeros(1, 1, 41)
    point[0, 0, 20] = 1
    spread = F.conv1d(point, torch.ones(1, 1, kernel), padding="same", dilation=dilation)[0, 0]
    moved = (spread * torch.arange(41)).sum() / spread.sum() - 20
    found = said("FS105", (1, 41), f"conv 4 {kernel} padding=same dilation={dilation}", *END)
    assert len(found) == (abs(moved.item()) == 0.5)
    assert found or moved == 0
