"""A network in two: the trunk, whose weights are learned already, and the head with whatever follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from fieldstone.errors import DesignError
from fieldstone.network.fold import folded
from fieldstone.network.named_modules import USES_NAMES, NamedSequential


@dataclass(frozen=True)
class Halves:
    """`tail(trunk(input))` is what the network gives; their layers are the network's own.

    Attributes:
        tail: a chain, the head first.
        weights: what the trunk has learned.
        function: what else tells two trunks apart that have the same weights.
    """

    trunk: nn.Module
    tail: nn.Sequential
    weights: Mapping[str, Tensor]
    function: str = ""

    @property
    def quick_trunk(self) -> nn.Module:
        """The same function for inference; faster where the trunk is a chain of blocks."""
        return folded(self.trunk) if isinstance(self.trunk, NamedSequential) else self.trunk


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
            raise _not_last(head, "it stands on one of several paths whose answers are put together")
        children = dict(here.named_children())
        place = list(children).index(part)
        before += list(children.values())[:place]
        after = list(children.values())[place + 1 :] + after
        here = children[part]
    tail = (here, *after)
    if any(isinstance(inner, USES_NAMES) for module in tail for inner in module.modules()):
        raise _not_last(head, "what follows it takes a map from before it, or keeps one")
    trunk = NamedSequential(*before)
    return Halves(trunk, nn.Sequential(*tail), trunk.state_dict())


def _not_last(head: str, why: str) -> DesignError:
    return DesignError(
        f"the head is not the end of one chain ({why}), so what it is given is not all that the answer depends on",
        path=head,
        fix="train the rest with it: --recipe finetune --set head_first=false",
    )
