"""The rules: networks that have the fault and networks that have not; torch says which pixels are never read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

import fieldstone as fs
import rules
from fieldstone.analysis.findings import RULES, Finding, find
from fieldstone.analysis.rule import MOST_TRIALS, Example, Rule, Subject
from fieldstone.design import named
from fieldstone.design.codes import CODES
from fieldstone.geometry import format_shape
from fieldstone.network.build import build
from strategies import designs

DOCS = Path(__file__).parents[2] / "docs"
CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def findings(shape: tuple[int, ...], *layers: object, allow: dict[str, str] | None = None) -> tuple[Finding, ...]:
    return fs.inspect(fs.Design(shape, layers, allow=allow), classes=10).findings


def codes(shape: tuple[int, ...], *layers: object, allow: dict[str, str] | None = None) -> list[str]:
    return [finding.code for finding in findings(shape, *layers, allow=allow)]


def border(shape: tuple[int, ...], block: str) -> str | None:
    """What FS101 says is never read, None where it says nothing."""
    found = [one for one in findings(shape, block, "globalavgpool", "linear classes") if one.code == "FS101"]
    assert len(found) <= 1
    return found[0].message.split("never reads ")[1].split(" of its ")[0] if found else None


@pytest.mark.parametrize(
    ("shape", "block", "lost"),
    [
        ((1, 10), "maxpool 3", "the last value"),
        ((1, 11), "conv 4 4 stride=4", "the last 3 values"),
        ((1, 8, 9), "maxpool 2", "the last column"),
        ((1, 9, 8), "maxpool 2", "the last row"),
        ((1, 14, 9), "conv 4 5x2 stride=5x2", "the last 4 rows and the last column"),
        ((1, 9, 8, 9), "avgpool 2", "the last plane and the last column"),
        ((1, 4, 5, 8), "conv 2 2x2x3 stride=2x2x3", "the last row and the last 2 columns"),
        ((1, 9, 9), "maxpool 2 ceil_mode=true", None),
        ((1, 9, 9), "maxpool 3 stride=2", None),
        ((1, 9, 9), "conv 4 4 stride=2 padding=1", None),
        ((1, 11, 12), "conv 4 5 stride=3 padding=1", "the last row"),  # one of padding is dropped, and one pixel
        ((1, 8, 8), "conv 4 3 stride=2 padding=1", None),  # what the floor drops is padding
        ((1, 9, 9), "conv 4 3 padding=same", None),
        ((1, 7), "conv 4 2 stride=3", "the last value"),  # a stride of 3 skips every third; the 7th begins a window
        ((1, 6), "conv 4 2 stride=3", None),
        ((1, 56, 56), "conv 4 1 stride=2", None),  # a projection shortcut reads every second pixel
        ((1, 9, 9), "conv 4 2 stride=2 padding=1 padding_mode=circular", None),
        ((1, 10, 10), "conv 4 4 stride=3 padding=1 padding_mode=circular", None),
    ],
)
def test_pixels_that_the_stride_does_not_reach_are_named(shape: tuple[int, ...], block: str, lost: str | None) -> None:
    assert border(shape, block) == lost


@pytest.mark.parametrize(
    ("layers", "lost"),
    [
        (("pad 3", "conv 4 7 stride=2"), None),  # 16 + 6: the floor drops the last row of padding
        (("pad 0 after=1", "maxpool 3 stride=2"), None),
        (("pad 1 after=0", "maxpool 3 stride=3"), "the last 2 rows and the last 2 columns"),
        (("crop 1", "conv 4 3"), None),  # a crop means it
    ],
)
def test_what_a_pad_added_is_no_pixel_and_what_a_crop_cuts_is_meant(layers: tuple[str, ...], lost: str | None) -> None:
    found = [one for one in findings((1, 16, 16), *layers, "globalavgpool", "linear classes") if one.code == "FS101"]
    assert [one.message.split("never reads ")[1].split(" of its ")[0] for one in found] == ([lost] if lost else [])


def read(block: str, rank: int, shape: tuple[int, ...], **options: object) -> NDArray[np.bool_]:
    """Which pixels have a gradient: a convolution or an average of ones reads them."""
    pixels = torch.zeros(1, 1, *shape, requires_grad=True)
    kernel = options.pop("kernel")
    out: Tensor
    if block == "conv":
        out = CONVOLVE[rank](pixels, torch.ones(1, 1, *kernel), **options)  # type: ignore[arg-type,misc]
    else:
        out = AVERAGE[rank](pixels, kernel, **options)  # type: ignore[arg-type]
    out.sum().backward()
    assert pixels.grad is not None
    return pixels.grad[0, 0].numpy() != 0


def unread_at_the_end(reads: NDArray[np.bool_], axis: int) -> int:
    """How many of the last pixels along an axis nothing reads."""
    along = reads.any(axis=tuple(other for other in range(reads.ndim) if other != axis))
    return len(along) - 1 - int(np.flatnonzero(along).max())


@pytest.mark.parametrize("seed", range(400))
def test_what_is_lost_are_the_pixels_without_a_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    block = ("conv", "avgpool")[int(rng.integers(2))]
    kernel = tuple(rng.integers(1, 6, rank).tolist())
    stride = tuple(int(rng.integers(1, size + 1)) for size in kernel)  # so no pixel is skipped on purpose
    padding = tuple(int(rng.integers(0, size // 2 + 1)) for size in kernel)
    shape = tuple(int(size + rng.integers(0, 8)) for size in kernel)
    options = {"stride": stride, "padding": padding}
    text = f"{block} {'2 ' if block == 'conv' else ''}{format_shape(kernel)}"
    text += f" stride={format_shape(stride)} padding={format_shape(padding)}"
    if block == "avgpool" and rng.integers(2):
        options["ceil_mode"] = True
        text += " ceil_mode=true"
    reads = read(block, rank, shape, kernel=kernel, **options)
    lost = [unread_at_the_end(reads, axis) for axis in range(rank)]
    names = {1: ["value"], 2: ["row", "column"], 3: ["plane", "row", "column"]}[rank]
    said = [f"the last {name}" if n == 1 else f"the last {n} {name}s" for name, n in zip(names, lost, strict=True) if n]
    assert border((1, *shape), text) == (" and ".join(said) or None)
    if said:  # the size that is proposed loses nothing
        (found,) = rules.said("FS101", (1, *shape), text, "globalavgpool", "linear classes")
        proposed = tuple(map(int, re.findall(r"[0-9]+", found.fix.rpartition("give it ")[2])))
        assert border((1, *proposed), text) is None
        assert read(block, rank, proposed, kernel=kernel, **options).all()
        for mended in written(found.fix):  # and so do the blocks that are written out, on the same input
            assert reads_all(mended, (1, *shape))
            assert not rules.said("FS102", (1, *shape), mended, "globalavgpool", "linear classes")


def written(fix: str) -> list[str]:
    """The blocks that a fix writes out."""
    return fix.removeprefix("write ").rpartition(", or give it ")[0].split(" or ") if fix.startswith("write ") else []


def reads_all(block: str, shape: tuple[int, ...]) -> bool:
    """Whether torch gives each pixel a gradient, all weights being 1."""
    network = build(fs.Design(shape, [block, "conv classes 1"]), 1).double()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    pixels = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
    network(pixels).sum().backward()
    assert pixels.grad is not None
    return bool((pixels.grad != 0).all())


@pytest.mark.parametrize(
    ("shape", "block", "mended"),
    [
        ((3, 32, 32), "conv 16 7 stride=4", ["conv 16 7 stride=4 padding=2"]),  # with 1, two rows are lost
        ((3, 65, 65), "avgpool 2", ["avgpool 2 ceil_mode=true", "avgpool 2 padding=1 count_include_pad=false"]),
        ((3, 33, 32), "conv 8 2 stride=2", ["conv 8 2 stride=2 padding=1x0"]),
        ((3, 10), "maxpool 3", ["maxpool 3 ceil_mode=true", "maxpool 3 padding=1"]),
        ((3, 11), "conv 4 4 stride=4 padding=causal", []),
        ((3, 24), "depthwise 7 stride=3", ["depthwise 7 stride=3 padding=1"]),
    ],
)
def test_the_padding_that_loses_nothing_is_written_out(shape: tuple[int, ...], block: str, mended: list[str]) -> None:
    (found,) = rules.said("FS101", shape, block, "globalavgpool", "linear classes")
    assert written(found.fix) == mended
    assert "give it " in found.fix
    assert all(reads_all(one.replace("maxpool", "avgpool"), shape) for one in mended)
    assert not {"FS101", "FS102"} & {code for one in mended for code in codes(shape, one, "globalavgpool", "linear classes")}


POOLS = ["conv 8 3 padding=1", "relu", "maxpool 2"]


@pytest.mark.parametrize(
    ("layers", "where", "mended"),
    [
        ([*POOLS, "upsample 2", "conv classes 1"], "3", []),  # the output would have other sides
        ([*POOLS, "upsample like=input", "conv classes 1"], "3", ["maxpool 2 ceil_mode=true", "maxpool 2 padding=1"]),
        ([{"branches concat": [POOLS, ["conv 8 2 stride=2 padding=0", "relu"]]}, "conv classes 1", "globalavgpool"], "1.1.3", []),
        ([{"repeat 2": POOLS}, "globalavgpool", "linear classes"], "1.1.3", ["maxpool 2 ceil_mode=true", "maxpool 2 padding=1"]),
        (
            ["conv 8 3 padding=1", "maxpool 2 name=p", "tanh", "maxunpool p", "flatten", "linear classes"],
            "2",
            ["maxpool 2 name=p ceil_mode=true", "maxpool 2 name=p padding=1"],
        ),
    ],
)  # fmt: skip
def test_what_is_written_out_walks_in_its_place(layers: list[object], where: str, mended: list[str]) -> None:
    found = [one for one in fs.inspect(fs.Design((3, 33, 33), layers)).findings if one.code == "FS101"]
    (fix,) = [one.fix for one in found if one.where == where]
    texts = [set(one.split()) for one in written(fix)]
    assert texts == [set(one.split()) for one in mended]
    for one in written(fix):
        old = "maxpool 2 name=p" if "name=p" in one else "maxpool 2"
        design = fs.Design.parse(fs.Design((3, 33, 33), layers).to_text().replace(old, one))
        assert [row.block.text() for row in design.walk(10)].count(one) >= 1
        assert where not in [again.where for again in fs.inspect(design).findings if again.code == "FS101"]
        images = torch.rand(2, 3, 33, 33)
        before, after = (build(each, 10).eval()(images).shape for each in (fs.Design((3, 33, 33), layers), design))
        assert before == after


@pytest.mark.parametrize("seed", range(200))
def test_with_dilation_what_is_lost_is_not_read_either(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, dilation, padding = (int(rng.integers(1, most)) for most in (5, 4, 3))
    span = dilation * (kernel - 1) + 1
    stride = int(rng.integers(1, span + 1))
    size = int(span + rng.integers(0, 9))
    reads = read("conv", 1, (size,), kernel=(kernel,), stride=stride, padding=padding, dilation=dilation)
    lost = border((1, size), f"conv 2 {kernel} stride={stride} padding={padding} dilation={dilation}")
    count = 0 if lost is None else 1 if lost == "the last value" else int(lost.split()[2])
    assert not reads[size - count :].any()
    if count:
        assert reads[size - count - 1]  # the last window ends there


@pytest.mark.parametrize(
    ("layers", "where"),
    [
        (["globalavgpool", "linear classes", "softmax"], "3"),
        (["flatten", "linear classes", "sigmoid"], "3"),
        (["conv classes 8", "softmax", "flatten"], "2"),  # flatten and save change no value
        (["conv 4 8", "flatten", {"repeat 2": ["linear 4", "sigmoid"]}, ["linear classes", "softmax"]], "4.2"),
    ],
)
def test_a_softmax_or_sigmoid_at_the_end_is_an_error(layers: list[object], where: str) -> None:
    (found,) = rules.said("FS201", (3, 8, 8), *layers)
    name = str(found.fix).split()[2].rstrip(";")
    assert (found.code, found.severity, found.where) == ("FS201", "error", where)
    assert found.message == f"the network ends with {name}, and the loss applies it to logits once more"
    assert found.fix == f"remove this {name}; probabilities are made by the task"


MAP = ["conv 4 2 stride=2", "relu", "conv classes 1"]


@pytest.mark.parametrize(
    ("layers", "where", "then"),
    [
        ([*MAP, "softmax", "upsample 2 mode=bilinear"], ["4"], "upsample 2 mode=bilinear"),
        ([*MAP, "softmax", "globalavgpool"], ["4"], "globalavgpool"),
        ([*MAP, "sigmoid", "avgpool 4", "dropout 0.1", "flatten"], ["4"], "avgpool 4 and dropout 0.1"),
        ([*MAP, "softmax", "globalmaxpool keepdims=true", "flatten"], ["4"], "globalmaxpool keepdims=true"),
        ([*MAP, ["softmax"], "pad 1", "crop 1", "save end"], ["4.1"], "pad 1 and crop 1"),
        (
            ["conv classes 1", {"branches add": [["softmax"], ["softmax"]]}, "globalavgpool"],
            ["2.2.1", "2.1.1"],
            "branches add and globalavgpool",
        ),
    ],
)
def test_probabilities_that_are_enlarged_or_averaged_stay_probabilities(
    layers: list[object], where: list[str], then: str
) -> None:
    """In torch all that leaves lies between 0 and 1, however large the logits are."""
    found = rules.said("FS201", (3, 8, 8), *layers)
    assert [(one.severity, one.where) for one in found] == [("error", path) for path in where]
    assert all(f", after it {then} alone, and the loss" in one.message for one in found)
    outputs = build(fs.Design((3, 8, 8), layers), 10).eval()(100 * torch.randn(4, 3, 8, 8)).detach()
    assert 0 <= outputs.min() <= outputs.max() <= 2  # two shares added


@pytest.mark.parametrize("end", ["sigmoid", "softmax"])
def test_a_regression_may_end_with_one_for_its_loss_applies_none(end: str) -> None:
    layers = ["conv 10 3", "relu", "globalavgpool", "linear classes", end]
    assert not fs.inspect(fs.Design((3, 8, 8), layers), task="regression").has("error")
    for task in ("multiclass", "multilabel", None):
        assert [one.code for one in fs.inspect(fs.Design((3, 8, 8), layers), task=task).findings if one.severity == "error"]


@pytest.mark.parametrize(
    "layers",
    [
        ["globalavgpool", "linear classes"],
        [*MAP, "sigmoid", "tanh", "globalavgpool"],
        [*MAP, "softmax", "conv 10 1", "globalavgpool"],
        [*MAP, "softmax", "batchnorm", "globalavgpool"],
        ["conv classes 1", {"branches multiply": [["softmax"], []]}, "globalavgpool"],  # attention
        ["conv 4 3", "sigmoid", "globalavgpool", "linear classes"],
        ["globalavgpool", "linear classes", "tanh"],
        ["globalavgpool", {"residual": {"body": ["linear classes"], "shortcut": ["linear 10", "sigmoid"]}}],
        ["globalavgpool", {"branches multiply": [["linear classes"], ["linear 10", "softmax"]]}],
    ],
)
def test_elsewhere_or_beside_the_end_it_is_none(layers: list[object]) -> None:
    assert "FS201" not in codes((3, 8, 8), *layers)


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (["conv 8 3 padding=1", "flatten", "linear 20", "linear classes"], True),  # 8 * 32 * 32 * 20
        (["conv 8 3 padding=1", "flatten", "dropout", "linear 20", "linear classes"], True),
        (["conv 8 3 padding=1", "maxpool 8", "flatten", "linear 20", "linear classes"], False),  # 2,580 are not many
        (["conv 200 3", "conv 200 3", "maxpool 14", "flatten", "linear 20", "linear classes"], False),  # a twentieth
        (["conv 8 3", "globalavgpool", "linear 2000", "linear classes"], False),  # one input a channel already
        (["conv 8 3", "maxpool 30", "flatten", "linear 2000", "linear classes"], False),  # a map of one pixel
        (["conv 8 3", "globalavgpool", "linear 20", "linear 2000", "linear classes"], False),  # reads no map
    ],
)
def test_most_parameters_in_one_linear_layer_are_noted(layers: list[str], found: bool) -> None:
    said = rules.said("FS301", (3, 32, 32), *layers)
    assert len(said) == found
    if said:
        assert said[0].severity == "note"
        assert said[0].where == str(layers.index("linear 20") + 1)
        # 3*9*8 + 8 in the convolution, 10 * 20 + 10 in the head
        assert said[0].message == "linear 20 holds 163,860 of the 164,294 parameters (100%)"
        assert said[0].fix == "globalavgpool in the place of flatten leaves it one input a channel"


@pytest.mark.parametrize(
    ("shape", "layers", "classes", "pools"),
    [
        ((1, 28, 28), ["flatten", "linear 300", "relu", "linear classes"], 10, False),  # a plain perceptron
        ((3, 28, 28), ["flatten", "linear 300", "relu", "linear classes"], 2, True),
        ((3, 28, 28), ["conv 4 3", "relu", "flatten", "linear 300", "relu", "linear classes"], 10, False),
        ((3, 28, 28), ["conv 5 3", "relu", "flatten", "linear 300", "relu", "linear classes"], 10, True),
        ((3, 28, 28), ["conv 64 3", "relu", "flatten", "linear classes"], 1000, False),
    ],
)
def test_a_global_pooling_is_proposed_where_it_leaves_enough_for_the_head(
    shape: tuple[int, ...], layers: list[str], classes: int, pools: bool
) -> None:
    (found,) = rules.said("FS301", shape, *layers, classes=classes)
    assert found.fix.startswith("globalavgpool in the place" if pools else "let convolutions with a stride or pooling ")
    applied = ["globalavgpool" if layer == "flatten" else layer for layer in layers]
    assert bool(rules.said("FS208", shape, *applied, classes=classes)) == (not pools)  # another rule says it is too few
    if not pools:
        assert found.fix.endswith(f" would leave it {applied_leaves(shape, applied)}")


def applied_leaves(shape: tuple[int, ...], layers: list[str]) -> str:
    part = build(fs.Design(shape, layers), 10)[: layers.index("globalavgpool") + 1]
    numbers = part(torch.rand(1, *shape)).shape[1]
    return f"{numbers} number{'s' if numbers > 1 else ''}"


def test_what_is_allowed_is_silent_and_the_table_gives_its_reason() -> None:
    layers = ("conv 8 5", "maxpool 3", "flatten", "linear 300", "relu", "linear classes", "softmax")
    assert codes((3, 32, 32), *layers) == ["FS101", "FS201", "FS301"]
    reasons = {"FS101": "the border is black", "FS201": "a demonstration"}
    design = fs.Design((3, 32, 32), layers, allow=reasons)
    summary = fs.inspect(design)
    assert [finding.code for finding in summary.findings] == ["FS301"]
    assert not summary.has("error")
    assert "allowed FS101: the border is black\nallowed FS201: a demonstration" in repr(summary)
    assert find(summary.subject, [rule.code for rule in RULES]) == ()


@pytest.mark.parametrize("name", named.names())
def test_the_gallery_has_neither_errors_nor_warnings(name: str) -> None:
    assert {finding.severity for finding in fs.inspect(name).findings} <= {"note"}


def said(rule: Rule, example: Example) -> list[Finding]:
    """What a rule says of an example of its own."""
    options = {"classes": 10, **example.options}
    rows = fs.Design(example.input, example.layers).walk(options["classes"])
    return [found for found in find(Subject(example.input, rows, **options)) if found.code == rule.code]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.code))
def test_the_examples_of_a_rule_have_the_fault_and_have_it_not(rule: Rule) -> None:
    assert said(rule, rule.bad)
    assert not said(rule, rule.good)


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(designs(), st.booleans())
def test_every_rule_looks_at_any_network_and_names_a_block_of_it(design: fs.Design, large: bool) -> None:
    rows = design.walk(5)
    sides = tuple(side + 1 for side in design.input[1:]) if large else None
    task, memory = ("segmentation", 4096) if large else (None, None)
    for found in find(Subject(design.input, rows, classes=5, task=task, object_size=sides, memory=memory)):
        assert found.where in {row.path for row in rows}
        assert found.message[0] != " "
        assert found.fix
        assert "nan" not in found.message + found.fix


def test_a_design_of_thousands_of_losses_is_not_walked_thousands_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    walk = fs.Design.walk
    monkeypatch.setattr(fs.Design, "walk", lambda *given: walks.append(given) or walk(*given))
    loses = ["maxpool 2", "upsample 2", "conv 1 2 padding=1"]  # 33 to 16 to 32 to 33
    same = fs.inspect(fs.Design((1, 33), [{"repeat 60": loses}, "globalavgpool", "linear classes"]))
    assert len([one for one in same.findings if one.code == "FS101"]) == 60
    assert len(walks) == 3
    many = fs.inspect(fs.Design((1, 33), [*loses * 60, "globalavgpool", "linear classes"]))
    fixes = [one.fix for one in many.findings if one.code == "FS101"]
    assert len(walks) == 3 + 1 + MOST_TRIALS
    assert fixes[0].startswith("write ")
    assert fixes[-1].startswith("give it ")


def test_codes_are_given_once() -> None:
    assert [rule.code for rule in RULES] == list(CODES)


def test_the_pages_are_as_the_rules_are() -> None:
    subprocess.run([sys.executable, DOCS / "write_findings.py", "--check"], check=True)
