"""What a training needs to go on from any step to the same bits: `resume.safetensors` and `resume.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fieldstone.errors import RunError
from fieldstone.files import write_text
from fieldstone.model.tensors import content_digest, copied, read_tensors, write_tensors
from fieldstone.training.optimizer import optimizer_tensors, restore_optimizer
from fieldstone.training.run import Run

SETTINGS = {
    "data": str, "task": str, "input": list, "device": str, "threads": int, "precision": str, "strict": bool,
    "torch": str, "plan": str,
}  # fmt: skip
"""What never changes during a training, and `--resume` takes from `resume.json`; `plan` is of `Run.plan_digest`."""


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of everything that a network has learned, as it is now."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


TENSORS = ("kept_weights", "head_weights", "average", "loss_sum")


@dataclass
class Progressed:
    """Where a training stands; all of it but the tensors is JSON.

    Attributes:
        kept: what `kept_weights` are: those of the best `epoch`, the `mean` of all epochs, or the `head` fitted first.
        head_weights: the network after its head was fitted, before the first epoch; empty where that is no candidate.
    """

    step: int = 0
    kept: str | None = None
    kept_metrics: dict[str, Any] | None = None
    best_epoch: int | None = None
    best_score: float | None = None
    epochs_without_better: int = 0
    epoch_images: int = 0
    epoch_seconds: float = 0.0
    trained_images: int = 0
    trained_seconds: float = 0.0
    seconds: float = 0.0
    head_fitted: bool = False
    scaler: dict[str, Any] = field(default_factory=dict)
    averaged: int = 0
    kept_weights: dict[str, Tensor] = field(default_factory=dict)
    head_weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros(()))

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in TENSORS}


def save_checkpoint(
    run: Run, settings: dict[str, Any], network: nn.Module, optimizer: torch.optim.Optimizer | None, at: Progressed
) -> None:
    """Write both files whole; without an optimizer where none makes steps.

    What moves from step to step stands in the tensors' file as well: it is one with the weights even where a killed
    process leaves a new one beside an old `resume.json`.

    Raises:
        RunError: they cannot be written.
    """
    moments = {} if optimizer is None else optimizer_tensors(network, optimizer)
    tensors = copied({
        **{f"network/{name}": value for name, value in network.state_dict().items()},
        **{f"optimizer/{name}": value for name, value in moments.items()},
        **{f"kept/{name}": value for name, value in at.kept_weights.items()},
        **{f"head/{name}": value for name, value in at.head_weights.items()},
        **{f"average/{name}": value for name, value in at.average.items()},
        "loss_sum": at.loss_sum,
    })  # fmt: skip
    state = json.dumps(at.to_json(), sort_keys=True)
    place = run.resume_tensors
    try:
        write_tensors(place, tensors, {"state": state, "sha256": content_digest(state, tensors)})
        place = run.resume_state
        write_text(place, json.dumps({**settings, **at.to_json()}, indent=1, sort_keys=True) + "\n")
    except (OSError, SafetensorError) as fault:
        kept = f"; the best epoch so far is in {run.model}" if run.model.exists() else ""
        raise RunError(f"cannot be written: {fault}", file=str(place), fix=f"make room{kept}") from fault


def read_settings(run: Run) -> dict[str, Any]:
    """What `resume.json` says of how the training was started.

    Raises:
        RunError: the run is finished or not one, or the file is damaged.
    """
    missing = [place for place in (run.resume_state, run.resume_tensors) if not place.exists()]
    if len(missing) == 1:
        raise RunError(
            "is missing, it is needed to go on", file=str(missing[0]), fix="put it back, or start a new training"
        )
    if missing:
        why = "is finished" if run.model.exists() else "is no run that was interrupted"
        raise RunError(f"{why}, there is nothing to go on with", file=str(run.path), fix="start a new training")
    settings = run.read_json(run.resume_state)
    if not all(type(settings.get(name)) is kind for name, kind in SETTINGS.items()):
        raise RunError("is damaged", file=str(run.resume_state), fix="start a new training")
    return settings


def restore_checkpoint(run: Run, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> Progressed:
    """Put a network and its optimizer where the interrupted training stood.

    Raises:
        RunError: the file is damaged, or of another network.
    """
    try:
        metadata, tensors = read_tensors(run.resume_tensors)
        if metadata["sha256"] != content_digest(metadata["state"], tensors):
            raise ValueError("altered")
        network.load_state_dict(_under(tensors, "network/"))
        at = Progressed(**json.loads(metadata["state"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as fault:
        raise RunError(
            "is damaged, or of another network or version", file=str(run.resume_tensors), fix="start a new training"
        ) from fault
    if optimizer is not None:
        restore_optimizer(network, optimizer, _under(tensors, "optimizer/"))
    average = {name: value.to(next(network.parameters()).device) for name, value in _under(tensors, "average/").items()}
    kept, head = _under(tensors, "kept/"), _under(tensors, "head/")
    return replace(at, kept_weights=kept, head_weights=head, average=average, loss_sum=tensors["loss_sum"])


def remove_checkpoint(run: Run) -> None:
    """The training is done: nothing is left to go on with."""
    run.resume_state.unlink(missing_ok=True)
    run.resume_tensors.unlink(missing_ok=True)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
