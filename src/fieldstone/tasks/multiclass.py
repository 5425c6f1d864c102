"""One class of several: n logits, their softmax is the probabilities."""

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from fieldstone.tasks import choice
from fieldstone.tasks.classification import classification_metrics
from fieldstone.tasks.target import CLASS_INDEX


class Multiclass:
    """Exactly one class is right for an image."""

    name = "multiclass"
    target_spec = CLASS_INDEX

    def outputs(self, classes: int) -> int:
        return choice.outputs(self.name, classes)

    def loss(
        self, logits: Tensor, targets: Tensor, *, class_weights: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        return F.cross_entropy(logits, targets, weight=class_weights, label_smoothing=label_smoothing)

    def metrics(self, logits: Tensor, targets: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
        figures = classification_metrics(self.decode(logits), targets, classes)
        return {"loss": self.loss(logits, targets).item(), **figures}

    def score(self, metrics: dict[str, Any]) -> float:
        return float(metrics["probability_of_truth"])

    def decode(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1)
