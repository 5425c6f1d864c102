"""Remedies of joins that do not fit: what they say, and that what they say walks and does in torch what was meant."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import fieldstone as fs
from fieldstone.errors import DesignError
from fieldstone.network.build import build

IMAGE = (8, 32, 32)
HEAD = ["globalavgpool", "linear classes"]
DOWN = "conv 16 3 stride=2 padding=1"


def remedy(layers: list[Any]) -> str:
    with pytest.raises(DesignError, match="needs equal") as caught:
        fs.Design(IMAGE, [*layers, *HEAD]).walk(10)
    assert caught.value.fix is not None
    return caught.value.fix


@pytest.mark.parametrize(
    ("layers", "said", "mended"),
    [
        (["save a", DOWN, "add a"],
         "a stride stands between them: put `upsample like=a` and `conv 8 1` before it, or write a residual with "
         "`shortcut: [conv 16 1 stride=2]`",
         [["save a", DOWN, "upsample like=a", "conv 8 1", "add a"],
          [{"residual": {"body": [DOWN], "shortcut": ["conv 16 1 stride=2"]}}]]),
        (["save a", "maxpool 2", "concat a"], "a stride stands between them: put `upsample like=a` before it",
         [["save a", "maxpool 2", "upsample like=a", "concat a"]]),
        (["maxpool 2x4", "save a", "upsample 2x4", "conv 5 1", "multiply a"],
         "a stride stands before the saved map: put `conv 8 1 stride=2x4` before it",
         [["maxpool 2x4", "save a", "upsample 2x4", "conv 5 1", "conv 8 1 stride=2x4", "multiply a"]]),
        ([{"residual": {"body": [DOWN], "shortcut": ["conv 8 1"]}}], "give it `shortcut: [conv 16 1 stride=2]`",
         [[{"residual": {"body": [DOWN], "shortcut": ["conv 16 1 stride=2"]}}]]),
        ([{"branches concat": [[DOWN], ["conv 4 1"]]}], "end branch 2 with `conv 4 1 stride=2`",
         [[{"branches concat": [[DOWN], ["conv 4 1", "conv 4 1 stride=2"]]}]]),
        ([{"residual": ["conv 4 3"]}], "write `conv 4 3 padding=same`, and give it `shortcut: [conv 4 1]`",
         [[{"residual": {"body": ["conv 4 3 padding=same"], "shortcut": ["conv 4 1"]}}]]),
        ([{"residual": ["conv 8 3", "relu", "conv 8 4 stride=2"]}],
         "write `conv 8 3 padding=same` and `conv 8 4 stride=2 padding=same`, and give it "
         "`shortcut: [conv 8 1 stride=2]`",
         [[{"residual": {"body": ["conv 8 3 padding=same", "relu", "conv 8 4 stride=2 padding=same"],
                         "shortcut": ["conv 8 1 stride=2"]}}]]),
        ([{"branches add": [["conv 4 3"], [{"repeat 2": ["conv 5 3"]}], []]}],
         "write `conv 4 3 padding=same` and `conv 5 3 padding=same`, and end branch 2 with `conv 4 1` and branch 3 "
         "with `conv 4 1`",
         [[{"branches add": [["conv 4 3 padding=same"], [{"repeat 2": ["conv 5 3 padding=same"]}, "conv 4 1"],
                             ["conv 4 1"]]}]]),
        ([{"branches concat": [["conv 4 3"], ["maxpool 3 stride=2"], []]}],
         "write `conv 4 3 padding=same` and `maxpool 3 stride=2 padding=same`, and end branch 1 with "
         "`conv 4 1 stride=2` and branch 3 with `conv 8 1 stride=2`",
         [[{"branches concat": [["conv 4 3 padding=same", "conv 4 1 stride=2"], ["maxpool 3 stride=2 padding=same"],
                                ["conv 8 1 stride=2"]]}]]),
        (["save a", "globalavgpool keepdims=true", "conv 16 1", "sigmoid", "multiply a"],
         "write the gate as `squeezeexcite`, or put `upsample like=a` and `conv 8 1` before it",
         [["squeezeexcite 4"],
          ["save a", "globalavgpool keepdims=true", "conv 16 1", "sigmoid", "upsample like=a", "conv 8 1",
           "multiply a"]]),
    ],
)  # fmt: skip
def test_a_remedy_says_what_walks_and_runs(layers: list[Any], said: str, mended: list[list[Any]]) -> None:
    assert remedy(layers) == said
    for better in mended:
        network = build(fs.Design(IMAGE, [*better, *HEAD]), 10)
        assert network(torch.rand(2, *IMAGE)).shape == (2, 10)


SEVEN = ["conv 8 3 stride=2", "relu", "conv 8 3 stride=2"]


@pytest.mark.parametrize(
    ("layers", "said", "mended"),
    [
        (["save a", "conv 8 3 stride=2", "relu", "add a"], "write a residual with `shortcut: [conv 8 3 stride=2]`",
         [{"residual": {"body": ["conv 8 3 stride=2", "relu"], "shortcut": ["conv 8 3 stride=2"]}}]),
        (["save a", *SEVEN, "concat a"], "write `branches concat` with `[conv 8 7 stride=4]` as the path of a",
         [{"branches concat": [SEVEN, ["conv 8 7 stride=4"]]}]),
        (["save a", "maxpool 2", "conv 8 3x1", "multiply a"],
         "write `branches multiply` with `[conv 8 6x2 stride=2]` as the path of a",
         [{"branches multiply": [["maxpool 2", "conv 8 3x1"], ["conv 8 6x2 stride=2"]]}]),
    ],
)  # fmt: skip
def test_a_remedy_of_a_stride_without_padding_earns_no_finding(layers: list[Any], said: str, mended: list[Any]) -> None:
    assert remedy(layers) == f"a stride stands between them, without padding: {said}"
    assert fs.inspect(fs.Design(IMAGE, [*mended, *HEAD]), select="FS111").findings == ()
    assert build(fs.Design(IMAGE, [*mended, *HEAD]), 10)(torch.rand(2, *IMAGE)).shape == (2, 10)


@pytest.mark.parametrize(
    "between", [["conv 8 3"], ["conv 8 5", "relu", "conv 8 3x1"], ["maxpool 2", "upsample 2", "conv 8 3"]]
)
def test_a_cut_that_is_proposed_earns_no_finding(between: list[Any]) -> None:
    layers = ["save a", *between, "concat a"]
    assert remedy(layers) == "cut it with crop=true, or pad the blocks between"
    layers[-1] = "concat a crop=true"
    assert fs.inspect(fs.Design(IMAGE, [*layers, *HEAD]), select="FS111").findings == ()


def test_a_gate_by_hand_is_what_torch_multiplies_by_broadcasting() -> None:
    gate = ["save a", "globalavgpool keepdims=true", "conv 8 1", "sigmoid"]
    assert "put `upsample like=a` before it" in remedy([*gate, "multiply a"])
    network = build(fs.Design(IMAGE, [*gate, "upsample like=a", "multiply a", "conv classes 1"]), 1)
    conv, head = (part for part in network.modules() if isinstance(part, nn.Conv2d))
    image = torch.rand(2, *IMAGE)
    torch.testing.assert_close(network(image), head(image * conv(image.mean((2, 3), keepdim=True)).sigmoid()))
