"""The report as a whole: what stands in it, counted by hand, and what becomes of it where something is amiss."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fieldstone as fs
from fieldstone.cli import run as command
from fieldstone.errors import DataError, ModelError, RunError
from fieldstone.progress import Progress
from fieldstone.training.recipe import Recipe
from fieldstone.verbs import train as verb
from fieldstone.verbs.report import report
from reports import Page, trained
from trainings import stopping_after

SECTIONS = ["curves", "network", "data", "right", "mistakes", "doubtful", "calibration", "filters", "time", "again"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 small photos in three classes that overlap, so that a short training makes mistakes."""
    folder = tmp_path_factory.mktemp("mixed")
    rng = np.random.default_rng(1)
    for channel, name in enumerate(("blue sky", "나무", "zebra")):
        (folder / name).mkdir()
        for number in range(80):
            pixels = rng.integers(0, 200, (18, 20, 3), dtype=np.uint8)
            pixels[..., (channel + (number % 5 == 0)) % 3] //= 2
            Image.fromarray(pixels).save(folder / name / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def made(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on them; its cache is gone."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDSTONE_CACHE", str(folder / "cache"))
        result = trained(mixed, folder / "run", epochs=4)
    assert result.report["report"] == str(folder / "run" / "report.html")
    return folder / "run"


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return shutil.copytree(made, tmp_path / "run")


def answers(run: Path, data: Path, split: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Probabilities (N, 3) and targets (N,) of a part, from predictions of the files one by one."""
    rows = [row for row in json.loads((run / "data.json").read_text(encoding="utf-8"))["rows"] if row["split"] == split]
    model = fs.load(run)
    given = model.predict([data / row["file"] for row in rows], top=3)
    tops = [dict(one.top) for one in given]
    probabilities = np.array([[top[name] for name in model.classes] for top in tops])
    return probabilities, np.array([row["target"] for row in rows]), [row["file"] for row in rows]


def test_it_is_one_whole_page_that_asks_nobody_and_runs_nothing(made: Path) -> None:
    text = (made / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert page.all("html") == [{"lang": "en"}]
    assert [one["aria-labelledby"] for one in page.all("section")] == SECTIONS
    assert not [tag for tag, _ in page.elements if tag in ("script", "link", "iframe", "object", "base", "form")]
    addresses = [one[key] or "" for _, one in page.elements for key in one if key in ("src", "href", "xlink:href")]
    assert addresses
    assert all(re.match(r"data:image/(png|jpeg);base64,", address) for address in addresses)
    assert not [name for _, one in page.elements for name in one if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    assert all(image["alt"] is not None and image["width"] and image["height"] for image in page.all("img"))
    names = {value for _, one in page.elements for key, value in one.items() if key == "id"}
    assert names == set(SECTIONS)


def test_counts_and_rates_are_those_of_the_predictions(made: Path, mixed: Path) -> None:
    page = Page.read(made / "report.html")
    probabilities, targets, _ = answers(made, mixed, "val")
    predicted = probabilities.argmax(axis=1)
    assert 0 < (predicted != targets).sum() < len(targets), "the figures would say nothing"
    matrix, rates = page.tables["right"]
    for truth, row in enumerate(matrix[1:]):
        assert row[1:] == [str(((targets == truth) & (predicted == given)).sum()) for given in range(3)]
    for index, (_, precision, recall, f1, images) in enumerate(rates[1:]):
        hits = ((targets == index) & (predicted == index)).sum()
        called, are = (predicted == index).sum(), (targets == index).sum()
        expected = [hits / called if called else None, hits / are, 2 * hits / (called + are)]
        for shown, rate in zip((precision, recall, f1), expected, strict=True):
            text = f"{rate:.0%}" if rate in (0, 1) else f"{100 * (rate or 0):.1f}%"
            assert shown == ("–" if rate is None else text.replace("%", " %"))
        assert images == str(are)
    assert f"{(predicted != targets).sum()} mistake" in page.text("right")
    assert f"{100 * (predicted == targets).mean():.1f} % of {len(targets)} validation images" in page.text("right")


def test_calibration_is_that_of_the_predictions(made: Path, mixed: Path) -> None:
    """Guo et al. 2017, equation 3, written out."""
    probabilities, targets, _ = answers(made, mixed, "val")
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    error = 0.0
    for bin in range(15):
        inside = (confidence > bin / 15) & (confidence <= (bin + 1) / 15)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert f"Expected calibration error {100 * error:.1f} %" in Page.read(made / "report.html").text("calibration")


def test_mistakes_and_doubts_come_in_their_order_with_their_files(made: Path, mixed: Path) -> None:
    page = Page.read(made / "report.html")
    probabilities, targets, files = answers(made, mixed, "val")
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    wrong = [n for n in np.argsort(-confidence, kind="stable") if predicted[n] != targets[n]][:12]
    doubtful = np.argsort(confidence, kind="stable")[:12]
    names = fs.load(made).classes
    for section, rows in (("mistakes", wrong), ("doubtful", doubtful)):
        said = page.text(section)
        places = [said.index(files[n]) for n in rows]
        assert places == sorted(places)
        for n in rows:
            verdict = "right" if predicted[n] == targets[n] else f"is {names[targets[n]]}"
            assert f"{names[predicted[n]]} ({100 * confidence[n]:.1f} %) {verdict} {files[n]}" in said


def test_data_is_counted(made: Path) -> None:
    rows = json.loads((made / "data.json").read_text(encoding="utf-8"))["rows"]
    (table,) = Page.read(made / "report.html").tables["data"]
    for target, row in enumerate(table[1:-1]):
        counts = [
            sum(one["target"] == target and one["split"] == part for one in rows) for part in ("train", "val", "test")
        ]
        assert row[1:4] == [str(count) for count in counts]
    assert table[-1][1:4] == [str(sum(one["split"] == part for one in rows)) for part in ("train", "val", "test")]


def test_curves_say_what_the_metrics_say(made: Path) -> None:
    epochs = [json.loads(line) for line in (made / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    plots = [one for one in Page.read(made / "report.html").all("svg") if one.get("class") == "plot"]
    best = fs.load(made).about["metrics"]["best_epoch"]
    accuracy = f"{100 * epochs[best - 1]['validation']['accuracy']:.1f}".removesuffix(".0")
    assert f"{accuracy} % in epoch {best}, which is kept" in (plots[1]["aria-label"] or "").replace(".0 %", " %")
    assert (plots[0]["aria-label"] or "").startswith("Loss over 4 epochs: training from ")
    assert len(plots) == 5


def test_the_command_that_it_gives_repeats_the_training(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.search(r'<pre class="command"><code>(.*?)</code>', (made / "report.html").read_text(encoding="utf-8"))
    assert text is not None
    words = shlex.split(text[1].replace("&#39;", "'").replace("&amp;", "&"))
    monkeypatch.chdir(tmp_path)
    assert words[0] == "fieldstone"
    assert command([*words[1:], "--out", "again"]) == 0
    first, second = fs.load(made).network.state_dict(), fs.load("again").network.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert "report again/report.html" in capsys.readouterr().out


def test_made_again_it_is_the_same_but_for_the_time_and_touches_nothing_else(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file.name: file.read_bytes() for file in own.iterdir()}
    assert command(["report", str(own), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(own / "report.html")}
    after = {file.name: file.read_bytes() for file in own.iterdir()}
    assert {name for name in before if before[name] != after.get(name)} == {"report.html"}
    assert before.keys() == after.keys()
    first, second = (Page(files["report.html"].decode()) for files in (before, after))
    for section in SECTIONS:
        if section not in ("time", "again", "data"):  # the run lies elsewhere now
            assert first.text(section) == second.text(section)
    assert "the whole training" in first.text("time")
    assert "the whole training" not in second.text("time")


def test_a_file_of_another_name_leaves_the_run_alone(own: Path, tmp_path: Path) -> None:
    before = (own / "report.html").read_bytes()
    assert report(own, out=tmp_path / "page.html") == tmp_path / "page.html"
    assert (own / "report.html").read_bytes() == before
    with pytest.raises(RunError, match=r"cannot be written: .*; make room, or name another file with -o"):
        report(own, out=tmp_path / "nowhere" / "page.html")


def test_with_data_the_figures_are_of_images_that_it_has_not_seen(own: Path, mixed: Path) -> None:
    report(own, data=mixed)
    page = Page.read(own / "report.html")
    tested = fs.load(own).test(mixed)
    assert f"{tested.images} test images, never seen before, are right" in page.text("top")
    matrix = page.tables["right"][0]
    assert [[int(cell) for cell in row[1:]] for row in matrix[1:]] == tested.figures["confusion"]
    assert "validation image" not in page.text("mistakes")
    with pytest.raises(DataError, match="does not exist"):
        report(own, data=mixed / "nothing")


def test_a_fault_of_the_report_fails_no_training(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("by <zero>")

    monkeypatch.setattr("fieldstone.verbs.report.render", broken)
    out = tmp_path / "run"
    design = fs.Design((3, 16, 16), ["conv 4 3", "relu", "globalavgpool", "linear classes"])
    (tmp_path / "design.yaml").write_text(design.to_text(), encoding="utf-8")
    words = ["train", str(photos), "--design", str(tmp_path / "design.yaml"), "--epochs", "1", "--out", str(out)]
    assert command([*words, "--json"]) == 0
    answer, said = capsys.readouterr()
    assert json.loads(answer)["report"] is None
    (line,) = [line for line in said.splitlines() if line.startswith("the report")]
    assert line == f"the report was not made: ZeroDivisionError: by <zero>; try again: fieldstone report {out}"
    page = Page.read(out / "report.html")
    assert "The report was not made: ZeroDivisionError: by <zero>" in page.text()
    assert page.all("zero") == []
    assert fs.load(out).classes
    monkeypatch.undo()
    monkeypatch.setenv("FIELDSTONE_CACHE", str(tmp_path / "cache"))
    assert command(["report", str(out)]) == 0
    assert [one["aria-labelledby"] for one in Page.read(out / "report.html").all("section")] == SECTIONS


def test_an_interrupted_run_says_how_to_go_on(photos: Path, tmp_path: Path) -> None:
    with stopping_after(2):
        trained(photos, tmp_path / "first", batch_size=16)
    assert not (tmp_path / "first" / "report.html").exists()
    with pytest.raises(RunError, match=r"first: has no model yet: .*; go on with: fieldstone train --resume .*first"):
        report(tmp_path / "first")
    with stopping_after(6):
        trained(photos, tmp_path / "second", batch_size=16)
    report(tmp_path / "second")
    assert "Interrupted after epoch 1 of 3: go on with fieldstone train --resume" in Page.read(
        tmp_path / "second" / "report.html"
    ).text("top")
    verb.go_on(tmp_path / "second", progress=Progress.quiet())
    assert "Interrupted" not in Page.read(tmp_path / "second" / "report.html").text()


@pytest.mark.parametrize(
    ("name", "spoil", "expected"),
    [
        ("metrics.jsonl", lambda text: text[:-30], "metrics.jsonl: is damaged"),
        ("metrics.jsonl", lambda text: text.replace('"train"', '"trian"'), "metrics.jsonl: is damaged: line 1"),
        ("metrics.jsonl", lambda text: text.replace('"seconds": ', '"seconds": "x", "s": '), "is damaged: line 1"),
        ("data.json", lambda text: text[:-30], "data.json: is missing or damaged"),
        ("data.json", lambda text: text.replace('"target": 2', '"target": 3'), "data.json: is damaged"),
        ("data.json", lambda text: text.replace('"split": "val"', '"split": "vla"'), "data.json: is damaged"),
        (
            "data.json",
            lambda text: text.replace('"target": 2', '"target": 1'),
            "names other images or classes than model",
        ),
        ("data.json", lambda text: text.replace('"zebra"', '"zebu"', 1), "names other images or classes than model"),
        ("model.safetensors", None, "run: holds no model: its training ended before the first epoch did"),
    ],
)
def test_a_damaged_run_is_one_sentence(
    own: Path, name: str, spoil: object, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if callable(spoil):
        (own / name).write_text(spoil((own / name).read_text(encoding="utf-8")), encoding="utf-8")
    else:
        (own / name).unlink()
    before = (own / "report.html").read_bytes()
    assert command(["report", str(own)]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert expected in said
    assert said.count("fieldstone: ") == 1
    assert said.count("\n") == 1
    assert (own / "report.html").read_bytes() == before


def test_what_is_no_run_is_refused(tmp_path: Path, made: Path) -> None:
    for place in (tmp_path, tmp_path / "nothing", made / "model.safetensors"):
        with pytest.raises(RunError, match="is no run; give the folder that a training made"):
            report(place)


def test_data_that_moved_or_changed_gives_a_report_without_pictures(mixed: Path, tmp_path: Path) -> None:
    data = shutil.copytree(mixed, tmp_path / "data")
    run = tmp_path / "run"
    trained(data, run, epochs=2)
    data.rename(tmp_path / "elsewhere")
    report(run)
    page = Page.read(run / "report.html")
    assert "The images are not shown" in page.text("data")
    assert "does not exist" in page.text("data")
    assert "There are no images to look at" in page.text("right")
    assert len(page.all("img")) == 8  # the filters
    assert page.tables["data"][0][-1][1:4] == [str(count) for count in _parts(run)]
    report(run, data=tmp_path / "elsewhere")
    found = Page.read(run / "report.html")
    assert "The images are not shown" not in found.text("data")
    assert len(found.all("img")) > 20
    next((tmp_path / "elsewhere").rglob("*.png")).unlink()
    (tmp_path / "elsewhere").rename(data)
    report(run)
    assert f"the data at {data} changed since the training" in Page.read(run / "report.html").text("data")


def _parts(run: Path) -> list[int]:
    rows = json.loads((run / "data.json").read_text(encoding="utf-8"))["rows"]
    return [sum(row["split"] == part for row in rows) for part in ("train", "val", "test")]


def test_without_validation_it_says_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20), {"a": "red", "b": "blue"}[name]).save(tmp_path / "data" / name / "1.png")
    trained(tmp_path / "data", tmp_path / "run")
    page = Page.read(tmp_path / "run" / "report.html")
    assert _parts(tmp_path / "run")[1:] == [0, 0]
    assert "No image validated: the last epoch is kept" in page.text("top")
    assert "This data leaves no image to test on" in page.text("top")
    assert "No image validates, so no mistakes, matrix or calibration are shown" in page.text("right")
    assert "mistakes" not in page.sections


def test_a_class_without_validation_images_has_no_recall(tmp_path: Path, mixed: Path) -> None:
    """Part folders: the test part is given; of one class nothing is left to validate."""
    data = shutil.copytree(mixed, tmp_path / "data")
    for file in sorted((data / "zebra").glob("*.png"))[2:]:
        file.unlink()
    trained(data, tmp_path / "run")
    page = Page.read(tmp_path / "run" / "report.html")
    zebra = next(row for row in page.tables["right"][1] if row[0] == "zebra")
    assert zebra[2] == "–"
    assert zebra[4] == "0"


def test_numbers_that_are_none_are_said(own: Path) -> None:
    lines = [json.loads(line) for line in (own / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    lines[1]["train"]["loss"] = float("nan")
    lines[2]["validation"]["loss"] = float("inf")
    lines[3]["images_per_second"] = None
    (own / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report(own)
    text = (own / "report.html").read_text(encoding="utf-8")
    assert "nan" not in re.findall(r' d="([^"]*)"', text)
    assert not [path for path in re.findall(r' d="([^"]*)"', text) if "nan" in path or "inf" in path]
    for line in lines:
        line["train"]["loss"] = line["validation"]["loss"] = float("nan")
    (own / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report(own)
    assert "no finite value" in Page.read(own / "report.html").text("curves")
    (own / "metrics.jsonl").unlink()
    report(own)
    assert "says nothing of its epochs" in Page.read(own / "report.html").text("curves")


class Own(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))


def test_a_network_of_ones_own(photos: Path, tmp_path: Path) -> None:
    model = fs.train(photos, network=Own(), input=(3, 16, 16), recipe=Recipe(epochs=2), out=tmp_path / "run")
    page = Page.read(tmp_path / "run" / "report.html")
    assert [one["aria-labelledby"] for one in page.all("section")] == SECTIONS
    assert "conv 6 5" in page.text("network")
    assert "6 kernels of 5×5 weights in layer 0" in page.text("filters")
    assert "network=YourNetwork()" in page.text("again")
    assert f"data={str(photos)!r}, network=YourNetwork())" in page.text("top")
    with pytest.raises(ModelError, match="so its class is needed; give it: --network package"):
        report(tmp_path / "run")
    report(tmp_path / "run", network=Own())
    assert "conv 6 5" in Page.read(tmp_path / "run" / "report.html").text("network")
    assert not model.network.training


def test_a_head_alone_has_no_curves_and_says_whose_figures_these_are(made: Path, mixed: Path, tmp_path: Path) -> None:
    verb.carry_out(mixed, start=made, recipe=Recipe.named("features"), out=tmp_path / "run", progress=Progress.quiet())
    page = Page.read(tmp_path / "run" / "report.html")
    assert "The head alone was fitted" in page.text("curves")
    assert [one for one in page.all("svg") if one.get("class") == "plot"][1:] == []
    assert "it was fitted to them too" in page.text("right")
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8"))
    assert f"{100 * line['validation']['accuracy']:.1f} % of the" in page.text("top")
    assert f"--start {made}" in page.text("again")
    verb.carry_out(
        mixed, start=fs.load(made / "model.safetensors"), recipe=Recipe.named("features"), out=tmp_path / "second",
        progress=Progress.quiet(),
    )  # fmt: skip
    assert "start=your_model, input='3x16x16'" in Page.read(tmp_path / "second" / "report.html").text("again")


def test_two_classes_one_logit(mixed: Path, tmp_path: Path) -> None:
    data = shutil.copytree(mixed, tmp_path / "data")
    shutil.rmtree(data / "zebra")
    trained(data, tmp_path / "run")
    page = Page.read(tmp_path / "run" / "report.html")
    assert "binary, 2 classes" in page.text("top")
    assert "area under the ROC curve" in page.text("right")
    assert len(page.tables["right"][0]) == 3
