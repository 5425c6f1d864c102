"""Why a module of one's own answers so: class activation by its last map, occlusion, and why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldstone.analysis.module.examine import examine
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DesignError
from fieldstone.explain.explorer.modules import parts_of_module
from fieldstone.explain.explorer.payload import Explored, Seen
from fieldstone.explain.explorer.why import why
from fieldstone.progress import Progress
from fieldstone.tasks.task import TASKS

SHAPE = (3, 11, 9)


class Mean(nn.Module):
    """conv, relu, mean, linear, as its kind says."""

    def __init__(self, kind: str = "", outputs: int = 4) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.kind = kind
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, outputs)
        self.aside = nn.Conv2d(6, 2, 1)

    def forward(self, images: Tensor) -> Any:
        maps = self.conv(images)
        if self.kind == "changed in place":
            return self.head(maps.relu_().mean((2, 3)))
        if self.kind == "channels last":
            return self.head(F.relu(maps.permute(0, 2, 3, 1)).mean((1, 2)))
        maps = F.relu(maps)
        if self.kind == "without gradients":
            with torch.no_grad():
                return self.head(maps.mean((2, 3)))
        pooled = maps.mean((2, 3))
        if self.kind == "detached":
            return self.head(pooled.detach())
        if self.kind == "one at a time":
            return self.head(pooled.reshape(1, 6))
        if self.kind == "with an aside":
            return {"logits": self.head(pooled), "aside": self.aside(maps)}
        if self.kind == "one number":
            return self.head(pooled)[:, 0]
        return self.head(pooled)


KINDS = ["", "changed in place", "channels last", "one at a time", "with an aside"]


def seen_of(module: nn.Module, outputs: int = 4) -> Seen:
    summary = examine(module, SHAPE, name="mean")
    channels, *size = SHAPE
    preprocessing = Preprocessing(size=(size[0], size[1]), channels=channels, mean=(0.5,) * 3, std=(0.25,) * 3)
    explored = Explored(
        name="mean", trained=True, network=module, parts=parts_of_module(summary), rows=summary.rows,
        task=TASKS["multiclass" if outputs > 1 else "binary"], preprocessing=preprocessing, is_own=True,
        classes=tuple(f"class {number}" for number in range(max(2, outputs))),
    )  # fmt: skip
    pixels = np.random.default_rng(4).integers(0, 256, SHAPE, dtype=np.uint8)
    return Seen.of(explored, "noise.png", (9, 11), pixels)


def told(seen: Seen, *classes: int) -> Mapping[str, Any]:
    found = why(seen, classes, Progress.quiet())
    assert found is not None
    return found


def expected_activation(module: Mean, image: Tensor, weights: Tensor) -> Tensor:
    """Zhou et al., arXiv:1512.04150: after a mean, the head's own weights of a class."""
    maps = F.conv2d(image[None], module.conv.weight, module.conv.bias)[0].relu()
    found = (weights[:, None, None] * maps).sum(dim=0).relu().detach()
    return found / found.max()


@pytest.mark.parametrize("kind", KINDS)
def test_class_activation_is_of_the_last_map_before_the_mean(kind: str) -> None:
    module = Mean(kind)
    seen = seen_of(module)
    found = told(seen, 2)
    assert seen.told["why_not"] is None
    block = next(one for one in seen.told["blocks"] if one["path"] == found["gradcam"]["2"]["block"])
    assert block["keyword"] == "relu"
    expected = expected_activation(module, seen.input, module.head.weight[2])
    torch.testing.assert_close(seen.arrays.tensors["gradcam/2"], expected)


@pytest.mark.parametrize(("place", "sign"), [(0, -1), (1, 1)])
def test_of_one_number_the_first_class_is_what_speaks_against_it(place: int, sign: int) -> None:
    module = Mean("one number", outputs=1)
    seen = seen_of(module, outputs=1)
    assert told(seen, place)["classes"] == [place]
    expected = expected_activation(module, seen.input, sign * module.head.weight[0])
    torch.testing.assert_close(seen.arrays.tensors[f"gradcam/{place}"], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_occlusion_is_how_far_the_probability_falls(kind: str) -> None:
    """Of a patch that no other covers, in the corner: one covered image, by hand."""
    module = Mean(kind)
    seen = seen_of(module)
    size = told(seen, 1)["occlusion"]["1"]["patch"]
    covered = seen.input.clone()
    covered[:, :size, :size] = 0

    def probability(image: Tensor) -> Tensor:
        return Mean()(image[None]).softmax(dim=1)[0, 1].detach()

    fall = probability(seen.input) - probability(covered)
    torch.testing.assert_close(seen.arrays.tensors["occlusion/1"][0, 0], fall, rtol=1e-4, atol=1e-6)


def test_effective_fields_are_of_this_image() -> None:
    """The middle of a convolution's map is moved by its 3x3 pixels, each by the squares of its weights."""
    seen = seen_of(Mean())
    found = told(seen, 0)["effective"]
    assert list(found) == ["conv"]
    moved = seen.arrays.tensors[found["conv"]["array"]] > 0
    assert moved.nonzero().tolist() == [[row, column] for row in (4, 5, 6) for column in (3, 4, 5)]


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(297, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(images.flatten(1))


class Backless(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return values.clone()


class ThroughBackless(Mean):
    def forward(self, images: Tensor) -> Any:
        return self.head(Backless.apply(self.conv(images).mean((2, 3))))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Mean("detached"), "cut"),
        (lambda: Mean("without gradients"), "cut"),
        (ThroughBackless, "cut"),
        (Flat, "flat"),
        (lambda: nn.Conv2d(3, 4, 3), "pixels"),
    ],
)
def test_why_there_is_none_is_known(make: Callable[[], nn.Module], reason: str) -> None:
    seen = seen_of(make())
    assert seen.told["why_not"] == reason
    assert why(seen, [0], Progress.quiet()) is None


def test_a_frozen_module_is_told_of_too() -> None:
    module = Mean().requires_grad_(False)
    seen = seen_of(module)
    told(seen, 3)
    expected = expected_activation(module, seen.input, module.head.weight[3])
    torch.testing.assert_close(seen.arrays.tensors["gradcam/3"], expected)


def test_the_image_and_the_module_stay_as_they_were() -> None:
    class Rude(Mean):
        def forward(self, images: Tensor) -> Any:
            return super().forward(images.mul_(2))

    module = Rude().train()
    seen = seen_of(module)
    image = seen.input.clone()
    told(seen, 0)
    assert torch.equal(seen.input, image)
    assert all(part.training for part in module.modules())
    assert all(one.grad is None for one in module.parameters())


class Squeezed(Mean):
    """It takes the dimension of the batch away where that is one."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).squeeze()


@pytest.mark.parametrize("outputs", [1, 4])
def test_answers_without_a_batch_are_all_there(outputs: int) -> None:
    whole, squeezed = (seen_of(make(outputs=outputs), outputs).recording.logits for make in (Mean, Squeezed))
    assert squeezed.shape == (outputs,)
    torch.testing.assert_close(squeezed, whole)


class Moody(Mean):
    """It answers while it is looked at and watched, and no more."""

    answers = 0

    def forward(self, x: Tensor) -> Tensor:
        Moody.answers += 1  # of every copy
        if Moody.answers > 2:
            raise KeyError("enough")
        return super().forward(x)


def test_a_module_that_breaks_after_it_was_watched_says_so() -> None:
    with pytest.raises(DesignError, match="Moody cannot be run on this image: KeyError: 'enough'; mend its forward"):
        seen_of(Moody())
