"""Class activation and occlusion, against what they are by definition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fieldstone as fs
from fieldstone.analysis.rule import Subject
from fieldstone.explain.explorer.classes import Patches, class_activation, last_map, occlusion
from fieldstone.explain.explorer.parts import parts_of


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)).eval()


def test_after_global_pooling_class_activation_is_the_heads_own_weights() -> None:
    """Zhou et al., arXiv:1512.04150: there the gradient of a mean is the weight over the number of places."""
    net, image = network(), torch.randn(3, 9, 9)
    maps = net[:2](image[None])[0]
    head = net[4]
    assert isinstance(head, nn.Linear)
    expected = (head.weight[2][:, None, None] * maps).sum(dim=0).relu()
    found = class_activation(net, "1", image, 2)
    torch.testing.assert_close(found, (expected / expected.max()).detach())


def test_of_one_logit_the_first_class_is_what_speaks_against_it() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 1)).eval()
    image = torch.randn(3, 7, 7)
    maps = net[:2](image[None])[0]
    head = net[4]
    assert isinstance(head, nn.Linear)
    for place, sign in ((0, -1), (1, 1)):
        expected = (sign * head.weight[0][:, None, None] * maps).sum(dim=0).relu()
        torch.testing.assert_close(class_activation(net, "1", image, place), (expected / expected.max()).detach())


def test_nothing_speaks_for_a_class_that_no_map_moves() -> None:
    net = network()
    head = net[4]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    assert not class_activation(net, "1", torch.randn(3, 9, 9), 0).any()


@pytest.mark.parametrize("sides", [(9, 9), (16, 24), (39, 39), (5, 3), (100, 17)])
def test_patches_cover_every_pixel_and_stay_inside(sides: tuple[int, int]) -> None:
    patches = Patches.of(torch.zeros(3, *sides))
    covered = torch.zeros(sides)
    for row, column in patches.corners:
        block = covered[row : row + patches.size, column : column + patches.size]
        assert block.shape == (patches.size, patches.size)
        block += 1
    assert covered.min() > 0


def test_occlusion_finds_the_pixel_that_decides() -> None:
    """A network that reads one pixel: covering anything else changes nothing."""

    class OnePixel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            value = self.scale * input[:, 0, 12, 20]
            return torch.stack([value, -value], dim=1)

    image = torch.zeros(3, 32, 32)
    image[0, 12, 20] = 3.0
    patches = Patches.of(image)
    told: list[int] = []
    falls = occlusion(OnePixel(), lambda logits: logits.softmax(dim=1), image, patches, told.append)
    whole = torch.tensor([3.0, -3.0]).softmax(dim=0)
    assert sum(told) == len(patches.corners)
    place = (12 // patches.stride, 20 // patches.stride)
    torch.testing.assert_close(falls[:, *place], whole - 0.5)  # every patch over it leaves even odds
    far = torch.ones_like(falls[0], dtype=torch.bool)
    far[place[0] - 2 : place[0] + 3, place[1] - 2 : place[1] + 3] = False
    assert not falls[:, far].any()


@pytest.mark.parametrize(("name", "path"), [("three-conv", "6"), ("resnet-18", "12")])
def test_the_last_map_is_the_last_with_rows_and_columns(name: str, path: str) -> None:
    design = fs.Design.named(name)
    found = last_map(parts_of(Subject(design.input, design.walk(10))))
    assert found is not None
    assert len(found.output_shape) == 3
    after = [row for row in design.walk(10) if row.sources == (found.path,)]
    assert all(len(row.output_shape) == 1 or max(row.output_shape[1:]) == 1 for row in after)
