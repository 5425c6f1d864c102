"""What cannot be drawn is one sentence with its remedy; what users write stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import drawn
from fieldstone.cli import run

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("maxpol", "there is no figure 'maxpol'; give one of maxpool, avgpool, conv, upconv"),
        ("maxpool --kernel 7", "maxpool 7 stride=1: its input is 1x5x5, smaller than the 7x7 kernel; pad it"),
        ("maxpool --padding 2", "maxpool 3 stride=1 padding=2: "),
        ("maxpool --input 60", "the input is 60x60, too large to be shown with numbers; give at most 15x15"),
        ("conv --input 14 --padding 4", "the padded input is 22x22, too large to be shown with numbers"),
        ("upconv --input 9", "the output is 19x19, too large to be shown with numbers; give at most 15x15"),
        ("conv --input 15 --kernel 60", "the kernel is 60x60, too large"),
        ("maxpool --input 5y", "input '5y' is no size; write rows and columns, as in 3 or 3x2"),
        ("maxpool --input 0", "input '0' is no size"),
        ("maxpool --stride 0", "stride '0' is no size"),
        ("maxpool --cell 5", "a cell of 5 pixels cannot be drawn; give --cell 24 to 96"),
        ("maxpool --cell nan", "a cell of nan pixels cannot be drawn; give --cell 24 to 96"),
        ("maxpool --theme blue", "there is no theme 'blue'; give one of light, dark, auto"),
        ("maxpool --language fr", "there is no language 'fr'; give one of en, ko"),
        ("maxpool --weight k.csv", "a figure of maxpool has no --weight; it has --input, --values, --seed"),
        ("avgpool --dilation 2", "a figure of avgpool has no --dilation; it has"),
        ("gridding --input 5", "a figure of gridding has no --input; it has --kernel, --dilations"),
        ("gridding --dilations 1,a", "dilations '1,a' are no numbers; write one a layer, as in 1,2,3"),
        ("gridding --dilations 9,9", "dilations 9,9 see 37x37 cells, more than 25 a side; give fewer or smaller ones"),
        ("gridding --kernel 3x2", "gridding is drawn for kernels of equal sides; give --kernel 3"),
        ("conv --padding-mode mirror --padding 1", "padding_mode=mirror"),
        ("padding --padding 5", "reflect cannot mirror 5 cells of a map with 4 a side; give --padding 3 or less"),
        ("padding --input 1", "reflect cannot mirror 2 cells of a map with 1 a side; give a larger map"),
        ("sizes --step 2", "there is no step 2; leave --step out: it has one"),
        ("maxpool --channels 9", "9 channels have no place in a figure; give at most 4"),
        ("maxpool --step 10", "there is no step 10; give 1 to 9"),
        ("maxpool --step 0", "there is no step 0; give 1 to 9"),
        ("maxpool --step 2 --animate", "a film has all steps, so --step says nothing; leave it out"),
        ("maxpool --smooth", "--smooth is for a film; add --animate, or give -o a .gif"),
        ("gridding --smooth --animate", "nothing moves in this figure of gridding; leave --smooth out"),
        ("maxpool --loop 2", "--loop is for a film; add --animate"),
        ("maxpool --input 12 --animate", "100 steps are more than the 64 of a film; give a smaller --input"),
        ("maxpool --values no.csv", "no.csv: cannot be read: no such file or directory; give a file of numbers"),
        ("maxpool --values words.csv", "words.csv:2: 'two' is no number; write numbers with commas between them"),
        ("maxpool --values ragged.csv", "ragged.csv:3: has 1 number, the first row 2; give rows of the same length"),
        ("maxpool --values uneven.csv", "uneven.csv: its channels have 2, 1 rows; give channels of the same size"),
        ("maxpool --values gap.csv", "gap.csv:1: a number is missing"),
        ("maxpool --values empty.csv", "empty.csv: holds no number; write a row a line"),
        ("maxpool --values binary.csv", "binary.csv: cannot be read: it is no text"),
        ("maxpool --kernel 1 --values wide.csv", "−1.23e5 has 7 characters, too many for a cell of 48 pixels"),
        ("maxpool --values ok.csv --input 3", "--values says what --input is; leave --input out"),
        ("conv --weight ok.csv --kernel 3", "--weight says what --kernel is; leave --kernel out"),
        ("conv --channels 2 --weight ok.csv", "ok.csv: has 1 channel, the input 2; write a kernel for each channel"),
        ("field --design densenet-121", "densenet-121: 64 maps one after another are more than the 32 of a figure"),
        ("field --design wavenet", "there is no window over rows and columns"),
        ("field --design nothing", "nothing"),
    ],
)  # fmt: skip
def test_faults_name_what_is_wrong(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = {"words": "1,2\n3,two\n", "ragged": "1,2\n3,4\n5\n", "uneven": "1,2\n3,4\n\n5,6\n", "gap": "1,,2\n"}
    tables |= {"empty": "\n\n", "ok": "1,2\n3,4\n", "wide": "-123456.7,1\n2,3\n"}
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    before = sorted(tmp_path.iterdir())
    assert run(["figure", *arguments.split(), "-o", "max.svg"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert message in captured.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("maxpool -o max.jpg", "the figure's file 'max.jpg' has none of .svg, .png, .gif; such as -o max.svg"),
        ("maxpool -o max.png --animate", "a PNG stands still; give -o a .gif or .svg, or leave --animate out"),
        ("maxpool -o nowhere/max.svg", "nowhere/max.svg: cannot be written: no such file or directory; give a file"),
        ("maxpool", "-o/--output is missing"),
    ],
)
def test_faults_of_the_file(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["figure", *arguments.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_figure_that_is_there_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "max.svg"
    file.write_text("old")
    assert run(["figure", "maxpool", "-o", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(file)
    assert told["steps"] == 9
    assert told["size"] == file.stat().st_size
    root = drawn.tree(file.read_text(encoding="utf-8"))
    assert (root.get("width"), root.get("height")) == (str(told["width"]), str(told["height"]))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_users_write_stays_text(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    design = {"name": HOSTILE, "input": "1x9x9", "layers": ["conv 1 3", "flatten", "linear classes"]}
    Path("net.yaml").write_text(json.dumps(design))
    assert run(["figure", "field", "--design", "net.yaml", "-o", "a.svg", "--animate", "--language", language]) == 0
    text = Path("a.svg").read_text(encoding="utf-8")
    root = drawn.tree(text)
    assert {element.tag.removeprefix(drawn.SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "path", "text", "tspan", "circle",
    }  # fmt: skip
    assert (root.findtext(f"{drawn.SVG}title") or "").startswith(HOSTILE)
    assert "<img" not in text


def test_values_that_are_markup_are_no_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(f"1,2\n3,{HOSTILE}\n")
    assert run(["figure", "maxpool", "--values", str(tmp_path / "a.csv"), "-o", str(tmp_path / "a.svg")]) == 2
    assert re.search(r"a.csv:2: '<img src=x onerror=alert\(1\)>' is no number", capsys.readouterr().err)


def test_infinite_and_missing_values_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("nan,1\n-inf,2\n")
    file = tmp_path / "a.svg"
    assert run(["figure", "maxpool", "--kernel", "1", "--values", str(tmp_path / "a.csv"), "-o", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert 'data-value="NaN"' in text
    assert 'data-value="-Infinity"' in text
    assert ">−∞</text>" in text


def test_figures_load_no_torch(tmp_path: Path) -> None:
    words = ["figure", "conv", "-o", str(tmp_path / "a.svg")]
    code = f"import sys\nfrom fieldstone.cli import run\nassert run({words!r}) == 0\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_field_is_what_inspect_says(tmp_path: Path) -> None:
    """The receptive field of the last map in the input, and the cells of the maps between, by hand for three-conv."""
    file = tmp_path / "a.svg"
    assert run(["figure", "field", "--design", "three-conv", "-o", str(file)]) == 0
    root = drawn.tree(file.read_text(encoding="utf-8"))
    runs = [element.attrib for element in root.iter(f"{drawn.SVG}rect") if "data-map" in element.attrib]
    found = {run["data-map"]: (int(run["data-rows"]), int(run["data-columns"])) for run in runs}
    assert found == {"0": (15, 15), "1": (13, 13), "2": (5, 5), "3": (1, 1)}
    first = next(run for run in runs if run["data-map"] == "0")
    assert (first["data-row"], first["data-column"]) == ("12", "12")  # 3 · 4 pixels before its first
    texts = [text for element in root.iter(f"{drawn.SVG}text") for text in element.itertext()]
    assert {"sees 15 × 15", "sees 13 × 13", "sees 5 × 5", "one value", "3×39×39"} <= set(texts)
