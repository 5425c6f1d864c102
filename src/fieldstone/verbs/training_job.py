"""A training whose every choice is made: what `train` and `resume` both carry out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fieldstone.data.batches import Batches
from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import printable
from fieldstone.design.design import Design
from fieldstone.model.device import made_with
from fieldstone.model.file import short_key
from fieldstone.model.inference import Normalise, place
from fieldstone.model.model import Model
from fieldstone.progress import Progress
from fieldstone.tasks.task import Task
from fieldstone.training.checkpoint import (
    Progressed,
    remove_checkpoint,
    restore_checkpoint,
    save_checkpoint,
    weights_of,
)
from fieldstone.training.epoch import epoch_line
from fieldstone.training.features import StoppedError
from fieldstone.training.halves import block_rates, frozen_modules
from fieldstone.training.loop import Loop
from fieldstone.training.memory import keep_freed_memory
from fieldstone.training.optimizer import make_optimizer
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run
from fieldstone.training.stopping import stopping_on_signals
from fieldstone.training.validation import Validation
from fieldstone.verbs.head_job import HeadFitted, HeadJob
from fieldstone.verbs.learned import Start
from fieldstone.verbs.outcome import outcome
from fieldstone.verbs.report import report_at_end

NORMALISES_BATCHES = nn.modules.batchnorm._BatchNorm
"""What keeps statistics of batches."""


@dataclass(frozen=True)
class Trained:
    """What came of it: `report` is what `fieldstone train --json` prints; no model where no epoch was completed."""

    model: Model | None
    report: dict[str, Any]


@dataclass
class Job:
    """One training, ready to go."""

    data: str
    task: Task
    design: Design | None
    network: nn.Module
    recipe: Recipe
    decoded: Decoded
    device: torch.device
    threads: int
    strict: bool
    run: Run
    progress: Progress
    began: float
    start: Start | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their indices."""
        return self.decoded.manifest.classes

    def train(self, *, again: bool = False) -> Trained:
        """Train to the end or to an interruption; `again` goes on from the run's checkpoint."""
        torch.set_num_threads(self.threads)
        keep_freed_memory()
        place(self.network, self.device)
        at_rest = self._at_rest()
        optimizer = self._optimizer()
        at = restore_checkpoint(self.run, self.network, optimizer) if again else Progressed()
        settings = self.settings  # as they are now: an edit of the plan during the training is to show
        spent_before = at.seconds
        history = self.run.read_history()[: at.step // self.batches.steps] if again else []

        def save() -> None:
            at.seconds = spent_before + time.perf_counter() - self.began
            save_checkpoint(self.run, settings, self.network, optimizer, at)

        def after_epoch(line: dict[str, Any], kept: bool) -> None:
            history.append(line)
            self.run.write_history(history)
            if kept:
                self.model(at).save(self.run.model)

        with stopping_on_signals() as stop:
            stopped = self._fit_head(at, stop, after_epoch)
            if stopped is None and optimizer is not None:
                with self.progress.bar("training", self._images_in_all) as bar:
                    bar.advance(self._images_in_all * at.step // (self.batches.steps * self.recipe.epochs))
                    loop = Loop(
                        network=self.network, normalise=self.normalise, task=self.task, batches=self.batches,
                        recipe=self.recipe, optimizer=optimizer, device=self.device, class_weights=self.class_weights,
                        validation=self.validation, after_epoch=after_epoch, save=save, stop=stop, at=at,
                        at_rest=at_rest,
                    )  # fmt: skip
                    stopped = loop.run(bar)
            if stopped == "interrupted":
                save()
        at.seconds = spent_before + time.perf_counter() - self.began
        return self._end(at, stopped)

    def _optimizer(self) -> torch.optim.Optimizer | None:
        """What makes the steps of the epochs; None where a head is fitted alone, which has an optimizer of its own."""
        if self.recipe.optimizer == "lbfgs":
            return None
        rates = block_rates(self.network, self.recipe.layer_decay)
        return make_optimizer(self.network, self.recipe, self.device, rates)

    def _at_rest(self) -> list[nn.Module]:
        """Freeze what the recipe says; the modules that stay in evaluation mode."""
        frozen = [] if self.start is None else frozen_modules(self.network, self.start.head, self.recipe.freeze)
        for module in frozen:
            module.requires_grad_(False)
        if self.recipe.batchnorm == "frozen":
            frozen += [module for module in self.network.modules() if isinstance(module, NORMALISES_BATCHES)]
        return frozen

    def _fit_head(
        self, at: Progressed, stop: Callable[[], bool], after_epoch: Callable[[dict[str, Any], bool], None]
    ) -> str | None:
        """Fit the head to what the trunk makes of the images, where the recipe says so and it is not done."""
        alone = self.recipe.optimizer == "lbfgs"
        if at.head_fitted or not (alone or self.recipe.head_first):
            return None
        assert self.start is not None
        began = time.perf_counter()
        try:
            fitted = HeadJob(self, self.start.head).fit(stop)
        except StoppedError:
            return "interrupted"
        at.head_fitted = True
        if not alone and self.validation is not None:
            at.head_weights = weights_of(self.network)
        self.progress.say(fitted.text)
        if alone:
            self._count_as_epoch(at, fitted, time.perf_counter() - began, after_epoch)
        return None

    def _count_as_epoch(
        self,
        at: Progressed,
        fitted: HeadFitted,
        seconds: float,
        after_epoch: Callable[[dict[str, Any], bool], None],
    ) -> None:
        """A head that is all that trains: every image was seen once."""
        at.step, at.kept, at.best_epoch, at.kept_metrics = self.batches.steps, "epoch", 1, fitted.validation
        at.trained_images, at.trained_seconds = fitted.computed, fitted.seconds
        at.kept_weights = weights_of(self.network)
        line = epoch_line(
            epoch=1, step=at.step, learning_rate=self.recipe.learning_rate, loss=fitted.loss, metrics=fitted.validation,
            averaged=None, images=fitted.computed, training=fitted.seconds, seconds=seconds,
        )  # fmt: skip
        after_epoch(line, True)

    def _end(self, at: Progressed, stopped: str | None) -> Trained:
        model, page = None, None
        self.network.requires_grad_(True)  # what was frozen is so for this training alone
        if at.kept_weights:
            self.network.load_state_dict(at.kept_weights)
            self.network.eval()
            model = self.model(at)
            if at.kept == "head":  # of an epoch or a mean it was saved when that was complete
                model.save(self.run.model)
        if stopped != "interrupted":
            remove_checkpoint(self.run)
            if model is not None:
                page = report_at_end(model, self.run, self.decoded, at.seconds, self.progress)
        return Trained(model, outcome(self, at, stopped, page))

    def write_plan(self) -> None:
        """`design.yaml`, `recipe.yaml` and `data.json`, with every default settled."""
        if self.design is not None:
            self.run.write(self.run.design, self.design.to_text())
        self.run.write(self.run.recipe, self.recipe.to_text())
        manifest = json.dumps(self.decoded.manifest.to_json(), indent=1)  # ASCII: a file's name may be no UTF-8
        self.run.write(self.run.data, manifest + "\n")

    @cached_property
    def batches(self) -> Batches:
        """The images that train, in the order of each epoch; one batch where a head is fitted to all at once."""
        rows = self.decoded.manifest.indices("train")
        return Batches(
            self.decoded.images,
            self.decoded.manifest.targets,
            rows,
            self.recipe.batch_size or len(rows),
            device=self.device,
            seed=self.recipe.seed,
            augment=self.recipe.augment or (),
            fill=self.decoded.preprocessing.padding,
        )

    @cached_property
    def normalise(self) -> Normalise:
        """Pixels to network input, on the device."""
        return Normalise(self.decoded.preprocessing).to(self.device)

    @cached_property
    def validation_rows(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The row numbers of the images that validate."""
        return self.decoded.manifest.indices("val")

    @cached_property
    def validation(self) -> Validation | None:
        """The images that validate, None where there are none."""
        rows = self.validation_rows
        if not len(rows):
            return None
        return Validation(
            images=self.decoded.images,
            rows=rows,
            targets=torch.from_numpy(self.decoded.manifest.targets[rows]),
            classes=self.classes,
            task=self.task,
            normalise=self.normalise,
            device=self.device,
            precision=self.recipe.precision,
        )

    @cached_property
    def class_weights(self) -> Tensor | None:
        """`balanced`: each class counts the same in the loss, whatever its number of images."""
        if self.recipe.class_weights == "none":
            return None
        targets = self.decoded.manifest.targets[self.decoded.manifest.indices("train")]
        counts = np.bincount(targets, minlength=len(self.classes))
        weights = len(targets) / (len(self.classes) * np.maximum(counts, 1))
        return torch.tensor(weights, dtype=torch.float32, device=self.device)

    @property
    def settings(self) -> dict[str, Any]:
        """What `resume.json` says of how the training was started."""
        return {
            "data": self.data,
            "task": self.task.name,
            "input": [self.decoded.preprocessing.channels, *self.decoded.preprocessing.size],
            "device": str(self.device),
            "threads": self.threads,
            "precision": self.recipe.precision,
            "strict": self.strict,
            "torch": torch.__version__,
            "plan": self.run.plan_digest(),
            "start": None if self.start is None else self.start.to_json(),
        }

    @cached_property
    def seen(self) -> frozenset[bytes]:
        """The short keys of the images that train or validate, or did so for the weights that it started from."""
        rows = self.decoded.manifest.rows
        own = frozenset(short_key(row.key) for row in rows if row.split in ("train", "val"))
        return own if self.start is None else own | self.start.seen

    def model(self, at: Progressed) -> Model:
        """The network as it is, as a model."""
        manifest = self.decoded.manifest
        return Model(
            network=self.network,
            task=self.task,
            classes=self.classes,
            preprocessing=self.decoded.preprocessing,
            design=self.design,
            seen=self.seen,
            about={
                "recipe": self.recipe.to_json(),
                "data": {
                    "path": printable(manifest.path),
                    "form": manifest.form,
                    "fingerprint": manifest.fingerprint,
                    "start": None if self.start is None else self.start.about(self.recipe.freeze),
                },
                "metrics": {"kept": at.kept, "best_epoch": at.best_epoch, "validation": at.kept_metrics},
                "versions": made_with(self.device),
            },
            device=self.device,
            run=self.run.path,
        )

    @property
    def _images_in_all(self) -> int:
        return len(self.decoded.manifest.indices("train")) * self.recipe.epochs
