"""The pieces of a report, each against numbers that are not its own."""

from __future__ import annotations

import io
import math
import re
from base64 import b64decode
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import fieldstone as fs
from fieldstone.report import plots
from fieldstone.report.calibration import diagram
from fieldstone.report.filters import first_filters
from fieldstone.report.pictures import picture
from fieldstone.report.plots import Curve, Panel
from fieldstone.report.wording import counted, duration, figure, likely_range, percent, tick
from fieldstone.tasks.classification import CalibrationBin, calibration_bins

STYLE = (Path(plots.__file__).parent / "style.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.913, "91.3 %"), (1.0, "100 %"), (0.99999, "> 99.9 %"), (0.0, "0 %"), (1e-6, "< 0.1 %"), (None, "–"),
        (math.nan, "NaN"), (0.9994, "99.9 %"), (0.5, "50.0 %"),
    ],
)  # fmt: skip
def test_percents(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (3.0, "3"), (0.05671, "0.0567"), (1.2345, "1.23"), (123.45, "123.5"), (1234.5, "1,234"),
        (-0.5, "−0.5"), (2.3387e-6, "2.34e−6"), (123456.7, "1.23e5"), (math.nan, "NaN"), (-math.inf, "−∞"), (None, "–"),
    ],
)  # fmt: skip
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_durations_and_counts() -> None:
    assert [duration(seconds) for seconds in (0.04, 99.9, 200, 7500)] == ["0.0 s", "99.9 s", "3 min 20 s", "2 h 5 min"]
    assert [counted(number, "class") for number in (1, 2)] == ["1 class", "2 classes"]
    assert counted(12000, "image") == "12,000 images"
    assert [tick(value) for value in (0.0, 0.25, 1500.0, 2e-6)] == ["0", "0.25", "1,500", "2e−6"]


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_the_range_is_wilsons(pair: tuple[int, int]) -> None:
    """Its ends are where a true rate lies 1.96 of its own standard deviations from what was counted."""
    images, right = pair
    low, high = likely_range(right / images, images)
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            deviation = math.sqrt(end * (1 - end) / images)
            assert abs(right / images - end) == pytest.approx(1.959964 * deviation, rel=1e-6)
    assert low <= right / images <= high + 1e-12


def test_calibration_bins_by_hand() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 500)
    targets = rng.integers(0, 4, 500)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    bins = calibration_bins(torch.tensor(probabilities), torch.tensor(targets))
    assert len(bins) == 15
    for place, one in enumerate(bins):
        inside = (confidence > place / 15) & (confidence <= (place + 1) / 15)
        assert one.images == inside.sum()
        assert one.confidence == pytest.approx(confidence[inside].sum())
        assert one.right == right[inside].sum()


def test_the_diagram_is_as_high_as_answers_are_right() -> None:
    bins = [CalibrationBin(0, 0.0, 0.0)] * 14 + [CalibrationBin(8, 7.8, 6.0)]
    text = str(diagram(bins))
    (bar,) = re.findall(r'class="bar" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', text)
    assert float(bar[3]) == 240 * 6 / 8
    assert float(bar[0]) == pytest.approx(48 + 240 * 14 / 15 + 1, abs=0.05)
    assert "75.0 % right at 97.5 %" in text
    assert "at most 8" in text


NUMBERS = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([math.nan, math.inf, 0.0]))


@given(st.lists(NUMBERS, min_size=2, max_size=30), st.booleans())
def test_curves_stay_in_their_plot_and_break_where_there_is_no_number(values: list[float | None], twice: bool) -> None:
    curves = [Curve("training", values)] * twice + [Curve("validation", values)]
    text = str(Panel("Loss", curves, range(1, len(values) + 1), best=2).svg())
    drawn = re.findall(r'class="curve validation" d="([^"]*)"', text)
    finite = [value is not None and math.isfinite(value) for value in values]
    if not any(finite):
        assert drawn == []
        assert "no finite value" in text
        return
    points = re.findall(r"([ML])(-?[\d.]+) (-?[\d.]+)", drawn[0])
    assert len(points) == sum(finite)
    starts = sum(here and not before for before, here in pairwise([False, *finite]))
    assert sum(kind == "M" for kind, _, _ in points) == starts
    assert all(47.9 <= float(x) <= 262.1 and 33.9 <= float(y) <= 182.1 for _, x, y in points)
    kept = [value for value, is_finite in zip(values, finite, strict=True) if is_finite]
    heights = [float(y) for _, _, y in points]
    assert heights[kept.index(max(kept))] == min(heights)  # type: ignore[type-var]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_an_axis_of_shares_ends_at_one_and_holds_all(values: list[float]) -> None:
    scale = plots.Scale.of_shares(values)
    assert scale.high == 1
    assert 0 <= scale.low <= min(values) + 1e-9
    assert scale.ticks[0] == pytest.approx(scale.low, abs=1e-9)
    assert scale.ticks[-1] == pytest.approx(1)
    assert len(scale.ticks) <= 6


