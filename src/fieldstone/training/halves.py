"""A network in two: the trunk, whose weights are learned already, and the head with whatever follows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from fieldstone.errors import DesignError
from fieldstone.network.named_modules import USES_NAMES, NamedSequential
from fieldstone.training.recipe import TRUNK


@dataclass(frozen=True)
class Halves:
    """`tail(trunk(input))` is what the network gives; their layers are the network's own."""

    trunk: nn.Module
    tail: nn.Sequential


def halves(network: nn.Module, head: str) -> Halves:
    """Cut a network before its head.

    Args:
        network: one that `build` made.
        head: the path of the block that is sized by the classes.

    Raises:
        DesignError: the head stands on one of several paths, or what follows it uses a map from before.
    """
    before: list[nn.Module] = []
    after: list[nn.Module] = []
    here = network
    for part in head.split("."):
        if not isinstance(here, nn.Sequential):
            raise _not_last(head)
        children = dict(here.named_children())
        place = list(children).index(part)
        before += list(children.values())[:place]
        after = list(children.values())[place + 1 :] + after
        here = children[part]
    tail = (here, *after)
    if any(isinstance(inner, USES_NAMES) for module in tail for inner in module.modules()):
        raise _not_last(head)
    return Halves(NamedSequential(*before), nn.Sequential(*tail))


def _not_last(head: str) -> DesignError:
    return DesignError(
        "the head is not the end of one chain, so the features before it cannot be kept alone",
        path=head,
        fix="use --recipe finetune with head_first=false",
    )


def frozen_modules(network: nn.Module, head: str, paths: Iterable[str]) -> list[nn.Module]:
    """The modules of the blocks at these paths; `trunk` means every block but the head.

    Raises:
        DesignError: there is no block at a path.
    """
    found: list[nn.Module] = []
    modules = dict(network.named_modules())
    for path in paths:
        if path == TRUNK:
            found += [m for name, m in modules.items() if name and not is_inside(name, head) and not list(m.children())]
        elif path in modules and path:
            found.append(modules[path])
        else:
            raise DesignError(f"freeze: there is no block {path!r}", fix=f"give paths of the design, or {TRUNK}")
    return found


def is_inside(path: str, block: str) -> bool:
    """Whether a path, or a tensor's name, is that of a block or of something in it."""
    return path == block or path.startswith(f"{block}.")


def block_rates(network: nn.Module, decay: float) -> dict[str, float]:
    """By parameter, what its learning rate is multiplied with: `decay` once for each block of the design after its own.

    Source: layer-wise decay as in Clark et al., ELECTRA, 2020, with the design's blocks that hold weights as layers.
    """
    names = [name for name, _ in network.named_parameters()]
    blocks = list(dict.fromkeys(name.split(".")[0] for name in names))
    return {name: decay ** (len(blocks) - 1 - blocks.index(name.split(".")[0])) for name in names}
