"""Learned weights as a beginning of a network of the user's own: which of them it takes, by name and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torch import Tensor, nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import ModelError
from fieldstone.model.model import Model, stored
from fieldstone.model.weights import read_weights
from fieldstone.network.state_dicts.match import Match
from fieldstone.network.state_dicts.sound import refuse_unsound
from fieldstone.network.state_dicts.translate import mismatches
from fieldstone.training.own_head import find_head
from fieldstone.verbs.starting.start import Start


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
        refuse_unsound(match.taken, self.name)
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
