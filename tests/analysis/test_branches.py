"""Branches that are dead, unused or add nothing: torch says that nothing changes, and that nothing is learned."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import fieldstone as fs
from fieldstone.network.build import build
from rules import said

END = ["globalavgpool", "linear classes"]
WIDE = ["conv 6 3 padding=1", "relu"]


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        ([*WIDE, "save a", "conv 6 1", *END], "3"),
        ([*WIDE, "save a", "save b", "conv 6 1", "add a", *END], "4"),
        ([*WIDE, {"residual": ["save a", "conv 6 1", "relu"]}, *END], "3.body.1"),
        ([*WIDE, {"repeat 2": ["save a", "conv 6 3", "concat a crop=true"]}, ["save a"], *END], "4.1"),
        # a name in one branch is another in the next
        ([*WIDE, {"branches add": [["save a", "relu", "add a"], ["save a", "relu"]]}, *END], "3.2.1"),
        (
            [{"branches add": [["conv 6 1", "save a", "relu"], ["conv 6 1"]]}, *WIDE, "save a", "relu", "add a", *END],
            "1.1.2",
        ),
    ],
)
def test_a_saved_map_that_nothing_uses(layers: list[Any], where: str) -> None:
    (found,) = said("FS207", (3, 9, 9), *layers)
    assert (found.severity, found.where, found.message[:-1]) == ("warning", where, "nothing uses the map ")
    name = found.message[-1]
    assert found.fix == f"remove it, or put `concat {name}` where it belongs"


@pytest.mark.parametrize(
    "layers",
    [
        [*WIDE, "save a", "conv 6 1", "add a", *END],
        [*WIDE, "save a", {"residual": ["conv 6 1", {"branches add": [["multiply a"], ["relu"]]}]}, *END],
        [*WIDE, ["save a", "relu"], {"repeat 2": ["conv 6 1", "add a"]}, *END],
        [*WIDE, {"branches add": [["save a", "relu", "add a"], ["relu", "save a", "relu", "add a"]]}, *END],
    ],
)
def test_a_saved_map_that_is_used(layers: list[Any]) -> None:
    assert said("FS207", (3, 9, 9), *layers) == []


def test_a_pooling_that_keeps_places_for_nothing() -> None:
    kept = [*WIDE, "maxpool 3 name=p", "conv 6 1", "relu"]
    (found,) = said("FS207", (3, 9, 9), *kept, *END)
    assert (found.where, found.message) == ("3", "nothing uses the places that maxpool 3 name=p keeps")
    assert found.fix == "leave out name=p, or put `maxunpool p` where it belongs"
    assert said("FS207", (3, 9, 9), *kept, "maxunpool p", *END) == []
    assert said("FS207", (3, 9, 9), *WIDE, "save a", "maxpool 3", "upsample like=a", *END) == []


@pytest.mark.parametrize(
    ("layers", "where", "message"),
    [
        ([*WIDE, {"branches concat": [["conv 6 1"]]}, *END], "3", "branches concat has one path, and joins nothing"),
        (
            [*WIDE, {"residual": ["save a"]}, *END],
            "3",
            "residual takes the output of block 2 twice, and adds it to itself",
        ),
        ([{"branches add": [[], [], ["conv 3 1"]]}, *END], "1", "branches add takes the design's input twice"),
        ([*WIDE, "save a", "concat a", *END], "4", "concat a takes the output of block 2 twice, and puts copies of it"),
        (
            [*WIDE, {"branches concat": [[], ["save a"], []]}, "relu", *END],
            "3",
            "branches concat takes the output of block 2 3 times",
        ),
    ],
)
def test_a_join_that_adds_nothing(layers: list[Any], where: str, message: str) -> None:
    found = [one for one in said("FS207", (3, 9, 9), *layers) if one.where == where]
    assert [one.severity for one in found] == ["warning"]
    assert found[0].message.startswith(message)


@pytest.mark.parametrize(
    "layers",
    [
        [*WIDE, {"branches multiply": [[], []]}, *END],  # squares are new
        [*WIDE, {"branches concat": [[], ["relu"]]}, *END],
        [*WIDE, {"branches concat": [["conv 6 1"], ["conv 6 1"]]}, *END],  # with weights of their own
        [*WIDE, {"residual": ["conv 6 1"]}, *END],
        [*WIDE, "save a", "relu", "concat a", "concat a", *END],
        [*WIDE, "dropout 0.99", "globalavgpool", "softmax", "layernorm", "linear classes"],
        ["conv 1 3", "logsigmoid", "softplus", "relu", *END],
        [*WIDE, {"branches concat": [["logsigmoid"], ["tanh"]]}, "relu", *END],
        ["relu", *END],
    ],
)
def test_what_does_something_is_none(layers: list[Any]) -> None:
    assert said("FS207", (3, 9, 9), *layers) == []


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        ([*WIDE, "dropout 1", *END], "3"),
        ([*WIDE, "channeldropout 1", *END], "3"),
        ([*WIDE, "alphadropout 1", *END], "3"),
        (["conv 1 3", "softmax", *END], "2"),
        (["conv 1 3", "logsoftmax", *END], "2"),
        (["globalavgpool", "linear 1", "layernorm", "linear classes"], "3"),
        ([*WIDE, "logsoftmax", "relu6", *END], "4"),
        (
            [*WIDE, {"residual": {"body": ["conv 6 1", "logsigmoid", "relu"], "shortcut": ["dropout 1"]}}, *END],
            "3.body.3",
        ),
    ],
)
def test_what_always_gives_the_same_has_no_gradient(layers: list[Any], where: str) -> None:
    assert where in [one.where for one in said("FS207", (3, 9, 9), *layers)]
    network = build(fs.Design((3, 9, 9), layers), 10)
    given: list[torch.Tensor] = []
    network.get_submodule(where).register_forward_hook(lambda _module, _input, output: given.append(output))
    network(torch.randn(4, 3, 9, 9)).square().sum().backward()
    network(torch.randn(4, 3, 9, 9))
    assert torch.equal(given[0] + 0, given[1] + 0)  # + 0: -0 is 0
    first = next(network.parameters())
    assert first.grad is not None
    assert first.grad.abs().max() < 1e-9
