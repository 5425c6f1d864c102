"""What a recipe freezes of a network: by the paths of its blocks, or all but its head."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from fieldstone.errors import DesignError
from fieldstone.network.paths import is_inside
from fieldstone.training.recipe import TRUNK


def resting_modules(network: nn.Module, head: str | None, paths: Iterable[str]) -> list[nn.Module]:
    """The modules that are frozen as a whole; `trunk` means all that neither are in the head, nor hold it.

    Raises:
        DesignError: there is no block at a path.
    """
    found: list[nn.Module] = []
    modules = {name: module for name, module in network.named_modules() if name}
    parameters = {name for name, _ in network.named_parameters()}
    for path in paths:
        if path == TRUNK and head is not None:
            found += [m for name, m in modules.items() if not (is_inside(name, head) or is_inside(head, name))]
        elif path in modules:
            found.append(modules[path])
        elif path not in parameters:
            raise DesignError(
                f"freeze: there is no block {path!r}",
                fix=f"give paths of the design, or names of modules of your own network, or {TRUNK}",
            )
    return found


def frozen_parameters(network: nn.Module, head: str | None, paths: Iterable[str]) -> list[nn.Parameter]:
    """The parameters of the blocks at these paths; of `trunk`, all but the head's."""
    return [
        parameter
        for name, parameter in network.named_parameters()
        if any(is_frozen(name, path, head) for path in paths)
    ]


def is_frozen(path: str, freeze: str, head: str | None) -> bool:
    """Whether `freeze` names this block, one that holds it, or the trunk that it stands in."""
    return is_inside(path, freeze) if freeze != TRUNK or head is None else not is_inside(path, head)
