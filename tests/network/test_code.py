"""Plain PyTorch: the printed file against our own network, as text, and as a program."""

from __future__ import annotations

import ast
import io
import re
import runpy
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from fieldstone.design import named
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.vocabulary import BLOCKS
from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.code import plain_code
from places import OUTPUTS
from strategies import designs

RANDOM = settings(deadline=None, suppress_health_check=list(HealthCheck))
RUFF = [sys.executable, "-m", "ruff"]
STYLE = ["--isolated", "--line-length", "100"]


def run_class(source: str) -> nn.Module:
    """The network of a printed file."""
    namespace: dict[str, Any] = {"__name__": "printed"}
    exec(compile(source, "printed.py", "exec"), namespace)
    network: nn.Module = namespace["Network"]()
    return network


def same_network(design: Design, classes: int, outputs: int) -> str:
    """Holds the printed network to the built one, with its weights carried over by order; gives the printed text."""
    source = plain_code(design, classes, outputs)
    built, printed = build(design, outputs), run_class(source)
    stir(built)
    weights = list(built.state_dict().values())
    assert [w.shape for w in printed.parameters()] == [w.shape for w in built.parameters()]
    assert [w.shape for w in printed.state_dict().values()] == [w.shape for w in weights]
    printed.load_state_dict(dict(zip(printed.state_dict(), weights, strict=True)))
    inputs = torch.randn(2, *design.input, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(printed.eval()(inputs), built.eval()(inputs), rtol=1e-5, atol=1e-6, equal_nan=True)
    return source


def stir(network: nn.Module) -> None:
    """Gives every weight and statistic a value of its own, so that two of one shape cannot be exchanged unseen."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) * 0.4 + 0.1)


def checked_by_ruff(folder: Path) -> None:
    """Every file of a folder is laid out and written as ruff wants it."""
    rules = ["--select", "E,F,W,I,UP,B,C4,SIM,PTH,RUF,PIE"]
    for command in (["format", "--diff", *STYLE], ["check", *STYLE, *rules]):
        answer = subprocess.run([*RUFF, *command, str(folder)], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def only_in_comments(source: str) -> None:
    """Imports the standard library, torch, NumPy and Pillow, and names us in comments alone."""
    modules = set()
    for node in ast.walk(ast.parse(source)):
        modules |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        modules |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
    assert {name.split(".")[0] for name in modules} <= {*sys.stdlib_module_names, "torch", "numpy", "PIL"}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    assert not [token for token in tokens if token.type != tokenize.COMMENT and "fieldstone" in token.string.lower()]


def design(shape: tuple[int, ...], *layers: Any, **fields: str) -> Design:
    return Design(shape, layers, **fields)


UNET = design(
    (3, 33, 33),
    {"repeat 2": ["conv 4 3", "relu"]},
    "save fine",
    "maxpool 2",
    {"residual": ["conv 4 3 padding=same", "batchnorm", "save deep", "relu", "multiply deep"]},
    {"branches multiply": [["conv 4 1"], ["conv 2 1", "elu", "conv 4 3 padding=1"], []]},
    "concat fine crop=true",
    ["conv 6 2 padding=same", "leakyrelu negative_slope=0.2"],
    "globalavgpool keepdims=true",
    "flatten",
    "linear classes",
)
NAMES = design(
    (2, 16, 16),
    "save x",
    "conv 2 2 padding=same padding_mode=reflect",
    "save self",
    "save class",
    "add x",
    "save l",
    {
        "repeat 2": [
            "save body",
            "tanh",
            "save never-read",
            {"residual": {"body": ["conv 2 1", "add body"], "shortcut": ["multiply input", "save b-1", "add b-1"]}},
            "add self",
            "multiply class",
            "concat l",
            "conv 2 1",
        ]
    },
    ["save one", "sigmoid"],
    {"branches add": [["save two", "add one"], [], ["gelu approximate=tanh", {"repeat 3": ["silu"]}]]},
    "add one",
    "globalmaxpool",
    "linear classes bias=false",
    name="Fieldstone\n'''",
    about='quotes """ and\nlines, fieldstone \\',
)
PASSES = design(
    (1, 20),
    {"repeat 3": [{"repeat 2": ["conv 3 3 padding=1"]}, {"branches concat": [["conv 1 1 groups=1"], []]}, "conv 3 1"]},
    {"branches add": [["relu"], [{"repeat 2": ["dropout 0.2"]}, "gelu"]]},
    "maxpool 2 stride=1 dilation=2 ceil_mode=true",
    "avgpool 3 stride=2 padding=1 count_include_pad=false",
    "flatten",
    {"repeat 2": ["linear 4", "batchnorm momentum=0.2"]},
    {"residual": ["linear 4 bias=false"]},
    "linear classes",
    "softmax",
)
VOLUME = design(
    (2, 7, 8, 9),
    "conv 4 2x3x2 padding=same padding_mode=circular groups=2",
    "conv 4 2 padding=same padding_mode=replicate",
    "conv 3 3 stride=1x2x2 padding=0x1x2 dilation=2x1x1 bias=false",
    "batchnorm eps=0.001",
    "avgpool 2",
    "conv classes 1",
)
DEEP = design(
    (2, 12, 12),
    *[
        {
            "residual": [
                {"residual": [{"residual": [{"residual": ["conv 2 3x5 padding=1x2 bias=false", "elu alpha=0.5"]}]}]}
            ]
        }
    ],
    {"branches multiply": [["conv 2 1"], [{"branches concat": [["conv 1 1"], ["save here", "conv 1 1"]]}], []]},
    "save input-2",
    "conv classes 3",
)
GATED = design(
    (4, 9, 9),
    {"residual": ["conv 4 3 padding=1", "groupnorm 2", "prelu num_parameters=channels", "squeezeexcite 2"]},
    {"repeat 2": ["squeezeexcite 3 activation=silu gate=hardsigmoid", "instancenorm affine=true", "rrelu upper=0.5"]},
    {"branches multiply": [["layernorm eps=0.001 affine=false", "sigmoid"], ["threshold 0.1 -2"]]},
    "save gated",
    "localresponsenorm 3 alpha=0.5",
    "add gated",
    "glu",
    "channeldropout 0.1",
    ["flatten", "layernorm bias=false", "alphadropout 0.1", "linear classes", "logsoftmax"],
)
SLIDING = design(
    (3, 17, 20),
    "conv 4 3 stride=2 padding=same padding_mode=replicate bias=false",
    "maxpool 3 stride=2x3 padding=same",
    {"residual": ["depthwise 2x3 padding=same", "separable 4 3 padding=1x1 multiplier=2 bias=false"]},
    "upconv 8 3x2 stride=2 padding=same groups=2",
    {
        "branches concat": [
            ["avgpool 2 stride=1 padding=same count_include_pad=false"],
            ["avgpool 2 padding=same stride=1"],
        ]
    },
    "upsample 2x1 mode=linear",
    "pixelshuffle 2",
    "pad 1 after=0x2 value=-0.5",
    "pad 2 mode=circular",
    "crop 0x1 before=3",
    "upsample like=input mode=bicubic align_corners=true",
    "adaptivemaxpool 4x5",
    "flatten",
    "linear classes",
)
UNPOOLED = design(
    (2, 13, 9),
    "conv 4 3 padding=1",
    "save here",
    "maxpool 2 name=self",
    {"repeat 2": ["maxpool 2 stride=1 padding=same name=same-one", "relu", "maxunpool same-one", "conv 4 1"]},
    {
        "residual": [
            "maxpool 3 stride=2 padding=1 ceil_mode=true name=never-used",
            "upsample 2",
            "crop 0 before=1 after=1",
        ]
    },
    "maxunpool self",
    "upsample like=here",
    "maxpool 3 name=last",
    "conv classes 1",
)
TIMED = design(
    (2, 30), "conv 4 3 padding=causal dilation=4", "maxpool 2 padding=same dilation=3 name=p", "conv classes 1"
)
WRITTEN = {
    "sliding": SLIDING,
    "unpooled": UNPOOLED,
    "timed": TIMED,
    "unet": UNET,
    "names": NAMES,
    "passes": PASSES,
    "volume": VOLUME,
    "deep": DEEP,
    "gated": GATED,
}


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("name", named.names())
def test_the_gallery_prints_as_the_networks_that_are_built(name: str, classes: int, tmp_path: Path) -> None:
    large = sum(row.macs for row in Design.named(name).walk(classes)) > 5 * 10**8
    slim = Design.named(name).resolve(width=1 / 8 if large else None)
    source = same_network(slim, classes, 1 if classes == 2 else classes)
    only_in_comments(source)
    (tmp_path / "net.py").write_text(source, encoding="utf-8")
    checked_by_ruff(tmp_path)


