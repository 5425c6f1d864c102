"""Training on a GPU: the same bits again, going on to them, no waiting within a step, models that move."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import fieldstone as fs
from fieldstone.progress import Progress
from fieldstone.training.loop import Loop
from fieldstone.training.recipe import Recipe
from fieldstone.verbs import train as verb
from fieldstone.verbs.job.job import Trained
from trainings import files_of_seeds, stopping_after

DEVICE = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

LAYERS = [
    "conv 16 3",
    "batchnorm",
    "relu",
    "maxpool 2",  # its windows do not overlap: their gradients are no sums, whose order would be chance
    "dropout 0.3",
    "conv 16 3 stride=2",
    "relu",
    "globalavgpool",
    "linear classes",
]
DESIGN = fs.Design(input=(3, 16, 16), layers=LAYERS, name="small")
KINDS = ("flip", "shift", "crop", "color", "cutout")

# Momentum has the parameters' strides, the step counts of AdamW are on the device, the loss scale moves in float16.
OPTIONS: list[dict[str, Any]] = [
    {"precision": "fp32"},
    {"precision": "bf16"},
    {"precision": "fp16"},
    {"precision": "fp16", "optimizer": "sgd", "learning_rate": 0.05},
]


def start(photos: Path, out: Path, **options: Any) -> Trained:
    recipe = Recipe(**{"epochs": 3, "augment": KINDS, "class_weights": "balanced", **options})
    return verb.carry_out(photos, design=DESIGN, recipe=recipe, out=out, device=DEVICE, progress=Progress.quiet())


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_the_same_seed_gives_the_same_file(photos: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    files = files_of_seeds(lambda out, seed: start(photos, out, seed=seed, **options), tmp_path, (5, 5, 6))
    assert files[0] == files[1]
    assert files[0] != files[2]


@pytest.mark.parametrize("steps", [[1], [4], [3, 2, 5]], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_an_interrupted_training_goes_on_to_the_same_bits(
    photos: Path, tmp_path: Path, steps: list[int], options: dict[str, Any]
) -> None:
    start(photos, tmp_path / "whole", **options)
    for number, count in enumerate(steps):
        with stopping_after(count):
            if number == 0:
                part = start(photos, tmp_path / "part", **options)
            else:
                part = verb.go_on(tmp_path / "part", progress=Progress.quiet())
        assert part.report["stopped"] == "interrupted"
    assert verb.go_on(tmp_path / "part", progress=Progress.quiet()).report["stopped"] is None
    part_file, whole_file = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("part", "whole"))
    assert part_file == whole_file


def test_the_random_numbers_of_the_caller_stay(photos: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4, device=DEVICE)
    torch.manual_seed(3)
    start(photos, tmp_path / "run", epochs=1)
    assert torch.equal(torch.rand(4, device=DEVICE), expected)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_a_step_does_not_wait_for_the_device(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """From the second epoch on, all between the first batch and the look at its end: any wait raises."""
    train, refuse = Loop._train, Loop._refuse_unhealthy
    watched = []

    def watched_train(self: Loop, epoch: int, *rest: Any) -> None:
        if epoch > 0:  # in the first, memory is taken and algorithms are chosen
            torch.cuda.set_sync_debug_mode("error")
        train(self, epoch, *rest)
        watched.append(epoch)

    def unwatched_refuse(self: Loop) -> None:
        torch.cuda.set_sync_debug_mode("default")
        refuse(self)

    monkeypatch.setattr("fieldstone.training.loop.SECONDS_BETWEEN_LOOKS", math.inf)
    monkeypatch.setattr(Loop, "_train", watched_train)
    monkeypatch.setattr(Loop, "_refuse_unhealthy", unwatched_refuse)
    try:
        start(photos, tmp_path / "run", **options)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert watched == [0, 1, 2]


def test_the_watch_sees_a_wait() -> None:
    number = torch.ones((), device=DEVICE)
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchronizing CUDA operation"):
            number.item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_model_trained_on_the_gpu_loads_on_the_processor(photos: Path, tmp_path: Path) -> None:
    trained = start(photos, tmp_path / "run", precision="fp32").model
    assert trained is not None
    assert {weight.device.type for weight in trained.network.parameters()} == {DEVICE}
    images = sorted(photos.rglob("*.png"))[:20]
    loaded = fs.load(tmp_path / "run", device="cpu")
    assert {weight.device.type for weight in loaded.network.parameters()} == {"cpu"}
    for here, there in zip(loaded.predict(images), trained.predict(images), strict=True):
        assert dict(here.top) == pytest.approx(dict(there.top), abs=1e-3)
    program = "import sys, fieldstone as fs; print(fs.load(sys.argv[1]).predict(sys.argv[2]).label)"
    answer = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "run", images[0]],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == loaded.predict(images[0]).label


@pytest.fixture(scope="module")
def first(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to start from."""
    folder = tmp_path_factory.mktemp("first") / "run"
    start(photos, folder, epochs=1, seed=9)
    return folder


def start_learned(data: Path, first: Path, out: Path, **options: Any) -> Trained:
    recipe = Recipe.named(options.pop("recipe")).replace(**options)
    return verb.carry_out(data, start=first, recipe=recipe, out=out, device=DEVICE, progress=Progress.quiet())


@pytest.mark.parametrize("recipe", ["features", "finetune"])
def test_learned_weights_give_the_same_file_again(photos: Path, first: Path, tmp_path: Path, recipe: str) -> None:
    files = files_of_seeds(
        lambda out, seed: start_learned(photos, first, out, recipe=recipe, seed=seed), tmp_path, (5, 5)
    )
    assert files[0] == files[1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_features_on_the_gpu_are_those_of_the_processor(
    photos: Path, first: Path, tmp_path: Path, precision: str
) -> None:
    there = start_learned(photos, first, tmp_path / "there", recipe="features", precision=precision).model
    recipe = Recipe.named("features").replace(precision="fp32")
    here = verb.carry_out(
        photos, start=first, recipe=recipe, out=tmp_path / "here", device="cpu", progress=Progress.quiet()
    )
    assert there is not None
    assert here.model is not None
    images = sorted(photos.rglob("*.png"))
    answers = zip(here.model.predict(images), there.predict(images), strict=True)
    assert sum(one.label == other.label for one, other in answers) >= len(images) - 1


def test_an_interrupted_finetuning_goes_on_to_the_same_bits(photos: Path, first: Path, tmp_path: Path) -> None:
    start_learned(photos, first, tmp_path / "whole", recipe="finetune")
    with stopping_after(3):
        part = start_learned(photos, first, tmp_path / "part", recipe="finetune")
    assert part.report["stopped"] == "interrupted"
    assert verb.go_on(tmp_path / "part", progress=Progress.quiet()).report["stopped"] is None
    part_file, whole_file = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("part", "whole"))
    assert part_file == whole_file
