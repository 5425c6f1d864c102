"""Joined maps: gradients of each path say at which pixels its values look."""

from __future__ import annotations

import re

import pytest
import torch

import fieldstone as fs
from fieldstone.network.build import build
from rules import said

END = ("globalavgpool", "linear classes")
TWICE = ["conv 8 2 padding=same", "conv 8 2 padding=same"]


def span(layers: list[object], shape: tuple[int, ...], place: int, axis: int) -> tuple[int, int]:
    """The first and the last pixel along an axis that move one value of a path; every weight 1, none cancels."""
    network = build(fs.Design(shape, [*layers, "conv classes 1"]), 1).double().eval()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    pixels = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    values = network(pixels)[0, 0]
    middle = [side // 2 for side in values.shape]
    middle[axis] = place
    values[tuple(middle)].backward()
    assert pixels.grad is not None
    moved = pixels.grad[0].sum(0).nonzero()[:, axis]
    return int(moved.min()), int(moved.max())


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(
    ("shape", "one", "other"),
    [
        ((1, 33, 33), ["conv 8 3 stride=2"], ["conv 8 18"]),
        ((1, 33), ["conv 8 3 stride=2"], ["conv 8 18"]),
        ((1, 17, 17, 17), ["conv 8 3 stride=2"], ["conv 8 10"]),
        ((1, 20, 33), ["conv 8 1x3 stride=1x2"], ["conv 8 1x18"]),
        ((1, 32, 32), ["avgpool 2", "conv 8 9"], ["conv 8 25"]),  # 8 places; 2 pixels and 1 pixel
        ((1, 34), ["conv 8 5 stride=4"], ["conv 8 5 stride=2", "conv 8 8"]),
    ],
)
def test_paths_of_other_strides_look_at_other_pixels(shape: tuple[int, ...], one: list[str], other: list[str]) -> None:
    (found,) = said("FS111", shape, {"branches concat": [one, other]}, *END)
    pattern = r"at (\w+) (\d+) the map of [.0-9]+ looks at pixel ([.0-9]+) \(.*\), the map of [.0-9]+ at ([.0-9]+); "
    name, place, *pixels = re.search(pattern, found.message).groups()  # type: ignore[union-attr]
    axis = len(shape) - 2 if name == "column" else 0
    spans = [span(list(path), shape, int(place), axis) for path in (one, other)]
    assert [float(pixel) for pixel in pixels] == [(first + last) / 2 for first, last in spans]
    assert (found.where, found.severity) == ("1", "warning")
    assert found.fix.startswith("reduce or enlarge one of them")


@pytest.mark.parametrize(
    ("layers", "apart"),
    [
        ([{"branches concat": [TWICE, ["conv 8 3 padding=1"]]}], "1 place"),  # [0, 2] and [-1, 1]
        ([{"branches concat": [["conv 8 3 stride=2 padding=1"], ["conv 8 4 stride=2 padding=1"]]}], None),
        ([{"residual": {"body": ["conv 8 3 stride=2 padding=1"], "shortcut": ["avgpool 2", "conv 8 1"]}}], None),
        ([{"residual": {"body": ["conv 8 3 stride=2 padding=1"], "shortcut": ["conv 8 1 stride=2"]}}], None),
        ([{"branches add": [["conv 8 2 padding=same"], ["conv 8 3 padding=1"]]}], None),  # half a place, and within
        (["save a", "conv 8 3", "conv 8 3", "concat a crop=true"], None),
        (["save a", "conv 8 2", "concat a crop=true"], None),
        (["save a", "conv 8 3 stride=2 padding=1", "conv 8 3 padding=1", "concat a crop=true"], "4 places"),
        (["conv 8 3 stride=2 padding=1", "concat input crop=true"], "4 places"),
        (["save a", "globalavgpool keepdims=true", "concat a crop=true"], None),  # sees everything
        (["conv 8 3", "globalavgpool", "save a", "linear 8", "add a"], None),  # no places
    ],
)
def test_maps_that_lie_on_each_other_and_maps_that_do_not(layers: list[object], apart: str | None) -> None:
    end = ["linear classes"] if "linear 8" in layers else END
    found = said("FS111", (3, 32, 32), *layers, *end)
    assert [f"that is {apart} apart" in one.message for one in found] == ([] if apart is None else [True])
