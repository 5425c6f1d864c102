"""The whole way on public image sets."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import fieldstone as fs
from fieldstone.cli import run

pytestmark = pytest.mark.real
RealData = Callable[[str], Path]


def test_weather_photos_are_learned_and_tested_on_their_own_test_part(
    real_data: RealData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = real_data("weather4")
    small = fs.Design(
        input=(3, 32, 32),
        layers=["conv 16 3 stride=2 padding=1", "batchnorm", "relu", "conv 32 3 padding=1", "batchnorm", "relu",
                "globalavgpool", "linear classes"],
    )  # fmt: skip
    model = fs.train(photos, design=small, recipe=fs.Recipe(epochs=8), out=tmp_path / "run")
    report = model.test(photos)
    assert (report.images, report.excluded_trained) == (217, 0)
    assert report.accuracy > 0.8
    assert run(["test", str(tmp_path / "run"), str(photos), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report.to_json()


def test_idx_digits_of_both_files_are_learned(real_data: RealData, tmp_path: Path) -> None:
    digits = real_data("mnist")
    design = fs.Design(input=(1, 28, 28), layers=["conv 8 5 stride=3", "relu", "flatten", "linear classes"])
    model = fs.train(digits, design=design, recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    report = model.test(digits)
    assert report.images == 10_000
    assert report.accuracy > 0.9
    assert fs.Recipe.read(tmp_path / "run" / "recipe.yaml").augment == ("shift",)


def test_odd_and_broken_files_among_good_ones_stop_nothing(
    real_data: RealData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weather, malformed = real_data("weather4"), real_data("malformed")
    for name in ("cloud", "shine"):
        shutil.copytree(weather / "test" / name, tmp_path / "data" / name)
    shutil.copytree(malformed, tmp_path / "data" / "odd", symlinks=True)
    design = tmp_path / "small.yaml"
    design.write_text("input: 3x16x16\nlayers: [conv 4 3, relu, globalavgpool, linear classes]\n", encoding="utf-8")
    arguments = [
        "train",
        str(tmp_path / "data"),
        "--design",
        str(design),
        "--epochs",
        "1",
        "--out",
        str(tmp_path / "run"),
    ]
    assert run([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    left_out = {one["file"] for one in report["left_out"]}
    assert 300 < len(left_out) < 700
    assert all(name.startswith("odd/") for name in left_out)
    assert run(["predict", str(tmp_path / "run"), str(tmp_path / "data" / "odd"), "--json"]) == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    unreadable = {
        Path(answer["file"]).relative_to(tmp_path / "data").as_posix() for answer in answers if "error" in answer
    }
    assert unreadable == left_out
