"""The command line as programs and people meet it: what is printed where, and the exit status."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import nn

import fieldstone as fs
from fieldstone.cli import run

SMALL = """
name: small
input: 3x16x16
layers:
  - conv 6 3
  - relu
  - globalavgpool
  - linear classes
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict, str]:
    """Exit status, the one object on standard output, standard error."""
    status = run([*map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert out.count("\n") == 1, out
    return status, json.loads(out), err


def test_the_whole_way(folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, data, _ = answer(capsys, "data", photos)
    assert (status, data["form"], data["images"]) == (0, "folder", 72)
    status, trained, said = answer(
        capsys, "train", photos, "--design", "small.yaml", "--epochs", 2, "--out", "runs/first"
    )
    assert status == 0
    assert set(trained) == {
        "task", "run", "model", "report", "epochs", "kept", "best_epoch", "stopped", "seconds", "images_per_second",
        "validation", "left_out",
    }  # fmt: skip
    assert (trained["run"], trained["model"]) == ("runs/first", "runs/first/model.safetensors")
    assert (trained["epochs"], trained["stopped"], trained["left_out"]) == (2, None, [])
    assert re.search(r"^epoch 2/2  loss \d", said, re.MULTILINE)
    assert "flip is on: these are photos" in said
    status, tested, _ = answer(capsys, "test", "runs/first", photos)
    assert status == 0
    assert tested["images"] + tested["excluded_trained"] == 72
    assert tested["classes"] == sorted(tested["classes"])
    assert list(tested["per_class"]) == tested["classes"]
    assert [sum(row) for row in tested["confusion"]] == [row["images"] for row in tested["per_class"].values()]
    assert {"task", "accuracy", "loss", "calibration_error", "left_out"} <= set(tested)
    assert "auroc" not in tested
    status, listed, _ = answer(capsys, "inspect", "runs/first")
    assert (status, listed["classes"], listed["input"]) == (0, 3, [3, 16, 16])


def test_predict_prints_a_line_an_image_and_status_1_for_one_that_cannot_be_read(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(photos), "--design", "small.yaml", "--epochs", "1", "--out", "run"]) == 0
    capsys.readouterr()
    good = sorted(photos.rglob("*.png"))[0]
    assert run(["predict", "run", str(good), "none.png", str(good), "--json", "--top", "2"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"file", "label", "probability", "top"}, {"file", "error"}, set(lines[0])]
    assert lines[0]["top"][0] == [lines[0]["label"], lines[0]["probability"]]
    assert len(lines[0]["top"]) == 2
    assert run(["predict", "run", str(good)]) == 0
    assert capsys.readouterr().out.startswith(f"{good}: ")


def test_inspect_three_conv_has_the_published_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    status, listed, _ = answer(capsys, "inspect", "three-conv", "--classes", 2)
    assert (status, listed["classes"], listed["outputs"]) == (0, 2, 1)
    assert listed["totals"]["macs"] == 2_796_590
    assert listed["layers"][0] == {
        "path": "1", "block": "conv 10 3", "output": [10, 37, 37], "params": 280, "trainable": 280, "macs": 369_630,
        "forward_bytes": 73_012, "training_bytes": 54_760,
        "receptive_field": [3, 3], "jump": [1, 1],
        "start": [1, 1], "smallest_field": [3, 3], "padding_share": [0.0, 0.0], "sources": ["input"],
    }  # fmt: skip
    assert listed["layers"][-1]["jump"] is None


def test_width_changes_what_is_inspected_trained_and_printed(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, listed, _ = answer(capsys, "inspect", "three-conv", "--width", 2, "--classes", 2)
    assert (status, [layer["output"][0] for layer in listed["layers"][:-2:2]]) == (0, [24, 40, 80])
    assert run(["code", "three-conv", "--width", "2"]) == 0
    assert "nn.Conv2d(3, 24, kernel_size=3)" in capsys.readouterr().out
    options = ["--design", "small.yaml", "--width", "0.5", "--epochs", "1", "--out", "run"]
    assert answer(capsys, "train", photos, *options)[0] == 0
    written = (folder / "run" / "design.yaml").read_text(encoding="utf-8")
    assert "name: small x0.5\n" in written
    assert "- conv 3 3\n" in written


def test_inspect_has_status_1_where_a_finding_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "twice.yaml").write_text(SMALL + "  - softmax\n", encoding="utf-8")
    status, listed, _ = answer(capsys, "inspect", "twice.yaml")
    assert status == 1
    errors = [(one["code"], one["where"]) for one in listed["findings"] if one["severity"] == "error"]
    assert errors == [("FS201", "5")]


def test_inspect_draws_into_a_file_and_replaces_the_one_that_is_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folder / "network.svg"
    place.write_text("old", encoding="utf-8")
    status, listed, _ = answer(capsys, "inspect", "three-conv", "--classes", 2, "--svg", place)
    assert (status, listed["totals"]["macs"]) == (0, 2_796_590)
    assert place.read_text(encoding="utf-8") == fs.inspect("three-conv", classes=2).to_svg()
    assert {path.suffix for path in folder.iterdir()} == {".svg", ".yaml"}, "nothing unfinished is left"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "the drawing's file '' is no file name"),
        (".", "is no file name"),
        ("none/a.svg", "none/a.svg: cannot be written"),
    ],
)
def test_a_drawing_that_cannot_be_written_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, said: str
) -> None:
    assert run(["inspect", "three-conv", "--svg", file]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert "give a file in a folder that is there" in err


def test_designs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["designs", "--json"]) == 0
    params = {one["name"]: one["params"] for one in json.loads(capsys.readouterr().out)["designs"]}
    assert params["lenet-5"] == 61_706
    assert {"three-conv", "vgg-small", "resnet-18"} < set(params)
    assert run(["designs"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert (heading.split(), len(lines)) == (["name", "input", "parameters", "multiply-adds", "about"], len(params))
    at = heading.index("about")
    assert all(line[at - 2 : at + 1].startswith("  ") and line[at] != " " for line in lines)
    (row,) = (line for line in lines if line.startswith("lenet-5 "))
    assert row.split()[:6] == ["lenet-5", "1x28x28", "61.7", "k", "417", "k"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere"], "the path 'nowhere' does not exist"),
        (["train"], "no data is named"),
        (["train", "PHOTOS", "--design", "lenet"], "there is no design 'lenet'; did you mean lenet-5?"),
        (["train", "PHOTOS", "--epochs", "0"], "epochs: '0' is not possible"),
        (["train", "PHOTOS", "--epochs", "many"], "'many' is not possible, it should be a valid integer; set"),
        (["train", "PHOTOS", "--set", "learning_rate=-1"], "learning_rate: -1 is not possible"),
        (["train", "PHOTOS", "--set", "rate=1"], "the recipe has no field 'rate'"),
        (["train", "PHOTOS", "--recipe", "quik"], "did you mean quick?"),
        (
            ["train", "PHOTOS", "--input", "3y4"],
            "input '3y4' is not a shape: channels, then one to three sides, above 0",
        ),
        (
            ["inspect", "three-conv", "--input", "1x2x3x4x5"],
            "'1x2x3x4x5' is not a shape: channels, then one to three sides",
        ),
        (["train", "PHOTOS", "--input", "5x32x32"], "one or three channels"),
        (["train", "PHOTOS", "--task", "binary"], "binary has two classes, not 3"),
        (["train", "PHOTOS", "--device", "tpu9"], "device 'tpu9' is not available here"),
        (["train", "PHOTOS", "--out", "."], "exists, and a run is never overwritten"),
        (["train", "PHOTOS", "--out", "small.yaml/run"], "cannot be made"),
        (["train", "PHOTOS", "--out", ""], "the run folder to make has an empty name; give --out a name"),
        (["inspect", "--classes"], "--classes needs a value; `fieldstone inspect --help` lists what there is"),
        (["train", "PHOTOS", "--out", "--seed", "3"], "--out needs a value;"),
        (
            ["weights", "import", "a.pth", "--desing", "alexnet"],
            "there is no option '--desing'; did you mean --design?",
        ),
        (["designs", "-hh"], "there is no option '-hh'; "),
        ([""], "there is no command ''; `fieldstone --help` lists them"),
        (["inspect"], "DESIGN is missing; `fieldstone inspect --help` lists what there is"),
        (["inspect", "three-conv", "--classes", "x"], "--classes 'x' is no whole number from 1 on; `fieldstone"),
        (["train", "PHOTOS", "--resume", "run"], "DATA cannot be given here: --resume takes all from the run"),
        (["train", "--width", "0.5", "--resume", "run"], "--width cannot be given here"),
        (
            ["inspect", "three-conv", "--width", "0"],
            "width 0 is not above 0 and at most 100; give a factor such as 0.5",
        ),
        (["train", "--resume", "nowhere"], "is no run that was interrupted"),
        (["train", "PHOTOS", "--input", "3x2x2"], "smaller than"),
        (["test", "nowhere", "PHOTOS"], "is not there"),
        (["test", "small.yaml", "PHOTOS"], "is no whole model file"),
        (["predict", "nowhere", "x.png"], "is not there"),
        (["inspect", "nowhere.yaml"], "cannot be read"),
        (["inspect", "three-conv", "--input", "3x12x12"], "its input is 20x3x3, smaller than the 5x5 kernel"),
        (["inspect", "three-conv", "--classes", "0"], "--classes '0' is no whole number from 1 on"),
        (["inspect", "three-conv", "--memory", "8XB"], "memory '8XB' is no amount; write a number and a unit, as in"),
        (["inspect", "three-conv", "--memory", "0GB"], "memory '0GB' is no amount"),
        (["inspect", "three-conv", "--object", "3x4x5"], "object '3x4x5' is no size of what is in an input of 2 sides"),
        (["inspect", "three-conv", "--object", "0"], "object '0' is no size"),
        (["inspect", "three-conv", "--select", "FS2O3"], "no finding has the code 'FS2O3'; did you mean FS203?"),
        (["inspect", "three-conv", "--ignore", "XY"], "no finding has the code 'XY'; the codes are FS101, "),
        (["inspect", "three-conv", "--select", "FS101,"], "no finding has the code ''"),
        (["inspect", "three-conv", "--batch-size", "0"], "--batch-size '0' is no whole number from 1 on"),
        (
            ["inspect", "three-conv", "--task", "segmenting"],
            "task 'segmenting' is unknown here; choose one of binary, ",
        ),
        (["inspect", "three-conv", "--each", "--svg", "a.svg"], "--svg is for one design, not for several"),
        (["inspect", "a", "b", "c"], "inspect takes one design, or two to compare, not 3; add --each"),
        (["code", "three-con"], "did you mean three-conv?"),
        (["dat", "PHOTOS"], "there is no command 'dat'; did you mean data? `fieldstone --help` lists what there is"),
        (["data", "PHOTOS", "--nonsense"], "there is no option '--nonsense'; `fieldstone data --help` lists them"),
        (
            ["train", "PHOTOS", "--epoch=3"],
            "there is no option '--epoch'; did you mean --epochs? `fieldstone train --help`",
        ),
        (["train", "PHOTOS", "--epochs"], "--epochs needs a value; `fieldstone train --help` lists what there is"),
        (["data", "PHOTOS", "more"], "'more' is too many; `fieldstone data --help` lists what there is"),
        (["inspect", "three-conv", "--width", "wide"], "--width 'wide' is no number; `fieldstone inspect --help`"),
        (["figure", "conv", "-o", "a.svg", "--bias", "-1e-3x"], "--bias '-1e-3x' is no number;"),
        (
            ["weights", "import", "a.pth", "--design", "alexnet", "-o", "a", "--mean", "-.5,b"],
            "'-.5,b' is not made of numbers",
        ),
        (["--quiet", "data"], "there is no option '--quiet'; `fieldstone --help` lists them"),
        (
            ["weights", "import"],
            "--design, -o/--out are missing; `fieldstone weights import --help` lists what there is",
        ),
        (["weights", "imports"], "there is no command 'imports'; did you mean import? `fieldstone weights --help`"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    typed = [str(photos) if word == "PHOTOS" else word for word in arguments]
    typed += ["--design", "small.yaml"] if typed[0] == "train" and {"--design", "--resume"}.isdisjoint(typed) else []
    assert run(typed) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert "Traceback" not in err
    said = err.splitlines()[-1]
    assert said.startswith("fieldstone: ")
    if "--json" not in typed and typed[0] != "code":
        status, content, _ = answer(capsys, *typed)
        assert status == 2
        assert set(content["error"]) == {"message", "file", "line", "path", "fix"}
        assert list(folder.iterdir()) == [folder / "small.yaml"]


def test_a_fault_in_a_design_names_file_line_and_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text(SMALL.replace("relu", "rellu"), encoding="utf-8")
    _, content, _ = answer(capsys, "inspect", "bad.yaml")
    assert (content["error"]["file"], content["error"]["line"]) == ("bad.yaml", 6)
    assert "relu" in content["error"]["fix"]
    (folder / "bad.yaml").write_text(SMALL.replace("conv 6 3", "conv 6 17"), encoding="utf-8")
    _, content, _ = answer(capsys, "inspect", "bad.yaml")
    assert (content["error"]["line"], content["error"]["path"]) == (5, "1")


def test_a_network_that_ends_in_a_map_is_refused_before_any_work(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "map.yaml").write_text("input: 3x16x16\nlayers: [conv classes 1]\n", encoding="utf-8")
    status, content, _ = answer(capsys, "train", photos, "--design", "map.yaml")
    message = "ends in 3x16x16, an answer for every place, and the task needs 3 numbers an image"
    assert (status, content["error"]["message"]) == (2, message)


def test_what_is_wrong_with_a_design_is_said_before_it_trains(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "twice.yaml").write_text(SMALL + "  - softmax\n", encoding="utf-8")
    status, _, said = answer(capsys, "train", photos, "--design", "twice.yaml", "--epochs", 1, "--out", "run")
    assert status == 0
    lines = said.splitlines()
    (place,) = (n for n, line in enumerate(lines) if line.startswith("error FS201 at 5: the network ends with softmax"))
    assert place < next(n for n, line in enumerate(lines) if line.startswith("epoch 1/1"))
    assert not [line for line in lines if line.startswith("note FS")]
    status, _, said = answer(capsys, "train", photos, "--design", "small.yaml", "--epochs", 1, "--out", "good")
    assert not re.search(r"^error|FS201", said, re.MULTILINE)


def test_a_block_too_large_for_memory_is_named(folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = ["repeat 1: [conv 6000 3 padding=1, conv 999999999 3]", "globalavgpool", "linear classes"]
    (folder / "large.yaml").write_text(
        "input: 3x16x16\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers), encoding="utf-8"
    )
    status, content, _ = answer(capsys, "train", photos, "--design", "large.yaml")
    assert status == 2
    error = content["error"]
    assert (error["file"], error["line"], error["path"]) == ("large.yaml", 3, "1.1.2")
    parameters = (6000 * 9 + 1) * 999_999_999
    assert error["message"] == f"conv 999999999 3: there is too little memory for its {parameters:,} parameters"
    assert "--width 0.5" in error["fix"]


def test_an_input_too_large_for_memory_is_one_sentence(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, content, _ = answer(capsys, "train", photos, "--design", "small.yaml", "--input", "3x9999999x9999999")
    assert (status, content["error"]["message"]) == (2, "this machine has too little memory")


def test_the_best_epoch_is_said_with_what_it_is_best_by(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(photos), "--design", "small.yaml", "--epochs", "2", "--out", "run"]) == 0
    assert re.search(r"; best epoch \d by probability of truth, validation \d", capsys.readouterr().out)


def test_the_task_of_a_run_is_that_of_its_model(folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("blue sky", "나무"):
        shutil.copytree(photos / name, folder / "two" / name)
    for task, outputs in (("multiclass", 2), ("binary", 1)):
        words = ["--design", "small.yaml", "--epochs", "1", "--task", task, "--out", task]
        assert answer(capsys, "train", "two", *words)[0] == 0
        for place in (task, f"{task}/model.safetensors"):
            status, listed, _ = answer(capsys, "inspect", place)
            assert (status, listed["classes"], listed["outputs"]) == (0, 2, outputs)
            assert run(["code", place]) == 0
            assert f"nn.Linear(6, {outputs})" in capsys.readouterr().out
        _, listed, _ = answer(capsys, "inspect", task, "--classes", 5)
        assert listed["outputs"] == 5


def test_a_network_of_the_users_own_is_called_so(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fieldstone as fs

    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
    fs.train(photos, network=network, input=(3, 16, 16), recipe=fs.Recipe(epochs=1), out="own")
    for words in (["inspect"], ["train", photos, "--design"]):
        for place in ("own", "own/model.safetensors"):
            status, content, _ = answer(capsys, *words, place)
            assert status == 2
            assert "a network of your own, of which there is no design" in content["error"]["message"]


NETS = """
from torch import nn


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
"""


def test_a_network_of_the_users_own_goes_the_whole_way_by_its_name(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "own_nets.py").write_text(NETS, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)
    own = ["--network", "own_nets:Net"]
    asked = [photos, *own, "--input", "3x16x16", "--epochs", 1]
    weights = []
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        status, trained, _ = answer(capsys, "train", *asked, "--seed", seed, "--out", out)
        assert (status, trained["model"]) == (0, f"{out}/model.safetensors")
        weights.append(load_file(trained["model"])["0.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    image = photos / "zebra 🦓" / "00.png"
    status, tested, _ = answer(capsys, "test", "a", photos, *own)
    assert (status, tested["images"] > 0) == (0, True)
    status, predicted, _ = answer(capsys, "predict", "a", image, *own)
    assert (status, len(predicted["top"])) == (0, 3)
    assert answer(capsys, "report", "a", *own, "-o", "a.html")[:2] == (0, {"report": "a.html"})
    assert answer(capsys, "explore", "a", image, *own, "-o", "inside.html")[:2] == (0, {"page": "inside.html"})
    for words in (["test", "a", photos], ["predict", "a", image], ["report", "a"], ["explore", "a", image]):
        status, content, _ = answer(capsys, *words)
        assert (status, content["error"]["fix"].partition(",")[0]) == (
            2, "give it: --network package.module:YourNetwork",
        )  # fmt: skip
    status, content, _ = answer(capsys, "test", "a", photos, "--network", "Net")
    assert (status, content["error"]["message"]) == (2, "'Net' is not package.module:Factory")
    status, content, _ = answer(capsys, "train", photos, *own)
    assert (status, content["error"]["fix"]) == (2, "give it, as in 3x64x64")


LOADING = """
import runpy, sys

class Interrupted:
    def find_spec(self, name, *_):
        if name == module:
            raise KeyboardInterrupt

module, sys.argv = sys.argv[1], ["fieldstone", "train", "nowhere", "--json"]
sys.meta_path.insert(0, Interrupted())
runpy.run_module("fieldstone", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["fieldstone.cli", "argparse", "torch"])
def test_ctrl_c_while_it_is_being_loaded_is_quiet(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOADING, module], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr in ("", "interrupted\n")


def test_strict_makes_a_damaged_image_an_error(folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in photos.rglob("*.png"):
        place = folder / "data" / file.relative_to(photos)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    broken = folder / "data" / "나무" / "00.png"
    broken.write_bytes(broken.read_bytes()[:200])
    status, content, _ = answer(capsys, "data", "data", "--strict")
    assert (status, content["error"]["file"]) == (2, "나무/00.png")
    options = ["--design", "small.yaml", "--epochs", "1"]
    status, content, _ = answer(capsys, "train", "data", *options, "--out", "strict", "--strict")
    assert (status, (folder / "strict").exists()) == (2, False)
    status, trained, said = answer(capsys, "train", "data", *options, "--out", "run")
    assert status == 0
    assert [left["file"] for left in trained["left_out"]] == ["나무/00.png"]
    assert "1 file left out" in said


def test_options_stand_anywhere_and_after_two_dashes_none(
    folder: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", "three-conv", "--json", "lenet-5"]) == 0
    assert set(json.loads(capsys.readouterr().out)) >= {"first", "second"}
    assert run(["inspect", "--", "--help"]) == 2
    assert "there is no design '--help'" in capsys.readouterr().err
    assert run(["designs", "--", "-3"]) == 2
    assert capsys.readouterr().err.startswith("fieldstone: '-3' is too many; ")
    assert run(["figure", "conv", "-o-1.svg", "--bias", "-inf", "--no-key", "--arithmetic"]) == 0
    assert run(["figure", "conv", "--output", "-2.svg"]) == 0
    assert {"-1.svg", "-2.svg"} <= {file.name for file in folder.iterdir()}
    capsys.readouterr()
    assert run(["inspect", "three-conv", "--classes=7"]) == 0
    assert "7 classes (as asked)" in capsys.readouterr().out


def test_help_lists_every_verb_and_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in ("data", "train", "test", "predict", "inspect", "designs", "code"):
        assert re.search(rf"^  {verb} ", text, re.MULTILINE)
        assert run([verb, "--help"]) == 0
    assert not [line for line in text.splitlines() if line.endswith("...") and "COMMAND" not in line]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("inspect three-conv > /dev/full", 2),
        ("inspect three-conv --json > /dev/full", 2),
        ("inspect nothing --json > /dev/full", 2),
        ("inspect nothing 2> /dev/full", 2),
        ("inspect three-conv >&-", 2),
        ("--version > /dev/full", 2),
        ("inspect three-conv | true", 0),
    ],
)
def test_output_that_nobody_takes_ends_with_a_status_and_no_traceback(command: str, status: int) -> None:
    # Without PYTHONUNBUFFERED the fault is met when Python flushes at its end.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    words = f"set -o pipefail; {sys.executable} -m fieldstone {command}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    told = status == 2 and "2>" not in command
    assert len(done.stderr.splitlines()) == told, done.stderr


def test_inspect_takes_what_rules_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    def codes(*words: object) -> list[str]:
        return [one["code"] for one in answer(capsys, "inspect", "vgg-16", *words)[1]["findings"]]

    assert codes("--memory", "7GiB", "--batch-size", 64) == ["FS301", "FS302"]
    assert codes("--memory", "80GB", "--batch-size", 64) == ["FS301"]
    assert codes("--memory", "7GiB", "--batch-size", 64, "--select", "FS302") == ["FS302"]
    assert codes("--memory", "7GiB", "--batch-size", 64, "--ignore", "fs3") == []
    assert codes("--memory", "7GiB", "--batch-size", 64, "--select", "FS1,FS3", "--ignore", "FS302, FS1") == ["FS301"]
    assert codes("--task", "segmentation", "--select", "FS20") == ["FS202"]


def test_strict_has_status_1_on_warnings_and_not_on_notes(capsys: pytest.CaptureFixture[str]) -> None:
    for words, status in [
        (["vgg-16", "--strict"], 0),
        (["vgg-16", "--memory", "1GB", "--batch-size", 9], 0),
        (["vgg-16", "--memory", "1GB", "--batch-size", 9, "--strict"], 1),
        (["vgg-16", "--memory", "1GB", "--batch-size", 9, "--strict", "--ignore", "FS302"], 0),
    ]:
        assert answer(capsys, "inspect", *words)[0] == status


def test_each_prints_the_findings_of_several_designs_and_goes_on_after_a_broken_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "twice.yaml").write_text(SMALL + "  - softmax\n", encoding="utf-8")
    (folder / "bad.yaml").write_text(SMALL.replace("conv 6 3", "conv 6 17"), encoding="utf-8")
    assert run(["inspect", "--each", "small.yaml", "twice.yaml"]) == 1
    out, err = capsys.readouterr()
    assert (out.splitlines()[-1].split(":")[:2], err) == (["twice.yaml", " error FS201 at 5"], "")
    assert run(["inspect", "--each", "bad.yaml", "twice.yaml"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("fieldstone: bad.yaml:5: conv 6 17: ")
    assert "twice.yaml: error FS201 at 5" in out
    assert run(["inspect", "--each", "bad.yaml", "twice.yaml", "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["error", "design"]
    assert lines[1]["design"] == "twice.yaml"


def test_the_hook_stops_a_commit_with_a_warning_and_names_the_file(folder: Path) -> None:
    (hook,) = yaml.safe_load((Path(__file__).parents[1] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, *words = hook["entry"].split()
    assert (program, hook["language"]) == ("fieldstone", "python")
    (folder / "designs").mkdir()
    (folder / "designs/good.yaml").write_text(SMALL, encoding="utf-8")
    (folder / "designs/wider.yml").write_text(SMALL.replace("  - relu\n", ""), encoding="utf-8")
    files = ["designs/good.yaml", "designs/wider.yml", "my-design.yaml", "src/design.yaml"]
    assert all(re.search(hook["files"], name) for name in files)
    assert not any(re.search(hook["files"], name) for name in ("ci.yaml", "designs/notes.md", "redesigned/ci.yaml"))

    def hooked(*names: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", program, *words, *names]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert hooked(files[0]).returncode == 0
    stopped = hooked(*files[:2])
    assert stopped.returncode == 1
    assert "designs/wider.yml: warning FS203 at 3: " in stopped.stdout


def test_inspect_shows_the_arithmetic_of_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "three-conv", "--explain", "3"]) == 0
    assert "floor((37 + 2·0 − 1·(5−1) − 1)/2) + 1 = 17" in capsys.readouterr().out
    status, shown, _ = answer(capsys, "inspect", "three-conv", "--explain", "3")
    assert (status, shown["output"], shown["fields"][0]) == (0, [20, 17, 17], "3 + (5−1)·1 = 7")
    assert run(["inspect", "three-conv", "--explain", "9"]) == 2


def test_inspect_compares_two_designs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "twice.yaml").write_text(SMALL + "  - softmax\n", encoding="utf-8")
    (folder / "once.yaml").write_text(SMALL, encoding="utf-8")
    status, shown, _ = answer(capsys, "inspect", "once.yaml", "twice.yaml")
    assert status == 1  # the second has an error
    assert [pair["change"] for pair in shown["pairs"]][-1] == "only in the second"
    assert "FS201" in [finding["code"] for finding in shown["second"]["findings"]]
    assert run(["inspect", "twice.yaml", "once.yaml"]) == 0
    assert run(["inspect", "once.yaml", "twice.yaml", "three-conv"]) == 2
    assert run(["inspect", "once.yaml", "twice.yaml", "--svg", "a.svg"]) == 2


def test_inspect_measures_effective_fields(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown, _ = answer(capsys, "inspect", "three-conv", "--effective")
    measured = {layer["path"]: layer["effective_field"] for layer in shown["layers"] if "effective_field" in layer}
    assert (status, list(measured)) == (0, ["1", "3", "5"])
    assert 5 < measured["3"] <= 7
    assert run(["inspect", "three-conv", "--effective"]) == 0
    assert "effective" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr() == (f"fieldstone {importlib.metadata.version('fieldstone')}\n", "")
