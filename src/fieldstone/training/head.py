"""A head fitted to features: every image at once, to convergence, its regularisation chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.tasks.task import Task
from fieldstone.training.features import Features, StoppedError, size_of

STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(0, -13, -1))
"""The regularisations to choose from, strongest first: from 1 to 10^-6, two to a decade."""
PATIENCE = 3
"""After so many weaker ones without a better validation loss, the rest is not tried."""
MOST_STEPS = 200
NUMBERS_AT_ONCE = 2**24


@dataclass(frozen=True)
class Example:
    """Features (N, C, ...) and the class indices (N,) of some images."""

    features: Features
    targets: np.ndarray[Any, np.dtype[np.int64]]

    def parts(self, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
        """Both on the device, a bounded part at a time."""
        size = max(1, NUMBERS_AT_ONCE // size_of(self.features))
        for start in range(0, len(self.targets), size):
            features = np.array(self.features[start : start + size])
            yield torch.from_numpy(features).to(device), torch.from_numpy(self.targets[start : start + size]).to(device)


@dataclass(frozen=True)
class Fitted:
    """How the head was fitted; its weights stand in the tail.

    Attributes:
        weight_decay: the regularisation that was chosen or given.
        loss: the mean training loss, without what the regularisation adds.
        metrics: those of the validation images, None where no image validates.
    """

    weight_decay: float
    loss: float
    metrics: dict[str, Any] | None


def fit_head(
    tail: nn.Module,
    task: Task,
    classes: tuple[str, ...],
    train: Example,
    validation: Example | None,
    *,
    weight_decay: float | None,
    class_weights: Tensor | None,
    label_smoothing: float,
    stop: Callable[[], bool],
) -> Fitted:
    """Minimise the mean loss + weight_decay / 2 · |weights|² by L-BFGS (Liu and Nocedal 1989).

    For one linear layer that is a logistic regression: convex, so that the result does not depend on the start.

    Args:
        tail: the head and what follows it, on its device; fitted in place, in evaluation mode.
        weight_decay: None to choose the one of STRENGTHS with the smallest validation loss; without validation
            images it is 1 / N, the prior of a weight of variance 1.
        stop: asked between two regularisations.

    Raises:
        StoppedError: `stop` said so; the tail is as it was.
    """
    tail.eval()
    fit = _Fit(tail, task, train, class_weights, label_smoothing)
    if weight_decay is None and validation is None:
        weight_decay = 1 / len(train.targets)
    if weight_decay is not None:
        loss = fit.run(weight_decay)
        return Fitted(weight_decay, loss, validation and _metrics(tail, task, classes, validation))
    assert validation is not None
    before = _copied(tail)
    best: tuple[Fitted, dict[str, Tensor]] | None = None
    since = 0
    for strength in STRENGTHS:
        if stop():
            tail.load_state_dict(before)
            raise StoppedError
        loss = fit.run(strength)  # from where the stronger one ended
        found = Fitted(strength, loss, _metrics(tail, task, classes, validation))
        if best is None or _loss(found) < _loss(best[0]):
            best, since = (found, _copied(tail)), 0
        else:
            since += 1
        if since == PATIENCE:
            break
    assert best is not None
    tail.load_state_dict(best[1])
    return best[0]


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def _loss(fitted: Fitted) -> float:
    assert fitted.metrics is not None
    return float(fitted.metrics["loss"])


@dataclass
class _Fit:
    """The minimisation, from wherever the tail stands."""

    tail: nn.Module
    task: Task
    train: Example
    class_weights: Tensor | None
    label_smoothing: float

    def run(self, weight_decay: float) -> float:
        """Minimise; the mean loss that is left."""
        parameters = list(self.tail.parameters())
        decayed = [parameter for parameter in parameters if parameter.dim() > 1]
        optimizer = torch.optim.LBFGS(
            parameters, max_iter=MOST_STEPS, tolerance_grad=1e-5, tolerance_change=1e-8, line_search_fn="strong_wolfe"
        )
        device = parameters[0].device
        whole = self._weight(torch.from_numpy(self.train.targets).to(device))
        parts = (
            list(self.train.parts(device)) if size_of(self.train.features) * len(self.train.targets) < 2**28 else None
        )
        left = torch.zeros(())

        def closure() -> Tensor:
            nonlocal left
            optimizer.zero_grad()
            left = torch.zeros((), device=device)
            for features, targets in parts if parts is not None else self.train.parts(device):
                share = self._weight(targets) / whole
                loss = share * self.task.loss(
                    self.tail(features), targets,
                    class_weights=self.class_weights, label_smoothing=self.label_smoothing,
                )  # fmt: skip
                loss.backward()  # type: ignore[no-untyped-call]  # torch has not typed it
                left = left + loss.detach()
            penalty = (
                weight_decay / 2 * sum((weight.square().sum() for weight in decayed), torch.zeros((), device=device))
            )
            penalty.backward()
            return left + penalty.detach()

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        return float(left)

    def _weight(self, targets: Tensor) -> float:
        """What these images count in a mean loss."""
        return float(len(targets) if self.class_weights is None else self.class_weights[targets].sum())


def _metrics(tail: nn.Module, task: Task, classes: tuple[str, ...], some: Example) -> dict[str, Any]:
    device = next(tail.parameters()).device
    with torch.inference_mode():
        logits = torch.cat([tail(features).float().cpu() for features, _ in some.parts(device)])
    return task.metrics(logits, torch.from_numpy(some.targets), classes)
