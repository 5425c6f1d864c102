"""`package.module:Factory`: what it may be, and what is said where it is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fieldstone as fs
from fieldstone.cli import run

MINE = """
import torch
from torch import nn

print("imported")

class Small(nn.Sequential):
    def __init__(self, classes=4):
        head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))
        super().__init__(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), *head)

class Sized(nn.Module):
    def __init__(self, channels, *, depth, width=2):
        super().__init__()

class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.zeros(3) + torch.zeros(4)

def make():
    return Small(7)

ready = Small(5)
number = 3
makes_text = lambda: "text"

class Holder:
    Inner = Small
"""
BROKEN = "import math\n\nvalue = math.sqrt(-1)\n"
NEEDS = "import a_package_that_nobody_has\n"
WRONG = "def f(:\n    pass\n"
PROGRAM = "import sys\nsys.exit('a program, not a module')\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files = {"mine": MINE, "broken": BROKEN, "needs": NEEDS, "wrong": WRONG, "program": PROGRAM}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "inner.py").write_text("from mine import Small\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    assert sys.path == path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("given", "outputs"),
    [("mine:Small", 4), ("mine:make", 7), ("mine:ready", 5), ("mine:Holder.Inner", 4), ("package.inner:Small", 4)],
)
def test_a_class_a_function_or_a_module_in_this_folder(
    given: str, outputs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", given, "--input", "3x16x16", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["outputs"], answer["classes"], answer["input"]) == (outputs, None, [3, 16, 16])
    assert [layer["block"] for layer in answer["layers"]][:2] == ["conv 8 3 padding=1", "relu"]


def test_effective_fields_of_what_a_factory_makes_are_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = []
    for _ in range(2):
        assert run(["inspect", "mine:Small", "--input", "3x16x16", "--effective", "--json"]) == 0
        layers = json.loads(capsys.readouterr().out)["layers"]
        sizes.append({layer["block"]: layer["effective_field"] for layer in layers if "effective_field" in layer})
    assert list(sizes[0]) == ["conv 8 3 padding=1"]
    assert sizes[0] == sizes[1]
    assert 1 <= sizes[0]["conv 8 3 padding=1"] <= 3


def test_the_first_line_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "mine:Small", "--input", "3x16x16", "--classes", "4"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == "mine:Small: input 3x16x16, 4 classes (as asked), 4 outputs"
    assert captured.err == "imported\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mine:Smal", "mine has no Smal; did you mean Small?"),
        ("mine:Nothing", "mine has no Nothing"),
        ("mine:Sized", r"needs arguments: channels, depth; write a function .* returns Sized\(channels=…, depth=…\)"),
        ("mine:Broken", r"mine\.py:19: mine:Broken raises when it is called: RuntimeError: The size of tensor a"),
        ("mine:number", "mine:number is an int, not a torch.nn.Module"),
        ("mine:makes_text", "mine:makes_text gives a str, not a torch.nn.Module"),
        ("broken:Net", r"broken\.py:3: broken cannot be imported: ValueError: .*; mend it there"),
        ("needs:Net", r"needs\.py:1: needs cannot be imported: ModuleNotFoundError: No module named 'a_package"),
        ("wrong:Net", r"wrong\.py:1: wrong cannot be imported: SyntaxError: invalid syntax"),
        ("program:Net", r"program\.py:2: program cannot be imported: SystemExit: a program, not a module"),
        ("absent:Net", "there is no Python module absent; run this in the folder that holds it, or install it"),
        ("package.absent:Net", r"there is no Python module package\.absent"),
        ("mine.deeper:Net", r"there is no Python module mine\.deeper"),
    ],
)
def test_what_is_no_module(given: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(fs.FieldstoneError, match=message) as raised:
        fs.inspect(given, (3, 16, 16))
    assert "\n" not in str(raised.value)
    capsys.readouterr()
    assert run(["inspect", given, "--input", "3x16x16"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert "fieldstone: " in captured.err


def test_without_an_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "mine:Small"]) == 2
    assert "give its shape, as in --input 3x224x224" in capsys.readouterr().err


def test_a_design_and_a_module_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    design = Path("mine.yaml")
    layers = "conv 8 3 padding=1, relu, globalavgpool, linear classes"
    design.write_text(f"name: mine\ninput: 3x16x16\nclasses: 4\nlayers: [{layers}]\n", encoding="utf-8")
    assert run(["inspect", str(design), "mine:Small", "--input", "3x16x16"]) == 0
    assert "parameters: 260, then 260 (the same)" in capsys.readouterr().out