@pytest.mark.parametrize(("count", "kept"), [(3, 1), (400, 7), (100_000, 99_998)])
def test_a_long_training_keeps_its_ends_and_its_best_epoch(count: int, kept: int) -> None:
    places = plots.thinned(count, kept)
    assert {0, kept, count - 1} <= set(places)
    assert places == sorted(set(places))
    assert len(places) <= min(count, 401)


def pixels_of(address: str) -> np.ndarray:
    kind, _, text = address.partition(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    return np.asarray(Image.open(io.BytesIO(b64decode(text))))


@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_are_exact_and_large_ones_bounded(channels: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (channels, 28, 20), dtype=np.uint8)
    small = picture(pixels)
    shown = pixels_of(small.address).reshape(28, 20, channels).transpose(2, 0, 1)
    assert (shown == pixels).all()
    assert (small.width, small.height, small.is_small) == (20, 28, True)
    large = picture(np.full((channels, 300, 600), 100, np.uint8))
    assert (large.width, large.height, large.is_small) == (144, 72, False)
    assert np.abs(pixels_of(large.address).astype(int) - 100).max() <= 2


def test_colour_kernels_are_pixels_about_mid_grey() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 70, (3, 2))), nn.Conv2d(70, 4, 1))
    filters = first_filters(network)
    assert filters is not None
    assert (filters.layer, filters.count, filters.size, len(filters.colours)) == ("0.0", 70, "3×2", 64)
    weight = network[0][0].weight.detach().numpy()  # type: ignore[index]
    shown = pixels_of(filters.colours[5].address).transpose(2, 0, 1)
    assert np.abs((shown - 127.5) / 127.5 - weight[5] / np.abs(weight[5]).max()).max() < 0.01


def test_other_kernels_are_signed_maps() -> None:
    convolution = nn.Conv2d(1, 3, 2, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([[[[0.0, 4.0], [-2.0, 1.0]]], [[[0, 0], [0, 0]]], [[[1, 1], [1, 1]]]]))
    filters = first_filters(convolution)
    assert filters is not None
    assert (filters.unseen, filters.largest, filters.colours) == (1, 4.0, ())
    cells = dict(re.findall(r'class="(w-[a-z]+\d?)" d="M(\d \d)h1v1h-1z"', str(filters.maps[0])))
    assert cells == {"w-none": "0 0", "w-plus8": "1 0", "w-minus4": "0 1", "w-plus2": "1 1"}


def test_a_network_without_convolution_has_no_filters() -> None:
    assert first_filters(nn.Linear(3, 2)) is None


def test_the_style_gives_every_colour_of_a_drawing_its_role() -> None:
    names = ("resnet-50", "u-net", "googlenet", "wavenet", "three-conv")
    drawn = "".join(fs.inspect(name).to_svg() for name in names)
    used = set(re.findall(r'((?:fill|stroke)="#[0-9A-F]{6}")', drawn))
    known = set(re.findall(r'\.drawing \[((?:fill|stroke)="#[0-9A-F]{6}")\]', STYLE))
    assert used <= known
    assert len(used) > 8


def test_every_token_is_defined_in_light_and_the_dark_ones_are_the_same() -> None:
    light, dark = (
        re.search(r"^:root \{(.*?)\n\}", STYLE, re.S | re.M),
        re.search(r"dark\) \{\n  :root \{(.*?)\n  \}", STYLE, re.S),
    )
    assert light is not None
    assert dark is not None
    defined = set(re.findall(r"(--[\w-]+):", light[1]))
    assert set(re.findall(r"var\((--[\w-]+)\)", STYLE)) - {"--natural"} <= defined
    assert set(re.findall(r"(--[\w-]+):", dark[1])) == defined - {"--sans", "--mono", "--mark", "--on-mark"}


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1])
def test_counts_in_the_matrix_have_the_ink_of_more_contrast(scheme: int) -> None:
    def colour(token: str) -> str:
        found = re.findall(rf"{token}: (#[0-9A-F]{{6}})", STYLE)
        return str(found[scheme])

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    own = re.findall(r"--on-map-4: var\((--\w+)\)", STYLE)[scheme]
    for tint in range(9):
        chosen = own if tint == 4 else "--text" if tint < 4 else "--paper"
        other = "--paper" if chosen == "--text" else "--text"
        ground = colour(f"--map-{tint}")
        assert contrast(colour(chosen), ground) > contrast(colour(other), ground)
        assert contrast(colour(chosen), ground) >= 4
