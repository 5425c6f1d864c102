"""State dicts with other libraries' names: the networks of torchvision_by_hand are the oracle."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import concatenating_by_hand as concatenating
import mobile_by_hand as mobile
import torchvision_by_hand as by_hand
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.state_dicts.fit import fit, fitting
from fieldstone.network.state_dicts.names import PIXELS, Names, Pixels, expand, known, names_of
from fieldstone.network.state_dicts.translate import layer_paths, translate

NETWORKS: dict[tuple[str, str], Callable[..., nn.Module]] = {
    ("alexnet", "torchvision"): by_hand.AlexNet,
    ("vgg-16", "torchvision"): by_hand.VGG,
    ("vgg-16", "timm"): by_hand.TimmVGG,
    ("googlenet", "torchvision"): concatenating.GoogLeNet,
    ("resnet-18", "torchvision or timm"): by_hand.resnet18,
    ("resnet-50", "torchvision or timm"): by_hand.resnet50,
    ("densenet-121", "torchvision or timm"): concatenating.DenseNet,
    ("mobilenet-v2", "torchvision"): mobile.MobileNet,
    ("mobilenet-v2", "timm"): mobile.TimmMobile,
    ("squeezenet-1.1", "torchvision"): mobile.SqueezeNet,
    ("efficientnet-lite-0", "timm"): mobile.lite,
    ("deeplab-v3", "torchvision"): by_hand.DeepLab,
}
SHOWN = sorted(NETWORKS)
TENSORS = [(design, names) for design in known() for names in names_of(design)]


def of(design: str, library: str) -> Names:
    return next(names for names in names_of(design) if names.library == library)


def narrow(name: str, classes: int, sides: tuple[int, int] = (224, 224)) -> nn.Module:
    return build(Design.named(name).resolve(input=(3, *sides), width=0.125), classes).eval()


def test_a_line_of_a_table_expands_as_in_a_shell() -> None:
    assert list(expand("a b.{1..3} {x,y}.{9..10}.z")) == [
        "a", "b.1", "b.2", "b.3", "x.9.z", "x.10.z", "y.9.z", "y.10.z",
    ]  # fmt: skip


@pytest.mark.parametrize(("design", "names"), TENSORS, ids=lambda one: one if isinstance(one, str) else one.library)
def test_every_table_names_every_layer_once_and_the_head_last(design: str, names: Names) -> None:
    with torch.device("meta"):
        paths = layer_paths(build(Design.named(design), 10))
    assert len(paths) == len(names.layers) == len(set(names.layers))
    assert [row.path for row in Design.named(design).walk(10) if row.block.is_head] == paths[-1:]


def test_every_table_is_of_the_gallery_and_says_what_images_are_like() -> None:
    assert set(known()) <= set(named.names())
    assert all(len(names.pixels.mean) == len(names.pixels.std) == 3 for _, names in TENSORS)
    assert names_of("u-net") == ()
    assert PIXELS.is_file()


def test_a_known_file_brings_its_own_size() -> None:
    names = of("resnet-50", "torchvision or timm")
    other, about = names.of_file("11ad3fa6" + 56 * "0")
    assert (other, about["known"]) == (
        Pixels(232, 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "the file is torchvision's IMAGENET1K_V2",
    )  # fmt: skip
    assert names.of_file("12ad3fa6" + 56 * "0") == (names.pixels, {})


@pytest.mark.parametrize(("design", "library"), SHOWN)
def test_logits_are_equal_after_a_translation(design: str, library: str) -> None:
    classes, sides = (5, (97, 129)) if design == "deeplab-v3" else (10, (224, 224))
    theirs = by_hand.randomised(NETWORKS[design, library](classes, by_hand.narrow))
    ours = narrow(design, classes, sides)
    done = translate(ours, of(design, library), theirs.state_dict())
    assert done.faults == ()
    ours.load_state_dict(done.tensors)
    images = torch.randn(2, 3, *sides, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted, got = theirs(images), ours(images)
    assert wanted.std() > 0.01
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("design", "heads"), [("googlenet", 2 * 10), ("deeplab-v3", 8)])
def test_auxiliary_heads_are_left_out(design: str, heads: int) -> None:
    theirs = NETWORKS[design, "torchvision"](4, by_hand.narrow)
    done = translate(narrow(design, 4), names_of(design)[0], theirs.state_dict())
    assert list(done.ignored) == sorted(
        name for name in theirs.state_dict() if re.match("aux", name) and "num_batches" not in name
    )
    assert done.faults == ()


def test_old_files_have_dots_in_densenets_names_and_no_counters() -> None:
    theirs = concatenating.DenseNet(10, by_hand.narrow).state_dict()
    old = {re.sub(r"(norm|conv)([12])\.", r"\1.\2.", name): tensor for name, tensor in theirs.items()}
    old = {name: tensor for name, tensor in old.items() if not name.endswith("num_batches_tracked")}
    new, older = (translate(narrow("densenet-121", 10), names, old) for names in names_of("densenet-121"))
    assert older.faults == ()
    assert len(new.missing) == len(new.unknown) == 58 * (4 + 1 + 4 + 1)
    assert {int(tensor) for name, tensor in older.tensors.items() if name.endswith("tracked")} == {0}


SMALL = Names("plain", ("a", "b", "c"), Pixels(1, 1, (0,) * 3, (1,) * 3), ("aux",))


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 2))


def small_tensors() -> dict[str, Tensor]:
    names = dict(zip("013", "abc", strict=True))
    return {f"{names[name[0]]}{name[1:]}": tensor for name, tensor in small().state_dict().items()}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"a.weight": None}, ["a.weight 4x3x3x3 is missing, for block 0"]),
        ({"a.weight": torch.zeros(5, 3, 3, 3)}, ["a.weight is 5x3x3x3, not 4x3x3x3, for block 0"]),
        ({"a.weight": torch.zeros(4, 3, 9, 1)}, ["a.weight is 4x3x9x1, not 4x3x3x3, for block 0"]),
        ({"a.bias": torch.zeros(())}, ["a.bias is a number, not 4, for block 0"]),
        ({"a.weight": torch.zeros(4, 3, 3, 3, dtype=torch.int8)},
         ["a.weight is 4x3x3x3 of int8, not 4x3x3x3, for block 0"]),
        ({"b.num_batches_tracked": torch.zeros(1, dtype=torch.int64)},
         ["b.num_batches_tracked is 1 of int64, not a number, for block 1"]),
        ({"b.num_batches_tracked": torch.tensor(3.0)}, []),
        ({"d.weight": torch.zeros(7)}, ["d.weight 7 has no place"]),
        ({"auxiliary.weight": torch.zeros(7), "b.num_batches_tracked": None}, []),
        ({"a.weight": torch.zeros(4, 27), "c.weight": torch.zeros(2, 4, 3, 3)}, []),
        ({"a.bias": torch.zeros(4, dtype=torch.float16)}, []),
    ],
)  # fmt: skip
def test_what_does_not_match_is_said_and_nothing_is_given(change: dict[str, Tensor | None], lines: list[str]) -> None:
    given = {name: tensor for name, tensor in (small_tensors() | change).items() if tensor is not None}
    done = translate(small(), SMALL, given)
    assert list(done.faults) == lines
    wanted = {} if lines else {name: (one.shape, one.dtype) for name, one in small().state_dict().items()}
    assert {name: (one.shape, one.dtype) for name, one in done.tensors.items()} == wanted


def test_a_flat_weight_keeps_its_numbers_in_order() -> None:
    flat = torch.arange(4 * 27.0).reshape(4, 27)
    done = translate(small(), SMALL, small_tensors() | {"a.weight": flat})
    torch.testing.assert_close(done.tensors["0.weight"].flatten(1), flat)


def test_the_library_with_the_fewest_faults_is_meant() -> None:
    tensors = mobile.TimmMobile(7).state_dict()
    del tensors["bn1.weight"]
    found = fit("mobilenet-v2", tensors)
    assert (found.names.library, found.design.classes, found.design.input) == ("timm", 7, (3, 224, 224))
    assert found.translated.faults == ("bn1.weight 32 is missing, for block 1.2",)


def test_classes_and_channels_are_those_of_the_tensors() -> None:
    tensors = by_hand.resnet18(3).state_dict()
    tensors["conv1.weight"] = tensors["conv1.weight"].sum(1, keepdim=True)
    found = fit("resnet-18", tensors)
    assert (found.design.classes, found.design.input, found.translated.faults) == (3, (1, 224, 224), ())


def test_the_designs_that_tensors_fit_are_found() -> None:
    assert fitting(by_hand.resnet50(12).state_dict()) == ["resnet-50"]
    assert fitting({"conv1.weight": torch.zeros(64, 3, 7, 7)}) == []
