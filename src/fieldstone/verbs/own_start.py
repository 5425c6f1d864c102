"""Learned weights as a beginning of a network of the user's own: which of them it takes, by name and shape."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Self

from torch import Tensor, nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import ModelError
from fieldstone.model.model import Model, stored
from fieldstone.model.weights import read_weights
from fieldstone.network.state_dicts.prefix import below
from fieldstone.network.state_dicts.translate import COUNTER, kind_text, mismatches
from fieldstone.training.freezing import is_inside
from fieldstone.training.own_head import find_head
from fieldstone.verbs.start import Start


@dataclass(frozen=True)
class LearnedWeights:
    """Learned tensors, and what is known of them.

    Attributes:
        name: what they are called: a run, a file, a name.
        task, classes, preprocessing: those of their model; None of a state dict, which does not say.
        seen: the short keys of the images that they were trained or validated on.
        notes: what is to be said of them.
    """

    name: str
    tensors: Mapping[str, Tensor]
    task: str | None = None
    classes: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    seen: frozenset[bytes] = frozenset()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_model(cls, model: Model, name: str) -> Self:
        """What a model has learned."""
        tensors, notes = model.network.state_dict(), tuple(model.about["data"].get("notes", ()))
        return cls(name, tensors, model.task.name, model.classes, model.preprocessing, model.seen, notes)

    @classmethod
    def of_file(cls, path: str | Path) -> Self:
        """What the file of a model holds, or a run, without a network for it.

        Raises:
            ModelError: there is no such model.
        """
        found = stored(path)
        known, notes = found.known, tuple(found.known["about"]["data"].get("notes", ()))
        task, classes = known["task"].name, known["classes"]
        return cls(str(path), found.tensors, task, classes, known["preprocessing"], known["seen"], notes)

    @classmethod
    def of_state_dict(cls, path: str | Path) -> Self:
        """What another program saved.

        Raises:
            ModelError: the file is no state dict.
        """
        read = read_weights(Path(path))
        return cls(str(path), read.tensors, notes=read.notes)

    def put_into(
        self, network: nn.Module, preprocessing: Preprocessing, outputs: int, task: str, classes: tuple[str, ...]
    ) -> Start:
        """Give a network these weights: all of them, but the head's where that is for other classes.

        Raises:
            ModelError: they do not fit by name and shape; nothing is loaded then.
        """
        head = find_head(network, (preprocessing.channels, *preprocessing.size), outputs)
        other = self.classes is not None and (self.task, self.classes) != (task, classes)
        try:
            match = Match.of(self.tensors, network.state_dict(), head, other_classes=other)
        except ModelError as fault:
            raise ModelError(fault.message, file=self.name, fix=fault.fix) from fault
        if match.faults:
            raise self._misfit(match.faults)
        _refuse_not_finite(match.taken, self.name)
        network.load_state_dict({**network.state_dict(), **match.taken})
        learned = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in match.taken))
        new = () if head is None or not match.head_is_new else (head,)
        notes = (*self.notes, *match.notes)
        return Start(self.name, learned, new, head, preprocessing, self.preprocessing, self.seen, notes=notes)

    def _misfit(self, faults: Sequence[str]) -> ModelError:
        return ModelError(
            f"does not fit the network: {mismatches(faults)}",
            file=self.name,
            fix="nothing was loaded; give the network that was trained, "
            "or load into it what you want of them and leave out start=",
        )


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


def _refuse_not_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    bad = [one for one, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        count = f"{len(bad):,} tensors hold" if len(bad) > 1 else "1 tensor holds"
        message = f"{count} numbers that are not finite, first {bad[0]}"
        raise ModelError(message, file=name, fix="take the weights of a training that did not diverge")
