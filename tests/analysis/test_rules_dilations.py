"""Holes of dilated convolutions and windows of padding: torch's gradients say what is read."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.geometry import format_shape
from fieldstone.network.build import build
from rules import numbers, said

END = ("globalavgpool", "linear classes")
CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
SIDE = {1: 300, 2: 64, 3: 36}


def dilated(*steps: int, kernel: int = 3) -> list[str]:
    return [f"conv 2 {kernel} padding=same dilation={step}" for step in steps]


@pytest.mark.parametrize(
    ("layers", "unread"),
    [
        (dilated(2, 2), 1 - 25 / 81),
        (dilated(2, 2, 2), 1 - 49 / 169),
        (dilated(2, 4, 8), 1 - 15**2 / 29**2),
        (["maxpool 2", *dilated(2, 2)], 1 - 25 / 81),  # at another jump
        (["conv 2 1", "relu", *dilated(3, 3)], 1 - 25 / 169),
        (dilated(1, 2, 9), 1 - 21**2 / 25**2),  # no common factor; figure 1 and [1, 2, 9] of section 3.2
        (dilated(1, 4, 4), 1 - 15**2 / 19**2),
        ([{"residual": dilated(2)}, {"residual": dilated(2)}], 1 - 25 / 81),
        ([{"branches concat": [dilated(2), dilated(4)]}, *dilated(2)], 1 - 49 / 169),
        (["maxpool 3 stride=1 padding=1 dilation=2", *dilated(2)], 1 - 25 / 81),
        ([*dilated(4, 4), "maxpool 2"], 1 - 10**2 / 18**2),  # reads two of four
        (dilated(2, 2, kernel=5), 1 - 81 / 17**2),
        ([*dilated(2, 2), "conv 4 2 stride=2"], None),  # reads the places between
        (dilated(2), None),
        (dilated(1, 2, 4, 8, 16, 1), None),  # Yu and Koltun
        (dilated(*(2**n for n in range(7)), kernel=2), None),  # WaveNet
        (dilated(1, 2, 5), None),  # hybrid dilated convolution
        (dilated(2, 4, 1), None),  # what fills the holes may come after
        (dilated(1, 2, 3, 1, 2, 3), None),
        (["conv 2 7 padding=3", *dilated(4, 4)], None),
        ([{"branches concat": [dilated(1), dilated(6), dilated(12), dilated(18)]}], None),  # side by side
        (["conv 2 1 dilation=2", "conv 2 1 dilation=2"], None),
    ],
)
def test_dilations_that_leave_holes(layers: list[object], unread: float | None) -> None:
    found = said("FS107", (2, 64, 64), *layers, *END)
    assert len(found) == (unread is not None)
    if unread is not None:
        assert found[0].severity == "warning"
        assert f"{unread:.0%} of its field is unread" in found[0].message


def test_the_finding_names_the_map_the_numbers_and_what_has_no_holes() -> None:
    (found,) = said("FS107", (3, 64, 64), "conv 8 3", "maxpool 2", *dilated(4, 4, 4), *END)
    assert found.where == "5"
    assert "with the dilations before it (4, 4), reads 7 of 25 rows and 7 of 25 columns of the map that 2 gives" in (
        found.message
    )
    assert "92% of its field is unread: ■···■···■···■···■···■···■" in found.message
    assert found.fix == "use the dilations 1, 3, 4, padded to keep the sides"
    (one,) = said("FS107", (3, 64), *dilated(2, 2), *END)
    assert "reads 5 of 9 values of the input; 44% of its field is unread: ■·■·■·■·■" in one.message
    (many,) = said("FS107", (3, 400), *dilated(*(40,) * 9), *END)
    assert f": {'■' + '·' * 39}■{'·' * 24}…" in many.message
    assert "(40, 40, 40, 40, 40, 40, 40, 40)" in many.message
    assert many.fix.startswith("let the dilations begin with 1")


def gradient(layers: list[object], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which places of the input move the value in the middle; every weight 1, so that nothing cancels."""
    design = fs.Design(shape, [*layers, "conv classes 1"])
    network: nn.Module = build(design, 1).double().eval()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    pixels = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    values = network(pixels)[0, 0]
    values[tuple(side // 2 for side in values.shape)].backward()
    assert pixels.grad is not None
    return pixels.grad[0].sum(0).numpy() != 0


@pytest.mark.parametrize("seed", range(150))
def test_what_is_read_is_what_has_a_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    sizes = [(int(rng.integers(1, 4)), int(rng.integers(1, 5))) for _ in range(int(rng.integers(2, 5)))]
    layers: list[object] = [f"conv 1 {kernel} dilation={step}" for kernel, step in sizes]
    if rng.integers(2):
        layers.append(f"maxpool 2 stride={rng.integers(1, 3)}".replace("maxpool", "avgpool"))
    mask = gradient(layers, (1, *(SIDE[rank],) * rank))
    places = np.argwhere(mask)
    box = mask[tuple(slice(low, high + 1) for low, high in zip(places.min(0), places.max(0), strict=True))]
    found = said("FS107", (1, *(SIDE[rank],) * rank), *layers, *END)
    several = sum(kernel > 1 and step > 1 for kernel, step in sizes) > 1
    assert len(found) == (several and not box.all())
    if found:
        line = box.any(axis=tuple(range(1, rank)))
        drawn = "".join("■" if read else "·" for read in line)
        assert found[0].message.endswith(f"{100 * (1 - box.mean()):.0f}% of its field is unread: {drawn}")
        mended = numbers(found[0].fix)
        steps = iter(mended)
        with_holes = {place for place, (kernel, step) in enumerate(sizes) if kernel > 1 and step > 1}
        better = [
            f"conv 1 {kernel} dilation={next(steps) if place in with_holes else step} padding=same"
            for place, (kernel, step) in enumerate(sizes)
        ]
        assert not said("FS107", (1, *(SIDE[rank],) * rank), *better, *layers[len(sizes) :], *END)


@pytest.mark.parametrize(
    ("shape", "block", "blind", "fix"),
    [
        ((1, 8, 8), "conv 4 3 padding=12 dilation=12", "8 of its 9 taps", "use dilation=7 or less"),
        ((1, 8, 8), "conv 4 3 padding=8 dilation=8", "8 of its 9 taps", "use dilation=7 or less"),
        ((1, 8), "conv 4 3 padding=8 dilation=8", "2 of its 3 taps", "use dilation=7 or less"),
        ((1, 6, 6, 6), "conv 4 3 padding=6 dilation=6", "26 of its 27 taps", "use dilation=5 or less"),
        ((1, 8, 30), "conv 4 3 padding=8 dilation=8", "6 of its 9 taps", "use dilation=7 or less"),
        ((1, 8, 8), "conv 4 5 padding=same dilation=8", "24 of its 25 taps", "use dilation=3 or less"),
        ((1, 1, 1), "conv 4 3 padding=1", "8 of its 9 taps", "use a kernel of 1"),
        ((1, 4), "conv 4 2 padding=6 dilation=12", "2 of its 2 taps", "use dilation=6 or less"),
        ((1, 8, 8), "conv 4 3 padding=7 dilation=7", None, None),
        ((1, 2, 2), "conv 4 3 padding=1", None, None),
        ((1, 2, 2), "conv 4 3 stride=2 padding=1", None, None),
        ((1, 8, 8), "conv 4 3 padding=8 dilation=8 padding_mode=circular", None, None),
        ((1, 1, 1), "conv 4 1", None, None),
        ((1, 8, 8), "maxpool 3 stride=1 padding=1 dilation=4", None, None),  # has no weights to waste
    ],
)
def test_windows_that_see_padding_alone(shape: tuple[int, ...], block: str, blind: str | None, fix: str) -> None:
    found = said("FS108", shape, block, *END)
    assert len(found) == (blind is not None)
    if found:
        assert blind is not None
        assert blind in found[0].message
        assert found[0].fix.startswith(fix)
        assert found[0].severity == "warning"
        if "dilation" in fix:
            mended = re.sub("padding=[0-9]+|padding=same|dilation=[0-9]+", "", block)
            assert not said("FS108", shape, f"{mended} padding=same dilation={numbers(fix)[0]}", *END)


@pytest.mark.parametrize(
    ("side", "block", "widest"),
    [
        (100, "conv 4 3 padding=causal dilation=128", 49),
        (100, "conv 4 2 padding=causal dilation=128", 99),
        (9, "depthwise 5 padding=causal dilation=9", 2),
        (16, "conv 4 3 padding=causal dilation=16 stride=2", 7),
        (16, "separable 4 3 padding=same dilation=16", 15),
    ],
)
def test_applied_as_it_is_said_every_tap_sees_and_what_was_causal_still_is(side: int, block: str, widest: int) -> None:
    (found,) = said("FS108", (3, side), block, *END)
    padding = re.findall("padding=[a-z]+", block)[0]
    assert found.fix == f"use dilation={widest} or less with {padding}, or a larger input"
    for step in (widest, widest + 1):
        mended = re.sub("dilation=[0-9]+", f"dilation={step}", block)
        network = build(fs.Design((3, side), [mended, "conv classes 1"]), 1)
        pixels = torch.rand(1, 3, side, requires_grad=True)
        values = network(pixels)
        values.sum().backward()
        taps = next(weight for weight in network.parameters() if weight.dim() == 3 and weight.shape[-1] > 1)
        assert taps.grad is not None
        assert bool((taps.grad.abs().amax((0, 1)) > 0).all()) == (step == widest)
        if padding == "padding=causal":
            (sees,) = torch.autograd.grad(network(pixels)[0, 0, 2], pixels)
            assert sees[..., 2 * (side // values.shape[-1]) + 1 :].abs().max() == 0


@pytest.mark.parametrize("seed", range(150))
def test_blind_taps_are_those_whose_weights_have_no_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    kernel, stride = tuple(rng.integers(1, 5, rank).tolist()), tuple(rng.integers(1, 3, rank).tolist())
    dilation = tuple(rng.integers(1, 6, rank).tolist())
    shape = tuple(rng.integers(1, 7, rank).tolist())
    spans = [step * (size - 1) + 1 for size, step in zip(kernel, dilation, strict=True)]
    padding = tuple(
        int(max(0, -(-(span - side) // 2)) + rng.integers(0, 3)) for span, side in zip(spans, shape, strict=True)
    )
    weight = torch.zeros(1, 1, *kernel, requires_grad=True)
    CONVOLVE[rank](torch.ones(1, 1, *shape), weight, None, stride, padding, dilation).sum().backward()
    assert weight.grad is not None
    sees = weight.grad[0, 0].numpy() != 0
    along = [sees.any(axis=tuple(one for one in range(rank) if one != axis)).sum() for axis in range(rank)]
    text = f"conv 2 {format_shape(kernel)} stride={format_shape(stride)} dilation={format_shape(dilation)}"
    found = said("FS108", (1, *shape), f"{text} padding={format_shape(padding)}", *END)
    assert len(found) == any(seen < min(2, size) for seen, size in zip(along, kernel, strict=True))
    if found:
        assert numbers(found[0].message.split("alone with ")[1])[:2] == [sees.size - sees.sum(), sees.size]
