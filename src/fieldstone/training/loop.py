"""The training loop: batches through a network, a task's loss, an optimizer; validation after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.data.batches import Batches
from fieldstone.errors import TrainingError
from fieldstone.network.memory import within_memory
from fieldstone.progress import Bar
from fieldstone.tasks.task import Task
from fieldstone.training.average import averaged
from fieldstone.training.checkpoint import Progressed, weights_of
from fieldstone.training.depthwise import faster_depthwise
from fieldstone.training.epoch import epoch_line, epoch_text, shortened
from fieldstone.training.optimizer import learning_rate
from fieldstone.training.precision import autocast, gradient_scaler
from fieldstone.training.recipe import Recipe
from fieldstone.training.seeding import borrowed_chance, seed_devices, step_seed
from fieldstone.training.validation import Gain, Validation

SECONDS_BETWEEN_LOOKS = 1.0
"""How often the loss is read back from the device."""

HEALTHY = 2**62
"""Stands for "no step had a loss that is not finite" in a tensor of step numbers."""


@dataclass
class Loop:
    """One training; `run` goes on from wherever `at` stands.

    Attributes:
        normalise: pixels to network input.
        validation: the images that validate, None where there are none.
        after_epoch: called with an epoch's line, and whether its weights are kept, once `at` moved on.
        save: called after it, where more epochs follow.
        stop: asked after each step whether to end.
        at_rest: the modules that stay in evaluation mode, such as frozen ones.
    """

    network: nn.Module
    normalise: nn.Module
    task: Task
    batches: Batches
    recipe: Recipe
    optimizer: torch.optim.Optimizer
    device: torch.device
    class_weights: Tensor | None
    validation: Validation | None
    after_epoch: Callable[[dict[str, Any], bool], None]
    save: Callable[[], None]
    stop: Callable[[], bool]
    at: Progressed
    at_rest: Sequence[nn.Module] = ()

    def __post_init__(self) -> None:
        self.steps = self.batches.steps * self.recipe.epochs
        self.scaler = gradient_scaler(self.device, self.recipe.precision)
        if self.at.scaler:
            self.scaler.load_state_dict(self.at.scaler)
        self.at.loss_sum = self.at.loss_sum.to(self.device)
        self.validated = ""  # the last epoch's accuracy, for the bar
        self.unhealthy = torch.full((), HEALTHY, dtype=torch.int64, device=self.device)

    def run(self, bar: Bar) -> str | None:
        """Train to the end, or to where it stops.

        Returns:
            None at the end of the recipe, `early` where it stopped improving, `interrupted` where `stop` said so.

        Raises:
            TrainingError: a loss that is not finite, or too little memory.
        """
        depthwise = faster_depthwise(self.network, self.device, self.recipe.precision)
        with borrowed_chance(self.device), _repeatable(), depthwise, within_memory(self._too_large()):
            return self._epochs(bar)

    def _epochs(self, bar: Bar) -> str | None:
        while not self._is_done():
            epoch, start = divmod(self.at.step, self.batches.steps)
            self._train(epoch, start, bar)
            if self.at.step < (epoch + 1) * self.batches.steps:
                return "interrupted"
            self._end_epoch(epoch, bar)
            if not self._is_done():
                self.save()
                if self.stop():
                    return "interrupted"
        self._prefer_head(bar)
        return "early" if self.at.step < self.steps else None

    def _is_done(self) -> bool:
        """Whether every step is made, or the recipe says to stop since nothing got better for so many epochs."""
        patience = self.recipe.early_stopping
        stuck = patience is not None and self.at.epochs_without_better >= patience
        return stuck or self.at.step >= self.steps

    def _train(self, epoch: int, start: int, bar: Bar) -> None:
        """The steps of one epoch from `start` on, until its end or `stop`."""
        self.network.train()
        for module in self.at_rest:
            module.eval()
        begin = looked = time.perf_counter()
        images_before = self.at.epoch_images
        for inputs, targets in self.batches.epoch(epoch, start):
            self._step(inputs, targets)
            bar.advance(len(targets))
            if time.perf_counter() - looked > SECONDS_BETWEEN_LOOKS:
                self._refuse_unhealthy()
                bar.note(f"epoch {epoch + 1}/{self.recipe.epochs}  loss {self._mean_loss():.4f}{self.validated}")
                looked = time.perf_counter()
            if self.stop():
                break
        self._refuse_unhealthy()  # reads from the device, so the clock below sees the work done
        spent = time.perf_counter() - begin
        self.at.epoch_seconds += spent
        self.at.trained_seconds += spent
        self.at.trained_images += self.at.epoch_images - images_before
        self.at.scaler = self.scaler.state_dict()

    def _step(self, inputs: Tensor, targets: Tensor) -> None:
        rate = learning_rate(self.recipe, self.at.step, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["rate"]
        seed_devices(self.device, step_seed(self.recipe.seed, self.at.step))
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.recipe.precision):
            logits = self.network(self.normalise(inputs))
        loss = self.task.loss(
            logits.float(), targets, class_weights=self.class_weights, label_smoothing=self.recipe.label_smoothing
        )
        if not loss.requires_grad:
            raise TrainingError(
                "the loss has no gradient: the network's outputs are cut off from its weights",
                fix="take detach() or torch.no_grad() out of its forward",
            )
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch has not typed it
        self.scaler.step(self.optimizer)
        self.scaler.update()
        loss = loss.detach()
        self.unhealthy = torch.where(loss.isfinite(), self.unhealthy, self.unhealthy.clamp(max=self.at.step))
        self.at.loss_sum += loss * len(targets)
        self.at.epoch_images += len(targets)
        self.at.step += 1

    def _end_epoch(self, epoch: int, bar: Bar) -> None:
        """Validate, keep the weights if they are to be, write the epoch's line."""
        with averaged(self.network, self.at) if self.recipe.average else nullcontext():
            self._judge(epoch, bar)

    def _judge(self, epoch: int, bar: Bar) -> None:
        at, metrics = self.at, self._validated()
        kept = self._keep(epoch, metrics)
        line = epoch_line(
            epoch=epoch + 1, step=at.step, learning_rate=learning_rate(self.recipe, at.step - 1, self.steps),
            loss=self._mean_loss(), metrics=metrics, averaged=at.averaged if self.recipe.average else None,
            images=at.epoch_images, training=at.epoch_seconds, seconds=at.epoch_seconds,
        )  # fmt: skip
        at.epoch_images, at.epoch_seconds = 0, 0.0
        at.loss_sum = torch.zeros_like(at.loss_sum)
        bar.say(epoch_text(line, self.recipe.epochs))
        self.after_epoch(line, kept)

    def _validated(self) -> dict[str, Any] | None:
        """The figures of the images that validate."""
        if self.validation is None:
            return None
        metrics = self.validation.metrics(self.validation.outputs(self.network))
        if not math.isfinite(metrics["loss"]):
            raise self._not_finite("the validation loss", self.at.step - 1)
        self.validated = f"  validation {metrics['accuracy']:.2%}"
        return metrics

    def _keep(self, epoch: int, metrics: dict[str, Any] | None) -> bool:
        """Keep the network's weights if they are the best so far, or a longer mean; whether they are kept.

        Ties go to the earlier epoch; without validation the last is the best.
        """
        at, score = self.at, None if metrics is None else self.task.score(metrics)
        better = score is None or at.best_score is None or score > at.best_score
        at.epochs_without_better = 0 if better else at.epochs_without_better + 1
        if better:
            at.best_score = score
        if not (better or self.recipe.average):
            return False
        at.kept, at.best_epoch = ("mean", None) if self.recipe.average else ("epoch", epoch + 1)
        at.kept_metrics, at.kept_weights = shortened(metrics), weights_of(self.network)
        return True

    def _prefer_head(self, bar: Bar) -> None:
        """Keep the head that was fitted before the first epoch, where all epochs made it clearly worse."""
        at = self.at
        if self.validation is None or not at.head_weights:
            return
        head, kept = (self._outputs_with(weights) for weights in (at.head_weights, at.kept_weights))
        gain = Gain.of(self.validation.truth(head), self.validation.truth(kept))
        if gain.is_clear:
            epochs = "the mean of the epochs" if at.kept == "mean" else f"the best epoch, {at.best_epoch}"
            bar.say(
                "the head fitted first is kept, the trunk as it was learned: its mean probability of truth on "
                f"{len(head):,} validation images is above that of {epochs}, {gain}"
            )
            at.kept, at.best_epoch, at.kept_weights = "head", None, at.head_weights
            at.kept_metrics = shortened(self.validation.metrics(head))

    def _outputs_with(self, weights: dict[str, Tensor]) -> Tensor:
        """What the network says of the validation images with other weights, which it then has."""
        assert self.validation is not None
        self.network.load_state_dict(weights)
        return self.validation.outputs(self.network)

    def _mean_loss(self) -> float:
        return float(self.at.loss_sum) / max(1, self.at.epoch_images)

    def _refuse_unhealthy(self) -> None:
        """Read back from the device whether a loss was not finite."""
        step = int(self.unhealthy)
        if step != HEALTHY:
            raise self._not_finite("the loss", step)

    def _too_large(self) -> TrainingError:
        size = self.batches.batch_size
        smaller = f"--batch-size {size // 2}, or " if size > 3 else ""
        return TrainingError(
            f"{self.device} has too little memory for batches of {size}",
            fix=f"try {smaller}a smaller network, as by --width 0.5",
        )

    def _not_finite(self, what: str, step: int) -> TrainingError:
        rate = learning_rate(self.recipe, step, self.steps)
        assert self.recipe.learning_rate is not None
        return TrainingError(
            f"{what} is not finite at step {step + 1} of {self.steps}, in epoch {step // self.batches.steps + 1}, "
            f"at learning rate {rate:.4g}",
            fix=f"try --set learning_rate={self.recipe.learning_rate / 10:.2g}, or --set precision=fp32",
        )


def _repeatable() -> AbstractContextManager[None]:
    """Convolutions by algorithms that give the same bits each time, where the device has others."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
