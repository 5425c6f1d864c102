"""Trainings that begin with learned weights."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.design.named import names
from fieldstone.errors import DataError, DesignError, ModelError, RecipeError
from fieldstone.model.file import short_key
from fieldstone.model.inference import Normalise
from fieldstone.network.build import build
from fieldstone.training.halves import halves
from fieldstone.training.run import Run
from torchvision_by_hand import randomised, resnet18
from trainings import colours_learned, features, finetune, pictures, stopping_after, weights

LAYERS = [
    "conv 8 3 padding=1 bias=false", "batchnorm", "relu", "conv 8 3 stride=2 padding=1", "batchnorm", "relu",
    "globalavgpool", "dropout 0.2", "linear classes",
]  # fmt: skip
HEAD = "9"
SMALL = fs.Design(input=(3, 16, 16), layers=LAYERS, name="small")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colours_learned(tmp_path_factory.mktemp("first"), SMALL, seed=0)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Two other classes."""
    return pictures(tmp_path / "others", {"sea": 2, "sunset": 0}, 16, 1)


def test_features_keep_the_trunk_to_the_bit_and_give_the_data_a_head(first: Path, others: Path, tmp_path: Path) -> None:
    before = fs.load(first)
    model = fs.train(others, start=first, recipe=features(), out=tmp_path / "run")
    assert (model.task.name, model.classes) == ("binary", ("sea", "sunset"))
    old, new = weights(before), weights(model)
    assert all(torch.equal(old[name], new[name]) for name in old if not name.startswith(HEAD))
    assert new[f"{HEAD}.weight"].shape == (1, 8)
    assert model.preprocessing == before.preprocessing
    assert model.test(others).accuracy > 0.9
    assert all(parameter.requires_grad for parameter in model.network.parameters())


def test_the_head_is_fitted_to_what_the_trunk_gives(first: Path, others: Path, tmp_path: Path) -> None:
    model = fs.train(others, start=first, recipe=features(weight_decay=0.01), out=tmp_path / "run")
    decoded = fs.open_data(others).decode(model.preprocessing)
    rows = decoded.manifest.indices("train")
    with torch.no_grad():
        inputs = Normalise(model.preprocessing)(torch.from_numpy(np.array(decoded.images[rows])))
        seen = model.network[:-1](inputs).double()  # type: ignore[index]
    head = model.network[-1]  # type: ignore[index]
    residual = torch.sigmoid(seen @ head.weight.double().T + head.bias.double())[:, 0] - torch.from_numpy(
        decoded.manifest.targets[rows]
    )
    slope = (residual[:, None] * seen).mean(dim=0) + 0.01 * head.weight.double()[0] * seen.var(dim=0, correction=0)
    assert float(slope.detach().abs().max()) < 1e-4
    assert abs(float(residual.detach().mean())) < 1e-4


def test_images_that_the_start_has_seen_are_never_counted(first: Path, others: Path, tmp_path: Path) -> None:
    before = fs.load(first)
    assert before.run is not None
    model = fs.train(others, start=first, recipe=features(), out=tmp_path / "run")
    rows = json.loads((tmp_path / "run" / "data.json").read_text())["rows"]
    own = {short_key(row["key"]) for row in rows if row["split"] != "test"}
    assert model.seen == own | before.seen
    assert fs.load(tmp_path / "run").seen == model.seen


def test_the_same_classes_keep_the_head(first: Path, tmp_path: Path) -> None:
    again = pictures(tmp_path / "again", {"red": 0, "green": 1, "blue": 2}, 12, 5)
    model = fs.train(
        again, start=fs.load(first), recipe=finetune(head_first=False, learning_rate=1e-9), out=tmp_path / "run"
    )
    torch.testing.assert_close(weights(model)[f"{HEAD}.weight"], weights(fs.load(first))[f"{HEAD}.weight"])


