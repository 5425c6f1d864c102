"""Every number in a figure is the one of torch's own layer, over many settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from torch.nn import functional as F

import drawn
from fieldstone.errors import DesignError
from fieldstone.explain.figures.film import Film
from fieldstone.explain.figures.grid import exact_text
from fieldstone.explain.figures.gridding import paths
from fieldstone.explain.figures.kinds import make
from fieldstone.explain.figures.stage import Look, filmed

Draw = Any
TORCHS = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def film_of(kind: str, **given: Any) -> Film:
    try:
        return filmed(make(kind, given, Look(), 96), smooth=False)
    except DesignError:  # it does not fit
        reject()


def table(values: np.ndarray) -> str:
    """A file with these channels."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as file:
        file.write("\n\n".join("\n".join(",".join(map(repr, row)) for row in channel) for channel in values.tolist()))
    return file.name


def sizes(draw: Draw, least: int, most: int) -> tuple[int, int]:
    return draw(st.tuples(st.integers(least, most), st.integers(least, most)))


def values_of(draw: Draw, channels: int) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (channels, *sizes(draw, 1, 5))
    return rng.integers(-3, 9, shape).astype(float) if draw(st.booleans()) else rng.normal(size=shape).round(3)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(found: np.ndarray, expected: Any) -> None:
    """As float32 has them."""
    np.testing.assert_allclose(found, np.asarray(expected), rtol=2e-7, atol=1e-6)


def lanes(grids: dict[str, drawn.Cells], name: str, channels: int) -> np.ndarray:
    """The grids of all channels."""
    names = [name] if channels == 1 else [f"{name}-{channel}" for channel in range(channels)]
    return np.array([drawn.array(grids[one]) for one in names])


