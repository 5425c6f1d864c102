"""`fieldstone weights import` as programs and people meet it."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import mobile_by_hand as mobile
import torchvision_by_hand as by_hand
from fieldstone.cli import run
from fieldstone.model.shipped import imagenet_classes

IMPORT = ["weights", "import", "small.pth", "--design", "squeezenet-1.1"]

SAID = """\
squeezenet-1.1: every one of its 724,035 parameters, from small.pth
names    those of torchvision
classes  3: 0, 1, 2
images   shorter side to 256, centre cut to 224x224, 3 channels
numbers  x = pixel * 1/255, then (x - mean) / std; mean 0.485, 0.456, 0.406; std 0.229, 0.224, 0.225
note     taken from its entry 'model', without epoch
note     float16 became float32
note     a state dict has no class names, so they are 0 to 2; --class-names FILE gives others
next     fieldstone predict model.safetensors IMAGE
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with small.pth, a checkpoint of squeezenet1_1 in half precision, and a photo."""
    monkeypatch.chdir(tmp_path)
    network = by_hand.randomised(mobile.SqueezeNet(3)).half()
    torch.save({"model": network.state_dict(), "epoch": 3}, "small.pth")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 260, 3), dtype=np.uint8)).save("photo.png")
    return tmp_path


def test_it_says_what_it_made_and_what_to_do_next(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*IMPORT, "-o", "model.safetensors"]) == 0
    said = capsys.readouterr().out
    assert said == SAID
    assert run([*shlex.split(said.splitlines()[-1])[2:-1], "photo.png"]) == 0
    assert capsys.readouterr().out.startswith("photo.png: ")


def test_one_object_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("names.txt").write_text("ant\nbee\nwasp\n", encoding="utf-8")
    options = ["--class-names", "names.txt", "--mean", "0.5", "--std", "1/4, 0.5,1", "--scale", "1/127.5"]
    assert (
        run([*IMPORT, "-o", "model.safetensors", *options, "--input", "3x96x112", "--resize-to", "112", "--json"]) == 0
    )
    content = json.loads(capsys.readouterr().out)
    assert content == {
        "model": "model.safetensors", "design": "squeezenet-1.1", "params": 724_035, "task": "multiclass",
        "classes": ["ant", "bee", "wasp"], "weights": "small.pth", "library": "torchvision",
        "sha256": hashlib.sha256(Path("small.pth").read_bytes()).hexdigest(),
        "notes": ["taken from its entry 'model', without epoch", "float16 became float32"],
        "preprocessing": {
            "size": [96, 112], "channels": 3, "resize": "crop", "resize_to": 112, "interpolation": "bilinear",
            "scale": pytest.approx(1 / 127.5), "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 1.0],
        },
    }  # fmt: skip


def test_the_thousand_classes_of_imagenet_are_not_all_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(mobile.SqueezeNet(1000).state_dict(), "small.pth")
    assert run([*IMPORT, "-o", "model.safetensors"]) == 0
    names = imagenet_classes()
    assert f"classes  1,000: {names[0]}, {names[1]}, ..., {names[-1]}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "model.pth"], "model.pth: a model file ends in .safetensors; write to model.safetensors"),
        (["-o", "there.safetensors"], "there.safetensors: is there already and is not overwritten; give another place"),
        (["-o", "no/m.safetensors"], "no/m.safetensors: its folder is not there; make no, or give another place"),
        (["-o", "m.safetensors", "--mean", "a,b"], "--mean 'a,b' is not made of numbers; write one, or one for each"),
        (["-o", "m.safetensors", "--std", "1/0"], "--std '1/0' is not made of numbers"),
        (["-o", "m.safetensors", "--scale", "1,2"], "--scale '1,2' is more than one number; give one, as in 1/255"),
        (["-o", "m.safetensors", "--resize-to", "0"], "--resize-to"),
        (["-o", "m.safetensors", "--input", "3"], "input '3' is not a shape: channels, then one to three sides"),
        ([], "--out"),
    ],
)
def test_what_was_typed_wrong(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there.safetensors").write_bytes(b"mine")
    before = sorted(folder.iterdir())
    assert run([*IMPORT, *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("fieldstone: "), said in err) == ("", True, True), err
    assert Path("there.safetensors").read_bytes() == b"mine"
    assert sorted(folder.iterdir()) == before


def test_weights_of_another_network_leave_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(mobile.TimmMobile(3).state_dict(), "small.pth")
    before = sorted(folder.iterdir())
    assert run([*IMPORT, "-o", "model.safetensors", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["file"], error["fix"]) == ("small.pth", "nothing was loaded; did you mean --design mobilenet-v2?")
    assert sorted(folder.iterdir()) == before


def test_weights_alone_asks_for_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["weights"]) == 2
    assert (
        capsys.readouterr().err
        == "fieldstone: fieldstone weights needs a command; `fieldstone weights --help` lists them\n"
    )
    assert run(["weights", "--help"]) == 0
    assert "import" in capsys.readouterr().out