def test_finetune_moves_everything_but_the_statistics(first: Path, others: Path, tmp_path: Path) -> None:
    model = fs.train(others, start=first, recipe=finetune(), out=tmp_path / "run")
    old, new = weights(fs.load(first)), weights(model)
    moved = {name for name in old if not name.startswith(HEAD) and not torch.equal(old[name], new[name])}
    assert moved == {"1.weight", "2.weight", "2.bias", "4.weight", "4.bias", "5.weight", "5.bias"}


def test_a_start_without_a_recipe_is_finetuned(first: Path, others: Path, tmp_path: Path) -> None:
    code = run(["train", str(others), "--start", str(first), "--epochs", "1", "--out", str(tmp_path / "run")])
    recipe = fs.Recipe.read(tmp_path / "run" / "recipe.yaml")
    assert (code, recipe.head_first, recipe.batchnorm, recipe.epochs) == (0, True, "frozen", 1)


def test_frozen_blocks_stay(first: Path, others: Path, tmp_path: Path) -> None:
    recipe = finetune(freeze=["1", "2"], batchnorm="train", learning_rate=0.01)
    model = fs.train(others, start=first, recipe=recipe, out=tmp_path / "run")
    old, new = weights(fs.load(first)), weights(model)
    still = {name for name in old if not name.startswith(HEAD) and torch.equal(old[name], new[name])}
    assert still == {name for name in old if name.startswith(("1.", "2."))}
    assert model.about["data"]["start"] == {
        "name": str(first), "learned": ["4", "5"], "frozen": ["1", "2"], "new": [HEAD],
    }  # fmt: skip


def test_rates_fall_towards_the_input(first: Path, others: Path, tmp_path: Path) -> None:
    """In one step of sgd a block moves by its rate times its gradient, so that two decays differ by their powers."""
    moves = []
    for number, decay in enumerate((1.0, 0.5)):
        recipe = finetune(
            optimizer="sgd", learning_rate=1e-3, schedule="constant", epochs=1, head_first=False, layer_decay=decay,
            augment=[], weight_decay=0, batch_size=64,
        )  # fmt: skip
        model = fs.train(others, start=first, recipe=recipe, out=tmp_path / str(number))
        old, new = weights(fs.load(first)), weights(model)
        moves.append({name: (new[name] - old[name]).double() for name in ("1.weight", "5.weight")})
    for name, blocks_after in (("1.weight", 4), ("5.weight", 1)):
        ratio = (moves[1][name] * moves[0][name]).sum() / moves[0][name].square().sum()
        assert float(ratio) == pytest.approx(0.5**blocks_after, rel=0.02)


@pytest.mark.parametrize("stop", [1, 3, 17])  # before the features, between two fits, after some steps
def test_an_interrupted_finetuning_goes_on_to_the_same_bits(
    first: Path, others: Path, tmp_path: Path, stop: int
) -> None:
    recipe = finetune(batch_size=8)
    whole = fs.train(others, start=first, recipe=recipe, out=tmp_path / "whole")
    with stopping_after(stop), pytest.raises(KeyboardInterrupt):
        fs.train(others, start=first, recipe=recipe, out=tmp_path / "parts")
    state = json.loads((tmp_path / "parts" / "resume.json").read_text())
    assert state["head_fitted"] == (stop == 17)
    resumed = fs.resume(tmp_path / "parts")
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[name]), name
    assert resumed.seen == whole.seen


def test_an_interrupted_fit_goes_on(first: Path, others: Path, tmp_path: Path) -> None:
    whole = fs.train(others, start=first, recipe=features(), out=tmp_path / "whole")
    with stopping_after(1), pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("fieldstone.verbs.job.head.stored_features", lambda place, rows: None)
        fs.train(others, start=first, recipe=features(), out=tmp_path / "parts")
    resumed = fs.resume(tmp_path / "parts")
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())
    assert not Run(tmp_path / "parts").resume_state.exists()


def test_features_are_computed_once(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        fs.train(others, start=first, recipe=features(), out=tmp_path / str(number))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("head")]
    assert ["cache" in line for line in said] == [False, True]
    assert (tmp_path / "0" / "model.safetensors").read_bytes() == (tmp_path / "1" / "model.safetensors").read_bytes()


