"""Probabilities in the place of logits: what torch gives lies between 0 and 1."""

from __future__ import annotations

import pytest
import torch

import fieldstone as fs
from fieldstone.network.build import build
from rules import said


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        (["globalavgpool", "linear classes", "softmax"], "3"),
        (["flatten", "linear classes", "sigmoid"], "3"),
        (["conv classes 8", "softmax", "flatten"], "2"),  # flatten and save change no value
        (["conv 4 8", "flatten", {"repeat 2": ["linear 4", "sigmoid"]}, ["linear classes", "softmax"]], "4.2"),
    ],
)
def test_a_softmax_or_sigmoid_at_the_end_is_an_error(layers: list[object], where: str) -> None:
    (found,) = said("FS201", (3, 8, 8), *layers)
    name = str(found.fix).split()[2].rstrip(";")
    assert (found.code, found.severity, found.where) == ("FS201", "error", where)
    assert found.message == f"the network ends with {name}, and the loss applies it to logits once more"
    assert found.fix == f"remove this {name}; probabilities are made by the task"


MAP = ["conv 4 2 stride=2", "relu", "conv classes 1"]


@pytest.mark.parametrize(
    ("layers", "where", "then"),
    [
        ([*MAP, "softmax", "upsample 2 mode=bilinear"], ["4"], "upsample 2 mode=bilinear"),
        ([*MAP, "softmax", "globalavgpool"], ["4"], "globalavgpool"),
        ([*MAP, "sigmoid", "avgpool 4", "dropout 0.1", "flatten"], ["4"], "avgpool 4 and dropout 0.1"),
        ([*MAP, "softmax", "globalmaxpool keepdims=true", "flatten"], ["4"], "globalmaxpool keepdims=true"),
        ([*MAP, ["softmax"], "pad 1", "crop 1", "save end"], ["4.1"], "pad 1 and crop 1"),
        (
            ["conv classes 1", {"branches add": [["softmax"], ["softmax"]]}, "globalavgpool"],
            ["2.2.1", "2.1.1"],
            "branches add and globalavgpool",
        ),
    ],
)
def test_probabilities_that_are_enlarged_or_averaged_stay_probabilities(
    layers: list[object], where: list[str], then: str
) -> None:
    """In torch all that leaves lies between 0 and 1, however large the logits are."""
    found = said("FS201", (3, 8, 8), *layers)
    assert [(one.severity, one.where) for one in found] == [("error", path) for path in where]
    assert all(f", after it {then} alone, and the loss" in one.message for one in found)
    outputs = build(fs.Design((3, 8, 8), layers), 10).eval()(100 * torch.randn(4, 3, 8, 8)).detach()
    assert 0 <= outputs.min() <= outputs.max() <= 2  # two shares added


@pytest.mark.parametrize("end", ["sigmoid", "softmax"])
def test_a_regression_may_end_with_one_for_its_loss_applies_none(end: str) -> None:
    layers = ["conv 10 3", "relu", "globalavgpool", "linear classes", end]
    assert not fs.inspect(fs.Design((3, 8, 8), layers), task="regression").has("error")
    for task in ("multiclass", "multilabel", None):
        assert fs.inspect(fs.Design((3, 8, 8), layers), task=task).has("error")


@pytest.mark.parametrize(
    "layers",
    [
        ["globalavgpool", "linear classes"],
        [*MAP, "sigmoid", "tanh", "globalavgpool"],
        [*MAP, "softmax", "conv 10 1", "globalavgpool"],
        [*MAP, "softmax", "batchnorm", "globalavgpool"],
        ["conv classes 1", {"branches multiply": [["softmax"], []]}, "globalavgpool"],  # attention
        ["conv 4 3", "sigmoid", "globalavgpool", "linear classes"],
        ["globalavgpool", "linear classes", "tanh"],
        ["globalavgpool", {"residual": {"body": ["linear classes"], "shortcut": ["linear 10", "sigmoid"]}}],
        ["globalavgpool", {"branches multiply": [["linear classes"], ["linear 10", "softmax"]]}],
    ],
)
def test_elsewhere_or_beside_the_end_it_is_none(layers: list[object]) -> None:
    assert said("FS201", (3, 8, 8), *layers) == []
