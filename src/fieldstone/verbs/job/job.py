"""A training whose every choice is made: what `train` and `resume` both carry out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import printable
from fieldstone.design.design import Design
from fieldstone.model.device import made_with
from fieldstone.model.file import short_key
from fieldstone.model.inference import place
from fieldstone.model.model import Model
from fieldstone.progress import Progress
from fieldstone.tasks.task import Task
from fieldstone.training.checkpoint import Progressed, remove_checkpoint, restore_checkpoint, save_checkpoint
from fieldstone.training.features import StoppedError
from fieldstone.training.freezing import frozen_parameters, resting_modules
from fieldstone.training.loop import Loop
from fieldstone.training.memory import keep_freed_memory
from fieldstone.training.optimizer import block_rates, make_optimizer
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run
from fieldstone.training.stopping import stopping_on_signals
from fieldstone.verbs.job.head import HeadJob
from fieldstone.verbs.job.images import TrainingImages
from fieldstone.verbs.job.outcome import outcome
from fieldstone.verbs.report import report_at_end
from fieldstone.verbs.starting.start import Start

NORMALISES_BATCHES = nn.modules.batchnorm._BatchNorm
"""What keeps statistics of batches."""

AfterEpoch = Callable[[dict[str, Any], bool], None]
"""Takes an epoch's line, and whether its weights are kept."""


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

    @cached_property
    def images(self) -> TrainingImages:
        """What trains and validates."""
        return TrainingImages(self.decoded, self.task, self.recipe, self.device)

    def train(self, *, again: bool = False) -> Trained:
        """Train to the end or to an interruption; `again` goes on from the run's checkpoint."""
        torch.set_num_threads(self.threads)
        keep_freed_memory()
        place(self.network, self.device)
        with self._frozen():
            at, stopped = self._trained(again)
        return self._end(at, stopped)

    def _trained(self, again: bool) -> tuple[Progressed, str | None]:
        """How far it came, and what stopped it before the end."""
        optimizer = self._optimizer()
        at = restore_checkpoint(self.run, self.network, optimizer) if again else Progressed()
        settings = self.settings  # as they are now: an edit of the plan during the training is to show
        spent_before = at.seconds
        history = self.run.read_history()[: at.step // self.images.batches.steps] if again else []

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
                stopped = self._epochs(optimizer, at, after_epoch, save, stop)
            if stopped == "interrupted":
                save()
        at.seconds = spent_before + time.perf_counter() - self.began
        return at, stopped

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        """Inside, what the recipe freezes has no gradient; a network of the user's own is given back as it was."""
        head = None if self.start is None else self.start.head
        frozen = [one for one in frozen_parameters(self.network, head, self.recipe.freeze) if one.requires_grad]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)

    def _at_rest(self) -> list[nn.Module]:
        """The modules that stay in evaluation mode."""
        resting = [] if self.start is None else resting_modules(self.network, self.start.head, self.recipe.freeze)
        if self.recipe.batchnorm == "frozen":
            resting += [module for module in self.network.modules() if isinstance(module, NORMALISES_BATCHES)]
        return resting

    def _optimizer(self) -> torch.optim.Optimizer | None:
        """What makes the steps of the epochs; None where a head is fitted alone, which has an optimizer of its own."""
        if self.recipe.optimizer == "lbfgs":
            return None
        rates = block_rates(self.network, self.recipe.layer_decay)
        return make_optimizer(self.network, self.recipe, self.device, rates)

    def _fit_head(self, at: Progressed, stop: Callable[[], bool], after_epoch: AfterEpoch) -> str | None:
        """Fit the head to what the trunk makes of the images, where the recipe says so and it is not done."""
        if at.head_fitted or not self.recipe.fits_head:
            return None
        assert self.start is not None
        try:
            line = HeadJob(self.images, self.network, self.design, self.start, self.progress).begin(at, stop)
        except StoppedError:
            return "interrupted"
        if line is not None:
            after_epoch(line, True)
        return None

    def _epochs(
        self,
        optimizer: torch.optim.Optimizer,
        at: Progressed,
        after_epoch: AfterEpoch,
        save: Callable[[], None],
        stop: Callable[[], bool],
    ) -> str | None:
        """Every epoch that is left; why they ended before the last."""
        images, in_all = self.images, self.images.in_all
        with self.progress.bar("training", in_all) as bar:
            bar.advance(in_all * at.step // (images.batches.steps * self.recipe.epochs))
            loop = Loop(
                network=self.network, normalise=images.normalise, task=self.task, batches=images.batches,
                recipe=self.recipe, optimizer=optimizer, device=self.device, class_weights=images.class_weights,
                validation=images.validation, after_epoch=after_epoch, save=save, stop=stop, at=at,
                at_rest=self._at_rest(),
            )  # fmt: skip
            return loop.run(bar)

    def _end(self, at: Progressed, stopped: str | None) -> Trained:
        model, page = None, None
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
        return Trained(model, outcome(self.images, self.run, at, stopped, page))

    def write_plan(self) -> None:
        """`design.yaml`, `recipe.yaml` and `data.json`, with every default settled."""
        if self.design is not None:
            self.run.write(self.run.design, self.design.to_text())
        self.run.write(self.run.recipe, self.recipe.to_text())
        manifest = json.dumps(self.decoded.manifest.to_json(), indent=1)  # ASCII: a file's name may be no UTF-8
        self.run.write(self.run.data, manifest + "\n")

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
            classes=self.images.classes,
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