def test_features_from_the_cache_have_no_rate(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(others), "--start", str(first), "--recipe", "features", "--out"]
    assert run([*command, str(tmp_path / "1")]) == 0
    assert " images/s; validation " in capsys.readouterr().out
    assert run([*command, str(tmp_path / "2")]) == 0
    assert " s; validation " in capsys.readouterr().out
    assert run([*command, str(tmp_path / "3"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images_per_second"] is None


def test_grey_images_go_through_the_sum_of_the_three_channels(first: Path, tmp_path: Path) -> None:
    grey = pictures(tmp_path / "grey", {"dark": 1, "bright": 0}, 12, 3, mode="L")
    model = fs.train(grey, start=first, recipe=features(), out=tmp_path / "run")
    before = fs.load(first)
    assert (model.preprocessing.channels, before.preprocessing.channels) == (1, 3)
    pixels = torch.randint(0, 256, (4, 1, 16, 16), generator=torch.Generator().manual_seed(0)).float()
    std = torch.tensor(before.preprocessing.std)
    middle = model.network[:1](Normalise(model.preprocessing)(pixels))[:, :, 1:-1, 1:-1]  # type: ignore[index]
    colour = before.network[:1](Normalise(before.preprocessing)(pixels.expand(-1, 3, -1, -1)))[:, :, 1:-1, 1:-1]  # type: ignore[index]
    offset = colour - middle  # means of channels differ from their mean by the same everywhere
    assert offset.std(dim=(0, 2, 3)).max() < 1e-4
    assert float(std.std()) > 0  # the channels' deviations do differ


def test_the_run_says_what_is_learned_and_what_the_images_become(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fs.train(others, start=first, recipe=features(), out=tmp_path / "run")
    said = capsys.readouterr().err
    assert f"start {first}: 4 blocks with learned weights, block {HEAD} new" in said
    assert "images as these weights saw them: centre cut to 16x16; x = pixel * 1/255, then (x - mean) / std; " in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"resize": "letterbox"}, "fitted into 16x16"),
        ({"resize": "stretch"}, "stretched to 16x16"),
        ({"resize_to": 20}, "shorter side to 20, centre cut to 16x16"),
        ({"input": "3x24x20"}, "centre cut to 24x20"),
    ],
)
def test_images_that_become_something_else_are_not_said_to_be_as_before(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, object], said: str
) -> None:
    fields = {name: value for name, value in given.items() if name != "input"}
    shape: str | None = given.get("input")  # type: ignore[assignment]
    fs.train(others, start=first, input=shape, recipe=features(**fields), out=tmp_path / "run")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("images ")]
    assert len(lines) == 1
    before = "not as these weights saw them (centre cut to 16x16); x = pixel * 1/255, then (x - mean) / std; mean "
    assert lines[0].startswith(f"images {said}, {before}")


@pytest.mark.parametrize(
    ("val", "test", "said"),
    [
        (
            3,
            2,
            "3 of the 7 validation images and 2 of the 6 test images already: validation flatters, and a test leaves",
        ),
        (1, 0, "1 of the 5 validation images already: validation flatters"),
        (0, 4, "4 of the 8 test images already: a test leaves them out"),
        (0, 0, None),
    ],
)
def test_images_that_the_start_knows_already_are_counted(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], val: int, test: int, said: str | None
) -> None:
    content, base = json.loads((first / "data.json").read_text()), first.parent / "data"
    trained = iter(row["file"] for row in content["rows"] if row["split"] == "train")
    for seed, (part, known) in enumerate({"train": 3, "val": val, "test": test}.items()):
        folder = pictures(tmp_path / "data" / part, {"sea": 2, "sunset": 0}, 2, 50 + seed)
        for _ in range(known):
            file = next(trained)
            shutil.copy(base / file, folder / "sea" / file.replace("/", "-"))
    fs.train(tmp_path / "data", start=first, recipe=features(), out=tmp_path / "run")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("the start has seen ")]
    assert [line.startswith(f"the start has seen {said}") for line in lines] == [True] * (said is not None)


