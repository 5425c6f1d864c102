"""Rules about batch normalisation: what stands before it in vain, or shifts what it has learned."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fieldstone.analysis.rule import Example, Found, Rule, Subject
from fieldstone.analysis.rules.activations import PRODUCTS
from fieldstone.analysis.rules.wording import plural
from fieldstone.design.blocks.norm import BatchNorm, ChannelDropout, Dropout
from fieldstone.design.walk import Row

OF_AN_IMAGE = {"groupnorm", "instancenorm", "layernorm"}
"""Normalisations that take their numbers from the image itself, in training and after: a shift ends there."""

NEAR = 1
"""A batch normalisation is near a dropout where no more products of weights stand between."""


def useless_bias(subject: Subject) -> Iterator[Found]:
    """A bias of which nothing is left: every block that takes it subtracts the mean of each channel."""
    for row in subject.makers.values():
        users = subject.after(row)
        has_bias = row.block.keyword in PRODUCTS and getattr(row.block, "bias", False)
        if has_bias and users and all(isinstance(user.block, BatchNorm) for user in users):
            block: Any = row.block
            count = plural(row.output_shape[0], "parameter")
            yield Found(
                row.path,
                f"batchnorm at {users[0].path} takes away the bias of {block.text()}, {count}",
                f"write {replace(block, bias=False).text()}",
            )


def shifted_variance(subject: Subject) -> Iterator[Found]:
    """A dropout before a batch normalisation, which learns a variance that prediction does not have."""
    for row in subject.makers.values():
        if isinstance(row.block, Dropout | ChannelDropout) and 0 < row.block.p < 1:
            norm = _normalised_by(subject, row)
            if norm is not None:
                yield Found(
                    row.path,
                    f"{row.block.text()} makes the mean square {1 / (1 - row.block.p):.2f} times as large in training "
                    f"as in prediction, and batchnorm at {norm.path} keeps what it is in training",
                    "put it after the last batchnorm, or leave it out",
                )


def _normalised_by(subject: Subject, row: Row) -> Row | None:
    """The first batch normalisation after it, no more than `NEAR` products of weights away."""
    waiting, seen = deque([(row, 0)]), {row.path}
    while waiting:
        here, products = waiting.popleft()
        if isinstance(here.block, BatchNorm):
            return here
        products += here.block.keyword in PRODUCTS
        if products > NEAR or here.block.keyword in OF_AN_IMAGE:
            continue
        users = [user for user in subject.after(here) if user.path not in seen]
        seen |= {user.path for user in users}
        waiting.extend((user, products) for user in users)
    return None


RULES = (
    Rule(
        code="FS205",
        severity="note",
        title="a bias right before batch normalisation",
        why="Batchnorm subtracts the mean of each channel, and a bias is a part of that mean: whatever it is, "
        "nothing of it is left, and its gradient is 0. The normalisation has a shift of its own.",
        source="Ioffe and Szegedy, arXiv:1502.03167, section 3.2",
        check=useless_bias,
        bad=Example((3, 32, 32), ("conv 8 3", "batchnorm", "relu", "globalavgpool", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 3 bias=false", "batchnorm", "relu", "globalavgpool", "linear classes")),
    ),
    Rule(
        code="FS206",
        severity="warning",
        title="dropout before batch normalisation",
        why="Dropout enlarges what it lets through by 1 / (1 - p), so that the mean stays; the mean square becomes "
        "1 / (1 - p) times as large, in training alone. The batch normalisation after it keeps the variance of "
        "training, and in prediction divides by too much.",
        source="Li, Chen, Hu and Yang, Understanding the disharmony between dropout and batch normalization by "
        "variance shift, arXiv:1801.05134",
        check=shifted_variance,
        bad=Example(
            (3, 32, 32),
            ("conv 8 3 bias=false", "dropout 0.3", "batchnorm", "relu", "globalavgpool", "linear classes"),
        ),
        good=Example(
            (3, 32, 32),
            ("conv 8 3 bias=false", "batchnorm", "relu", "globalavgpool", "dropout 0.3", "linear classes"),
        ),
    ),
)
