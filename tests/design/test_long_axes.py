"""Axes too long to look at each value: the same as where each value is looked at, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fieldstone as fs
from fieldstone.analysis.rules import joins
from fieldstone.design import spans
from fieldstone.geometry import Window, output_size

BLOCKS = [
    "conv 4 3 stride=2 padding=1", "conv 4 7", "avgpool 3 stride=2 padding=1", "upsample 2", "upsample 3 mode=linear",
    "upconv 4 4 stride=2 padding=1", "pad 3 after=9", "conv 4 3 padding=causal dilation=8",
]  # fmt: skip
PATHS = st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3)


def looked_at(design: fs.Design, one_by_one: int) -> tuple[dict[str, Any], int]:
    """What is said where so many values of an axis are looked at one by one."""
    with pytest.MonkeyPatch.context() as patch:
        for place in (spans, joins):
            patch.setattr(place, "MOST_VALUES", one_by_one)
        summary = fs.inspect(design)
        periods = [axis.seen.period for row in summary.rows if row.field for axis in row.field.axes]
        return summary.to_json(), max(periods)


@settings(deadline=None, max_examples=200)
@given(length=st.integers(600, 900), paths=st.lists(PATHS, min_size=2, max_size=3))
def test_joined_paths_of_a_long_axis(length: int, paths: list[list[str]]) -> None:
    """Fields, shares of padding and findings, of paths that move alike and of such that drift apart."""
    sides = [fs.Design((2, length), [*path, "conv classes 1"]).walk(1)[-1].output_shape[1] for path in paths]
    cut = [[*path, f"crop 0 after={side - min(sides)}"] for path, side in zip(paths, sides, strict=True)]
    design = fs.Design((2, length), [{"branches concat": cut}, "conv classes 3", "globalavgpool"])
    (each, period), (quick, _) = looked_at(design, 10**9), looked_at(design, 64)
    assert period <= 64
    assert quick == each


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(0, 9),
    st.integers(1, 90),
    st.integers(1, 60),
)
def test_the_share_of_padding_is_that_of_every_value(
    ends: list[tuple[int, int]], advance: int, length: int, size: int
) -> None:
    seen = tuple((first, first + more) for first, more in ends)
    path = spans.Path(len(seen), advance, seen, length)
    every = [path.span(place) or (0, 0) for place in range(length)]
    pixels = [pixel for first, last in every for pixel in range(first, last + 1)]
    outside = sum(not 0 <= pixel < size for pixel in pixels)
    assert path.outside(size) == pytest.approx(outside / len(pixels))


@given(
    size=st.integers(1, 12), kernel=st.integers(1, 4), stride=st.integers(1, 5), dilation=st.integers(1, 15),
    before=st.integers(0, 30), after=st.integers(0, 30),
)  # fmt: skip
def test_a_window_that_misses_its_map_is_found(**numbers: int) -> None:
    size, kernel, stride, dilation, before, after = numbers.values()
    count = output_size(size, dilation * (kernel - 1) + 1, stride, (before, after))
    window = Window((kernel,), (stride,), (dilation,), ((before, after),))
    windows = [[place * stride - before + dilation * tap for tap in range(kernel)] for place in range(count)]
    missing = [taps for taps in windows if not any(0 <= tap < size for tap in taps)]
    assert count < 1 or window.misses((size,)) == bool(missing)


LONG = 999_999_984


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("wavenet", (1, LONG)),
        ("three-conv", (3, LONG + 15, LONG + 15)),
        ("u-net", (3, LONG, LONG)),
        ("deeplab-v3", (3, 1_000_000, 1_000_001)),  # sides that no ratio of small numbers leads back to
        ("dilated-context", (21, 10_000_000, 10_000_000)),
    ],
)
def test_a_giant_input_is_looked_at_as_fast_as_a_small_one(name: str, shape: tuple[int, ...]) -> None:
    looked = fs.inspect(name, shape)
    assert len(looked.to_json()["layers"]) == len(fs.inspect(name).rows)
    assert looked.rows[0].output_shape[1] > LONG / 2000


def test_a_pooling_of_a_giant_axis_counts_what_it_steps_over() -> None:
    """Of 3 places each window reads 2."""
    looked = fs.inspect(fs.Design((1, LONG), ["avgpool 2 stride=3", "conv classes 1"]), select="FS103")
    assert f"steps over {LONG // 3:,} of the {LONG:,} places" in looked.findings[0].message
