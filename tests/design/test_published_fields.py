"""Receptive fields and strides as published: Araujo, Norris and Sim, Distill 2019, table 1, of its variants."""

from __future__ import annotations

from typing import Any

import pytest

from fieldstone.design.design import Design
from fieldstone.design.walk import Row


def last_map(design: Design) -> Row:
    """The row of the last window: what follows only pools or classifies."""
    rows = [row for row in design.walk(design.classes or 10) if len(row.output_shape) == 3 and row.jump is not None]
    return next(row for row in reversed(rows) if min(row.output_shape[1:]) > 1)


def unit(filters: int, stride: int, enters: bool) -> dict[str, Any]:
    """A bottleneck of the first ResNet: the stride in its 3x3."""
    body = [f"conv {filters} 1", "relu", f"conv {filters} 3 stride={stride} padding=1", "relu", f"conv {4 * filters} 1"]
    if enters:
        return {"residual": {"body": body, "shortcut": [f"conv {4 * filters} 1 stride={stride}"]}}
    return {"residual": {"body": body, "shortcut": [f"maxpool 1 stride={stride}"] if stride > 1 else []}}


def resnet(*units: int) -> Design:
    """TF-Slim's resnet_v1: a stage's stride is in its last unit, none in the last stage."""
    layers: list[Any] = ["conv 64 7 stride=2 padding=3", "maxpool 3 stride=2 padding=1"]
    for stage, count in enumerate(units):
        for number in range(count):
            stride = 2 if number == count - 1 and stage < len(units) - 1 else 1
            layers += [unit(64 * 2**stage, stride, enters=number == 0), "relu"]
    return Design((3, 224, 224), [*layers, "globalavgpool", "linear classes"])


def mobilenet() -> Design:
    """MobileNet v1 (arXiv:1704.04861), table 1."""
    layers = ["conv 32 3 stride=2 padding=1"]
    steps = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for filters, stride in steps:
        layers += [f"depthwise 3 stride={stride} padding=1", "relu", f"conv {filters} 1", "relu"]
    return Design((3, 224, 224), [*layers, "globalavgpool", "linear classes"])


@pytest.mark.parametrize(
    ("design", "field", "stride"),
    [
        (Design.named("alexnet"), 195, 32),
        (Design.named("vgg-16"), 212, 32),
        (mobilenet(), 315, 32),
        (resnet(3, 4, 6, 3), 483, 32),
        (resnet(3, 4, 23, 3), 1027, 32),
        (resnet(3, 8, 36, 3), 1507, 32),
    ],
    ids=["alexnet", "vgg-16", "mobilenet-v1", "resnet-v1-50", "resnet-v1-101", "resnet-v1-152"],
)
def test_fields_are_the_published_ones(design: Design, field: int, stride: int) -> None:
    row = last_map(design)
    assert (row.receptive_field, row.jump) == ((field, field), (stride, stride))
