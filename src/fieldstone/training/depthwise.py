"""Depthwise convolution on a processor in bfloat16: its backward pass computes in float32, where torch is faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

KINDS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@contextmanager
def faster_depthwise(network: nn.Module, device: torch.device, precision: str) -> Iterator[None]:
    """Inside, the depthwise layers of a network train faster; elsewhere and in other precisions nothing changes.

    torch 2.13 takes three to four times as long for the gradient of a depthwise convolution in bfloat16 as in float32,
    while its forward pass is three times as fast (`benchmarks/depthwise.py`).
    """
    changed = []
    if device.type == "cpu" and precision == "bf16":
        changed = [module for module in network.modules() if isinstance(module, KINDS) and _is_depthwise(module)]
    for module in changed:
        module._conv_forward = _Forward(module)  # type: ignore[method-assign]  # its own, for this time alone
    try:
        yield
    finally:
        for module in changed:
            del module._conv_forward


def _is_depthwise(module: _ConvNd) -> bool:
    alone = module.groups == module.in_channels > 1
    return alone and module.padding_mode == "zeros" and not isinstance(module.padding, str)


class _Forward:
    """What a depthwise layer computes."""

    def __init__(self, module: _ConvNd) -> None:
        self.arguments = (module.stride, module.padding, module.dilation, module.groups)

    def __call__(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        output: Tensor = _Depthwise.apply(input.bfloat16(), weight, bias, *self.arguments)  # type: ignore[no-untyped-call]
        return output


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, *arguments: Any) -> Tensor:
        ctx.save_for_backward(input, weight)
        ctx.arguments, ctx.has_bias = arguments, bias is not None
        stride, padding, dilation, groups = arguments
        low = None if bias is None else bias.bfloat16()
        none = [0] * len(stride)
        return torch.convolution(input, weight.bfloat16(), low, stride, padding, dilation, False, none, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        input, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.arguments
        sizes = [len(weight)] if ctx.has_bias else None
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.has_bias and ctx.needs_input_grad[2]]
        of_input, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradients[0].float(), input.float(), weight, sizes,
            stride, padding, dilation, False, [0] * len(stride), groups, wanted,
        )  # fmt: skip
        low = None if of_input is None else of_input.bfloat16()
        return low, of_weight, of_bias, None, None, None, None
