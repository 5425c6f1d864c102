"""Trainings of a network of the user's own that begin with learned weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.errors import DesignError, ModelError, RecipeError
from fieldstone.model.file import short_key
from fieldstone.model.inference import Normalise
from trainings import features, finetune, pictures, stopping_after, weights


class Net(nn.Module):
    """Written as people write them: functions in its forward, a parameter of its own."""

    def __init__(self, outputs: int, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.fc = nn.Linear(8, outputs)
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8)
        self.shift = nn.Parameter(torch.zeros(8, 1, 1))

    def features(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x))) + self.shift
        return F.relu(self.bn2(self.conv2(x))).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


class Wrapped(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.net = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a network that tells three colours apart."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDSTONE_CACHE", str(folder / "cache"))
        data = pictures(folder / "data", {"red": 0, "green": 1, "blue": 2}, 20, 0)
        fs.train(data, network=Net(3), input=(3, 16, 16), recipe=fs.Recipe(epochs=4), out=folder / "run")
    return folder / "run"


@pytest.fixture
def others(tmp_path: Path) -> Path:
    return pictures(tmp_path / "others", {"sea": 2, "sunset": 0}, 16, 1)


def test_the_trunk_is_that_of_the_run_and_the_head_is_fitted_to_it(first: Path, others: Path, tmp_path: Path) -> None:
    before = fs.load(first, network=Net(3))
    recipe = features(weight_decay=0.01)
    model = fs.train(others, network=Net(1, seed=7), start=first, recipe=recipe, out=tmp_path / "run")
    old, new = weights(before), weights(model)
    assert all(torch.equal(old[name], new[name]) for name in old if not name.startswith("fc"))
    assert model.preprocessing == before.preprocessing
    assert model.test(others).accuracy > 0.9
    decoded = fs.open_data(others).decode(model.preprocessing)
    rows = decoded.manifest.indices("train")
    with torch.no_grad():
        inputs = Normalise(model.preprocessing)(torch.from_numpy(np.array(decoded.images[rows])))
        seen = model.network.features(inputs).double()  # type: ignore[operator]
    weight, bias = new["fc.weight"].double(), new["fc.bias"].double()
    residual = torch.sigmoid(seen @ weight.T + bias)[:, 0] - torch.from_numpy(decoded.manifest.targets[rows])
    slope = (residual[:, None] * seen).mean(dim=0) + 0.01 * weight[0] * seen.var(dim=0, correction=0)
    assert float(slope.abs().max()) < 1e-4
    assert abs(float(residual.mean())) < 1e-4


def test_what_the_start_has_seen_counts_as_seen(first: Path, others: Path, tmp_path: Path) -> None:
    fs.train(others, network=Net(1), start=first, recipe=features(), out=tmp_path / "run")
    own = {
        short_key(row["key"])
        for folder in (first, tmp_path / "run")
        for row in json.loads((folder / "data.json").read_text())["rows"]
        if row["split"] != "test"
    }
    assert fs.load(tmp_path / "run", network=Net(1)).seen == own


def test_the_run_says_what_is_learned(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fs.train(others, network=Net(1), start=first, recipe=finetune(freeze=["conv1"]), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert f"start {first}: 5 layers with learned weights, layer fc new" in said
    assert "images as these weights saw them: centre cut to 16x16; x = pixel * 1/255, then (x - mean) / std; " in said
    assert model.about["data"]["start"] == {
        "name": str(first), "learned": ["shift", "bn1", "conv2", "bn2"], "frozen": ["conv1"], "new": ["fc"],
    }  # fmt: skip


def test_a_head_for_the_same_classes_comes_along(first: Path, tmp_path: Path) -> None:
    again = pictures(tmp_path / "again", {"red": 0, "green": 1, "blue": 2}, 12, 5)
    recipe = finetune(head_first=False, freeze=["fc"], learning_rate=0.01)
    before = fs.load(first, network=Net(3))
    model = fs.train(again, network=Net(3, seed=7), start=before, recipe=recipe, out=tmp_path / "same")
    assert torch.equal(weights(before)["fc.weight"], weights(model)["fc.weight"])
    assert not torch.equal(weights(before)["conv1.weight"], weights(model)["conv1.weight"])
    other = pictures(tmp_path / "other", {"rose": 0, "grass": 1, "water": 2}, 12, 5)
    with pytest.raises(RecipeError, match="freeze: fc is the head, which is new; freeze other blocks"):
        fs.train(other, network=Net(3), start=first, recipe=recipe, out=tmp_path / "other-run")


def test_a_part_of_a_head_that_has_to_learn_cannot_be_frozen(first: Path, others: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"freeze: fc\.weight is in the head, which head_first fits; freeze other"):
        fs.train(others, network=Net(1), start=first, recipe=finetune(freeze=["fc.weight"]), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Breaking(Net):
    """Its forward breaks in training."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise KeyError("broken")
        return super().forward(x)