@pytest.mark.parametrize("name", WRITTEN)
def test_nested_designs_print_as_the_networks_that_are_built(name: str, tmp_path: Path) -> None:
    source = same_network(WRITTEN[name], 3, 3)
    only_in_comments(source)
    (tmp_path / "net.py").write_text(source, encoding="utf-8")
    checked_by_ruff(tmp_path)


@settings(RANDOM, max_examples=150)
@given(designs())
def test_random_designs_print_as_the_networks_that_are_built(design: Design) -> None:
    only_in_comments(same_network(design, OUTPUTS, OUTPUTS))


@pytest.mark.parametrize("block", BLOCKS)
@settings(RANDOM, max_examples=4)
@given(st.data())
def test_every_block_prints_as_it_is_built(block: type[Block], data: st.DataObject) -> None:
    same_network(data.draw(designs(first=block)), OUTPUTS, OUTPUTS)


def test_random_designs_are_laid_out_as_ruff_does(tmp_path: Path) -> None:
    @settings(RANDOM, max_examples=60, database=None)
    @given(designs())
    def write(design: Design) -> None:
        file = tmp_path / f"net{len(list(tmp_path.iterdir()))}.py"
        file.write_text(plain_code(design, OUTPUTS), encoding="utf-8")

    write()
    checked_by_ruff(tmp_path)


