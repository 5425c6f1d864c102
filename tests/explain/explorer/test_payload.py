"""What the page is told of a network: torch's own functions on the maps before give the maps after."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import fieldstone as fs
from fieldstone.design.design import Design
from fieldstone.explain.explorer.payload import Explored, Seen
from fieldstone.verbs.choosing.explorable import explorable
from page_layers import computed
from places import OUTPUTS
from strategies import designs

GALLERY = ("three-conv", "lenet-5", "vgg-small", "resnet-18", "mobilenet-v2", "googlenet", "densenet-121")
SMALL = (3, 64, 64)


def seen_of(design: Design, seed: int = 0) -> tuple[Seen, dict[str, Any]]:
    """A random image in a design's untrained network."""
    explored = explorable(design, None, "cpu")
    pixels = np.random.default_rng(seed).integers(0, 256, explored.parts[0].input_shape, dtype=np.uint8)
    seen = Seen.of(explored, "noise.png", (10, 10), pixels)
    return seen, dict(seen.told)


@torch.no_grad()
def check(design: Design, seed: int = 0) -> int:
    """How many parts were made again."""
    seen, payload = seen_of(design, seed)
    maps, arrays = seen.recording.maps, seen.arrays.tensors
    made = 0
    for block in payload["blocks"]:
        shown = maps[block["path"]]
        assert list(shown.shape) == block["output_shape"]
        again = computed(block["layer"], maps[block["sources"][0]], arrays, block["output_shape"])
        if again is not None:
            made += 1
            torch.testing.assert_close(again, shown, rtol=1e-4, atol=1e-4 * float(shown.abs().max()), equal_nan=True)
    return made


@pytest.mark.parametrize("name", GALLERY)
def test_the_numbers_of_the_page_make_the_maps_of_the_gallery(name: str) -> None:
    design = Design.named(name)
    smaller = design.resolve(input=SMALL) if design.input[1] == 224 else design
    assert check(smaller) > 3