def check_steps(film: Film, name: str, channels: int, expected: torch.Tensor, padded: torch.Tensor) -> None:
    """The input with its padding at every step; of the output so many values as steps are over."""
    flat = expected.reshape(len(expected), -1)
    assert len(film.steps) == flat.shape[1]
    for step, frame in enumerate(film.steps):
        grids = drawn.grids(film.still(frame, "light"))
        close(lanes(grids, "input", channels), padded)
        shown = lanes(grids, name, len(expected)).reshape(len(expected), -1)
        close(shown[:, : step + 1], flat[:, : step + 1])
        assert np.isnan(shown[:, step + 1 :]).all()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_pooling_is_torchs(data: st.DataObject) -> None:
    draw = data.draw
    channels, kind = draw(st.integers(1, 3)), draw(st.sampled_from(["maxpool", "avgpool"]))
    values, kernel, stride = values_of(draw, channels), sizes(draw, 1, 3), sizes(draw, 1, 3)
    padding = draw(st.tuples(*[st.integers(0, side // 2) for side in kernel]))
    given: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    dilation = sizes(draw, 1, 2) if kind == "maxpool" else (1, 1)
    given |= {"dilation": dilation} if kind == "maxpool" else {}

    film = film_of(kind, values=table(values), **given)

    batch, fill = tensor(values)[None], -torch.inf if kind == "maxpool" else 0
    padded = F.pad(batch, [padding[1], padding[1], padding[0], padding[0]], value=fill)
    if kind == "maxpool":
        expected = F.max_pool2d(batch, kernel, stride, padding, dilation)[0]
    else:
        expected = F.avg_pool2d(batch, kernel, stride, padding)[0]
    check_steps(film, "output", channels, expected, padded[0])
    patches = padded.unfold(2, reach(kernel[0], dilation[0]), stride[0]).unfold(
        3, reach(kernel[1], dilation[1]), stride[1]
    )
    patches = patches[0, ..., :: dilation[0], :: dilation[1]].flatten(1, 2)  # (C, rows, columns, …) -> (C, steps, …)
    for step, frame in enumerate(film.steps):
        close(lanes(drawn.grids(film.still(frame, "light")), "window", channels), patches[:, step])


def reach(kernel: int, dilation: int) -> int:
    return dilation * (kernel - 1) + 1


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_convolution_is_torchs_and_so_are_the_sums_of_its_channels(data: st.DataObject) -> None:
    draw = data.draw
    channels, mode = draw(st.integers(1, 3)), draw(st.sampled_from(list(TORCHS)))
    values, kernel, stride, dilation = (
        values_of(draw, channels),
        sizes(draw, 1, 3),
        sizes(draw, 1, 3),
        sizes(draw, 1, 2),
    )
    padding, bias = sizes(draw, 0, 2), draw(st.sampled_from([None, 1.5]))
    weight = np.random.default_rng(0).integers(-2, 3, (channels, *kernel)).astype(float)

    film = film_of(
        "conv", values=table(values), weight=table(weight), stride=stride, padding=padding, dilation=dilation,
        padding_mode=mode, **({} if bias is None else {"bias": bias}),
    )  # fmt: skip

    padded = F.pad(tensor(values)[None], [padding[1], padding[1], padding[0], padding[0]], mode=TORCHS[mode])
    kernels, options = tensor(weight)[None], {"stride": stride, "dilation": dilation}
    expected = F.conv2d(padded, kernels, None if bias is None else torch.tensor([bias]).double(), **options)[0]
    check_steps(film, "output", channels, expected, padded[0])
    each = F.conv2d(padded, kernels[0][:, None], groups=channels, **options)[0].flatten(1)
    for step, frame in enumerate(film.steps):
        grids = drawn.grids(film.still(frame, "light"))
        close(lanes(grids, "kernel", channels), weight)
        if channels > 1:
            close(lanes(grids, "sum", channels).ravel(), each[:, step])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_transposed_convolution_is_torchs_of_the_values_so_far(data: st.DataObject) -> None:
    draw = data.draw
    values, kernel, stride = values_of(draw, 1), sizes(draw, 1, 3), sizes(draw, 1, 3)
    dilation, padding = sizes(draw, 1, 2), sizes(draw, 0, 1)
    weight = np.random.default_rng(1).integers(-2, 3, (1, *kernel)).astype(float)
    axes = zip(values.shape[1:], kernel, stride, dilation, padding, strict=True)
    assume(all((n - 1) * step + by * (k - 1) + 1 - 2 * pad <= 15 for n, k, step, by, pad in axes))  # more is refused

    film = film_of(
        "upconv",
        values=table(values),
        weight=table(weight),
        stride=stride,
        dilation=dilation,
        padding=padding,
        bias=0.5,
    )

    so_far = torch.zeros_like(tensor(values)).ravel()
    for step, frame in enumerate(film.steps):
        so_far[step] = tensor(values).ravel()[step]
        batch = so_far.reshape(1, *values.shape)
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        expected = F.conv_transpose2d(batch, tensor(weight)[None], torch.tensor([0.5]).double(), **options)[0, 0]
        shown = drawn.real(drawn.grids(film.still(frame, "light"))["output"], tuple(expected.shape))
        known = ~np.isnan(shown)
        close(shown[known], expected[torch.from_numpy(known)])
        assert known.all() or step < len(film.steps) - 1


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_padding_modes_are_torchs(data: st.DataObject) -> None:
    values, padding = values_of(data.draw, 1), sizes(data.draw, 0, 2)
    assume(max(padding) < min(values.shape[1:]))
    film = film_of("padding", values=table(values), padding=padding)
    grids = drawn.grids(film.still(0, "light"))
    for mode, name in TORCHS.items():
        widths = [padding[1], padding[1], padding[0], padding[0]]
        close(drawn.array(grids[mode]), F.pad(tensor(values)[None], widths, mode=name)[0, 0])


@pytest.mark.parametrize("seed", range(30))
def test_a_drawn_kernel_shows_something(seed: int) -> None:
    film = film_of("conv", kernel=(1, 1), seed=seed)
    assert drawn.array(drawn.grids(film.still(0, "light"))["kernel"]).any()


@settings(max_examples=20, deadline=None)
@given(kernel=st.integers(1, 3), dilations=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_paths_are_the_gradient_of_convolutions_of_ones(kernel: int, dilations: list[int]) -> None:
    side = len(paths(kernel, dilations))
    batch = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    out = batch
    for dilation in dilations:
        out = F.conv2d(out, torch.ones(1, 1, kernel, kernel, dtype=torch.float64), dilation=dilation)
    assert out.shape == (1, 1, 1, 1)
    out.sum().backward()
    film = filmed(
        make("gridding", {"kernel": (kernel, kernel), "dilations": (tuple(dilations),)}, Look(), 48), smooth=False
    )
    (cells,) = drawn.grids(film.still(film.steps[-1], "light")).values()
    assert batch.grad is not None
    np.testing.assert_array_equal(drawn.array(cells), batch.grad[0, 0].numpy())


@pytest.mark.parametrize("step", range(9))
def test_dots_are_torchs_gradient(step: int) -> None:
    """Each output so far gives its gradient to one cell: as many dots as that cell's gradient."""
    grid = np.array([[3, 1, 2, 0, 4], [0, 8, 3, 1, 2], [5, 2, 1, 7, 0], [1, 4, 6, 2, 3], [2, 0, 5, 1, 9]], float)
    film = film_of("maxpool", values=table(grid[None]))
    batch = tensor(grid)[None, None].requires_grad_()
    F.max_pool2d(batch, 3, 1).ravel()[: step + 1].sum().backward()
    dots = {
        (int(stone.attrib["data-row"]), int(stone.attrib["data-column"])): len(list(stone.iter(f"{drawn.SVG}circle")))
        for stone in drawn.stones(drawn.tree(film.still(film.steps[step], "light")))
        if stone.attrib["data-grid"] == "input"
    }
    assert batch.grad is not None
    np.testing.assert_array_equal(drawn.array(dict(dots)), batch.grad[0, 0].numpy())


@given(st.floats(width=32))
def test_exact_values_come_back_as_the_same_float32(value: float) -> None:
    text = exact_text(value)
    assert np.float32(text).tobytes() == np.float32(value).tobytes() or np.isnan(value) or value == 0
    assert len(text) <= max(len(str(np.float32(value))), len("-Infinity"))


@pytest.fixture(autouse=True)
def _tables_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