def test_a_training_that_breaks_leaves_nothing_frozen(first: Path, others: Path, tmp_path: Path) -> None:
    network = Breaking(1)
    with pytest.raises(KeyError, match="broken"):
        fs.train(others, network=network, start=first, recipe=finetune(freeze=["conv1"]), out=tmp_path / "run")
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("stop", [1, 3, 17])  # before the features, between two fits, after some steps
def test_an_interrupted_finetuning_goes_on_to_the_same_bits(
    first: Path, others: Path, tmp_path: Path, stop: int
) -> None:
    recipe = finetune(batch_size=8, freeze=["conv1"])
    whole = fs.train(others, network=Net(1), start=first, recipe=recipe, out=tmp_path / "whole")
    with stopping_after(stop), pytest.raises(KeyboardInterrupt):
        fs.train(others, network=Net(1), start=first, recipe=recipe, out=tmp_path / "parts")
    resumed = fs.resume(tmp_path / "parts", network=Net(1, seed=7))
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[name]), name
    assert resumed.seen == whole.seen
    assert torch.equal(weights(whole)["conv1.weight"], weights(fs.load(first, network=Net(3)))["conv1.weight"])


def test_freeze_takes_names_of_modules_and_parameters(first: Path, others: Path, tmp_path: Path) -> None:
    frozen = ["conv1", "bn1", "shift"]
    recipe = finetune(freeze=frozen, batchnorm="train", learning_rate=0.01, head_first=False)
    network = Net(1)
    network.conv2.bias.requires_grad_(False)  # type: ignore[union-attr]  # the user's own wish, which stays
    model = fs.train(others, network=network, start=first, recipe=recipe, out=tmp_path / "run")
    old, new = weights(fs.load(first, network=Net(3))), weights(model)
    still = {name for name in old if name[:2] != "fc" and torch.equal(old[name], new[name])}
    assert still == {name for name in old if name.startswith(tuple(frozen))} | {"conv2.bias"}
    assert [name for name, one in network.named_parameters() if not one.requires_grad] == ["conv2.bias"]


def test_a_frozen_trunk_holds_the_parameters_of_the_network_itself(first: Path, others: Path, tmp_path: Path) -> None:
    recipe = finetune(freeze=["trunk"], learning_rate=0.01, batchnorm="train", head_first=False)
    model = fs.train(others, network=Net(1), start=first, recipe=recipe, out=tmp_path / "run")
    old, new = weights(fs.load(first, network=Net(3))), weights(model)
    assert all(torch.equal(old[name], new[name]) for name in old if not name.startswith("fc"))


def test_another_size_of_images_keeps_the_numbers(first: Path, others: Path, tmp_path: Path) -> None:
    before = fs.load(first, network=Net(3)).preprocessing
    model = fs.train(others, network=Net(1), start=first, input="3x24x20", recipe=features(), out=tmp_path / "run")
    assert (model.preprocessing.size, model.preprocessing.mean) == ((24, 20), before.mean)


def saved(first: Path, place: Path) -> dict[str, Tensor]:
    tensors = weights(fs.load(first, network=Net(3)))
    torch.save({"state_dict": {f"module.{name}": value for name, value in tensors.items()}}, place)
    return tensors


def test_a_state_dict_is_a_start(first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = saved(first, tmp_path / "own.pth")
    given = {"start": tmp_path / "own.pth", "input": (3, 16, 16), "recipe": finetune(batch_size=8, freeze=["trunk"])}
    model = fs.train(others, network=Net(1), out=tmp_path / "run", **given)  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert all(torch.equal(tensors[name], value) for name, value in weights(model).items() if name[:2] != "fc")
    assert "images centre cut to 16x16, mean and std those of the training images: a state dict does not say" in said
    assert "taken without the prefix 'module.' of every name" in said
    decoded = fs.open_data(others).decode(model.preprocessing)
    pixels = decoded.images[decoded.manifest.indices("train")].astype(float) / 255
    assert model.preprocessing.mean == pytest.approx(pixels.mean((0, 2, 3)), abs=1e-4)
    with stopping_after(17), pytest.raises(KeyboardInterrupt):
        fs.train(others, network=Net(1), out=tmp_path / "parts", **given)  # type: ignore[arg-type]
    resumed = fs.resume(tmp_path / "parts", network=Net(1, seed=7))
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(model).items())