@given(design=designs(ranks=(2,)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_numbers_of_the_page_make_the_maps_of_any_design(design: Design) -> None:
    if design.input[0] in (1, 3):
        check(design.resolve(classes=OUTPUTS))


def test_a_separable_convolution_comes_as_two() -> None:
    layers = ["separable 6 3 padding=1", "relu", "globalavgpool", "linear classes"]
    _, payload = seen_of(fs.Design(input=(3, 12, 12), layers=layers, classes=4))
    first, second = payload["blocks"][:2]
    assert (first["path"], second["path"], second["sources"]) == ("1.depthwise", "1.pointwise", ["1.depthwise"])
    assert first["layer"]["groups"] == 3
    assert payload["blocks"][2]["sources"] == ["1.pointwise"]


def test_joins_come_after_their_paths_and_say_which_channels_are_whose() -> None:
    layers: list[Any] = [
        {"residual": ["conv 3 3 padding=1"]},
        {"branches concat": [["conv 2 1"], ["conv 5 1", "relu"], []]},
        "globalavgpool",
        "linear classes",
    ]
    _, payload = seen_of(fs.Design(input=(3, 8, 8), layers=layers, classes=4))
    blocks = {block["path"]: block for block in payload["blocks"]}
    assert list(blocks) == ["1.body.1", "1", "2.1.1", "2.2.1", "2.2.2", "2", "3", "4"]
    assert blocks["1"]["layer"] == {"type": "add"}
    assert sorted(blocks["1"]["sources"]) == ["1.body.1", "input"]
    assert blocks["2"]["layer"] == {"type": "concat"}
    assert blocks["2"]["sources"] == ["2.1.1", "2.2.2", "1"]
    assert [reach["channels"] for reach in blocks["2"]["reach"]] == [[0, 2], [2, 7], [7, 10]]
    assert blocks["1.body.1"]["stage"] == "1"
    assert blocks["3"]["stage"] is None


def test_only_what_a_page_cannot_make_is_stored() -> None:
    _, payload = seen_of(fs.Design.named("vgg-small"))
    stored = {block["layer"]["type"] for block in payload["blocks"] if block["output"]}
    recomputed = {block["layer"]["type"] for block in payload["blocks"] if not block["output"]}
    assert not stored & recomputed
    assert {"conv", "maxpool", "linear"} <= stored
    assert {"batchnorm", "activation"} <= recomputed


def test_answers_that_are_no_numbers_stay_json(monkeypatch: pytest.MonkeyPatch) -> None:
    explored = explorable("three-conv", None, "cpu")
    with torch.no_grad():
        next(explored.network.parameters()).fill_(float("inf"))
    seen = Seen.of(explored, "x.png", (39, 39), np.full((3, 39, 39), 200, np.uint8))
    outputs = seen.told["outputs"]
    assert set(outputs["logits"]) <= {"NaN", "Infinity", "-Infinity"}
    assert all(isinstance(one["value"], str) for one in outputs["probabilities"])


def test_a_class_a_pixel_is_no_list_of_probabilities() -> None:
    _, payload = seen_of(fs.Design(input=(3, 8, 8), layers=["conv 4 3 padding=1", "relu", "conv classes 1"], classes=4))
    where = {"array": "map/3", "step": 1, "shape": [4, 8, 8], "block": "3"}
    assert payload["outputs"] == {"per_pixel": True, "map": where, "logits": [], "probabilities": []}


def test_of_a_large_answer_every_so_many_pixels_are_kept_apart() -> None:
    seen, payload = seen_of(fs.Design(input=(1, 300, 140), layers=["conv classes 3"], classes=3))
    assert payload["outputs"]["map"] == {"array": "answer", "step": 3, "shape": [3, 298, 138], "block": "1"}
    torch.testing.assert_close(seen.arrays.tensors["answer"], seen.recording.maps["1"][:, ::3, ::3])


def test_an_answer_that_is_recomputed_is_kept_apart() -> None:
    seen, payload = seen_of(fs.Design(input=(1, 9, 9), layers=["conv classes 3", "sigmoid"], classes=3))
    assert payload["outputs"]["map"]["array"] == "answer"
    torch.testing.assert_close(seen.arrays.tensors["answer"], seen.recording.maps["1"].sigmoid())


@torch.no_grad()
def test_a_module_of_ones_own_is_shown_by_its_calls() -> None:
    explored: Explored = explorable("torchvision_by_hand:resnet18", SMALL, "cpu")
    pixels = np.random.default_rng(1).integers(0, 256, SMALL, dtype=np.uint8)
    seen = Seen.of(explored, "noise.png", (64, 64), pixels)
    payload, maps = seen.told, seen.recording.maps
    for block in payload["blocks"]:
        again = computed(block["layer"], maps[block["sources"][0]], seen.arrays.tensors, block["output_shape"])
        if again is not None:
            torch.testing.assert_close(again, maps[block["path"]], rtol=1e-4, atol=1e-4)
    joins = [block for block in payload["blocks"] if block["layer"]["type"] == "add"]
    assert len(joins) == 8  # two in each of four stages


@torch.no_grad()
def test_a_module_of_ones_own_is_normalised_resized_and_padded_in_its_own_numbers() -> None:
    explored = explorable("normalised_by_hand:Net", (3, 8, 10), "cpu")
    pixels = np.random.default_rng(1).integers(0, 256, (3, 8, 10), dtype=np.uint8)
    seen = Seen.of(explored, "noise.png", (10, 8), pixels)
    payload, maps = json.loads(json.dumps(dict(seen.told), allow_nan=False)), seen.recording.maps
    kinds = [block["layer"]["type"] for block in payload["blocks"]]
    assert kinds == [
        "conv", "groupnorm", "layernorm", "instancenorm", "batchnorm", "localresponsenorm", "other", "other", "other",
        "groupnorm", "upsample", "pad", "pad", "maxpool", "pixelshuffle", "upsample", "crop", "activation",
        "globalavgpool", "linear",
    ]  # fmt: skip
    again = 0
    for block in payload["blocks"]:
        made = computed(block["layer"], maps[block["sources"][0]], seen.arrays.tensors, block["output_shape"])
        if made is not None:
            again += 1
            torch.testing.assert_close(made, maps[block["path"]], rtol=1e-4, atol=1e-4)
    assert again == 15


def test_an_unpooling_names_its_pooling() -> None:
    layers = ["maxpool 2 name=p", "conv 3 1", "maxunpool p", "globalavgpool", "linear classes"]
    _, payload = seen_of(fs.Design(input=(3, 8, 8), layers=layers, classes=4))
    assert payload["blocks"][2]["layer"] == {"type": "maxunpool", "pool": "1"}
    assert payload["blocks"][2]["sources"] == ["2", "1"]


@pytest.mark.parametrize(
    ("block", "around"),
    [("localresponsenorm 4", [2, 1]), ("localresponsenorm 3", [1, 1]), ("glu", [0, 3]), ("softmax", [6, 6])],
)
def test_what_reads_other_channels_says_which(block: str, around: list[int]) -> None:
    layers = ["conv 6 1", block, "globalavgpool", "linear classes"]
    _, payload = seen_of(fs.Design(input=(3, 8, 8), layers=layers, classes=4))
    assert payload["blocks"][1]["reach"] == [{"kind": "same", "around": around}]
