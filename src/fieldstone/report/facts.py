"""Everything that a report is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fieldstone.analysis.summary import Summary
from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import Manifest
from fieldstone.model.model import Model
from fieldstone.report.examination import Examination
from fieldstone.report.records import Epoch
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run


@dataclass(frozen=True)
class Facts:
    """One run.

    Attributes:
        run: its folder.
        model: with the weights that are kept.
        manifest: the images that it trained, validated and was to be tested on.
        epochs: what `metrics.jsonl` says; () where it is not there.
        network: the network looked at, or why it cannot be.
        decoded: the images of the manifest; None where they are not what they were.
        missing: why there are none.
        examination: what the model says of images it did not train on; None where there are none.
        seconds: from the first look at the data to the saved model; None where that is not known any more.
        interrupted: whether the training is to go on.
    """

    run: Run
    model: Model
    manifest: Manifest
    epochs: tuple[Epoch, ...]
    network: Summary | str
    decoded: Decoded | None
    missing: str | None
    examination: Examination | None
    seconds: float | None
    interrupted: bool

    @cached_property
    def recipe(self) -> Recipe:
        """How it was trained, every default settled."""
        return Recipe(**self.model.about["recipe"])

    @property
    def kept(self) -> str:
        """Whose weights are kept: of an epoch, the mean of all, or the head fitted first."""
        metrics = self.model.about["metrics"]
        words = {
            "mean": "by the mean of the weights of all epochs, which is kept",
            "head": "by the head fitted first, which is kept",
        }
        return words.get(metrics["kept"], f"in epoch {metrics['best_epoch']}, whose weights are kept")

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights are kept; None where they are a mean, or the head fitted first."""
        epoch: int | None = self.model.about["metrics"]["best_epoch"]
        return epoch

    @property
    def validation(self) -> dict[str, float] | None:
        """The figures of the kept weights on the images that validate, as the training measured them."""
        figures: dict[str, float] | None = self.model.about["metrics"]["validation"]
        return figures

    @property
    def fitted_validation(self) -> bool:
        """Whether the images that validate trained too, after they had chosen the regularisation."""
        alone = self.recipe.optimizer == "lbfgs" and self.recipe.weight_decay is None
        return alone and len(self.manifest.indices("val")) > 0

    @property
    def network_name(self) -> str:
        """What the network is called: its design, or the class of one's own."""
        if self.model.design is None:
            return type(self.model.network).__name__
        return self.model.design.name or "a design without a name"