def test_few_photos_are_told_of_learned_weights(
    others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fs.train(others, design=SMALL, recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    assert "photos are few to learn from nothing: --start efficientnet-lite-0" in capsys.readouterr().err
    own = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))
    fs.train(others, network=own, input=(3, 16, 16), recipe=fs.Recipe(epochs=1), out=tmp_path / "own")
    assert "few to learn" not in capsys.readouterr().err  # those weights are not for it


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"start": "resnet-18"}, ModelError, "resnet-18 is a design without learned weights"),
        ({"start": "nowhere.safetensors"}, ModelError, "nowhere.safetensors: is not there"),
        ({"design": "vgg-small"}, DesignError, "--start brings its own design; leave out --design"),
        ({"width": 0.5}, DesignError, "learned weights have the width of their design"),
        ({"input": (3, 8)}, DesignError, "3x8 has another rank than the 3x16x16 of the start"),
        ({"recipe": fs.Recipe.named("finetune").replace(freeze=["77"])}, DesignError, "freeze: there is no block '77'"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    first: Path, others: Path, tmp_path: Path, given: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fs.train(others, **{"start": first, "out": tmp_path / "run", **given})  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_freezing_everything_is_refused(first: Path, tmp_path: Path) -> None:
    again = pictures(tmp_path / "again", {"red": 0, "green": 1, "blue": 2}, 4, 5)
    with pytest.raises(RecipeError, match="freeze: trunk, 9 leaves nothing to train"):
        fs.train(again, start=first, recipe=finetune(freeze=["trunk", HEAD], head_first=False), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"freeze": [HEAD]}, "freeze: 9 is the head, which head_first fits; freeze other blocks, as trunk"),
        ({"freeze": [HEAD, "trunk"]}, "freeze: 9 is the head, which head_first fits"),
        ({"freeze": ["1", HEAD], "head_first": False}, "freeze: 9 is the head, which is new; freeze other blocks"),
        ({"freeze": [f"{HEAD}.bias"]}, r"freeze: 9\.bias is in the head, which head_first fits; freeze other blocks"),
    ],
)
def test_a_head_that_has_to_learn_cannot_be_frozen(
    first: Path, others: Path, tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        fs.train(others, start=first, recipe=finetune(**fields), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_learned_head_can_be_frozen(first: Path, tmp_path: Path) -> None:
    again = pictures(tmp_path / "again", {"red": 0, "green": 1, "blue": 2}, 12, 5)
    recipe = finetune(head_first=False, freeze=[HEAD], learning_rate=0.01)
    old, new = weights(fs.load(first)), weights(fs.train(again, start=first, recipe=recipe, out=tmp_path / "run"))
    assert torch.equal(old[f"{HEAD}.weight"], new[f"{HEAD}.weight"])
    assert not torch.equal(old["1.weight"], new["1.weight"])


@pytest.mark.parametrize("name", ["features", "finetune"])
def test_recipes_of_learned_weights_need_a_start(others: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="a trunk without learned weights has nothing to keep; give --start"):
        fs.train(others, recipe=name, out=tmp_path / "run")


@pytest.mark.parametrize("option", [["--epochs", "5"], ["--batch-size", "8"], ["--set", "augment=flip"]])
def test_an_option_that_would_do_nothing_is_refused(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    out = tmp_path / "run"
    command = ["train", str(others), "--start", str(first), "--recipe", "features", "--out", str(out), *option]
    assert run(command) == 2
    assert re.search(r"fits a head to all images at once, where \w+ does nothing; leave", capsys.readouterr().err)
    assert not out.exists()


def test_lbfgs_needs_a_frozen_trunk() -> None:
    with pytest.raises(RecipeError, match="'lbfgs' fits a head to a frozen trunk; set freeze=trunk"):
        fs.Recipe(optimizer="lbfgs")


def test_weights_after_flatten_fit_their_own_input_alone(others: Path, tmp_path: Path) -> None:
    flat = fs.Design(
        input=(3, 16, 16), layers=["conv 4 3 stride=2", "relu", "flatten", "linear 8", "relu", "linear classes"]
    )
    fs.train(others, design=flat, recipe=fs.Recipe(epochs=1), out=tmp_path / "flat")
    with pytest.raises(
        ModelError, match=r"do not fit an input of 3x20x20: 4\.weight is 8x196, not 8x324; leave out --input"
    ):
        fs.train(others, start=tmp_path / "flat", input=(3, 20, 20), out=tmp_path / "run")


def test_a_head_that_is_not_the_end_of_a_chain_cannot_be_fitted_alone(others: Path, tmp_path: Path) -> None:
    forked = fs.Design(
        input=(3, 16, 16),
        layers=["conv 4 3", "globalavgpool", {"branches add": [["linear classes"], ["linear 1"]]}],
    )
    fs.train(others, design=forked, recipe=fs.Recipe(epochs=1), out=tmp_path / "forked")
    with pytest.raises(
        DesignError, match=r"the head is not the end of one chain \(it stands on one of several paths.*head_first=false"
    ):
        fs.train(others, start=tmp_path / "forked", out=tmp_path / "run")
    fs.train(others, start=tmp_path / "forked", recipe=finetune(head_first=False), out=tmp_path / "run")


@pytest.mark.parametrize("start", [True, False])
def test_data_without_a_training_part_says_so(first: Path, tmp_path: Path, start: bool) -> None:
    for part in ("validation", "test"):
        pictures(tmp_path / "data" / part, {"sea": 2, "sunset": 0}, 3, 4)
    with pytest.raises(DataError, match="data: has no training part, only test and validation; add one named train"):
        fs.train(tmp_path / "data", start=first if start else None, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_state_dict_is_a_start_with_its_design(
    others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, file = randomised(resnet18()), tmp_path / "resnet18.pth"
    torch.save({"state_dict": network.state_dict()}, file)
    model = fs.train(others, start=file, design="resnet-18", input=(3, 32, 32), recipe=features(), out=tmp_path / "run")
    inputs = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        ours = model.network[:-1](inputs)  # type: ignore[index]
        network.fc = torch.nn.Identity()
        torch.testing.assert_close(ours, network.eval()(inputs), rtol=1e-4, atol=1e-4)
    assert (model.preprocessing.resize_to, model.preprocessing.size) == (36, (32, 32))
    said = capsys.readouterr().err
    assert "taken from its entry 'state_dict'\n" in said
    assert not any(text in said for text in ("--resize-to", "--class-names", "ImageNet"))
    save_file(network.state_dict(), tmp_path / "resnet18.safetensors")
    for place in (file, tmp_path / "resnet18.safetensors"):
        with pytest.raises(
            DesignError, match="a state dict does not say which network it is of; give --design NAME, as"
        ):
            fs.train(others, start=place, out=tmp_path / "again")


def test_a_model_of_another_ending_is_a_start(first: Path, others: Path, tmp_path: Path) -> None:
    file = shutil.copy(first / "model.safetensors", tmp_path / "model.pth")
    fs.train(others, start=file, recipe=features(), out=tmp_path / "run")
    with pytest.raises(DesignError, match="--start brings its own design; leave out --design"):
        fs.train(others, start=file, design="resnet-18", out=tmp_path / "again")


SQUEEZED = ["conv 8 3 padding=1", "relu", "dropout 0.2", "conv classes 1", "relu", "globalavgpool"]


@pytest.mark.parametrize(
    "layers", [SQUEEZED, [*SQUEEZED[:4], "globalavgpool", "softmax"], [*SQUEEZED[:4], "globalavgpool"]]
)
def test_a_head_of_a_convolution_is_fitted_to_the_maps(tmp_path: Path, layers: list[str]) -> None:
    """Every seed ends in one minimum: no class is lost behind the relu, where it would have no gradient."""
    design = fs.Design(input=(3, 16, 16), layers=layers)
    first = colours_learned(tmp_path / "first", design, seed=0)
    data = pictures(tmp_path / "data", {"rose": 0, "grass": 1, "sea": 2, "sky": 2}, 10, 5)
    heads = []
    for seed in range(4):
        recipe = features(seed=seed, weight_decay=0.01)
        model = fs.train(data, start=first, recipe=recipe, out=tmp_path / str(seed))
        decoded = fs.open_data(data).decode(model.preprocessing)
        rows = decoded.manifest.indices("train")
        with torch.no_grad():
            pixels = Normalise(model.preprocessing)(torch.from_numpy(np.array(decoded.images[rows])))
            assert bool((model.network(pixels) > 0).any(dim=0).all())
        heads.append(weights(model)["4.weight"])
    for other in heads[1:]:
        torch.testing.assert_close(other, heads[0], rtol=0.02, atol=0.02)


def test_one_output_that_is_never_below_0_is_refused(others: Path, tmp_path: Path) -> None:
    design = fs.Design(input=(3, 16, 16), layers=SQUEEZED)
    message = "relu after the head leaves no answer below 0, and one output for two classes .* give --task multiclass"
    with pytest.raises(DesignError, match=message) as raised:
        fs.train(others, design=design, recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    assert raised.value.path == "5"
    fs.train(others, design=design, task="multiclass", recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    mended = fs.Design(input=(3, 16, 16), layers=[*SQUEEZED[:5], "conv 4 1", "globalavgpool", "linear 1"])
    fs.train(others, design=mended, recipe=fs.Recipe(epochs=1), out=tmp_path / "mended")


def test_every_network_of_the_gallery_with_one_answer_an_image_can_be_cut_before_its_head() -> None:
    for name in names():
        design = fs.Design.named(name).resolve(classes=3)
        if len(design.output_shape(3)) > 1:
            continue
        head = next(row.path for row in design.walk(3) if row.block.is_head)
        with torch.device("meta"):
            parts = halves(build(design, 3), head)
        whole = sum(1 for _ in build_names(parts.trunk)) + sum(1 for _ in build_names(parts.tail))
        with torch.device("meta"):
            assert whole == sum(1 for _ in build_names(build(design, 3)))
        assert [p.shape[0] for p in parts.tail.parameters()] == [3, 3], name


def build_names(network: torch.nn.Module) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def test_weights_after_the_head_are_new_with_it(tmp_path: Path, others: Path) -> None:
    layers = ["conv 8 3 padding=1", "relu", "conv classes 1", "batchnorm", "globalavgpool"]
    first = colours_learned(tmp_path / "first", fs.Design(input=(3, 16, 16), layers=layers), seed=0)
    model = fs.train(others, start=first, recipe=features(), out=tmp_path / "run")
    assert model.about["data"]["start"]["new"] == ["3", "4"]
    assert torch.equal(weights(model)["1.weight"], weights(fs.load(first))["1.weight"])


@pytest.mark.parametrize("prefix", ["", "backbone.", "encoder.body."])
def test_a_state_dict_without_a_head_is_a_start(
    others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    network, file = randomised(resnet18()), tmp_path / "trunk.pth"
    tensors = {f"{prefix}{name}": one for name, one in network.state_dict().items() if not name.startswith("fc.")}
    more = {"projector.0.weight": torch.zeros(3, 512)} if prefix else {f"{prefix}fc.0.weight": torch.zeros(3, 512)}
    torch.save(tensors | more, file)
    model = fs.train(others, start=file, design="resnet-18", input=(3, 32, 32), recipe=features(), out=tmp_path / "run")
    inputs = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        ours = model.network[:-1](inputs)  # type: ignore[index]
        network.fc = torch.nn.Identity()
        torch.testing.assert_close(ours, network.eval()(inputs), rtol=1e-4, atol=1e-4)
    said = capsys.readouterr().err
    assert "block 19 new\n" in said
    assert "it has no head for this network\n" in said
    assert fs.load(tmp_path / "run").classes == ("sea", "sunset")
