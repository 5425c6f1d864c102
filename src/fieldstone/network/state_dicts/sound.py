"""Numbers with which a network has no answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from fieldstone.errors import ModelError

VARIANCE = "running_var"
"""How the tensors end whose square root batch normalisation divides by."""


def refuse_unsound(tensors: Mapping[str, Tensor], file: str) -> None:
    """Fail on learned tensors that a network can compute nothing with.

    Raises:
        ModelError: numbers that are not finite, or negative variances.
    """
    numbers = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    _refuse("numbers that are not finite", [name for name, one in numbers.items() if not one.isfinite().all()], file)
    _refuse("negative variances", [name for name, one in numbers.items() if _is_negative(name, one)], file)


def _is_negative(name: str, tensor: Tensor) -> bool:
    return name.endswith(VARIANCE) and bool((tensor < 0).any())


def _refuse(what: str, names: Sequence[str], file: str) -> None:
    if names:
        count = f"{len(names):,} tensors hold" if len(names) > 1 else "1 tensor holds"
        message = f"{count} {what}, first {names[0]}"
        raise ModelError(message, file=file, fix="take the weights of a training that did not diverge")
