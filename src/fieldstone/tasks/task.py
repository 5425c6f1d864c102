"""What a task is: the meaning of a network's outputs."""

from typing import Any, Protocol

from torch import Tensor

from fieldstone.tasks.binary import Binary
from fieldstone.tasks.multiclass import Multiclass
from fieldstone.tasks.target import TargetSpec


class Task(Protocol):
    """What the outputs mean. Each task is one file; training, testing and predicting know no task by name."""

    @property
    def name(self) -> str:
        """How recipes, model files and options call it."""

    @property
    def target_spec(self) -> TargetSpec:
        """The type and shape of one image's target."""

    def outputs(self, classes: int) -> int:
        """How many numbers leave the network for one image."""

    def loss(
        self, logits: Tensor, targets: Tensor, *, class_weights: Tensor | None = None, label_smoothing: float = 0.0
    ) -> Tensor:
        """The mean loss of a batch, a scalar."""

    def metrics(self, logits: Tensor, targets: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
        """Every figure of a test, from all logits and targets at once; `accuracy` and `loss` are among them."""

    def score(self, metrics: dict[str, Any]) -> float:
        """One number, higher is better, that picks the best epoch."""

    def decode(self, logits: Tensor) -> Tensor:
        """Logits to one probability a class: (N, outputs) -> (N, classes)."""


TASKS: dict[str, Task] = {task.name: task for task in (Binary(), Multiclass())}
