"""Borders: torch's gradients say which pixels are read, the centre of gravity of its output where that stands."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.analysis.rule import MOST_TRIALS
from fieldstone.geometry import format_shape
from fieldstone.network.build import build
from rules import said

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}

END = ("globalavgpool", "linear classes")


@pytest.mark.parametrize(
    ("shape", "block", "moved"),
    [
        ((1, 8), "conv 4 2 padding=same", "half a value"),
        ((1, 8, 8), "conv 4 4 padding=same", "half a row and half a column"),
        ((1, 8, 8), "conv 4 3x2 padding=same", "half a column"),
        ((1, 8, 8, 8), "conv 4 3x2x3 padding=same", "half a row"),
        ((1, 8, 8), "conv 4 2 padding=same dilation=3", "half a row and half a column"),
        ((1, 8, 8), "conv 4 2 padding=same dilation=2", None),  # spans 3
        ((1, 8, 8), "conv 4 3 padding=same", None),
        ((1, 8, 8), "conv 4 4 stride=2 padding=1", None),  # between four pixels, as pooling is
        ((1, 8, 8), "conv 4 2", None),
        ((1, 8, 8), "maxpool 2", None),
    ],
)
def test_an_even_kernel_that_keeps_the_sides(shape: tuple[int, ...], block: str, moved: str | None) -> None:
    found = said("FS105", shape, block, *END)
    assert [f"moves its output by {moved}: " in one.message for one in found] == ([] if moved is None else [True])
    assert {(one.severity, one.where) for one in found} <= {("note", "1")}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_a_point_moves_by_half_a_place(kernel: int, dilation: int) -> None:
    point = torch.zeros(1, 1, 41)
    point[0, 0, 20] = 1
    spread = F.conv1d(point, torch.ones(1, 1, kernel), padding="same", dilation=dilation)[0, 0]
    moved = (spread * torch.arange(41)).sum() / spread.sum() - 20
    found = said("FS105", (1, 41), f"conv 4 {kernel} padding=same dilation={dilation}", *END)
    assert len(found) == (abs(moved.item()) == 0.5)
    assert found or moved == 0


def border(shape: tuple[int, ...], block: str) -> str | None:
    """What FS101 says is never read, None where it says nothing."""
    found = said("FS101", shape, block, *END)
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
    found = said("FS101", (1, 16, 16), *layers, *END)
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
    counted = [(n, name) for n, name in zip(lost, names, strict=True) if n]
    ends = [f"the last {name}" if n == 1 else f"the last {n} {name}s" for n, name in counted]
    assert border((1, *shape), text) == (" and ".join(ends) or None)
    if ends:  # the size that is proposed loses nothing
        (found,) = said("FS101", (1, *shape), text, *END)
        proposed = tuple(map(int, re.findall(r"[0-9]+", found.fix.rpartition("give it ")[2])))
        assert border((1, *proposed), text) is None
        assert read(block, rank, proposed, kernel=kernel, **options).all()
        for mended in written(found.fix):  # and so do the blocks that are written out, on the same input
            assert reads_all(mended, (1, *shape))
            assert not said("FS102", (1, *shape), mended, *END)


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
    (found,) = said("FS101", shape, block, *END)
    assert written(found.fix) == mended
    assert "give it " in found.fix
    assert all(reads_all(one.replace("maxpool", "avgpool"), shape) for one in mended)
    for one in mended:
        assert not said("FS101", shape, one, *END) + said("FS102", shape, one, *END)


POOLS = ["conv 8 3 padding=1", "relu", "maxpool 2"]


@pytest.mark.parametrize(
    ("layers", "where", "mended"),
    [
        ([*POOLS, "upsample 2", "conv classes 1"], "3", []),  # the output would have other sides
        ([*POOLS, "upsample like=input", "conv classes 1"], "3", ["maxpool 2 ceil_mode=true", "maxpool 2 padding=1"]),
        ([{"branches concat": [POOLS, ["conv 8 2 stride=2"]]}, *END], "1.1.3", []),
        ([{"repeat 2": POOLS}, *END], "1.1.3", ["maxpool 2 ceil_mode=true", "maxpool 2 padding=1"]),
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


def test_a_design_of_thousands_of_losses_is_not_walked_thousands_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    walk = fs.Design.walk
    monkeypatch.setattr(fs.Design, "walk", lambda *given: walks.append(given) or walk(*given))
    loses = ["maxpool 2", "upsample 2", "conv 1 2 padding=1"]  # 33 to 16 to 32 to 33
    same = fs.inspect(fs.Design((1, 33), [{"repeat 60": loses}, *END]))
    assert len([one for one in same.findings if one.code == "FS101"]) == 60
    assert len(walks) == 3
    many = fs.inspect(fs.Design((1, 33), [*loses * 60, *END]))
    fixes = [one.fix for one in many.findings if one.code == "FS101"]
    assert len(walks) == 3 + 1 + MOST_TRIALS
    assert fixes[0].startswith("write ")
    assert fixes[-1].startswith("give it ")
