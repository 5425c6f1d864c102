"""What values see, and what is done with it: torch's gradients say which pixels a value sees."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import fieldstone as fs
from fieldstone.network.build import build
from rules import numbers, said

END = ("globalavgpool", "linear classes")
STEM = ("conv 8 7 stride=2 padding=3", "maxpool 3 stride=2 padding=1")


@pytest.mark.parametrize(
    ("shape", "layers", "where", "places"),
    [
        ((3, 32, 32), STEM, "2", "8x8 places of 32x32 pixels, one for 4x4, after 2 windows"),
        ((3, 64, 64), STEM, "2", "16x16 places of 64x64 pixels, one for 4x4, after 2 windows"),
        ((3, 64, 64), ("conv 8 4 stride=4",), "1", "16x16 places of 64x64 pixels, one for 4x4, after 1 window"),
        ((3, 224, 224), ("conv 8 16 stride=16",), "1", "14x14 places of 224x224 pixels, one for 16x16, after 1 window"),
        (
            (3, 100),
            ("conv 8 1", "relu", "conv 8 5 stride=5"),
            "3",
            "20 places of 100 pixels, one for 5",
        ),
        ((3, 32, 32, 32), STEM, "2", "8x8x8 places of 32x32x32 pixels"),
        ((3, 16, 64, 64), ("conv 8 1x4x4 stride=1x4x4",), "1", "16x16x16 places of 16x64x64 pixels, one for 1x4x4"),
        ((3, 32, 32), ({"branches concat": [["conv 8 4 stride=4"], ["maxpool 4"]]},), "1.1.1", "8x8 places"),
        ((3, 224, 224), STEM, None, None),
        ((3, 128, 128), STEM, None, None),  # 32 places
        ((3, 28, 28), ("conv 6 5 padding=2", "maxpool 2", "conv 6 5", "maxpool 2"), None, None),
        ((3, 32, 32), ("conv 8 3 padding=1", "conv 8 3 padding=1", "maxpool 4"), None, None),
        ((3, 16000), ("conv 8 80 stride=4", "maxpool 4"), None, None),
        ((3, 32, 32), ("maxpool 32",), None, None),  # a global pooling
        ((3, 32, 32), (), None, None),
    ],
)
def test_detail_lost_early(
    shape: tuple[int, ...], layers: tuple[object, ...], where: str | None, places: str | None
) -> None:
    found = said("FS104", shape, *layers, *END)
    assert [(one.severity, one.where) for one in found] == ([] if where is None else [("note", where)])
    assert all(f"leaves {places}" in one.message for one in found)


def test_the_same_blocks_without_strides_lose_nothing() -> None:
    assert said("FS104", (3, 32, 32), *STEM, *END)
    slow = [re.sub("stride=2", "stride=1", block) for block in STEM]
    assert not said("FS104", (3, 32, 32), *slow, "maxpool 2", "maxpool 2", *END)


HEADS = {
    "output": ["conv classes 1"],
    "pooled": list(END),
    "adaptively": ["adaptiveavgpool 1", "flatten", "linear classes"],
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ((3, 64, 64), ["conv 8 3", "maxpool 2", "conv 8 3"]),
        ((3, 64), ["conv 8 5 stride=2", "conv 8 3 dilation=2"]),
        ((3, 24, 24, 24), ["conv 8 3", "maxpool 2"]),
        ((3, 64, 40), ["conv 8 3x1", "maxpool 2x1"]),
        ((3, 64, 64), [{"residual": ["conv 3 3 padding=1", "conv 3 3 padding=1"]}]),
    ],
)
def test_an_object_that_no_value_sees_whole(shape: tuple[int, ...], layers: list[object], head: str) -> None:
    seen = sees([*layers, "conv classes 1"], shape)
    assert not said("FS109", shape, *layers, *HEADS[head])
    for axis, size in enumerate(seen):
        wanted = (*seen[:axis], size + 1, *seen[axis + 1 :])
        (found,) = said("FS109", shape, *layers, *HEADS[head], object_size=wanted)
        assert found.severity == "warning"
        assert numbers(found.message.split(" see ")[1])[: 2 * len(seen)] == [*seen, *wanted]
        assert found.where == str(len(layers) + 1)
    assert not said("FS109", shape, *layers, *HEADS[head], object_size=seen)
    assert len(said("FS109", shape, *layers, *HEADS[head], object_size=(max(seen) + 1,))) == 1  # for every side


@pytest.mark.parametrize(("name", "object_size"), [("vgg-16", 224), ("lenet-5", 20), ("three-conv", 30)])
def test_a_linear_layer_after_a_flatten_sees_the_whole(name: str, object_size: int) -> None:
    """Every pixel that something reads moves each of its outputs, by a weight of its own."""
    assert not [one for one in fs.inspect(name, object=object_size).findings if one.code == "FS109"]
    if name != "vgg-16":  # which takes a while
        design = fs.Design.named(name)
        pixels = torch.rand(1, *design.input, dtype=torch.float64, requires_grad=True)
        build(design, 10).double().eval()(pixels)[0, 0].backward()
        assert pixels.grad is not None
        moved = pixels.grad[0].abs().sum(0).nonzero()
        assert tuple((moved.max(0).values - moved.min(0).values + 1).tolist()) >= (object_size, object_size)


@pytest.mark.parametrize("between", [[], ["relu"], ["dropout 0.1"], [{"residual": ["linear 1800", "relu"]}]])
def test_whatever_stands_between(between: list[object]) -> None:
    layers = ["conv 2 3", "flatten", *between]
    assert not said("FS109", (3, 32, 32), *layers, "linear classes", object_size=(32, 32))
    assert said("FS109", (3, 32, 32), "conv classes 3", "flatten", object_size=(32, 32))  # its own output, a place each


def sees(layers: list[object], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The pixels per side that move the value in the middle, in float64 with every weight 1."""
    network = build(fs.Design(shape, [re.sub("maxpool", "avgpool", x) if isinstance(x, str) else x for x in layers]), 1)
    network = network.double().eval()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    pixels = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    values = network(pixels)[0, 0]
    values[tuple(side // 2 for side in values.shape)].backward()
    assert pixels.grad is not None
    moved = pixels.grad[0].sum(0).nonzero()
    return tuple((moved.max(0).values - moved.min(0).values + 1).tolist())


@pytest.mark.parametrize("code", ["FS109", "FS112"])
@pytest.mark.parametrize("layers", [["conv 8 3 padding=1"], ["conv 8 3 padding=1", "maxpool 2", "conv 8 3 padding=1"]])
def test_as_many_more_convolutions_as_it_says_mend_it_and_no_fewer(code: str, layers: list[str]) -> None:
    options = {"object_size": (24, 24)} if code == "FS109" else {}
    (found,) = said(code, (3, 64, 64), *layers, *END, **options)
    count = numbers(found.fix.split("before it: ")[1])[0]
    more = ["conv 8 3 padding=1"] * count
    assert not said(code, (3, 64, 64), *layers, *more, *END, **options)
    assert said(code, (3, 64, 64), *layers, *more[1:], *END, **options)


def test_what_is_said_of_a_pooling_of_patches() -> None:
    (found,) = said("FS112", (3, 64, 64), "conv 8 3", "relu", "maxpool 2", *END)
    assert (found.severity, found.where) == ("note", "4")
    assert found.message.startswith(
        "globalavgpool takes together 31x31 values that see 4x4 of 64x64 pixels, 6% of a side"
    )
    assert "7 more of `conv C 3 padding=1`, 4x4 pixels each" in found.fix  # 4 + 7 * 4 = 32


POOLINGS = [
    "avgpool 64", "avgpool 64 stride=1", "avgpool 70 padding=3", "maxpool 64", "adaptiveavgpool 1", "adaptivemaxpool 1",
    "globalavgpool keepdims=true", "globalmaxpool keepdims=true",
]  # fmt: skip


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_pooling_of_the_whole_map_is_one_however_it_is_written(pooling: str) -> None:
    layers = ["conv 8 3 padding=1", "relu", pooling]
    (found,) = said("FS112", (3, 64, 64), *layers, "flatten", "linear classes")
    assert found.where == "3"
    assert found.message.startswith(f"{pooling} takes together 64x64 values that see 3x3 of 64x64 pixels, 5% of a side")
    assert said("FS109", (3, 64, 64), *layers, "flatten", "linear classes", object_size=(9, 9))
    with torch.no_grad():  # torch agrees: one place is left of the map
        left = build(fs.Design((3, 64, 64), [*layers, "flatten", "linear classes"]), 10)[:3](torch.rand(1, 3, 64, 64))
    assert left.shape == (1, 8, 1, 1)


class Deciding(nn.Module):
    """Looks at its input, and gives something else."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.conv, self.head = how, nn.Conv2d(3, 4, 17), nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        values = self.conv(images)
        if self.how == "mean":
            values = values if images.mean() > 0 else -values
        if self.how == "of a channel":
            values = values if images.mean((2, 3)).sum() > 0 else -values
        if self.how == "all":
            values = functional.avg_pool2d(values, values.shape[2:])
        logits: Tensor = self.head(values.mean((2, 3)))
        return logits


@pytest.mark.parametrize(("how", "side"), [("mean", 32), ("of a channel", 32), ("all", 32), ("all", 64)])
def test_a_module_that_looks_to_decide_pools_nothing(how: str, side: int) -> None:
    found = [one for one in fs.inspect(Deciding(how), (3, side, side)).findings if one.code == "FS112"]
    assert [one.where for one in found] == (["avg_pool2d"] if side == 64 else [])


def test_of_what_a_module_gives_the_first_is_its_output() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, images: Tensor) -> dict[str, Tensor]:
            values = self.conv(images)
            return {"out": self.head(values.mean((2, 3))), "map": values.relu()}

    subject = fs.inspect(Two(), (3, 32, 32)).subject
    assert subject.last.path == "head"
    assert subject.leaving == ("head", "relu")
    assert subject.used == {"conv", "mean", "head", "relu"}


@pytest.mark.parametrize(
    "layers",
    [
        ("conv 8 32", *END),  # half of each side
        ("conv 8 1x40", *END),  # along one side
        ("conv 8 3", "flatten", "linear classes"),  # a weight for every place
        ("conv classes 5",),  # a map: no pooling, and a sixteenth of each side
        ({"branches concat": [["conv 8 3"], ["globalavgpool keepdims=true", "conv 8 2 padding=31"]]}, *END),  # beside
    ],
)
def test_other_networks_pool_no_patches(layers: tuple[object, ...]) -> None:
    assert not said("FS112", (3, 64, 64), *layers)


DEEP = ["conv 8 3 padding=1", "relu", "maxpool 2"] * 2


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_blocks_that_see_nothing_new(rank: int) -> None:
    shape = (3, *(16,) * rank)
    more = ["conv 8 3 padding=1"] * 5
    (found,) = said("FS110", shape, *DEEP, *more, *END)
    first = int(found.where) - 1
    layers = [*DEEP, *more]
    assert all_see_all(layers[:first], shape)
    assert not all_see_all(layers[: first - 1], shape)
    held = len(layers) - first
    params = held * (8 * 8 * 3**rank + 8)
    assert f"and {held - 1} more block" in found.message
    assert f"({params:,} parameters" in found.message
    assert not said("FS110", shape, *layers[:first], *END)  # without them
    assert not said("FS110", shape, *layers[:first], *["conv 8 1"] * held, *END)


def all_see_all(layers: list[str], shape: tuple[int, ...]) -> bool:
    """Whether each value of a path has a gradient from the first and from the last pixel."""
    network = build(fs.Design(shape, [re.sub("maxpool", "avgpool", x) for x in (*layers, "conv classes 1")]), 1)
    network = network.double().eval()
    for name, weight in network.named_parameters():
        weight.data.fill_(0.0 if name.endswith("bias") else 1.0)
    corners = torch.zeros(2, *shape, dtype=torch.float64)
    corners[0][(slice(None), *(0,) * (len(shape) - 1))] = 1
    corners[1][(slice(None), *(-1,) * (len(shape) - 1))] = 1
    return bool((network(corners) > 0).all())


@pytest.mark.parametrize(
    "layers",
    [
        [*DEEP, "conv 8 3 padding=1", "conv 8 3 padding=1"],
        [*DEEP, *[{"residual": ["conv 8 3 padding=1", "relu"]}] * 8],  # by their shortcuts values see little
        [*DEEP, *["conv 8 1"] * 8],
        [*DEEP, *["maxpool 3 stride=1 padding=1"] * 8],  # without weights
        [*DEEP, "globalavgpool keepdims=true", "conv 8 3 padding=1"],
    ],
)
def test_other_networks_still_see_something_new(layers: list[object]) -> None:
    assert not said("FS110", (3, 16, 16), *layers, *END)


NEAR = ("conv 8 3 padding=1", "relu")


@pytest.mark.parametrize(
    ("shape", "layers", "options", "seen"),
    [
        ((3, 128, 128), (*NEAR, "conv classes 1"), {}, "3x3 of 128x128 pixels, 2%"),
        ((3, 128, 128), (*NEAR, "conv classes 1"), {"task": "segmentation"}, "3x3 of 128x128 pixels, 2%"),
        ((3, 128, 128), (*NEAR * 3, "conv classes 1"), {"task": "segmentation"}, "7x7 of 128x128 pixels, 5%"),
        ((3, 128, 128), (*NEAR * 4, "conv classes 1"), {"task": "segmentation"}, None),  # 9 of 128 pixels
        ((3, 48, 128), (*NEAR, "conv classes 1"), {}, None),  # 3 of 48 are a sixteenth
        ((3, 128, 128), (*NEAR, "conv classes 1"), {"task": "regression"}, None),
        ((3, 128, 128), (*NEAR, "conv classes 1"), {"object_size": (3, 3)}, None),  # which is seen
        ((3, 128, 128), (*NEAR, "squeezeexcite 2", "conv classes 1"), {"task": "segmentation"}, None),
    ],
)
def test_answers_a_pixel_from_small_patches(
    shape: tuple[int, ...], layers: tuple[str, ...], options: dict[str, object], seen: str | None
) -> None:
    found = said("FS112", shape, *layers, **options)
    assert [seen in one.message for one in found] == ([] if seen is None else [True])
    if seen:
        (more,) = numbers(found[0].fix.partition(" more of")[0])
        assert found[0].severity == "note"
        assert said("FS112", shape, *NEAR * more, *layers, **options) == []


@pytest.mark.parametrize("name", ["u-net", "deeplab-v3", "dilated-context", "wavenet"])
@pytest.mark.parametrize("task", [None, "segmentation"])
def test_published_networks_for_pixels_see_enough(name: str, task: str | None) -> None:
    assert fs.inspect(name, task=task, select="FS112").findings == ()
