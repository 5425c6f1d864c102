"""Rules about the end of a network; torch's losses say what they take, and ranks are counted with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from fieldstone.network.build import build
from rules import said

CONV = ["conv 8 3 padding=1", "relu"]
FLAT = ["globalavgpool", "linear classes"]
SMALL = [*CONV, "maxpool 4", "maxpool 4", "conv classes 1"]  # of 32x32 it leaves 2x2


@pytest.mark.parametrize(
    ("task", "layers"),
    [
        (None, [*CONV, *FLAT]),
        ("multiclass", [*CONV, *FLAT]),
        ("multilabel", [*CONV, *FLAT]),
        ("regression", [*CONV, "flatten", "linear classes"]),
        (None, [*CONV, "conv classes 1"]),
        (None, [*CONV, "maxpool 8", "conv classes 1"]),  # an eighth, as deeplab before it is enlarged
        (None, [*CONV, "conv classes 5"]),  # 28x28 of 32x32, as u-net without padding
        ("segmentation", [*CONV, "conv classes 1"]),
        (None, [*SMALL, "globalavgpool"]),
        (None, [*CONV, {"residual": ["conv 8 1", "relu"]}, {"branches add": [FLAT, ["flatten", "linear 10"]]}]),
    ],
)
def test_a_head_that_fits_is_silent(task: str | None, layers: list[Any]) -> None:
    assert said("FS202", (3, 32, 32), *layers, task=task) == []


@pytest.mark.parametrize(
    ("task", "layers", "message", "fix"),
    [
        (
            None,
            SMALL,
            "the network leaves 10x2x2, and a task takes 10 numbers an image; "
            "as one answer a pixel it is less than an eighth of 3x32x32 a side",
            "put globalavgpool after it",
        ),
        (
            "multiclass",
            [*CONV, "conv classes 1"],
            "the network leaves 10x32x32, and multiclass takes 10 numbers an image",
            "put globalavgpool after it",
        ),
        (
            "multilabel",
            [*CONV, "globalavgpool keepdims=true", "conv classes 1"],
            "the network leaves 10x1x1, and multilabel takes 10 numbers an image",
            "put flatten after it",
        ),
        (
            "segmentation",
            [*CONV, *FLAT],
            "the network leaves 10 numbers, and segmentation takes 10x32x32",
            "leave out what makes it flat, and end with `conv classes 1`",
        ),
        (
            "segmentation",
            [*CONV, "maxpool 8", "conv classes 1"],
            "the network leaves 10x4x4, and segmentation takes 10x32x32",
            "put `upsample 8 mode=linear` after it",
        ),
        (
            "segmentation",
            [*CONV, "conv classes 3"],
            "the network leaves 10x30x30, and segmentation takes 10x32x32",
            "pad the convolutions, or bring it to 32x32 at the end",
        ),
        (
            None,
            [*CONV, *FLAT, "relu", "linear 7"],
            "the network leaves 7 numbers, and a task takes 10 numbers an image",
            "make the block that is sized by `classes` the last",
        ),
        (
            None,
            [*CONV, "conv classes 1", "relu", "conv 3 1"],
            "the network leaves 3x32x32, and a task takes 10x32x32",
            "make the block that is sized by `classes` the last",
        ),
    ],
)
def test_a_head_that_does_not_fit_is_an_error_at_the_last_block(
    task: str | None, layers: list[Any], message: str, fix: str
) -> None:
    (found,) = said("FS202", (3, 32, 32), *layers, task=task)
    assert (found.severity, found.where, found.message, found.fix) == ("error", str(len(layers)), message, fix)


def test_one_pixel_is_one_answer_an_image_however_small_the_input() -> None:
    (found,) = said("FS202", (3, 8, 8), *CONV, "conv classes 8")
    assert found.fix == "put flatten after it"


@pytest.mark.parametrize("shape", [(2, 9), (2, 20), (2, 16, 16), (2, 16, 17), (2, 33, 12), (1, 9, 8, 9)])
@pytest.mark.parametrize("stride", [1, 2, 3, 8])
def test_cross_entropy_takes_what_is_silent_for_multiclass_and_refuses_the_rest(
    shape: tuple[int, ...], stride: int
) -> None:
    design = fs.Design(shape, [f"conv classes 1 stride={stride}"])
    logits = build(design, 4)(torch.rand(3, *shape))
    (found,) = said("FS202", shape, *design.layers, classes=4, task="multiclass")
    with pytest.raises((ValueError, RuntimeError), match="target"):
        torch.nn.CrossEntropyLoss()(logits, torch.tensor([0, 1, 2]))
    mended = [f"conv classes 1 stride={stride}", found.fix.split()[1]]  # `put flatten after it`
    torch.nn.CrossEntropyLoss()(build(fs.Design(shape, mended), 4)(torch.rand(3, *shape)), torch.tensor([0, 1, 2]))
    assert said("FS202", shape, *mended, classes=4, task="multiclass") == []


@pytest.mark.parametrize("shape", [(2, 16), (2, 16, 8), (2, 16, 8, 8)])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_cross_entropy_a_pixel_takes_what_is_silent_for_segmentation(shape: tuple[int, ...], stride: int) -> None:
    loss, masks = torch.nn.CrossEntropyLoss(), torch.zeros(3, *shape[1:], dtype=torch.int64)
    layers = [f"conv classes 1 stride={stride}"]
    logits = build(fs.Design(shape, layers), 4)(torch.rand(3, *shape))
    found = said("FS202", shape, *layers, classes=4, task="segmentation")
    assert bool(found) == (stride > 1)
    if found:
        with pytest.raises((ValueError, RuntimeError), match=r"size|match"):
            loss(logits, masks)
        layers.append(found[0].fix.split("`")[1])  # `put `upsample 2 mode=linear` after it`
        logits = build(fs.Design(shape, layers), 4)(torch.rand(3, *shape))
        assert said("FS202", shape, *layers, classes=4, task="segmentation") == []
    loss(logits, masks)


class Ending(nn.Module):
    """Gives so many numbers, an image or a pixel, and something else beside them."""

    def __init__(self, outputs: int, a_pixel: bool) -> None:
        super().__init__()
        self.a_pixel, self.conv, self.head = a_pixel, nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, outputs, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        values = self.conv(images).relu()
        logits: Tensor = self.head(values)
        return logits if self.a_pixel else logits.mean((2, 3)), values


def trains(network: Ending, task: str, classes: int) -> bool:
    """Whether torch's loss takes the outputs with targets of the task."""
    logits, _ = network(torch.rand(classes, 3, 16, 16))
    every = torch.arange(classes)
    targets = {
        "binary": every[:, None].float(),
        "multiclass": every,
        "multilabel": torch.eye(classes),
        "regression": torch.eye(classes),
        "segmentation": every[:, None, None].expand(-1, 16, 16),
    }
    losses = {"binary": nn.BCEWithLogitsLoss(), "multilabel": nn.BCEWithLogitsLoss(), "regression": nn.L1Loss()}
    try:
        losses.get(task, nn.CrossEntropyLoss())(logits, targets[task])
    except (ValueError, RuntimeError, IndexError, UserWarning):
        return False
    return logits.shape[1] <= classes  # cross entropy takes more