def test_a_chain_is_one_sequential_with_the_shapes() -> None:
    printed = plain_code(Design.named("three-conv"), 10)
    assert "            nn.Conv2d(3, 10, kernel_size=3),  # 10x37x37\n            nn.ReLU(),\n" in printed
    assert "return self.layers(x)" in printed
    assert "class Residual" not in printed
    assert len([line for line in printed.splitlines() if line and not line.startswith("#")]) < 120


def test_passes_in_which_one_number_grows_are_a_loop() -> None:
    grown = {"branches concat": [[], ["conv 4 1"]]}
    source = same_network(design((4, 6, 6), {"repeat 5": [grown]}, "globalavgpool", "linear classes"), 3, 3)
    assert "nn.Conv2d(channels, 4, kernel_size=1)" in source
    assert "for channels in range(4, 24, 4)" in source
    assert source.count("nn.Conv2d") == 1


@pytest.mark.parametrize(
    ("layers", "written"),
    [
        pytest.param([{"repeat 2": [{"branches concat": [[], ["conv 4 1"]]}]}], 2, id="two are written out"),
        pytest.param([{"repeat 4": [{"branches concat": [[], []]}, "conv 2 1"]}], 2, id="the first alone differs"),
        pytest.param([{"repeat 3": [{"branches concat": [[], []]}, "batchnorm", "conv 3 1"]}], 2, id="not evenly"),
        pytest.param([{"repeat 3": ["conv 2 3"]}], 3, id="the sides shrink in the comments"),
        pytest.param(["conv 2 3", {"repeat 3": ["flatten", "linear 10", "relu"]}, "linear 4"], 1, id="a comment less"),
    ],
)
def test_other_passes_are_written_out(layers: list[Any], written: int) -> None:
    end = ["linear classes"] if "linear 4" in layers else ["globalavgpool", "linear classes"]
    source = same_network(design((5, 16, 16), *layers, *end), 3, 3)
    assert source.count("nn.Conv2d") == written
    assert "for channels" not in source


def test_the_header_says_what_it_is() -> None:
    comments = plain_code(Design.named("resnet-18"), 10).splitlines()[:4]
    assert comments[0].startswith("# resnet-18: four stages")
    assert comments[1] == "# Paper: He, Zhang, Ren and Sun, arXiv:1512.03385"
    assert re.match(r"# Printed by Fieldstone [0-9.]+ \(--classes 10\); needs torch, NumPy and Pillow\.", comments[2])


def test_outputs_follow_the_classes() -> None:
    small = design((3, 8, 8), "flatten", "linear classes")
    assert "nn.Linear(192, 1)" in plain_code(small, 2)
    assert "BCEWithLogitsLoss" in plain_code(small, 2)
    assert "nn.Linear(192, 2)" in plain_code(small, 2, outputs=2)
    assert "CrossEntropyLoss" in plain_code(small, 2, outputs=2)
    assert "nn.Linear(192, 5)" in plain_code(small, 5)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ((1, 20), "its input has 1 side, an image 2"),
        ((2, 8, 8), "its input has 2 channels, an image 1 or 3"),
        ((1, 6, 6, 6), "its input has 3 sides, an image 2"),
    ],
)
def test_what_is_no_image_gets_one_forward_pass(
    shape: tuple[int, ...], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.py"
    file.write_text(plain_code(design(shape, "conv 2 3", "flatten", "linear classes"), 3), encoding="utf-8")
    runpy.run_path(str(file), run_name="__main__")
    assert capsys.readouterr().out == f"{(2, *shape)} -> (2, 3)\n"
    assert "PIL" not in file.read_text(encoding="utf-8")
    assert f"    # Shapes alone, as no folder of images trains it: {why}.\n" in file.read_text(encoding="utf-8")


def test_a_map_as_output_gets_one_forward_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.py"
    file.write_text(plain_code(design((3, 9, 9), "conv classes 3"), 4), encoding="utf-8")
    runpy.run_path(str(file), run_name="__main__")
    assert capsys.readouterr().out == "(2, 3, 9, 9) -> (2, 4, 7, 7)\n"
    assert "it gives 4x7x7 for an image, not a number" in file.read_text(encoding="utf-8")


COLOURS = {"blue": (30, 60, 200), "green 나무": (30, 200, 60), "red": (200, 60, 30)}


def paint(folder: Path, classes: int, images: int) -> Path:
    """Class folders of noisy images, one colour a class, and what lies about in folders of images."""
    generator = np.random.default_rng(0)
    for name in list(COLOURS)[:classes]:
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.txt").write_text("not an image", encoding="utf-8")
        for number in range(images):
            noise = generator.integers(-30, 31, (20 + number, 30, 3))
            pixels = np.clip(noise + np.array(COLOURS[name]), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / ".cache").mkdir()
    return folder


def run_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, *arguments: str) -> dict[str, Any]:
    """Runs a printed file in this process; gives what it defined."""
    file = tmp_path / "net.py"
    file.write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(file), *arguments])
    return runpy.run_path(str(file), run_name="__main__")