def test_a_head_of_as_many_outputs_comes_with_a_state_dict(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = pictures(tmp_path / "data", {"rose": 0, "grass": 1, "water": 2}, 6, 5)
    tensors = saved(first, tmp_path / "own.pth")
    recipe = fs.Recipe(epochs=1, learning_rate=1e-9)
    model = fs.train(
        data, network=Net(3, seed=7), start=tmp_path / "own.pth", input=(3, 16, 16), recipe=recipe, out=tmp_path / "run"
    )
    torch.testing.assert_close(weights(model)["fc.weight"], tensors["fc.weight"])
    assert "6 layers with learned weights, its head too, which has as many outputs" in capsys.readouterr().err


def test_other_beginnings_of_names_are_no_other_names(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fs.train(others, network=Wrapped(Net(1)), start=first, recipe=features(), out=tmp_path / "wrapped")
    assert "names taken with 'net.' for '' at their beginning" in capsys.readouterr().err
    again = fs.train(
        others, network=Net(1, seed=7), start=tmp_path / "wrapped", recipe=finetune(head_first=False, freeze=["trunk"]),
        out=tmp_path / "bare",
    )  # fmt: skip
    old = weights(fs.load(first, network=Net(3)))
    for name in (name for name in old if not name.startswith("fc")):
        assert torch.equal(weights(model)[f"net.{name}"], old[name])
        assert torch.equal(weights(again)[name], old[name])


def test_the_old_head_under_another_name_is_left_out(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Net(1)
    network.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 1))  # type: ignore[assignment]
    fs.train(others, network=network, start=first, recipe=finetune(epochs=1), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert "layer fc.1 new" in said
    assert "left out, because the head is new: fc\n" in said


def test_what_does_not_match_is_listed_and_nothing_is_loaded(first: Path, others: Path, tmp_path: Path) -> None:
    network = Net(1)
    network.conv2 = nn.Conv2d(8, 8, 5, stride=2, padding=2)
    network.register_module("extra", nn.Linear(2, 3))
    del network.shift
    network.register_buffer("shift", torch.zeros(8, 1, 1, dtype=torch.int64))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ModelError) as raised:
        fs.train(others, network=network, start=first, recipe=features(), out=tmp_path / "run")
    lines = str(raised.value).split("\n")
    assert lines[0] == f"{first}: does not fit the network: 4 tensors do not match:"
    assert lines[1:4] == [
        "  shift is 8x1x1, not 8x1x1 of int64",
        "  conv2.weight is 8x8x3x3, not 8x8x5x5",
        "  extra.weight 3x2 is missing",
    ]
    assert lines[4].startswith("  extra.bias 3 is missing; nothing was loaded; give the network that was trained, or")
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    assert not (tmp_path / "run").exists()


def test_names_of_another_network_are_listed_as_the_file_has_them(first: Path, others: Path, tmp_path: Path) -> None:
    torch.save({"encoder.weight": torch.ones(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"\n  encoder.weight 3x3 has no place|and \d+ more") as raised:
        fs.train(others, network=Wrapped(Net(1)), start=tmp_path / "other.pth", input=(3, 16, 16), out=tmp_path / "run")
    assert "net.encoder" not in str(raised.value)


def test_tensors_without_a_place_are_listed(first: Path, others: Path, tmp_path: Path) -> None:
    network = Net(1)
    network.bn2 = nn.Identity()  # type: ignore[assignment]
    with pytest.raises(ModelError, match=r"4 tensors do not match:\n  bn2.bias 8 has no place\n  bn2.running_mean"):
        fs.train(others, network=network, start=first, recipe=features(), out=tmp_path / "run")


def test_negative_variances_are_refused(first: Path, others: Path, tmp_path: Path) -> None:
    tensors = weights(fs.load(first, network=Net(3)))
    tensors["bn2.running_var"][0] = -0.1
    torch.save(tensors, tmp_path / "own.pth")
    with pytest.raises(ModelError, match=r"own.pth: 1 tensor holds negative variances, first bn2.running_var"):
        fs.train(others, network=Net(1), start=tmp_path / "own.pth", input=(3, 16, 16), out=tmp_path / "run")


def test_numbers_that_are_not_finite_are_refused(first: Path, others: Path, tmp_path: Path) -> None:
    tensors = weights(fs.load(first, network=Net(3)))
    tensors["conv1.weight"][0] = torch.nan
    torch.save(tensors, tmp_path / "own.pth")
    with pytest.raises(ModelError, match=r"own.pth: 1 tensor holds numbers that are not finite, first conv1.weight"):
        fs.train(others, network=Net(1), start=tmp_path / "own.pth", input=(3, 16, 16), out=tmp_path / "run")


class Headless(Net):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) @ self.fc.weight[:, :1] * 0 + self.bn2(self.conv2(x.repeat(1, 3, 1, 1)[:, :8])).sum(
            (1, 2, 3)
        ).reshape(-1, 1)


@pytest.mark.parametrize("recipe", ["features", "finetune"])
def test_without_a_head_that_can_be_told_no_recipe_sets_it_apart(
    first: Path, others: Path, tmp_path: Path, recipe: str
) -> None:
    with pytest.raises(DesignError, match="nobody knows which layer is the head of this network: the last that runs"):
        fs.train(others, network=Headless(1), start=_of_one(first, tmp_path), recipe=recipe, out=tmp_path / "run")
    plain = fs.Recipe(epochs=1, freeze=["conv2"])
    fs.train(others, network=Headless(1), start=tmp_path / "one", recipe=plain, out=tmp_path / "run")


def _of_one(first: Path, folder: Path) -> Path:
    data = pictures(folder / "two", {"sea": 2, "sunset": 0}, 6, 3)
    fs.train(data, network=Net(1), input=(3, 16, 16), recipe=fs.Recipe(epochs=1), out=folder / "one")
    return folder / "one"


def test_a_run_of_ones_own_network_needs_its_class(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(others), "--start", str(first), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert f"{first}: was trained as a network of your own, so its class is needed; give it: --network " in said
    with pytest.raises(ModelError, match=r"so its class is needed; give it: .*, in Python network=YourNetwork\(\)"):
        fs.train(others, start=fs.load(first, network=Net(3)), out=tmp_path / "run")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"network": Net(1), "design": "vgg-small"}, DesignError, "takes the place of a design"),
        ({"network": Net(1), "input": (3, 8)}, DesignError, "an input of 3x8 is not one of images"),
        ({"network": Net(3)}, DesignError, r"gives \(2, 3\) for 2 images, and the task needs \(2, 1\)"),
        ({"network": Net(1), "recipe": finetune(freeze=["conv3"])}, DesignError, "there is no block 'conv3'; give"),
        ({"network": Net(1), "start": "nowhere"}, ModelError, "nowhere: is not there"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    first: Path, others: Path, tmp_path: Path, given: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fs.train(others, **{"start": first, "out": tmp_path / "run", **given})  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_state_dict_needs_the_input(first: Path, others: Path, tmp_path: Path) -> None:
    saved(first, tmp_path / "own.pth")
    with pytest.raises(DesignError, match=r"needs its input; give it, as in 3x64x64"):
        fs.train(others, network=Net(1), start=tmp_path / "own.pth", out=tmp_path / "run")


@pytest.mark.parametrize(("wrapped", "aside"), [(False, "loss.weight"), (True, "loss.weight"), (False, "fc.weight")])
def test_a_state_dict_with_more_than_the_network(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrapped: bool, aside: str
) -> None:
    tensors = weights(fs.load(first, network=Net(3)))
    held = {f"student.{name}": value for name, value in tensors.items()} | {aside: torch.ones(3)}
    torch.save(held, tmp_path / "own.pth")
    network = Wrapped(Net(1)) if wrapped else Net(1)
    model = fs.train(
        others, network=network, start=tmp_path / "own.pth", input=(3, 16, 16), recipe=features(), out=tmp_path / "run"
    )
    said = capsys.readouterr().err
    names = "names taken with 'net.' for 'student.' at their beginning" if wrapped else "taken without the prefix"
    assert names in said
    assert f", and what lacks it left out: {aside.split('.')[0]}.*\n" in said
    for name in (name for name in tensors if not name.startswith("fc")):
        assert torch.equal(weights(model)[f"net.{name}" if wrapped else name], tensors[name])


def test_of_several_networks_none_is_chosen(first: Path, others: Path, tmp_path: Path) -> None:
    tensors = weights(fs.load(first, network=Net(3)))
    held = {f"{one}.{name}": value for name, value in tensors.items() for one in ("teacher", "student")}
    torch.save(held, tmp_path / "own.pth")
    with pytest.raises(
        ModelError, match=r"own\.pth: holds several networks, under 'teacher\.', 'student\.'; save the one"
    ):
        fs.train(others, network=Net(1), start=tmp_path / "own.pth", input=(3, 16, 16), out=tmp_path / "run")
