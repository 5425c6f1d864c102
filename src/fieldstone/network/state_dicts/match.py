"""Which tensors a network takes of others, by name and shape."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

from torch import Tensor

from fieldstone.errors import ModelError
from fieldstone.network.paths import is_inside
from fieldstone.network.state_dicts.prefix import below
from fieldstone.network.state_dicts.translate import COUNTER, kind_text


@dataclass(frozen=True)
class Match:
    """Which tensors a network takes.

    Attributes:
        taken: by the network's names.
        head_is_new: whether those of the head are not among them.
        faults: what does not match, as a line each.
        notes: what was done, as a person should be told.
    """

    taken: dict[str, Tensor]
    head_is_new: bool
    faults: list[str]
    notes: list[str]

    @classmethod
    def of(
        cls, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], head: str | None, *, other_classes: bool
    ) -> Self:
        """Match tensors by name and shape. Raises ModelError where they are of several networks.

        Args:
            head: the path of the network's head, where it can be told.
            other_classes: whether the head that was learned is for other classes.
        """
        held, renamed = _by_names_of(wanted, given)
        own_head = {name for name in wanted if head is not None and is_inside(name, head)}
        new = bool(own_head) and (other_classes or any(_fault(name, held, wanted) for name in own_head))
        needed = [name for name in wanted if not (new and name in own_head) and not _is_lost_counter(name, held)]
        faults = [fault for name in needed if (fault := _fault(name, held, wanted))]
        others = [name for name in held if name not in wanted and not name.endswith(COUNTER)]
        left_out = {name.rpartition(".")[0] for name in others} if new else set()
        if len(left_out) == 1 and _was_head(others, held, [wanted[name] for name in own_head]):
            notes = [*renamed, f"left out, because the head is new: {left_out.pop()}"]
        else:
            notes = renamed
            faults += [f"{name} {kind_text(held[name])} has no place" for name in others]
        return cls({name: held[name] for name in needed if name in held}, new, faults, notes)


def _by_names_of(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> tuple[Mapping[str, Tensor], list[str]]:
    """The tensors by the names that the network has for them, where each has another beginning; and what to say.

    Raises:
        ModelError: several networks are in them.
    """
    own = _beginning(wanted)
    bare = [name.removeprefix(own) for name in wanted]
    found = below(bare, given)
    if _most(wanted, given) or not _most(bare, found.tensors):
        return given, []
    if found.rivals:
        under = ", ".join(map(repr, (found.prefix, *found.rivals)))
        raise ModelError(f"holds several networks, under {under}", fix="save the one that is meant alone")
    said = f"names taken with {own!r} for {found.prefix!r} at their beginning{found.apart}" if own else found.note
    return {own + name: tensor for name, tensor in found.tensors.items()}, [said] if said else []


def _most(wanted: Collection[str], given: Collection[str]) -> bool:
    """Whether at least half of the names that are wanted are there."""
    return 2 * sum(name in given for name in wanted) >= len(wanted)


def _beginning(names: Iterable[str]) -> str:
    """The modules that every name begins with: `net.` of `net.0.weight` and `net.2.bias`."""
    same = takewhile(lambda parts: len(set(parts)) == 1, zip(*(name.split(".")[:-1] for name in names), strict=False))
    return "".join(f"{parts[0]}." for parts in same)


def _is_lost_counter(name: str, held: Mapping[str, Tensor]) -> bool:
    return name.endswith(COUNTER) and name not in held


def _fault(name: str, held: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str | None:
    """What is wrong with the tensor of this name, if something is."""
    if name not in held:
        return f"{name} {kind_text(wanted[name])} is missing"
    old, new = held[name], wanted[name]
    if old.shape == new.shape and old.is_floating_point() == new.is_floating_point():
        return None
    return f"{name} is {kind_text(old)}, not {kind_text(new)}"


def _was_head(names: Sequence[str], held: Mapping[str, Tensor], head: Sequence[Tensor]) -> bool:
    """Whether these tensors are a layer that took what the head takes."""
    matrices = [held[name].shape[1:] for name in names if held[name].ndim > 1]
    return len(matrices) == 1 and matrices[0] in [tensor.shape[1:] for tensor in head if tensor.ndim > 1]
