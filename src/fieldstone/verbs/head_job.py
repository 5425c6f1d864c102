"""The head of a training, fitted to the features that a learned trunk gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fieldstone.training.epoch import shortened, validation_text
from fieldstone.training.features import Features, Rows, place_of_features, stored_features, write_features
from fieldstone.training.halves import Halves, halves
from fieldstone.training.head import Examples, Fitted, HeadFit

if TYPE_CHECKING:
    from fieldstone.verbs.training_job import Job


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
    """What of a job concerns its head alone."""

    job: Job
    head: str

    def fit(self, stop: Callable[[], bool]) -> HeadFitted:
        """Fit the head in place.

        Raises:
            StoppedError: `stop` said so before all features were there.
            DesignError: the head is not the end of one chain.
        """
        job, parts = self.job, halves(self.job.network, self.head)
        train, validation = job.decoded.manifest.indices("train"), job.validation_rows
        rows = np.concatenate([train, validation])
        features, computed, seconds = self._features(parts, rows, stop)
        targets = job.decoded.manifest.targets[rows]
        known = Examples(features[: len(train)], targets[: len(train)])
        checks = Examples(features[len(train) :], targets[len(train) :]) if len(validation) else None
        fitted = self._fitted(parts, known, checks, Examples(features, targets), stop)
        return HeadFitted(fitted.loss, shortened(fitted.metrics), fitted.weight_decay, computed, seconds)

    def _fitted(
        self, parts: Halves, train: Examples, validation: Examples | None, every: Examples, stop: Callable[[], bool]
    ) -> Fitted:
        """The fit; where the head is all that trains, validation chooses the regularisation and then trains too."""
        recipe, alone = self.job.recipe, self.job.recipe.optimizer == "lbfgs"
        smoothing = recipe.label_smoothing if alone else 0.0  # with that of later epochs, too weak a penalty looks best
        fit = HeadFit(parts.tail, self.job.task, self.job.classes, self.job.class_weights, smoothing, stop)
        if alone and recipe.weight_decay is not None:
            return fit.fit(train, validation, recipe.weight_decay)
        if validation is None:
            return fit.fit(train, None, 1 / len(train.targets))  # the prior of a weight of variance 1
        chosen = fit.choose(train, validation)
        if alone:
            fit.fit(every, None, chosen.weight_decay)
        return chosen

    def _features(self, parts: Halves, rows: Rows, stop: Callable[[], bool]) -> tuple[Features, int, float]:
        """The features of these images, how many were computed, and in how many seconds."""
        job = self.job
        settings = (job.recipe.precision, job.device.type, repr(job.decoded.preprocessing))
        place = place_of_features(job.decoded.key, parts.trunk, rows, settings)
        stored = stored_features(place, rows)
        if stored is not None:
            return stored, 0, 0.0
        began = time.perf_counter()
        with job.progress.bar("features", len(rows)) as bar:
            made = write_features(
                place, parts.trunk, job.normalise, job.decoded.images, rows,
                device=job.device, precision=job.recipe.precision, advance=bar.advance, stop=stop,
            )  # fmt: skip
        return made, len(rows), time.perf_counter() - began