TASKS = [("binary", 2), ("multiclass", 3), ("multilabel", 3), ("regression", 3), ("segmentation", 3)]


@pytest.mark.parametrize(("task", "classes"), TASKS)
@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("a_pixel", [False, True])
def test_a_module_is_silent_where_the_loss_of_the_task_takes_what_it_gives(
    task: str, classes: int, outputs: int, a_pixel: bool
) -> None:
    network = Ending(outputs, a_pixel)
    found = fs.inspect(network, (3, 16, 16), classes=classes, task=task, select="FS202").findings
    assert (found == ()) == trains(network, task, classes)
    assert {one.severity for one in found} <= {"error"}


@pytest.mark.parametrize(
    ("outputs", "asked", "wanted"),
    [
        (5, {"classes": 7}, "the network leaves 5 numbers, and a task takes 7 numbers an image"),
        (5, {"classes": 5}, None),
        (5, {}, None),
        (2, {"task": "binary"}, "the network leaves 2 numbers, and binary takes 1 number an image"),
        (1, {"task": "binary"}, None),
        (1, {"classes": 2}, None),
        (2, {"classes": 2}, None),
        (3, {"classes": 2}, "the network leaves 3 numbers, and a task takes 2 numbers an image"),
    ],
)
def test_what_is_asked_of_a_module_is_compared_with_what_it_gives(
    outputs: int, asked: dict[str, Any], wanted: str | None
) -> None:
    found = fs.inspect(Ending(outputs, False), (3, 16, 16), select="FS202", **asked).findings
    assert [(one.where, one.message) for one in found] == ([("mean", wanted)] if wanted else [])
    assert all(one.fix.startswith(f"let its last layer give {wanted.split()[-4]}, or ") for one in found if wanted)


