"""Half precision on the processor: a training in it learns numbers, and goes on to the same bits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import fieldstone as fs
from fieldstone.progress import Progress
from fieldstone.training.recipe import Recipe
from fieldstone.verbs import train as verb
from fieldstone.verbs.job.job import Trained
from trainings import stopping_after

LAYERS = ["conv 8 3", "batchnorm", "relu", "maxpool 2", "dropout 0.2", "conv 8 3", "relu", "flatten", "linear classes"]
DESIGN = fs.Design(input=(3, 12, 12), layers=LAYERS)


def start(photos: Path, out: Path, precision: str, **options: object) -> Trained:
    recipe = Recipe(**{"epochs": 2, "precision": precision, **options})
    return verb.carry_out(photos, design=DESIGN, recipe=recipe, out=out, device="cpu", progress=Progress.quiet())


@pytest.fixture
def formats(monkeypatch: pytest.MonkeyPatch) -> list[torch.dtype]:
    """The number formats in which convolutions of a training gave their results; its report looks in float32."""
    seen: list[torch.dtype] = []
    forward = nn.Conv2d.forward

    def watched(self: nn.Conv2d, inputs: torch.Tensor) -> torch.Tensor:
        out = forward(self, inputs)
        seen.append(out.dtype)
        return out

    monkeypatch.setattr(nn.Conv2d, "forward", watched)
    monkeypatch.setattr("fieldstone.verbs.job.job.report_at_end", lambda *_: None)
    return seen


@pytest.mark.parametrize(
    ("precision", "format"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_a_training_computes_in_its_precision_and_a_test_in_float32(
    photos: Path, tmp_path: Path, formats: list[torch.dtype], precision: str, format: torch.dtype
) -> None:
    result = start(photos, tmp_path / "run", precision)
    assert set(formats) == {format}
    assert Recipe.read(tmp_path / "run" / "recipe.yaml").precision == precision
    model = result.model
    assert model is not None
    assert {weight.dtype for weight in model.network.parameters()} == {torch.float32}
    assert all(weight.isfinite().all() for weight in model.network.parameters())
    formats.clear()
    assert 0 <= model.test(photos).accuracy <= 1
    assert set(formats) == {torch.float32}


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_trains_nearly_as_float32_does(photos: Path, tmp_path: Path, precision: str) -> None:
    for name in ("fp32", precision):
        start(photos, tmp_path / name, name, augment=(), epochs=3, learning_rate=1e-3)
    assert losses(tmp_path / precision) == pytest.approx(losses(tmp_path / "fp32"), rel=0.05)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("steps", [1, 4])
def test_it_goes_on_to_the_same_bits(photos: Path, tmp_path: Path, precision: str, optimizer: str, steps: int) -> None:
    options = {"optimizer": optimizer, "learning_rate": 0.002}
    start(photos, tmp_path / "whole", precision, **options)
    with stopping_after(steps):
        part = start(photos, tmp_path / "part", precision, **options)
    assert part.report["stopped"] == "interrupted"
    state = json.loads((tmp_path / "part" / "resume.json").read_text(encoding="utf-8"))
    assert bool(state["scaler"]) == (precision == "fp16")
    verb.go_on(tmp_path / "part", progress=Progress.quiet())
    whole, part_file = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "part"))
    assert part_file == whole


def test_the_scale_of_float16_survives_an_interruption(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss scale that overflows is halved and its step left out; what goes on starts with the halved one."""
    monkeypatch.setattr(
        "fieldstone.training.loop.gradient_scaler",
        lambda device, precision: torch.amp.GradScaler(device.type, init_scale=2.0**24),
    )
    start(photos, tmp_path / "whole", "fp16", epochs=4)
    with stopping_after(6):
        start(photos, tmp_path / "part", "fp16", epochs=4)
    state = json.loads((tmp_path / "part" / "resume.json").read_text(encoding="utf-8"))
    assert state["scaler"]["scale"] < 2.0**22
    verb.go_on(tmp_path / "part", progress=Progress.quiet())
    whole, part = losses(tmp_path / "whole"), losses(tmp_path / "part")
    assert part == whole
    assert whole[3] < whole[1]  # some steps did not overflow


def losses(run: Path) -> list[float]:
    """The training loss of each epoch."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["train"]["loss"] for line in lines]
