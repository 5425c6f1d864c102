"""The head of a training, fitted to the features that a learned trunk gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from fieldstone.design.design import Design
from fieldstone.progress import Progress
from fieldstone.training.checkpoint import Progressed, weights_of
from fieldstone.training.cut import cut
from fieldstone.training.epoch import epoch_line, shortened, validation_text
from fieldstone.training.features import Features, Rows, place_of_features, stored_features, write_features
from fieldstone.training.halves import Halves
from fieldstone.training.head import Examples, Fitted, HeadFit, lift
from fieldstone.verbs.job.images import TrainingImages
from fieldstone.verbs.starting.start import Start


@dataclass(frozen=True)
class HeadFitted:
    """What came of it.

    Attributes:
        loss: the mean training loss.
        validation: accuracy and loss of the images that validate; None where there are none.
        weight_decay: the regularisation that was chosen or given.
        computed: how many images went through the trunk, 0 where all features lay in the cache.
        seconds: how long that took.
    """

    loss: float
    validation: dict[str, float] | None
    weight_decay: float
    computed: int
    seconds: float

    @property
    def text(self) -> str:
        """How it is said."""
        features = (
            f"features at {self.computed / self.seconds:,.0f} images/s" if self.computed else "features from the cache"
        )
        validated = validation_text(self.validation)
        return f"head  loss {self.loss:.4f}{validated}  weight decay {self.weight_decay:.2g}  {features}"


@dataclass(frozen=True)
class HeadJob:
    """What of a training concerns its head, before the first epoch or without any."""

    images: TrainingImages
    network: nn.Module
    design: Design | None
    start: Start
    progress: Progress

    def begin(self, at: Progressed, stop: Callable[[], bool]) -> dict[str, Any] | None:
        """Fit the head in place; the epoch's line where it is all that trains.

        Raises:
            StoppedError: `stop` said so before all features were there.
            DesignError: the head cannot be cut off.
        """
        began = time.perf_counter()
        fitted = self._fit(stop)
        at.head_fitted = True
        self.progress.say(fitted.text)
        if self._is_alone:
            return self._as_epoch(at, fitted, time.perf_counter() - began)
        if self.images.validation is not None:
            at.head_weights = weights_of(self.network)
        return None

    @property
    def _is_alone(self) -> bool:
        return self.images.recipe.optimizer == "lbfgs"

    def _as_epoch(self, at: Progressed, fitted: HeadFitted, seconds: float) -> dict[str, Any]:
        """Every image was seen once."""
        at.step, at.kept, at.best_epoch = self.images.batches.steps, "epoch", 1
        at.kept_metrics, at.kept_weights = fitted.validation, weights_of(self.network)
        at.trained_images, at.trained_seconds = fitted.computed, fitted.seconds
        return epoch_line(
            epoch=1, step=at.step, learning_rate=self.images.recipe.learning_rate, loss=fitted.loss,
            metrics=fitted.validation, averaged=None, images=fitted.computed, training=fitted.seconds, seconds=seconds,
        )  # fmt: skip

    def _fit(self, stop: Callable[[], bool]) -> HeadFitted:
        images, decoded = self.images, self.images.decoded
        assert self.start.head is not None
        parts = cut(self.network, self.start.head, self.design, decoded.preprocessing)
        if self.start.new:
            lift(parts.tail)
        rows = np.concatenate([images.rows, images.validation_rows])
        features, computed, seconds = self._features(parts, rows, stop)
        targets, count = decoded.manifest.targets[rows], len(images.rows)
        known = Examples(features[:count], targets[:count])
        checks = Examples(features[count:], targets[count:]) if len(images.validation_rows) else None
        fitted = self._fitted(parts, known, checks, Examples(features, targets), stop)
        return HeadFitted(fitted.loss, shortened(fitted.metrics), fitted.weight_decay, computed, seconds)

    def _fitted(
        self, parts: Halves, train: Examples, validation: Examples | None, every: Examples, stop: Callable[[], bool]
    ) -> Fitted:
        """The fit; where the head is all that trains, validation chooses the regularisation and then trains too."""
        images, recipe = self.images, self.images.recipe
        smoothing = recipe.label_smoothing if self._is_alone else 0.0  # with that of epochs, too weak a penalty wins
        fit = HeadFit(parts.tail, images.task, images.classes, images.class_weights, smoothing, stop)
        if self._is_alone and recipe.weight_decay is not None:
            return fit.fit(train, validation, recipe.weight_decay)
        if validation is None:
            return fit.fit(train, None, 1 / len(train.targets))  # the prior of a weight of variance 1
        chosen = fit.choose(train, validation)
        if self._is_alone:
            fit.fit(every, None, chosen.weight_decay)
        return chosen

    def _features(self, parts: Halves, rows: Rows, stop: Callable[[], bool]) -> tuple[Features, int, float]:
        """The features of these images, how many were computed, and in how many seconds."""
        images, decoded, precision = self.images, self.images.decoded, self.images.recipe.precision
        settings = (precision, images.device.type, repr(decoded.preprocessing), parts.function)
        place = place_of_features(decoded.key, parts.weights, rows, settings)
        stored = stored_features(place, rows)
        if stored is not None:
            return stored, 0, 0.0
        began = time.perf_counter()
        with self.progress.bar("features", len(rows)) as bar:
            made = write_features(
                place, parts.quick_trunk, images.normalise, decoded.images, rows,
                device=images.device, precision=precision, advance=bar.advance, stop=stop,
            )  # fmt: skip
        return made, len(rows), time.perf_counter() - began
