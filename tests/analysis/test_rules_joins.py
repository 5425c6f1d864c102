"""Joined maps: gradients of each path say at which pixels its values look."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

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
        ([{"residual": ["conv 3 2 padding=same", "relu", "conv 3 2 padding=same"]}], "1 place"),  # [0, 2] and itself
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


EIGHT = [{"repeat 8": ["conv 8 3", "relu"]}]
SKIP = ["conv 8 3 padding=1", "relu", "save a", "avgpool 2", "conv 8 3", "relu", "conv 8 3", "relu"]


@pytest.mark.parametrize(
    ("shape", "one", "other", "apart"),
    [
        ((3, 64, 64), ["crop 0 after=16"], EIGHT, 8),
        ((3, 64, 64), ["crop 16 after=0"], EIGHT, 8),
        ((3, 64, 64), ["crop 8"], EIGHT, None),
        ((3, 64, 64), ["crop 5 after=11"], EIGHT, None),  # nearer to the middle of what the others see
        ((3, 64, 64), ["crop 0x8 after=16x8"], EIGHT, 8),
        ((3, 64), ["crop 0 after=16"], EIGHT, 8),
        ((3, 64), ["crop 16 after=0"], EIGHT, None),  # of the past alone
        ((3, 64), ["conv 8 1"], ["conv 8 3 padding=causal dilation=8", "relu"], None),
        ((3, 64), ["conv 8 1"], ["conv 8 3 padding=causal dilation=8", "relu", "conv 8 3 padding=same"], None),
        ((3, 64), ["conv 8 1"], ["conv 8 17", "relu", "pad 0 after=16"], 8),
        ((3, 64), ["conv 8 17", "relu", "pad 0 after=16"], ["conv 8 1"], 8),
        ((1, 20, 20, 20), ["crop 0 after=8"], [{"repeat 4": ["conv 2 3"]}], 4),
    ],
)
def test_a_path_beside_the_middle_of_what_the_other_sees(
    shape: tuple[int, ...], one: list[object], other: list[object], apart: int | None
) -> None:
    found = said("FS111", shape, {"branches concat": [one, other]}, *END)
    middles = []
    for path in (one, other):
        middles.append([sum(span(path, shape, 5, axis)) / 2 for axis in range(len(shape) - 1)])
    measured = max(abs(here - there) for here, there in zip(*middles, strict=True))
    assert [f"that is {measured:g} places apart" in one.message for one in found] == ([True] if apart else [])
    assert apart is None or measured == apart


@pytest.mark.parametrize(("pad", "found"), [("pad 0 after=4", True), ("pad 4 after=0", True), ("pad 2", False)])
def test_a_path_that_is_padded_at_one_end_and_enlarged(pad: str, found: bool) -> None:
    layers = [*SKIP, pad, "upsample 2"]
    said_of_it = said("FS111", (3, 64, 64), *layers, "concat a", "conv classes 1")
    assert [one.where for one in said_of_it] == (["11"] if found else [])
    middles = [sum(span(layers, (3, 64, 64), place, 0)) / 2 - place for place in (20, 21)]  # in turn before and behind
    assert (abs(sum(middles) / 2) >= 4) == found


DOWN = ["maxpool 2", "conv 8 3 stride=2 padding=1", "conv 8 3 stride=2 padding=same", "conv 8 2 stride=2"]
UP = ["upconv 8 2 stride=2", "upconv 8 3 stride=2 padding=1 output_padding=1", "upconv 8 3 stride=2 padding=same",
      "upsample 2", "upsample 2 mode=bilinear", "upconv 8 4 stride=2 padding=1"]  # fmt: skip


@pytest.mark.parametrize("down", DOWN)
@pytest.mark.parametrize("up", UP)
def test_u_nets_and_pyramids_as_people_write_them_are_silent(down: str, up: str) -> None:
    conv = ["conv 8 3 padding=1", "relu"]
    contracting = [block for level in range(4) for block in (*conv, *conv, f"save s{level}", down)]
    expanding = [block for level in reversed(range(4)) for block in (up, f"concat s{level}", *conv, *conv)]
    assert said("FS111", (3, 64, 64), *contracting, *conv, *expanding, "conv classes 1") == []
    stages = [block for level in range(4) for block in (*conv, "conv 8 3 stride=2 padding=1", f"save c{level}")]
    pyramid = [block for level in (2, 1, 0) for block in ("upsample 2", f"add c{level}")]
    assert said("FS111", (3, 64, 64), *stages, *pyramid, "conv classes 1") == []


class Phases(nn.Module):
    """The slices of a map that begin at these places, each two apart, put together."""

    def __init__(self, *starts: tuple[int, int], add: bool = False, in_turn: bool = False) -> None:
        super().__init__()
        self.starts, self.add, self.in_turn = starts, add, in_turn
        self.end = nn.Conv2d(3 if add else 3 * len(starts), 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        cut = [self.slice(x, row, column) for row, column in self.starts]
        return self.end(sum(cut[1:], cut[0]) if self.add else torch.cat(cut, 1))

    def slice(self, x: Tensor, row: int, column: int) -> Tensor:
        rows, columns = slice(row, 28 + row, 2), slice(column, 28 + column, 2)
        return x[..., rows, :][..., columns] if self.in_turn else x[..., rows, columns]


CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


@pytest.mark.parametrize("in_turn", [False, True])
def test_phases_of_one_map_put_side_by_side_are_a_pixel_unshuffle(in_turn: bool) -> None:
    """As Focus of YOLOv5 and the patch merging of Swin have it: torch's own gives the same values."""
    module = Phases(*CORNERS, in_turn=in_turn)
    x = torch.rand(1, 3, 28, 28)
    own = nn.functional.pixel_unshuffle(x, 2).reshape(1, 3, 2, 2, 14, 14)
    assert torch.equal(torch.cat([module.slice(x, *start) for start in CORNERS], 1),
                       torch.cat([own[:, :, row, column] for row, column in CORNERS], 1))  # fmt: skip
    assert fs.inspect(module, (3, 28, 28), select="FS111").findings == ()


@pytest.mark.parametrize(
    "module",
    [Phases(*CORNERS, add=True), Phases((0, 0), (3, 0)), Phases((0, 0), (0, 4))],
    ids=["a sum of phases", "a row beside", "two columns beside"],
)
def test_slices_that_are_no_phases_do_not_lie_on_each_other(module: Phases) -> None:
    assert fs.inspect(module, (3, 32, 32), select="FS111").has("warning")
