"""The fitted head, against the conditions of a minimum written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fieldstone.tasks.task import TASKS
from fieldstone.training import head
from fieldstone.training.head import STRENGTHS, Example, fit_head

RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(3, 5)).astype(np.float32)


def example(count: int, classes: int) -> Example:
    targets = np.arange(count) % classes
    features = CENTRES[targets] + RNG.normal(scale=1.5, size=(count, 5)).astype(np.float32)
    return Example(features.astype(np.float32), targets)


def never() -> bool:
    return False


def gradient(
    layer: nn.Linear, some: Example, weight_decay: float, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the weighted mean cross-entropy of a softmax + weight_decay / 2 · |W|², by W and by the bias."""
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    logits = some.features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), some.targets] -= 1
    share = weights[some.targets] / weights[some.targets].sum()
    return (p * share[:, None]).T @ some.features + weight_decay * weight, (p * share[:, None]).sum(axis=0)


@pytest.mark.parametrize("at_once", [2**24, 35])  # in one part, and in parts of seven
@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5)])
def test_the_minimum_has_no_slope(
    monkeypatch: pytest.MonkeyPatch, at_once: int, weights: tuple[float, ...] | None
) -> None:
    monkeypatch.setattr(head, "NUMBERS_AT_ONCE", at_once)
    train, layer = example(60, 3), nn.Linear(5, 3)
    class_weights = None if weights is None else torch.tensor(weights)
    fit_head(
        layer, TASKS["multiclass"], ("a", "b", "c"), train, None,
        weight_decay=0.01, class_weights=class_weights, label_smoothing=0.0, stop=never,
    )  # fmt: skip
    slopes = gradient(layer, train, 0.01, np.ones(3) if weights is None else np.array(weights))
    assert all(np.abs(slope).max() < 1e-4 for slope in slopes)


def test_the_regularisation_is_the_one_with_the_smallest_validation_loss() -> None:
    train, validation = example(30, 3), example(300, 3)

    def fitted(weight_decay: float | None) -> head.Fitted:
        torch.manual_seed(1)
        return fit_head(
            nn.Linear(5, 3), TASKS["multiclass"], ("a", "b", "c"), train, validation,
            weight_decay=weight_decay, class_weights=None, label_smoothing=0.0, stop=never,
        )  # fmt: skip

    losses = {strength: fitted(strength).metrics["loss"] for strength in STRENGTHS}  # type: ignore[index]
    best = min(losses, key=lambda strength: losses[strength])
    chosen = fitted(None)
    assert chosen.weight_decay == best
    assert chosen.metrics is not None
    assert chosen.metrics["loss"] == pytest.approx(losses[best], rel=1e-3)


def test_where_it_starts_does_not_matter() -> None:
    train, fits = example(40, 2), []
    for seed in range(2):
        torch.manual_seed(seed)
        layer = nn.Linear(5, 1)
        fit_head(
            layer, TASKS["binary"], ("a", "b"), train, None,
            weight_decay=None, class_weights=None, label_smoothing=0.0, stop=never,
        )  # fmt: skip
        fits.append(layer.weight.detach())
    torch.testing.assert_close(*fits, rtol=1e-3, atol=1e-3)
