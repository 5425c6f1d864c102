"""Which weights a finetuning keeps, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.training.validation import Gain
from trainings import colours_learned, pictures, stopping_after

LAYERS = ["conv 8 3 padding=1", "batchnorm", "relu", "globalavgpool", "linear classes"]
SMALL = fs.Design(input=(3, 16, 16), layers=LAYERS, name="small")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colours_learned(tmp_path_factory.mktemp("first"), SMALL, seed=20)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    return pictures(tmp_path / "others", {"sea": 2, "sunset": 0}, 80, 80, lean=6)


def finetune(**fields: Any) -> fs.Recipe:
    return fs.Recipe.named("finetune").replace(**{"precision": "fp32", "epochs": 3, **fields})


RUINOUS = {"learning_rate": 1.0, "schedule": "constant", "layer_decay": 1.0}


def validated(model: fs.Model, data: Path) -> tuple[float, np.ndarray]:
    """Accuracy on the images that validate, and what each of them gave to its class: by `predict`, in NumPy."""
    assert model.run is not None
    content = json.loads((model.run / "data.json").read_text())
    rows = [row for row in content["rows"] if row["split"] == "val"]
    answers = model.predict([data / row["file"] for row in rows], top=2)
    assert isinstance(answers, list)
    truths = [content["classes"][row["target"]] for row in rows]
    right = [answer.label == truth for answer, truth in zip(answers, truths, strict=True)]
    given = [dict(answer.top)[truth] for answer, truth in zip(answers, truths, strict=True)]
    return float(np.mean(right)), np.array(given)


def history(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_gain_is_that_of_a_paired_t_test() -> None:
    """Student's own example, hours of sleep that ten patients gained by two drugs: t = 4.06 (Biometrika, 1908)."""
    laevo = torch.tensor([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4], dtype=torch.float64)
    dextro = torch.tensor([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], dtype=torch.float64)
    gain = Gain.of(laevo, dextro)
    assert (gain.these, gain.others) == (pytest.approx(2.33), pytest.approx(0.75))
    assert 1.58 / gain.error == pytest.approx(4.0621, abs=1e-4)


@pytest.mark.parametrize(
    ("differences", "clear"),
    [([0.1, 0.3, 0.2, 0.2], True), ([0.1, -0.3, 0.2, 0.2], False), ([-0.1, -0.3, -0.2], False), ([0.9], False)],
)
def test_a_gain_is_clear_above_two_standard_errors(differences: list[float], clear: bool) -> None:
    values = torch.tensor(differences, dtype=torch.float64)
    assert Gain.of(values, torch.zeros_like(values)).is_clear == clear


def test_the_mean_is_kept_and_called_so(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(others), "--start", str(first), "--epochs", "3", "--out", str(tmp_path / "run")]
    assert run([*command, "--set", "precision=fp32"]) == 0
    out, err = capsys.readouterr()
    model = fs.load(tmp_path / "run")
    accuracy, _ = validated(model, others)
    assert f"; the mean of the weights of 3 epochs, validation {accuracy:.2%}\n" in out
    assert "best epoch" not in out + err
    assert "epoch 1/3  loss " in err
    assert f"  validation of the mean {accuracy:.2%}, loss " in err.splitlines()[-1]
    assert model.about["metrics"]["kept"] == "mean"
    assert model.about["metrics"]["best_epoch"] is None
    lines = history(tmp_path / "run")
    assert [line["averaged"] for line in lines] == [1, 2, 3]
    assert lines[-1]["validation"] == model.about["metrics"]["validation"]


def test_a_head_that_the_epochs_made_clearly_worse_is_kept(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fs.train(others, start=first, recipe=finetune(**RUINOUS), out=tmp_path / "run")
    said = capsys.readouterr().err.splitlines()[-1]
    old, new = fs.load(first).network.state_dict(), model.network.state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old if not name.startswith("5."))
    accuracy, head = validated(model, others)
    metrics = model.about["metrics"]
    assert (metrics["kept"], metrics["best_epoch"]) == ("head", None)
    assert metrics["validation"]["accuracy"] == pytest.approx(accuracy)
    assert said.startswith("the head fitted first is kept, the trunk as it was learned: ")
    assert f"on {len(head)} validation images is above that of the mean of the epochs, {head.mean():.4f} again" in said
    saved = fs.load(tmp_path / "run")
    assert all(torch.equal(value, saved.network.state_dict()[name]) for name, value in new.items())
    assert saved.about["metrics"] == metrics


def test_a_kept_head_is_said_to_people_and_programs(
    first: Path, others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ruinous.yaml").write_text(finetune(**RUINOUS).to_text(), encoding="utf-8")
    command = ["train", str(others), "--start", str(first), "--recipe", str(tmp_path / "ruinous.yaml"), "--out"]
    assert run([*command, str(tmp_path / "1")]) == 0
    out = capsys.readouterr().out
    assert run([*command, str(tmp_path / "2"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    accuracy = content["validation"]["accuracy"]
    assert f"; the head fitted first, since the epochs made it clearly worse, validation {accuracy:.2%}\n" in out
    assert (content["kept"], content["best_epoch"], content["epochs"]) == ("head", None, 3)


def test_a_best_epoch_is_no_exception(first: Path, others: Path, tmp_path: Path) -> None:
    for number, fields in enumerate(({"learning_rate": 1e-4}, RUINOUS)):
        recipe = finetune(average=False, **fields)
        model = fs.train(others, start=first, recipe=recipe, out=tmp_path / str(number))
        assert model.about["metrics"]["kept"] == ("epoch", "head")[number]
        assert (model.about["metrics"]["best_epoch"] is None) == bool(number)


@pytest.mark.parametrize(("stop", "epochs"), [(20, 0), (55, 2)])
def test_an_interruption_changes_no_bit_of_a_kept_head(
    first: Path, others: Path, tmp_path: Path, stop: int, epochs: int
) -> None:
    recipe = finetune(**RUINOUS, batch_size=8)
    whole = fs.train(others, start=first, recipe=recipe, out=tmp_path / "whole")
    with stopping_after(stop), pytest.raises(KeyboardInterrupt):
        fs.train(others, start=first, recipe=recipe, out=tmp_path / "parts")
    state = json.loads((tmp_path / "parts" / "resume.json").read_text())
    assert (state["head_fitted"], state["step"] // 14) == (True, epochs)
    resumed = fs.resume(tmp_path / "parts")
    assert whole.about["metrics"]["kept"] == "head"
    assert whole.about["metrics"] == resumed.about["metrics"]
    saved = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert saved[0] == saved[1]


def test_a_mean_that_gets_no_better_stops(first: Path, others: Path, tmp_path: Path) -> None:
    """With nothing but batch normalisation's statistics to move, and these frozen, every mean is the same."""
    recipe = finetune(epochs=20, early_stopping=2, learning_rate=1e-30, schedule="constant")
    model = fs.train(others, start=first, recipe=recipe, out=tmp_path / "run")
    assert [line["epoch"] for line in history(tmp_path / "run")] == [1, 2, 3]
    assert model.about["metrics"]["kept"] == "mean"


def test_without_validation_the_mean_is_kept(first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    pictures(data / "train", {"sea": 2, "sunset": 0}, 1, 1)
    pictures(data / "test", {"sea": 2, "sunset": 0}, 3, 3)
    out = tmp_path / "run"
    assert run(["train", str(data), "--start", str(first), "--epochs", "2", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "; the mean of the weights of 2 epochs is kept, since no image validates\n" in said
    assert fs.load(out).about["metrics"] == {"kept": "mean", "best_epoch": None, "validation": None}
