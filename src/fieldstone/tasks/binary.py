"""Two classes, one logit: its sigmoid is the probability of the second class."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fieldstone.tasks import choice
from fieldstone.tasks.classification import classification_metrics, roc_area
from fieldstone.tasks.target import CLASS_INDEX


class Binary:
    """The second class by code point is the positive one."""

    name = "binary"
    target_spec = CLASS_INDEX

    def outputs(self, classes: int) -> int:
        return choice.outputs(self.name, classes)

    def loss(
        self, logits: Tensor, targets: Tensor, *, class_weights: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        smooth = targets.to(logits.dtype) * (1 - label_smoothing) + label_smoothing / 2
        each = F.binary_cross_entropy_with_logits(logits.squeeze(1), smooth, reduction="none")  # (N, 1) -> (N,)
        if class_weights is None:
            return each.mean()
        weights = class_weights[targets]
        return (each * weights).sum() / weights.sum()

    def metrics(self, logits: Tensor, targets: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
        figures = classification_metrics(self.decode(logits), targets, classes)
        return {"loss": self.loss(logits, targets).item(), "auroc": roc_area(logits[:, 0], targets), **figures}

    def score(self, metrics: dict[str, Any]) -> float:
        return float(metrics["probability_of_truth"])

    def decode(self, logits: Tensor) -> Tensor:
        # The first column is sigmoid(-x), not 1 - sigmoid(x), which is 0 in float32 from x = 17 on.
        return torch.sigmoid(torch.cat([-logits, logits], dim=1))  # (N, 1) -> (N, 2)
