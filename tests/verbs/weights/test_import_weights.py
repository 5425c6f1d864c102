"""Weights of torchvision's and timm's networks as models: the same logits, through a file, from the pixels on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import concatenating_by_hand as concatenating
import fieldstone as fs
import mobile_by_hand as mobile
import torchvision_by_hand as by_hand
from fieldstone.errors import DataError, DesignError, ModelError
from fieldstone.model.shipped import imagenet_classes
from fieldstone.network.state_dicts import fit
from fieldstone.verbs.weights.import_weights import import_weights, read_class_names

IMAGENET = (torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))
HALF = (torch.full((3, 1, 1), 0.5), torch.full((3, 1, 1), 0.5))


def googlenet(classes: int) -> nn.Module:
    return concatenating.GoogLeNet(classes, transform_input=True)


def dotted(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names that densenet's files of torchvision have."""
    return {re.sub(r"(norm|conv)([12])\.", r"\1.\2.", name): tensor for name, tensor in tensors.items()}


def double(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{name}": tensor.double() for name, tensor in tensors.items()}


CASES: dict[str, tuple[str, Callable[[int], nn.Module], Any, Any]] = {
    "resnet18": ("resnet-18", by_hand.resnet18, dict, IMAGENET),
    "resnet18 in a checkpoint": ("resnet-18", by_hand.resnet18, lambda tensors: {"state_dict": tensors}, IMAGENET),
    "resnet18 in double precision": ("resnet-18", by_hand.resnet18, double, IMAGENET),
    "googlenet with transform_input": ("googlenet", googlenet, dict, IMAGENET),
    "densenet121's old names": ("densenet-121", concatenating.DenseNet, dotted, IMAGENET),
    "mobilenet_v2": ("mobilenet-v2", mobile.MobileNet, dict, IMAGENET),
    "mobilenetv2_100": ("mobilenet-v2", mobile.TimmMobile, dict, IMAGENET),
    "squeezenet1_1": ("squeezenet-1.1", mobile.SqueezeNet, dict, IMAGENET),
    "tf_efficientnet_lite0": ("efficientnet-lite-0", mobile.lite, dict, HALF),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of squeezenet1_1 with 7 classes."""
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(by_hand.randomised(mobile.SqueezeNet(7)).state_dict(), path)
    return path


def written(folder: Path, held: Any) -> Path:
    torch.save(held, folder / "weights.pth")
    return folder / "weights.pth"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("classes", [5])
def test_logits_are_those_of_the_library_from_the_pixels_on(case: str, classes: int, tmp_path: Path) -> None:
    name, make, stored, (mean, std) = CASES[case]
    theirs = by_hand.randomised(make(classes))
    imported = import_weights(written(tmp_path, stored(theirs.state_dict())), name, device="cpu")
    model = fs.load(imported.save(tmp_path / "model.safetensors"), device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    image = torch.from_numpy(pixels[16:240, 16:240]).permute(2, 0, 1)  # the shorter side is 256 already
    with torch.inference_mode():
        wanted = theirs(((image / 255 - mean) / std)[None])[0]
    answer = model.predict(Image.fromarray(pixels), top=classes)
    got = torch.tensor([dict(answer.top)[str(number)] for number in range(classes)])
    assert wanted.std() > 0.01
    torch.testing.assert_close(got, wanted.softmax(0), rtol=0, atol=1e-5)
    assert model.task.name == "multiclass"


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenetv2_100"])
def test_logits_are_equal_to_a_hundred_thousandth_of_the_largest(name: str, tmp_path: Path) -> None:
    design, make, _, _ = CASES[name]
    theirs = by_hand.randomised(make(1000))
    model = import_weights(written(tmp_path, theirs.state_dict()), design, device="cpu")
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted, got = theirs(images), model.network(images)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()))
    assert model.classes == imagenet_classes()
    assert model.about["data"]["assumed"][-1] == "the 1,000 classes are taken for ImageNet's, in its order"


def test_the_model_says_where_it_comes_from(small: Path, tmp_path: Path) -> None:
    model = fs.load(import_weights(small, "squeezenet-1.1", device="cpu").save(tmp_path / "m.safetensors"))
    assert model.about["data"] == {
        "path": "not known",
        "weights": "small.pth",
        "sha256": hashlib.sha256(small.read_bytes()).hexdigest(),
        "library": "torchvision",
        "notes": [],
        "assumed": ["a state dict has no class names, so they are 0 to 6; --class-names FILE gives others"],
    }
    assert (model.classes, model.seen, model.design.classes) == (tuple("0123456"), frozenset(), 7)  # type: ignore[union-attr]
    assert model.preprocessing.to_json() == {
        "size": [224, 224], "channels": 3, "resize": "crop", "resize_to": 256, "interpolation": "bilinear",
        "scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    }  # fmt: skip


def test_what_is_known_better_replaces_what_is_assumed(small: Path) -> None:
    model = import_weights(
        small, "squeezenet-1.1", input=(3, 112, 96), class_names=list("gfedcba"), resize_to=120, scale=1.0,
        mean=[127.5], std=[10, 20, 30], device="cpu",
    )  # fmt: skip
    images = model.preprocessing
    assert (images.size, images.resize_to, images.scale) == ((112, 96), 120, 1.0)
    assert (images.mean, images.std, model.classes) == ((127.5,) * 3, (10, 20, 30), tuple("gfedcba"))
    assert (model.about["data"]["notes"], model.about["data"]["assumed"]) == ([], [])
    half = import_weights(small, "squeezenet-1.1", input=(3, 112, 96), device="cpu").preprocessing
    assert half.resize_to == 128


def test_one_output_is_binary(tmp_path: Path) -> None:
    model = import_weights(written(tmp_path, mobile.SqueezeNet(1).state_dict()), "squeezenet-1.1", device="cpu")
    assert (model.task.name, model.classes) == ("binary", ("0", "1"))
    again = fs.load(model.save(tmp_path / "m.safetensors"), device="cpu")
    assert again.network(torch.zeros(1, 3, 224, 224)).shape == (1, 1)


def test_grey_weights_make_a_grey_model(tmp_path: Path) -> None:
    tensors = mobile.SqueezeNet(3).state_dict()
    tensors["features.0.weight"] = tensors["features.0.weight"].sum(1, keepdim=True)
    images = import_weights(written(tmp_path, tensors), "squeezenet-1.1", device="cpu").preprocessing
    assert (images.channels, images.mean, images.std) == (1, pytest.approx((0.449,)), pytest.approx((0.226,)))


def test_known_files_bring_their_own_size_or_are_refused(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = hashlib.sha256(small.read_bytes()).hexdigest()[:8]
    names_of = fit.names_of
    files: dict[str, dict[str, Any]] = {prefix: {"known": "the file is second", "resize_to": 232}}
    monkeypatch.setattr(fit, "names_of", lambda name: [replace(one, files=files) for one in names_of(name)])
    model = import_weights(small, "squeezenet-1.1", device="cpu")
    assert (model.preprocessing.resize_to, model.about["data"]["notes"][0]) == (232, "the file is second")
    files[prefix] = {"refused": "is of another network"}
    with pytest.raises(ModelError, match=r"small\.pth: is of another network; give weights of squeezenet-1\.1"):
        import_weights(small, "squeezenet-1.1", device="cpu")


def test_what_does_not_match_is_listed_and_the_right_design_named(tmp_path: Path) -> None:
    path = written(tmp_path, mobile.TimmMobile(4).state_dict())
    with pytest.raises(ModelError, match="did you mean --design mobilenet-v2") as caught:
        import_weights(path, "resnet-18", device="cpu")
    lines = caught.value.message.splitlines()
    mobile_net, resnet, both = (
        len(mobile.TimmMobile(4).state_dict()) - 52,
        len(by_hand.resnet18(4).state_dict()) - 20,
        4,
    )
    count = mobile_net + resnet - both  # no counters; both have a bn1
    assert (
        lines[0] == f"does not fit resnet-18: by the layer names of torchvision or timm, {count} tensors do not match:"
    )
    assert lines[1] == "  bn1.weight is 32, not 64, for block 2"
    assert lines[5] == "  conv1.weight 64x3x7x7 is missing, for block 1"
    assert (lines[-1], len(lines)) == (f"  and {count - 10} more", 12)


def test_one_tensor_too_few_is_one_line(small: Path, tmp_path: Path) -> None:
    tensors = torch.load(small, weights_only=True)
    del tensors["features.0.bias"]
    with pytest.raises(ModelError) as caught:
        import_weights(written(tmp_path, tensors), "squeezenet-1.1")
    assert str(caught.value).partition("weights.pth: ")[2] == (
        "does not fit squeezenet-1.1: by the layer names of torchvision, 1 tensor does not match:\n"
        "  features.0.bias 64 is missing, for block 1; nothing was loaded; give squeezenet-1.1's own weights"
    )


def test_several_libraries_are_tried_and_the_closest_named(tmp_path: Path) -> None:
    tensors = mobile.TimmMobile(4).state_dict() | {"more": torch.zeros(2)}
    with pytest.raises(
        ModelError, match=r"by the layer names of timm, closest of torchvision, timm, 1 tensor does not"
    ):
        import_weights(written(tmp_path, tensors), "mobilenet-v2")


@pytest.mark.parametrize(
    ("design", "error", "message"),
    [
        ("resnet-19", DesignError, "there is no design 'resnet-19'; did you mean resnet-18"),
        (
            "u-net",
            ModelError,
            "u-net is in no other library whose layer names are known here; the designs .* are alexnet,",
        ),
        (
            "deeplab-v3",
            ModelError,
            "deeplab-v3 gives a class for every pixel, and the tasks of models are binary and multi",
        ),
    ],
)
def test_designs_that_no_weights_can_be_had_for(design: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        import_weights("none.pth", design)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"input": (1, 224, 224)},
            ModelError,
            r"features\.0\.weight is 64x3x3x3, not 64x1x3x3.*; nothing .*give --input as",
        ),
        (
            {"input": (3, 96)},
            DesignError,
            "an input of 3x96 has another rank than squeezenet-1.1, a 2-d network; give channels and 2 sides",
        ),
        ({"input": (3, 2, 2)}, DesignError, "smaller than the 3x3 kernel"),
        (
            {"class_names": ["a", "b"]},
            ModelError,
            "2 class names were given, and the head has 7 outputs; give 7, in their",
        ),
        ({"class_names": list("abcdefa")}, ModelError, "the class name 'a' was given twice; give each class a name"),
        (
            {"resize_to": 200},
            DataError,
            r"resize_to 200 does not fit resize 'crop' and size \(224, 224\); use it with crop",
        ),
        ({"scale": 0.0}, DataError, "scale 0 is not above 0; give what a pixel is multiplied with"),
        ({"scale": float("nan")}, DataError, "scale nan is not above 0"),
        ({"mean": (0.5, 0.5)}, DataError, "mean has 2 numbers for 3 channels; give one for each, or for all"),
        ({"mean": (float("inf"),)}, DataError, "mean inf is not finite"),
        ({"std": (1, 0, 1)}, DataError, "std 0 is not above 0; give standard deviations"),
        ({"std": ()}, DataError, "std has 0 numbers for 3 channels"),
    ],
)
def test_options_that_do_not_fit(given: dict[str, Any], error: type[Exception], message: str, small: Path) -> None:
    with pytest.raises(error, match=message):
        import_weights(small, "squeezenet-1.1", **given)


def test_numbers_that_are_not_finite_are_refused(small: Path, tmp_path: Path) -> None:
    tensors = torch.load(small, weights_only=True)
    tensors["classifier.1.weight"][3] = float("nan")
    with pytest.raises(ModelError, match=r"1 tensor holds numbers that are not finite, first 39\.weight"):
        import_weights(written(tmp_path, tensors), "squeezenet-1.1")


@pytest.mark.parametrize("given", [None, (3, 224, 224), (4, 224, 224)])
def test_weights_for_four_channels_say_how_to_get_at_three(
    small: Path, tmp_path: Path, given: tuple[int, ...] | None
) -> None:
    tensors = torch.load(small, weights_only=True)
    first = tensors["features.0.weight"]
    tensors["features.0.weight"] = torch.cat([first, first[:, :1]], dim=1)
    path = written(tmp_path, tensors)
    with pytest.raises(ModelError, match=r"weights\.pth: features\.0\.weight is for 4 channels, and images") as caught:
        import_weights(path, "squeezenet-1.1", input=given)
    command = (caught.value.fix or "").partition("keep 3 of them: ")[2]
    exec(command, {"torch": torch, "FILE": path, "NEW": tmp_path / "new.pth"})  # the remedy, as it is said
    model = import_weights(tmp_path / "new.pth", "squeezenet-1.1", device="cpu")
    assert torch.equal(model.network.state_dict()["1.weight"], first)


def test_negative_variances_are_refused(tmp_path: Path) -> None:
    tensors = by_hand.randomised(by_hand.resnet18(3)).state_dict()
    tensors["layer1.0.bn1.running_var"][5] = -1e-3
    with pytest.raises(ModelError, match=r"1 tensor holds negative variances, first 5.1\S*running_var"):
        import_weights(written(tmp_path, tensors), "resnet-18")


def test_numbers_too_large_for_single_precision_are_refused(small: Path, tmp_path: Path) -> None:
    tensors = torch.load(small, weights_only=True)
    tensors["classifier.1.bias"] = tensors["classifier.1.bias"].double() + 1e300
    with pytest.raises(ModelError, match=r"1 tensor holds numbers that are not finite, first 39\.bias"):
        import_weights(written(tmp_path, tensors), "squeezenet-1.1")


def test_class_names_are_read_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("\ufeffant\r\n꿀벌 \r\n".encode())
    assert read_class_names(path) == ["ant", "꿀벌"]
    path.write_text("ant\n\nbee\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"names\.txt:2: is an empty class name; take the line out"):
        read_class_names(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="is no UTF-8 text; save it as UTF-8, one class name a line"):
        read_class_names(path)
    with pytest.raises(ModelError, match="cannot be read: is a directory; give a text file with one class name a line"):
        read_class_names(tmp_path)


def beside(tensors: dict[str, Tensor], *prefixes: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for prefix in prefixes for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("prefixes", "more", "left_out"),
    [
        (("backbone.",), [], ""),
        (("net.encoder.",), ["mean"], "mean"),
        (("model.",), ["criterion.weight"], "criterion.*"),
        (("ema_model.", "model."), [], "ema_model.*"),
        (("ema.module.", "module."), ["ema.decay"], "ema.*"),
    ],
)
def test_names_are_found_under_any_beginning(
    small: Path, tmp_path: Path, prefixes: tuple[str, ...], more: list[str], left_out: str
) -> None:
    tensors = torch.load(small, weights_only=True)
    held = beside(tensors, *prefixes[::-1])
    held |= {name: one + 1 for name, one in beside(tensors, *prefixes[:-1]).items()}
    held |= {name: torch.ones(3) for name in more}
    model = import_weights(written(tmp_path, held), "squeezenet-1.1", device="cpu")
    alone = import_weights(small, "squeezenet-1.1", device="cpu")
    for name, tensor in alone.network.state_dict().items():
        assert torch.equal(tensor, model.network.state_dict()[name])
    apart = f", and what lacks it left out: {left_out}" if left_out else ""
    assert f"taken without the prefix {prefixes[-1]!r}{apart}" in model.about["data"]["notes"]


def test_of_several_networks_none_is_chosen(small: Path, tmp_path: Path) -> None:
    held = beside(torch.load(small, weights_only=True), "encoder_q.", "encoder_k.")
    with pytest.raises(
        ModelError, match=r"several networks, under 'encoder_q\.', 'encoder_k\.'; save the one that"
    ) as caught:
        import_weights(written(tmp_path, held), "squeezenet-1.1", device="cpu")
    command = re.search(r"torch\.save\((\{.*\}), NEW\)", str(caught.value))
    assert command is not None
    kept = eval(command[1], {"tensors": held})  # the advice, followed
    assert import_weights(written(tmp_path, kept), "squeezenet-1.1", device="cpu").classes == tuple("0123456")


def test_a_missing_head_is_no_fault_of_a_start(small: Path, tmp_path: Path) -> None:
    tensors = beside(torch.load(small, weights_only=True), "net.")
    tensors = {name.replace("net.classifier.1.", "head."): tensor for name, tensor in tensors.items()}
    path = written(tmp_path, tensors)
    with pytest.raises(
        ModelError, match=r"lacks the head alone, and as a start it needs none: fieldstone train DATA"
    ) as caught:
        import_weights(path, "squeezenet-1.1", device="cpu")
    assert "\n  (taken without the prefix 'net.', and what lacks it left out: head.*); nothing was" in str(caught.value)
    model = import_weights(path, "squeezenet-1.1", device="cpu", without_head=True)
    whole = import_weights(small, "squeezenet-1.1", device="cpu")
    old, new = whole.network.state_dict(), model.network.state_dict()
    assert [name for name in old if old[name].shape != new[name].shape or not torch.equal(old[name], new[name])] == [
        "39.weight", "39.bias",
    ]  # fmt: skip
    assert model.classes == ()


def test_a_design_of_ones_own_has_no_table_of_names(small: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("input: 3x32x32\nlayers: [flatten, linear classes]\n", encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"mine\.yaml is a file of a design, and whose layer names it has is not known"
    ):
        import_weights(small, str(tmp_path / "mine.yaml"))