POOLED = ["conv 16 3", "relu", "globalavgpool"]


@pytest.mark.parametrize(
    ("layers", "where", "values"),
    [
        ([*POOLED, "linear 3", "relu", "linear classes"], "4", 3),
        ([*POOLED, "linear 4", "relu", "dropout 0.1", "linear 64", "relu", "linear classes"], "4", 4),
        ([*POOLED, {"branches concat": [["linear 2", "relu"], ["linear 2", "tanh"]]}, "linear classes"], "4", 4),
        (["conv 2 3", "relu", "globalavgpool", "linear classes"], "3", 2),
        (["conv 1 4 stride=4", "relu", "maxpool 4", "flatten", "linear classes"], "3", 4),
        (["conv 16 3 padding=1", "relu", "conv 2 1", "relu", "conv classes 1"], "3", 2),
        (["conv 16 3 padding=1", "relu", "conv 2 1", "relu", "conv 32 1", "relu", "conv classes 1"], "3", 2),
        (["conv 4 3 padding=1", "relu", "conv classes 1 groups=2"], "1", 4),
    ],
)
def test_a_neck_far_narrower_than_the_outputs_is_found(layers: list[Any], where: str, values: int) -> None:
    (found,) = said("FS208", (3, 32, 32), *layers)
    assert (found.severity, found.where) == ("warning", where)
    assert found.message.startswith(f"all 10 outputs are made from the {values} that ")


@pytest.mark.parametrize(
    "layers",
    [
        [*POOLED, "linear 5", "relu", "linear classes"],  # half, as in resnet-18
        [*POOLED, {"residual": ["linear 3", "relu", "linear 16"]}, "linear classes"],  # a path leads past it
        [*POOLED, "save wide", "linear 3", "relu", "concat wide", "linear classes"],
        [*POOLED, {"branches concat": [["linear 3"], ["linear 3"]]}, "linear classes"],
        ["conv 2 3", "relu", "flatten", "linear classes"],
        ["conv 1 3 padding=1", "relu", "conv classes 3"],  # nine pixels of one channel
        ["conv 1 1", "relu", "conv 32 3", "relu", "conv classes 1"],
        [*POOLED, "linear classes", {"residual": ["linear 1", "relu", "linear 10"]}],  # after the head
    ],
)
def test_where_enough_is_left_or_a_path_leads_past_the_neck_it_is_none(layers: list[Any]) -> None:
    assert said("FS208", (3, 32, 32), *layers) == []


def test_two_classes_may_have_any_neck() -> None:
    layers = [*POOLED, "linear 1", "relu", "linear classes"]
    assert said("FS208", (3, 32, 32), *layers, classes=2) == []


@pytest.mark.parametrize("seed", range(30))
def test_the_logits_vary_in_as_many_directions_as_is_said(seed: int) -> None:
    """The rank of the Jacobian at a random input; right before the head that of the logits of many inputs too."""
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 30, int(rng.integers(1, 4))).tolist()
    layers = ["flatten", *(block for width in widths for block in (f"linear {width}", "tanh")), "linear classes"]
    network = build(fs.Design((40, 1), layers), 24).double()
    jacobian = torch.autograd.functional.jacobian(lambda one: network(one)[0], torch.randn(1, 40, 1).double())
    directions = int(np.linalg.matrix_rank(jacobian.reshape(24, 40).numpy(), tol=1e-9))
    found = said("FS208", (40, 1), *layers, classes=24)
    assert bool(found) == (min(widths) < 12)
    if found:
        values = [int(one.message.split(" from the ")[1].split()[0]) for one in found]
        assert directions <= min(values) == min(widths)
        mended = ["linear 24" if layer[7:] in map(str, values) else layer for layer in layers]  # `let 24 or more …`
        assert said("FS208", (40, 1), *mended, classes=24) == []


@pytest.mark.parametrize("values", [1, 3, 11])
def test_right_before_the_head_the_logits_are_a_matrix_of_that_rank(values: int) -> None:
    layers = ["flatten", f"linear {values}", "tanh", "linear classes"]
    network = build(fs.Design((40, 1), layers), 24).double()
    with torch.no_grad():
        logits = network(torch.randn(200, 40, 1, dtype=torch.float64)) - network[-1].bias
    (found,) = said("FS208", (40, 1), *layers, classes=24)
    assert np.linalg.matrix_rank(logits.numpy(), tol=1e-9) == values
    assert f"from the {values} that" in found.message
