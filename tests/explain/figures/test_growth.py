"""The figure of a receptive field reads what torch's gradients reach, and its fields are those of the analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from torch.nn import functional as F

import drawn
from fieldstone.cli import run
from fieldstone.design.design import Design
from fieldstone.design.spans import Span
from fieldstone.errors import FieldstoneError
from fieldstone.explain.figures.growth import Growth
from fieldstone.explain.figures.sighted import Layer, layers_of
from fieldstone.explain.figures.stage import Look, filmed
from places import OUTPUTS
from strategies import designs

JOINED = Design(
    (1, 25, 21),
    [
        "conv 1 3 padding=1",
        "save skip",
        {"residual": ["conv 1 3 padding=2 dilation=2", "conv 1 1"]},
        {"branches concat": [["conv 1 1x5 padding=0x2"], ["conv 1 7x1 padding=3x0"], []]},
        "conv 1 3 stride=2",
        "upconv 1 2 stride=2",
        "concat skip crop=true",
        "conv classes 3",
    ],
)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.float64)


def maps_in_torch() -> dict[int, torch.Tensor]:
    """The maps of JOINED that the figure has, by their place in it, written out with kernels of ones."""
    maps = {0: ones(1, 1, 25, 21).requires_grad_()}
    first = maps[1] = F.conv2d(maps[0], ones(1, 1, 3, 3), padding=1)
    maps[2] = F.conv2d(F.conv2d(first, ones(1, 1, 3, 3), padding=2, dilation=2), ones(1, 1, 1, 1)) + first
    wide = F.conv2d(maps[2], ones(1, 1, 1, 5), padding=(0, 2))
    high = F.conv2d(maps[2], ones(1, 1, 7, 1), padding=(3, 0))
    maps[3] = torch.cat([wide, high, maps[2]], 1)
    maps[4] = F.conv2d(maps[3], ones(1, 3, 3, 3), stride=2)
    up = F.conv_transpose2d(maps[4], ones(1, 1, 2, 2), stride=2)
    rows, columns = ((a - b) // 2 for a, b in zip(first.shape[2:], up.shape[2:], strict=True))
    cut = first[:, :, rows : rows + up.shape[2], columns : columns + up.shape[3]]
    maps[5] = torch.cat([cut, up], 1)
    maps[6] = F.conv2d(maps[5], ones(1, 2, 3, 3))
    return maps


def layers(design: Design) -> tuple[Layer, ...]:
    return layers_of(design.name or "design", design.input, design.walk(design.classes or 1))


def cells_drawn(film_text: str, shapes: dict[int, tuple[int, ...]]) -> dict[int, np.ndarray]:
    """By the place of a map the cells that are marked in it."""
    cells = {place: np.zeros(shape, bool) for place, shape in shapes.items()}
    for element in drawn.tree(film_text).iter(f"{drawn.SVG}rect"):
        if "data-map" in element.attrib:
            top, left, rows, columns = (
                int(element.attrib[f"data-{name}"]) for name in ("row", "column", "rows", "columns")
            )
            part = cells[int(element.attrib["data-map"])][top : top + rows, left : left + columns]
            assert part.shape == (rows, columns)
            assert not part.any()
            part[:] = True
    return cells


def test_what_is_marked_is_where_torchs_gradients_are() -> None:
    """Through a residual, branches of unlike kernels, a stride, a transposed convolution and a skip that is cut."""
    maps = maps_in_torch()
    film = filmed(Growth(layers(JOINED), Look(), "a"), smooth=False)
    found = cells_drawn(film.still(film.steps[-1], "light"), {at: tuple(one.shape[2:]) for at, one in maps.items()})
    (row,), (column,) = np.nonzero(found[6])
    for one in list(maps.values())[1:]:
        one.retain_grad()
    maps[6][0, 0, row, column].backward()
    for place, one in maps.items():
        assert one.grad is not None
        np.testing.assert_array_equal(found[place], one.grad[0].abs().amax(0).numpy() > 0, str(place))


def test_what_one_branch_skips_and_another_reads_is_marked() -> None:
    """A dilated kernel over a dense one, written out."""
    branches = {"branches concat": [["conv 1 3 padding=2 dilation=2"], ["conv 1 3 padding=1"]]}
    found = layers(Design((1, 9, 9), [branches, "conv classes 1"]))
    expected = np.zeros((5, 5), bool)
    expected[::2, ::2] = expected[1:4, 1:4] = True
    np.testing.assert_array_equal(found[0].seen.cells, expected)
    assert found[0].seen.spans == ((2, 6), (2, 6))


@pytest.mark.parametrize(
    "name",
    [
        "three-conv", "resnet-18", "resnet-50", "googlenet", "u-net", "mobilenet-v2", "squeezenet-1.1",
        "efficientnet-lite-0", "alexnet", "dilated-context", "vgg-16",
    ],
)  # fmt: skip
def test_fields_are_those_of_the_analysis(name: str) -> None:
    design = Design.named(name)
    found = layers(design)
    rows = [row for row in design.walk(design.classes or 2) if row.field and len(row.output_shape) == 3]
    last = next(row for row in reversed(rows) if not row.field.saw_everything)  # type: ignore[union-attr]
    assert found[0].seen.extents == last.receptive_field
    assert found[-1].shape == last.output_shape
    assert found[-1].seen.extents == (1, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(design=designs(ranks=(2,)))
def test_fields_of_random_designs_are_those_of_the_analysis(design: Design) -> None:
    """The pixels of the input, without its padding, that the value of the figure sees along each axis."""
    rows = design.walk(OUTPUTS)
    try:
        found = layers_of("design", design.input, rows)
    except FieldstoneError:
        reject()
    place = found[-1].seen.top, found[-1].seen.left
    fields = [row.field for row in rows if row.field and row.output_shape == found[-1].shape]
    assume(all(path.period == 1 and path.advance for field in fields for axis in field.axes for path in axis.paths))
    expected = [
        [real(axis.span(at), axis.pixels) for axis, at in zip(field.axes, place, strict=True)] for field in fields
    ]
    assert [real(span, side) for span, side in zip(found[0].seen.spans, design.input[1:], strict=True)] in expected


def real(span: Span, side: int) -> range:
    """What a span has of an axis of so many pixels."""
    first, last = span or (0, -1)
    pixels = range(max(first, 0), min(last, side - 1) + 1)
    return pixels or range(0)


@pytest.mark.parametrize(
    ("blocks", "extents"),
    [
        (["squeezeexcite 1", "concat input", "conv 1 3 padding=same", "avgpool 3", "conv classes 1"], (6, 6)),
        ([{"residual": ["conv 1 3 padding=1", "squeezeexcite 1"]}, "conv 1 5 padding=2", "conv classes 1"], (8, 8)),
        ([{"residual": ["conv 1 1", "squeezeexcite 1"]}, "conv classes 1x3 padding=0x1"], (6, 6)),
    ],
)
def test_after_a_gate_the_input_is_seen_and_no_more_of_its_padding_than_by_the_gate(
    blocks: list[Any], extents: tuple[int, int]
) -> None:
    design = Design((1, 6, 6), blocks)
    found = layers(design)
    assert found[0].seen.extents == extents
    assert [row.receptive_field for row in design.walk(1) if row.output_shape == found[-1].shape][-1] == extents


def test_a_value_that_reads_nothing_is_said() -> None:
    """Of kernel 1 and stride 3, transposed, two of three values read nothing, and those are all that stride 3 keeps."""
    design = Design((1, 4, 4), ["upconv 1 1 stride=3 output_padding=2", "pad 1", "conv classes 1 stride=3"])
    with pytest.raises(FieldstoneError, match="design: no value of 3 reads the input, so it sees nothing; `fieldstone"):
        layers(design)


def words_of(name: str, language: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "a.svg"
    assert run(["figure", "field", "--design", name, "--language", language, "-o", str(file)]) == 0
    root = drawn.tree(file.read_text(encoding="utf-8"))
    return [text for element in root.iter(f"{drawn.SVG}text") for text in element.itertext()]


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [
        ("resnet-18", "en", {"+ its input": 5, "+ shortcut": 3, "sees 435 × 435": 1, "one value": 1}),
        ("resnet-18", "ko", {"+ 입력": 5, "+ 지름길": 3, "수용 영역 435 × 435": 1}),
        ("googlenet", "en", {"concat, 4 branches": 9, "1024×7×7": 1}),
        ("googlenet", "ko", {"concat, 가지 4개": 9}),
        ("u-net", "en", {f"concat scale-{scale}": 1 for scale in (1, 2, 3, 4)}),
    ],
)
def test_joins_are_said(name: str, language: str, expected: dict[str, int], tmp_path: Path) -> None:
    words = words_of(name, language, tmp_path)
    assert {text: words.count(text) for text in expected} == expected


@pytest.mark.parametrize("name", ["resnet-18", "u-net", "googlenet"])
def test_maps_and_words_lie_in_the_figure_and_beside_each_other(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    assert run(["figure", "field", "--design", name, "-o", str(file)]) == 0
    root = drawn.tree(file.read_text(encoding="utf-8"))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    maps = [box(one) for one in root.iter(f"{drawn.SVG}rect") if one.get("class") in ("in_0 s-in", "sunken s-edge")]
    assert len(maps) == len(layers(Design.named(name)))
    for number, (x, y, right, foot) in enumerate(maps):
        assert 0 < x < right < width
        assert 0 < y < foot < height
        assert min(right - x, foot - y) > 24
        assert all(right < left or end < x or foot < top or below < y for left, top, end, below in maps[:number])


def box(rectangle: Any) -> tuple[float, float, float, float]:
    x, y, width, height = (float(rectangle.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height