@pytest.mark.parametrize("divided", [False, True], ids=["class folders", "train and test"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("channels", [3, 1])
def test_it_trains_tests_saves_and_loads(
    channels: int,
    classes: int,
    divided: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photos = tmp_path / "photos"
    for part, images in (("train", 12), ("test", 5)) if divided else ((".", 15),):
        paint(photos / part, classes, images)
    source = plain_code(Design.named("three-conv").resolve(input=(channels, 39, 39)), classes)
    ran = run_file(tmp_path, monkeypatch, source, str(photos), "--epochs", "4")
    out = capsys.readouterr().out
    tested = 5 * classes if divided else 3 * classes
    found = re.search(rf"test accuracy ([0-9.]+)% of {tested} images\nloaded from weights.pt: test accuracy (.*)%", out)
    assert found
    assert found[1] == found[2]
    assert float(found[1]) > (90 if channels == 3 else 20)
    assert out.count("epoch") == 4
    if not divided:
        places = [*ran["train"].indices, *ran["test"].indices]
        assert sorted(places) == list(range(15 * classes))
    saved = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert all(torch.equal(saved[name], value.cpu()) for name, value in ran["network"].state_dict().items())
    assert saved.keys() == ran["network"].state_dict().keys()


def test_it_runs_as_a_program_without_a_warning(tmp_path: Path) -> None:
    paint(tmp_path / "photos", 3, 5)
    (tmp_path / "net.py").write_text(plain_code(Design.named("three-conv"), 3), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-I", "net.py", "photos", "--epochs", "1"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "test accuracy" in answer.stdout
    assert (tmp_path / "weights.pt").is_file()


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nothing", r"nothing is not a folder"),
        ("photos", r"photos has 2 class folders, this network is for 3: print this file anew for 2 classes"),
        ("empty", r"empty has no images in its class folders"),
    ],
)
def test_a_folder_that_does_not_fit_is_named(
    folder: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(tmp_path / "photos", 2, 2)
    for name in COLOURS:
        (tmp_path / "empty" / name).mkdir(parents=True)
    with pytest.raises(SystemExit, match=f"^{message}$"):
        run_file(tmp_path, monkeypatch, plain_code(Design.named("three-conv"), 3), folder)


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path / "photos", 3, 5)
    cut = sorted((tmp_path / "photos").rglob("*.png"))[7]
    cut.write_bytes(cut.read_bytes()[:200])
    source = plain_code(Design.named("three-conv"), 3)
    with pytest.raises(SystemExit, match=rf"^{re.escape(str(cut))} cannot be read: ."):
        run_file(tmp_path, monkeypatch, source, str(tmp_path / "photos"), "--epochs", "1")


def test_it_reads_an_image_upright_and_cut_to_the_centre(tmp_path: Path) -> None:
    pixels = np.zeros((40, 90, 3), np.uint8)
    pixels[:, :45, 0], pixels[:, 45:, 1] = 200, 100
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown a quarter clockwise
    (tmp_path / "one").mkdir()
    turned = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "one" / "turned.png", exif=exif)
    namespace: dict[str, Any] = {"__name__": "printed"}
    exec(plain_code(design((3, 20, 20), "flatten", "linear classes"), 3), namespace)
    image, target = namespace["Images"](tmp_path, ["none", "one"])[0]
    assert target == 1
    assert image.shape == (3, 20, 20)
    torch.testing.assert_close(image[0, :, :9], torch.full((20, 9), (200 / 255 - 0.5) / 0.5))
    torch.testing.assert_close(image[1, :, 11:], torch.full((20, 9), (100 / 255 - 0.5) / 0.5))
