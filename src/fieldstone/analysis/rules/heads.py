"""Rules about the end of a network: its head, the task and the loss."""

from __future__ import annotations

from collections.abc import Iterator

from fieldstone.analysis.rule import Example, Found, Rule, Subject
from fieldstone.design.blocks.activation import Sigmoid, Softmax
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.structure import Parallel, Save


def doubled_activation(subject: Subject) -> Iterator[Found]:
    """A softmax or sigmoid at the end: the loss and the prediction apply it to logits, so it would act twice."""
    rows = subject.rows
    last = next((row for row in reversed(rows) if not isinstance(row.block, Flatten | Save)), rows[-1])
    beside = any(isinstance(row.block, Parallel) and last.path.startswith(f"{row.path}.") for row in rows)
    if isinstance(last.block, Softmax | Sigmoid) and not beside:
        name = last.block.keyword
        yield Found(
            last.path,
            f"the network ends with {name}, and the loss applies it to logits once more",
            f"remove this {name}; probabilities are made by the task",
        )


RULES = (
    Rule(
        code="FS201",
        severity="error",
        title="softmax or sigmoid before a loss that applies it",
        why="The loss takes logits and applies softmax or sigmoid itself, and so does the prediction. Applied twice, "
        "all probabilities are squeezed together and gradients nearly vanish: training goes slowly and stops early.",
        source="torch.nn.CrossEntropyLoss and torch.nn.BCEWithLogitsLoss, which expect logits",
        check=doubled_activation,
        bad=Example((3, 32, 32), ("conv 8 3", "relu", "globalavgpool", "linear classes", "softmax")),
        good=Example((3, 32, 32), ("conv 8 3", "relu", "globalavgpool", "linear classes")),
    ),
)
