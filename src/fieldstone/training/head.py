"""A head fitted to features: every image at once, to convergence, its regularisation chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.tasks.task import Task
from fieldstone.training.checkpoint import weights_of
from fieldstone.training.features import Features, StoppedError, size_of

STRENGTHS = tuple(10.0 ** (exponent / 2) for exponent in range(2, -11, -1))
"""The regularisations to choose from, strongest first: from 10 to 10^-5, two to a decade."""
PATIENCE = 3
"""After so many weaker ones without a better validation loss, the rest is not tried."""
MOST_STEPS = 200
NUMBERS_AT_ONCE = 2**24
NUMBERS_KEPT = 2**28
"""How many numbers of features stay in memory from one step to the next; more are read anew from their file."""


@dataclass(frozen=True)
class Examples:
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
    """How a head was fitted; its weights stand in the tail.

    Attributes:
        weight_decay: the regularisation that was chosen or given.
        loss: the mean training loss, without what the regularisation adds.
        metrics: those of the validation images, None where no image validates.
    """

    weight_decay: float
    loss: float
    metrics: dict[str, Any] | None


@dataclass
class HeadFit:
    """Minimises the mean loss + weight_decay / 2 · |weights · deviation|² by L-BFGS (Liu and Nocedal 1989).

    The deviation is that of each feature over the images: the same as if features were scaled to deviation 1, so that
    one range of regularisations serves every trunk. A linear head ends in the minimum of a logistic regression: one,
    wherever the fit starts.

    Attributes:
        tail: a chain on its device, the head first; fitted in place, in evaluation mode.
    """

    tail: nn.Sequential
    task: Task
    classes: tuple[str, ...]
    class_weights: Tensor | None
    label_smoothing: float
    stop: Callable[[], bool]

    def __post_init__(self) -> None:
        self.tail.eval()
        self.device = next(self.tail.parameters()).device
        self.left = 0.0

    def choose(self, train: Examples, validation: Examples) -> Fitted:
        """Fit with the one of STRENGTHS that gives the smallest validation loss.

        Raises:
            StoppedError: `stop` said so between two of them; the tail is as it was.
        """
        before, best, kept, since = weights_of(self.tail), None, {}, 0
        for strength in STRENGTHS:
            if self.stop():
                self.tail.load_state_dict(before)
                raise StoppedError
            found = self.fit(train, validation, strength)  # from where the stronger one ended
            since += 1
            if best is None or _loss(found) < _loss(best):
                best, kept, since = found, weights_of(self.tail), 0
            if since == PATIENCE:
                break
        assert best is not None
        self.tail.load_state_dict(kept)
        return best

    def fit(self, train: Examples, validation: Examples | None, weight_decay: float) -> Fitted:
        """Fit with a regularisation that is given."""
        loss = self._minimise(train, weight_decay)
        return Fitted(weight_decay, loss, None if validation is None else self._metrics(validation))

    def _minimise(self, train: Examples, weight_decay: float) -> float:
        """The mean loss that is left."""
        head, scale = self.tail[0], self._deviation(train)
        parameters = list(self.tail.parameters())
        decayed = [parameter for parameter in parameters if parameter.dim() > 1]
        whole = self._weight(torch.from_numpy(train.targets).to(self.device))
        few = size_of(train.features) * len(train.targets) <= NUMBERS_KEPT
        kept = [(features / scale, targets) for features, targets in train.parts(self.device)] if few else None

        def scaled() -> Iterator[tuple[Tensor, Tensor]]:
            yield from kept or ((features / scale, targets) for features, targets in train.parts(self.device))

        def closure() -> float:
            optimizer.zero_grad()
            penalty = weight_decay / 2 * torch.stack([weight.square().sum() for weight in decayed]).sum()
            penalty.backward()  # type: ignore[no-untyped-call]  # torch has not typed it
            self.left = 0.0
            for features, targets in scaled():
                loss = self._loss(features, targets) * (self._weight(targets) / whole)
                loss.backward()  # type: ignore[no-untyped-call]
                self.left += loss.item()
            return self.left + penalty.item()

        optimizer = torch.optim.LBFGS(
            parameters, max_iter=MOST_STEPS, tolerance_grad=1e-5, tolerance_change=1e-8, line_search_fn="strong_wolfe"
        )
        _rescale(head, scale)
        optimizer.step(closure)  # type: ignore[no-untyped-call]
        _rescale(head, 1 / scale)
        return self.left

    def _loss(self, features: Tensor, targets: Tensor) -> Tensor:
        return self.task.loss(
            self.tail(features), targets, class_weights=self.class_weights, label_smoothing=self.label_smoothing
        )

    def _weight(self, targets: Tensor) -> float:
        """What these images count in a mean loss."""
        return float(len(targets) if self.class_weights is None else self.class_weights[targets].sum())

    def _deviation(self, train: Examples) -> Tensor:
        """The standard deviation of each feature over images and places, (C, 1, ...); 1 where it never changes."""
        axes_of_one = (1,) * (train.features.ndim - 2)
        if not _takes(self.tail[0], train.features.shape[1]):
            return torch.ones(train.features.shape[1], *axes_of_one, device=self.device)
        count, total, squares = 0, torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for features, _ in train.parts(self.device):
            axes = [axis for axis in range(features.dim()) if axis != 1]
            values = features.double()
            count += features.numel() // features.shape[1]
            total, squares = total + values.sum(axes), squares + values.square().sum(axes)
        variance = squares / count - (total / count).square()
        deviation = torch.where(variance > 1e-12, variance.clamp(min=1e-12).sqrt(), 1.0).float()
        return deviation.reshape(-1, *axes_of_one)

    def _metrics(self, some: Examples) -> dict[str, Any]:
        with torch.inference_mode():
            logits = torch.cat([self.tail(features).float().cpu() for features, _ in some.parts(self.device)])
        return self.task.metrics(logits, torch.from_numpy(some.targets), self.classes)


def lift(tail: nn.Sequential) -> None:
    """Where a relu follows, begin a new head with every output at 1.

    An output that is below 0 on every image has no gradient there: with weights that are drawn, some classes may stay
    so, whatever is fitted.
    """
    head, bias = tail[0], getattr(tail[0], "bias", None)
    relus = any(isinstance(module, nn.ReLU | nn.ReLU6) for module in tail[1:].modules())
    if relus and isinstance(bias, nn.Parameter) and isinstance(head.weight, nn.Parameter):
        nn.init.zeros_(head.weight)
        nn.init.ones_(bias)


def _takes(head: nn.Module, channels: int) -> bool:
    """Whether each feature has weights of its own, (out, channels, ...), to scale; not where they are computed."""
    plain = isinstance(head, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    return plain and isinstance(head.weight, nn.Parameter) and head.weight.shape[1] == channels


def _rescale(head: nn.Module, scale: Tensor) -> None:
    """Multiply the weights of each feature, so that the head gives on features / scale what it gave before."""
    if _takes(head, len(scale)):
        assert isinstance(head.weight, Tensor)
        with torch.no_grad():
            head.weight.mul_(scale.reshape(1, -1, *(1 for _ in head.weight.shape[2:])))


def _loss(fitted: Fitted) -> float:
    assert fitted.metrics is not None
    return float(fitted.metrics["loss"])
