"""Training as a whole: the run folder, the same seed, interruption and going on to the same bits."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fieldstone as fs
from fieldstone.errors import DataError, DesignError, DeviceError, RunError, TrainingError
from fieldstone.progress import Progress
from fieldstone.training.loop import Loop
from fieldstone.training.recipe import Recipe
from fieldstone.verbs import train as verb
from fieldstone.verbs.job.job import Trained
from trainings import files_of_seeds, stopping_after

LAYERS = [
    "conv 8 3",
    "batchnorm",
    "relu",
    "maxpool 2",
    "dropout 0.3",
    "conv 8 3",
    "relu",
    "globalavgpool",
    "linear classes",
]
DESIGN = fs.Design(input=(3, 16, 16), layers=LAYERS, name="small")


def start(photos: Path, out: Path, **options: object) -> Trained:
    recipe = Recipe(**{"epochs": 3, "augment": ("flip", "shift", "crop", "color", "cutout"), **options})
    return verb.carry_out(photos, design=DESIGN, recipe=recipe, out=out, progress=Progress.quiet())


def test_a_run_is_a_folder_of_plain_files(photos: Path, tmp_path: Path) -> None:
    result = start(photos, tmp_path / "run")
    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == [
        "data.json", "design.yaml", "metrics.jsonl", "model.safetensors", "recipe.yaml", "report.html",
    ]  # fmt: skip
    design = fs.Design.read(run / "design.yaml")
    assert (design.input, design.classes, design.layers) == ((3, 16, 16), 3, DESIGN.layers)
    recipe = Recipe.read(run / "recipe.yaml")
    assert None not in (recipe.batch_size, recipe.learning_rate, recipe.weight_decay, recipe.augment)
    assert recipe.precision != "auto"
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in epochs] == [1, 2, 3]
    assert set(epochs[0]) == {
        "epoch", "step", "learning_rate", "train", "validation", "averaged", "seconds", "images_per_second",
    }  # fmt: skip
    best = max(epochs, key=lambda line: line["epoch"] == result.report["best_epoch"])
    assert result.report["validation"] == best["validation"]
    assert result.report["stopped"] is None
    assert result.model is not None
    assert not result.model.network.training


def test_it_learns(photos: Path, tmp_path: Path) -> None:
    model = fs.train(photos, design=DESIGN, recipe=Recipe(epochs=25, augment=("flip",)), out=tmp_path / "run")
    report = model.test(photos)
    assert report.accuracy > 0.9
    rows = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))["rows"]
    held_out = [row for row in rows if row["split"] == "test"]
    assert report.images == len(held_out)
    assert report.excluded_trained == len(rows) - len(held_out)
    # The same figures, counted by hand from predictions.
    answers = model.predict([photos / row["file"] for row in held_out])
    right = [answer.label == model.classes[row["target"]] for answer, row in zip(answers, held_out, strict=True)]
    assert report.accuracy == pytest.approx(np.mean(right))


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "learning_rate": 0.05}, {"precision": "fp32"}])
def test_the_same_seed_gives_the_same_file(photos: Path, tmp_path: Path, options: dict[str, object]) -> None:
    files = files_of_seeds(lambda out, seed: start(photos, out, seed=seed, **options), tmp_path, (5, 5, 6))
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_training_leaves_the_random_numbers_of_the_caller_alone(photos: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    start(photos, tmp_path / "run", epochs=1)
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "learning_rate": 0.05, "precision": "fp32"}])
@pytest.mark.parametrize("steps", [[1], [4], [3, 2, 5]])
def test_an_interrupted_training_goes_on_to_the_same_bits(
    photos: Path, tmp_path: Path, steps: list[int], options: dict[str, object]
) -> None:
    whole = start(photos, tmp_path / "whole", **options)
    for number, count in enumerate(steps):
        with stopping_after(count):
            if number == 0:
                part = start(photos, tmp_path / "part", **options)
            else:
                part = verb.go_on(tmp_path / "part", progress=Progress.quiet())
        assert part.report["stopped"] == "interrupted"
        assert (tmp_path / "part" / "resume.safetensors").exists()
        assert (tmp_path / "part" / "model.safetensors").exists() == (part.report["epochs"] > 0)
    end = verb.go_on(tmp_path / "part", progress=Progress.quiet())
    assert end.report["stopped"] is None
    assert end.report["best_epoch"] == whole.report["best_epoch"]
    # The files differ in nothing: not in weights, not in the figures of the best epoch.
    assert (tmp_path / "part/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()
    assert not (tmp_path / "part" / "resume.json").exists()
    for ours, theirs in zip(*(_history(tmp_path / name) for name in ("part", "whole")), strict=True):
        assert (ours["train"], ours["validation"], ours["step"]) == (
            theirs["train"],
            theirs["validation"],
            theirs["step"],
        )


def _history(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_early_stopping_counts_across_an_interruption(photos: Path, tmp_path: Path) -> None:
    options = {"epochs": 40, "early_stopping": 2, "learning_rate": 1e-7}
    whole = start(photos, tmp_path / "whole", **options)
    assert whole.report["stopped"] == "early"
    assert whole.report["epochs"] < 40
    with stopping_after(6):
        start(photos, tmp_path / "part", **options)
    end = verb.go_on(tmp_path / "part", progress=Progress.quiet())
    assert (end.report["stopped"], end.report["epochs"]) == ("early", whole.report["epochs"])


def test_going_on_is_refused_where_it_would_not_be_the_same(photos: Path, tmp_path: Path) -> None:
    own = tmp_path / "photos"
    for file in photos.rglob("*.png"):
        copy = own / file.relative_to(photos)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    with stopping_after(2):
        start(own, tmp_path / "run")
    state = json.loads((tmp_path / "run" / "resume.json").read_text())
    (tmp_path / "run" / "resume.json").write_text(json.dumps({**state, "torch": "1.0"}))
    with pytest.raises(RunError, match=r"was started with torch 1.0, this is torch .*; install torch 1.0"):
        verb.go_on(tmp_path / "run", progress=Progress.quiet())
    (tmp_path / "run" / "resume.json").write_text(json.dumps({**state, "device": "cuda:99"}))
    with pytest.raises(
        RunError, match=r"run: was started on cuda:99, .*; go on on a machine with cuda:99, or start a new training$"
    ):
        verb.go_on(tmp_path / "run", progress=Progress.quiet())
    (tmp_path / "run" / "resume.json").write_text(json.dumps(state))
    next(own.rglob("*.png")).unlink()
    with pytest.raises(RunError, match="changed since this training began"):
        verb.go_on(tmp_path / "run", progress=Progress.quiet())
    with pytest.raises(RunError, match="is no run that was interrupted"):
        verb.go_on(tmp_path / "nothing", progress=Progress.quiet())


def test_an_existing_folder_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError, match="exists, and a run is never overwritten; give another --out"):
        start(photos, tmp_path / "run")


def test_runs_are_numbered(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "7").mkdir(parents=True)
    first = fs.train(photos, design=DESIGN, recipe=Recipe(epochs=1))
    assert first.run == Path("runs/8")


def test_a_network_of_your_own_trains_and_needs_its_class_again(photos: Path, tmp_path: Path) -> None:
    def network() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))

    model = fs.train(photos, network=network(), input=(3, 16, 16), recipe=Recipe(epochs=2), out=tmp_path / "run")
    assert not (tmp_path / "run" / "design.yaml").exists()
    with pytest.raises(fs.FieldstoneError, match="holds the weights of a network of your own, so its class is needed"):
        fs.load(tmp_path / "run")
    image = next(photos.rglob("*.png"))
    again = fs.load(tmp_path / "run", network=network())
    assert again.predict(image) == model.predict(image)
    with pytest.raises(DesignError, match=r"needs its input; give it, as in 3x64x64"):
        fs.train(photos, network=network())


def test_a_loss_that_is_not_finite_stops_the_training_and_says_where(photos: Path, tmp_path: Path) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(3, 3)
            self.calls = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            logits = self.inner(images.mean(dim=(2, 3)))
            return logits / 0 if self.training and self.calls == 4 else logits  # the first was asked for its shape

    with pytest.raises(TrainingError, match=r"not finite at step 3 of \d+, in epoch 1, at learning rate .*; try --set"):
        fs.train(photos, network=Broken(), input=(3, 8, 8), recipe=Recipe(epochs=1), out=tmp_path / "run")


def test_balanced_class_weights_are_the_inverse_of_the_counts(photos: Path, tmp_path: Path) -> None:
    seen = {}

    def remember(self, *arguments, **options):  # type: ignore[no-untyped-def]
        seen["weights"] = options["class_weights"]
        return original(self, *arguments, **options)

    from fieldstone.tasks.multiclass import Multiclass

    original = Multiclass.loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Multiclass, "loss", remember)
        patch.setattr("fieldstone.training.loop.Loop._end_epoch", lambda *_: None)
        start(photos, tmp_path / "run", epochs=1, class_weights="balanced")
    rows = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))["rows"]
    targets = np.array([row["target"] for row in rows if row["split"] == "train"])
    counts = np.bincount(targets, minlength=3)
    np.testing.assert_allclose(seen["weights"].numpy() * counts, len(targets) / 3, rtol=1e-6)


def test_two_classes_are_binary_and_can_be_asked_to_be_multiclass(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label, level in (("dark", 40), ("light", 200)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(level, level + 50, (9, 9), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{number}.png")
    design = fs.Design(input=(1, 9, 9), layers=["conv 4 3", "relu", "globalavgpool", "linear classes"])
    for task, outputs in ((None, 1), ("multiclass", 2)):
        recipe = Recipe(epochs=30, learning_rate=0.02)
        model = fs.train(tmp_path / "data", design=design, recipe=recipe, task=task, out=tmp_path / str(task))
        assert model.network(torch.zeros(1, 1, 9, 9)).shape == (1, outputs)
        report = model.test(tmp_path / "data")
        assert report.accuracy == 1
        assert report.to_json().get("auroc") == (1.0 if outputs == 1 else None)
        assert fs.load(tmp_path / str(task)).test(tmp_path / "data") == report


def test_vgg_small_takes_channels_and_side_from_the_data(photos: Path) -> None:
    from fieldstone.data.opening import open_data
    from fieldstone.verbs.choosing.design import choose_design

    data = open_data(photos)  # 24 x 20 pixels, in colour
    assert choose_design(None, data, None, 3).input == (3, 28, 28)
    assert choose_design("vgg-small", data, (1, 40, 48), 3).input == (1, 40, 48)
    assert choose_design("resnet-18", data, None, 3).input == (3, 224, 224)
    assert choose_design(None, data, None, 3, 0.5).walk(3)[0].output_shape == (16, 28, 28)
    with pytest.raises(DesignError, match="there is no design 'vgg-smal'; did you mean vgg-small"):
        choose_design("vgg-smal", data, None, 3)


def test_a_test_on_images_that_all_trained_is_an_error(photos: Path, tmp_path: Path) -> None:
    model = start(photos, tmp_path / "run", epochs=1).model
    assert model is not None
    rows = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))["rows"]
    for row in rows:
        if row["split"] != "test":
            place = tmp_path / "seen" / row["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((photos / row["file"]).read_bytes())
    with pytest.raises(DataError, match=r"all \d+ images here were trained or validated on, none is left to test on"):
        model.test(tmp_path / "seen")


def test_ctrl_c_ends_after_the_step_and_says_how_to_go_on(photos: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fieldstone", "train", photos, "--epochs", "500", "--out", "run", "--json"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is ignored here would be ignored there
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        signal.signal(signal.SIGINT, before)
        for line in process.stderr:
            if line.startswith("epoch   2/500"):
                process.send_signal(signal.SIGINT)
                break
        out, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with: fieldstone train --resume run" in rest
    assert json.loads(out)["stopped"] == "interrupted"
    assert fs.load(tmp_path / "run").classes


def test_the_file_of_a_training_that_went_on_has_the_path_as_it_was_given(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    given = Path(photos.name)
    start(given, tmp_path / "whole")
    with stopping_after(4):
        start(given, tmp_path / "part")
    monkeypatch.chdir(tmp_path)
    model = verb.go_on(Path("part"), progress=Progress.quiet()).model
    assert model is not None
    assert model.about["data"]["path"] == photos.name
    assert Path("part/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_a_data_folder_whose_name_is_no_utf_8_trains(photos: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"latin-\xe9t\xe9")
    shutil.copytree(photos, odd)
    assert start(odd, tmp_path / "run", epochs=1).model is not None
    assert fs.load(tmp_path / "run").about["data"]["path"].endswith(r"latin-\udce9t\udce9")


@pytest.mark.parametrize("name", ["resume.safetensors", "resume.json"])
def test_half_of_what_it_needs_to_go_on_is_named(photos: Path, tmp_path: Path, name: str) -> None:
    with stopping_after(4):
        start(photos, tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    with pytest.raises(RunError, match=rf"run/{name}: is missing, it is needed to go on"):
        verb.go_on(tmp_path / "run", progress=Progress.quiet())


def test_a_killed_training_leaves_whole_files_and_goes_on_to_the_same_bits(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(DESIGN.to_text(), encoding="utf-8")
    arguments = ["train", str(photos), "--design", "small.yaml", "--epochs", "30", "--threads", "1"]
    command = [sys.executable, "-m", "fieldstone", *arguments, "--out", "killed"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch  4/30"):
                break
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert fs.load(tmp_path / "killed").about["metrics"]["best_epoch"] >= 1
    commands = [["train", "--resume", "killed"], [*arguments, "--out", "whole"]]
    for one in commands:
        subprocess.run([sys.executable, "-m", "fieldstone", *one], cwd=tmp_path, check=True, capture_output=True)
    ours, theirs = (tmp_path / name / "model.safetensors" for name in ("killed", "whole"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert [path.name for path in (tmp_path / "killed").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["resume.safetensors", "resume.json", "data.json", "metrics.jsonl", "recipe.yaml"])
def test_a_damaged_run_is_refused(photos: Path, tmp_path: Path, name: str) -> None:
    with stopping_after(5):
        start(photos, tmp_path / "run")
    file = tmp_path / "run" / name
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"[1]", b"\xff" + whole[1:]):
        file.write_bytes(content)
        with pytest.raises(RunError, match=r"damaged|another design.yaml or recipe.yaml"):
            verb.go_on(tmp_path / "run", progress=Progress.quiet())
    file.write_bytes(whole)
    assert verb.go_on(tmp_path / "run", progress=Progress.quiet()).report["stopped"] is None


def test_a_plan_that_is_edited_during_the_training_is_refused_after_it(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Loop._train

    def edited(self: Loop, *arguments: Any) -> None:
        recipe = tmp_path / "run" / "recipe.yaml"
        recipe.write_text(recipe.read_text() + "# a word\n")
        train(self, *arguments)

    monkeypatch.setattr(Loop, "_train", edited)
    with stopping_after(1):
        start(photos, tmp_path / "run")
    with pytest.raises(RunError, match=r"another design\.yaml or recipe\.yaml than it began with"):
        verb.go_on(tmp_path / "run", progress=Progress.quiet())


class Two(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 3)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        return (images, images)


class Wrong(nn.Linear):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("a mistake of mine")


class Cut(nn.Linear):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images.mean(dim=(2, 3))).detach()


class Greedy(nn.Linear):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = super().forward(images.mean(dim=(2, 3)))
        return logits + torch.empty(10**15)[0] if len(images) > 2 else logits


def test_faults_of_a_network_of_your_own_are_told_apart(photos: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"input": (3, 8, 8), "recipe": Recipe(epochs=1, batch_size=16)}
    with pytest.raises(DesignError, match=r"with RuntimeError: a mistake of mine; .* or mend its forward") as caught:
        fs.train(photos, network=Wrong(3, 3), out=tmp_path / "1", **options)
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(TrainingError, match=r"the loss has no gradient.*; take detach\(\) or torch.no_grad\(\) out"):
        fs.train(photos, network=Cut(3, 3), out=tmp_path / "2", **options)
    with pytest.raises(TrainingError, match="cpu has too little memory for batches of 16; try --batch-size 8, or"):
        fs.train(photos, network=Greedy(3, 3), out=tmp_path / "3", **options)


def test_a_network_too_large_to_predict_is_an_error_of_the_device(photos: Path, tmp_path: Path) -> None:
    model = start(photos, tmp_path / "run", epochs=1).model
    assert model is not None
    model.network = Greedy(3, 3)
    with pytest.raises(DeviceError, match="cpu has too little memory for 8 images in this network"):
        model.predict(sorted(photos.rglob("*.png"))[:8])


@pytest.mark.parametrize("shape", ["3x16x16", [3, 16, 16], (3, 16, 16)])
def test_an_input_is_a_text_or_numbers_and_a_recipe_a_name(photos: Path, tmp_path: Path, shape: Any) -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    model = fs.train(photos, network=network, input=shape, recipe="quick", out=tmp_path / "run")
    assert (model.preprocessing.size, model.about["recipe"]["epochs"]) == ((16, 16), 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": 32}, "input 32 is not a shape: channels, then one to three sides"),
        ({"input": (3, 0, 4)}, r"input \(3, 0, 4\) is not a shape"),
        ({"recipe": 5}, "recipe 5 is none; give a Recipe"),
    ],
)
def test_arguments_of_another_kind_are_refused(photos: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(fs.FieldstoneError, match=message):
        fs.train(photos, design=DESIGN, **options)


def test_a_network_that_does_not_fit_is_refused_before_a_run_is_made(photos: Path, tmp_path: Path) -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    for network, message in (
        (flat, r"the network gives \(2, 4\) for 2 images, and the task needs \(2, 3\)"),
        (nn.Flatten(), "has no parameter that trains"),
        (nn.Linear(5, 3), "fails on 2 images of 3x8x8 with RuntimeError: mat1 and mat2 shapes"),
        (Two(), r"the network gives a tuple for 2 images, and the task needs \(2, 3\)"),
        ("x", "network 'x' is no torch.nn.Module; give a module"),
    ):
        with pytest.raises(DesignError, match=message):
            fs.train(photos, network=network, input=(3, 8, 8), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_validation_that_is_not_finite_stops_the_training(photos: Path, tmp_path: Path) -> None:
    class Broken(nn.Linear):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits = super().forward(images.mean(dim=(2, 3)))
            return logits if self.training or len(images) == 2 else logits / 0

    with pytest.raises(TrainingError, match="the validation loss is not finite at step"):
        fs.train(photos, network=Broken(3, 3), input=(3, 8, 8), recipe=Recipe(epochs=2), out=tmp_path / "run")


def test_images_of_one_class_alone_can_be_tested(photos: Path, tmp_path: Path) -> None:
    model = start(photos, tmp_path / "run", epochs=1).model
    assert model is not None
    rows = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))["rows"]
    for row in rows:
        if row["split"] == "test" and row["target"] == 1:
            place = tmp_path / "one" / row["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((photos / row["file"]).read_bytes())
    report = model.test(tmp_path / "one")
    assert report.classes == model.classes
    assert report.images == sum(row["split"] == "test" and row["target"] == 1 for row in rows)
    assert [sum(row) for row in report.figures["confusion"]] == [0, report.images, 0]
