"""The fitted head, against the conditions of a minimum written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fieldstone.tasks.task import TASKS
from fieldstone.training import head
from fieldstone.training.features import StoppedError
from fieldstone.training.head import STRENGTHS, Examples, Fitted, HeadFit

RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(3, 5)).astype(np.float32)


def example(count: int, classes: int) -> Examples:
    targets = np.arange(count) % classes
    features = CENTRES[targets] + RNG.normal(scale=1.5, size=(count, 5)).astype(np.float32)
    return Examples(features.astype(np.float32), targets)


def gradient(
    layer: nn.Linear, some: Examples, weight_decay: float, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the weighted mean cross-entropy of a softmax + weight_decay / 2 · |W · deviation|², by W and by the bias."""
    weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    logits = some.features @ weight.T + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), some.targets] -= 1
    share = weights[some.targets] / weights[some.targets].sum()
    return (p * share[:, None]).T @ some.features + weight_decay * weight * some.features.astype(float).var(axis=0), (
        p * share[:, None]
    ).sum(axis=0)


def head_fit(layer: nn.Module, task: str, class_weights: torch.Tensor | None = None) -> HeadFit:
    classes = ("a", "b") if task == "binary" else ("a", "b", "c")
    return HeadFit(nn.Sequential(layer), TASKS[task], classes, class_weights, 0.0, lambda: False)


@pytest.mark.parametrize("kept", [2**28, 0])  # in memory, and read anew for each step
@pytest.mark.parametrize("at_once", [2**24, 35])  # in one part, and in parts of seven
@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5)])
def test_the_minimum_has_no_slope(
    monkeypatch: pytest.MonkeyPatch, at_once: int, kept: int, weights: tuple[float, ...] | None
) -> None:
    monkeypatch.setattr(head, "NUMBERS_AT_ONCE", at_once)
    monkeypatch.setattr(head, "NUMBERS_KEPT", kept)
    train, layer = example(60, 3), nn.Linear(5, 3)
    head_fit(layer, "multiclass", None if weights is None else torch.tensor(weights)).fit(train, None, 0.01)
    slopes = gradient(layer, train, 0.01, np.ones(3) if weights is None else np.array(weights))
    assert all(np.abs(slope).max() < 1e-4 for slope in slopes)


def test_the_unit_of_a_feature_does_not_matter() -> None:
    train = example(60, 3)
    units = np.array([1, 100, 0.01, 5, 1], np.float32)
    answers = []
    for scale in (np.ones(5, np.float32), units):
        layer = nn.Linear(5, 3)
        some = Examples(train.features * scale, train.targets)
        head_fit(layer, "multiclass").fit(some, None, 0.01)
        answers.append(layer(torch.from_numpy(some.features)).detach().softmax(dim=1))
    torch.testing.assert_close(*answers, rtol=1e-3, atol=1e-3)


def test_the_regularisation_is_the_one_with_the_smallest_validation_loss() -> None:
    train, validation = example(30, 3), example(300, 3)

    def fitted(weight_decay: float | None) -> Fitted:
        torch.manual_seed(1)
        fit = head_fit(nn.Linear(5, 3), "multiclass")
        return fit.choose(train, validation) if weight_decay is None else fit.fit(train, validation, weight_decay)

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
        head_fit(layer, "binary").fit(train, None, 0.025)
        fits.append(layer.weight.detach())
    torch.testing.assert_close(*fits, rtol=1e-3, atol=1e-3)


def test_a_convolution_over_maps_is_a_head_too() -> None:
    """A 1x1 convolution before a mean over places is a linear layer after that mean."""
    train = example(60, 3)
    maps = np.repeat(train.features[:, :, None, None], 4, axis=3)
    layer, conv = nn.Linear(5, 3), nn.Conv2d(5, 3, 1)
    head_fit(layer, "multiclass").fit(train, None, 0.01)
    tail = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    HeadFit(tail, TASKS["multiclass"], ("a", "b", "c"), None, 0.0, lambda: False).fit(
        Examples(maps, train.targets), None, 0.01
    )
    torch.testing.assert_close(conv.weight[:, :, 0, 0], layer.weight, rtol=1e-2, atol=2e-3)


def test_a_stop_leaves_the_tail_as_it_was() -> None:
    asked = iter([False, False, True])
    layer = nn.Linear(5, 3)
    before = layer.weight.detach().clone()
    fit = HeadFit(nn.Sequential(layer), TASKS["multiclass"], ("a", "b", "c"), None, 0.0, lambda: next(asked))
    with pytest.raises(StoppedError):
        fit.choose(example(30, 3), example(30, 3))
    assert torch.equal(layer.weight, before)


def test_weights_that_are_computed_are_left_as_they_are() -> None:
    """The loss that is said is that of the layer as it stands in the end, with features of very different sizes."""
    train = example(60, 3)
    train = Examples(train.features * np.array([1, 100, 0.01, 1, 1], dtype=np.float32), train.targets)
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(5, 3))
    fitted = head_fit(layer, "multiclass").fit(train, None, 0.01)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(layer(torch.from_numpy(train.features)), torch.from_numpy(train.targets))
    assert fitted.loss == pytest.approx(float(loss), rel=1e-5)
