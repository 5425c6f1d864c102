"""A network in two: the trunk, whose weights are learned already, and the head with whatever follows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from fieldstone.errors import DesignError
from fieldstone.network.fold import folded
from fieldstone.network.named_modules import USES_NAMES, NamedSequential
from fieldstone.training.recipe import TRUNK


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


def is_inside(path: str, block: str) -> bool:
    """Whether a path, or a tensor's name, is that of a block or of something in it."""
    return path == block or path.startswith(f"{block}.")


def block_rates(network: nn.Module, decay: float) -> dict[str, float]:
    """By parameter, what its learning rate is multiplied with: `decay` once for each block of the design after its own.

    The blocks of a network of the user's own are its children, in the order in which it has them.
    Source: layer-wise decay as in Clark et al., ELECTRA, 2020, with the design's blocks that hold weights as layers.
    """
    names = [name for name, _ in network.named_parameters()]
    blocks = list(dict.fromkeys(name.split(".")[0] for name in names))
    return {name: decay ** (len(blocks) - 1 - blocks.index(name.split(".")[0])) for name in names}
