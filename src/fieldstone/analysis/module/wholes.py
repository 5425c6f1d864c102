"""Layers of torch that call several functions and are one block: each as one call."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

from fieldstone.analysis.module.stand_in import Scripted


class Whole(NamedTuple):
    """A layer as a call: the function's name, how it is shown, and the arguments after the input."""

    name: str
    what: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012  # never written to


def as_whole(part: nn.Module) -> Whole | None:
    """The call that a layer stands for; None where its functions speak for themselves."""
    if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d) and type(part).__module__.startswith("torch.nn."):
        if part.padding_mode == "zeros":
            return None
        args = (part.weight, part.bias, part.stride, part.padding, part.dilation, part.groups)
        return Whole(f"conv{part.weight.dim() - 2}d", "conv", args, {"padding_mode": part.padding_mode})
    if isinstance(part, Scripted):
        return Whole("script", "torch.jit.ScriptModule", tuple(part.parameters()))
    if isinstance(part, nn.MultiheadAttention | nn.RNNBase):
        what = f"torch.nn.{type(part).__name__}"
        return Whole(type(part).__name__, what, tuple(part.parameters()))
    return None
