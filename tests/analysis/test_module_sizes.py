"""Sizes that are given without torch's own kernels: the same shape, type and strides as those give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from fieldstone.analysis.module.calls import tensors
from fieldstone.analysis.module.sizes import sizes_alone

CALLS: dict[str, Callable[[Tensor], Any]] = {
    "relu": F.relu,
    "relu in place": F.relu_,
    "gelu": F.gelu,
    "hardtanh": lambda x: F.hardtanh(x, 0, 6),
    "leaky relu": lambda x: F.leaky_relu(x, 0.2),
    "add": lambda x: x + x,
    "add a number": lambda x: x + 2,
    "add twice": lambda x: torch.add(x, x, alpha=2),
    "gate": lambda x: x * x.mean((2, 3), keepdim=True),
    "gate first": lambda x: x.mean((2, 3), keepdim=True) * x,
    "broadcast": lambda x: x.new_empty(1, 1, 8) + x.new_empty(4, 1),
    "divide": lambda x: x / x.sum(1, keepdim=True),
    "mean": lambda x: x.mean((2, 3)),
    "mean of all": lambda x: x.mean(),
    "mean of the last": lambda x: x.mean(-1, keepdim=True),
    "mean as double": lambda x: x.mean((2, 3), dtype=torch.float64),
    "compare": lambda x: x > 0,
    "not a number": torch.isnan,
    "logical": lambda x: torch.logical_and(x, x),
    "clamp": lambda x: x.clamp(0, 1),
    "where": lambda x: torch.where(x > 0, x, -x),
    "whole numbers": lambda x: x.to(torch.int64) / 2,
    "two types": lambda x: x + x.to(torch.float64),
    "batch norm": lambda x: F.batch_norm(x, x.new_empty(4), x.new_empty(4)),
    "linear": lambda x: F.linear(x.flatten(1), x.new_empty(3, x[0].numel()), x.new_empty(3)),
    "magnitude": torch.frexp,
    "fourier": lambda x: torch.fft.fft2(x).abs(),
}
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda x: x,
    "channels last": lambda x: x.to(memory_format=torch.channels_last),
    "permuted": lambda x: x.permute(0, 1, 3, 2),
    "sliced": lambda x: x[..., ::2],
    "expanded": lambda x: x[:, :1].expand(1, 4, 8, 6),
}


class Compare(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = sizes_alone(func, args, kwargs or {})
        expected = func(*args, **(kwargs or {}))
        pairs = zip(tensors(given), tensors(expected), strict=True)
        for mine, theirs in pairs:
            assert (mine.shape, mine.dtype, mine.stride()) == (theirs.shape, theirs.dtype, theirs.stride()), func
        return expected


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("call", CALLS)
def test_sizes_are_torchs(call: str, layout: str) -> None:
    with torch.device("meta"), torch.no_grad(), Compare():
        CALLS[call](LAYOUTS[layout](torch.empty(1, 4, 8, 6)))


def test_products_that_do_not_fit_are_refused_in_torchs_words() -> None:
    x = torch.empty(1, 4, device="meta")
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(1x4 and 5x2\)"), Compare():
        F.linear(x, x.new_empty(2, 5), x.new_empty(2))
