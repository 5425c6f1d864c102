"""Random maps and settings for traces; what the tests of traces share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import reject
from hypothesis import strategies as st

import fieldstone as fs
from fieldstone.errors import DesignError

Draw = Any


def written(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


def sides_of(draw: Draw, rank: int) -> tuple[int, ...]:
    return draw(st.tuples(*[st.integers(1, {1: 14, 2: 8, 3: 5}[rank])] * rank))


def per_axis(draw: Draw, rank: int, least: int, most: int) -> tuple[int, ...]:
    return draw(st.tuples(*[st.integers(least, most)] * rank))


def random_map(draw: Draw, channels: int, sides: tuple[int, ...]) -> np.ndarray:
    """Small whole numbers, so that there are ties, or normal ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (channels, *sides)
    return rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape)


def traced(text: str, values: np.ndarray, rank: int, **arrays: Any) -> fs.Trace:
    """A trace; blocks that do not fit are not drawn."""
    try:
        return fs.trace(text, values, rank=rank, **arrays)
    except DesignError:
        reject()


def normal(draw: Draw, *shape: int) -> np.ndarray:
    return np.random.default_rng(draw(st.integers(0, 2**32))).normal(size=shape)


def tensor(values: np.ndarray | None) -> Any:
    return None if values is None else torch.tensor(values, dtype=torch.float64)


def some(draw: Draw, windows: Any) -> list[Any]:
    """A few windows; their gradients cost."""
    numbers = draw(st.lists(st.integers(0, len(windows) - 1), min_size=1, max_size=4))
    return [windows[number] for number in numbers]


def scattered(numbers: np.ndarray, shape: tuple[int, ...], window: Any, places: Any) -> np.ndarray:
    """The numbers of a window where they belong in an array of zeros."""
    whole = np.zeros(shape)
    whole[np.ix_(window.channels, *places)] = numbers
    return whole
