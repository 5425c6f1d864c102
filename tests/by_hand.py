"""Convolution, pooling and resizing written out in NumPy, one window after another, for one map (C, *sides).

An oracle: it knows nothing of torch, and nothing of Fieldstone's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, floor, inf

import numpy as np

Array = np.ndarray
Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
Axis = list[list[int]]  # of each window along one axis the places that it reads, which may lie outside of the map


def span(kernel: int, dilation: int) -> int:
    """The pixels from the first tap to the last."""
    return dilation * (kernel - 1) + 1


def same(side: int, spans: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME, as its documentation has it: by what the last stride leaves over."""
    total = max(0, spans - (side % stride or stride))
    return total // 2, total - total // 2


def axis(side: int, kernel: int, stride: int, dilation: int, pad: tuple[int, int], ceil_mode: bool = False) -> Axis:
    """All windows that fit; in `ceil_mode` also one past the end, if it starts on the map or before it."""
    before, after = pad
    windows, start, spans, end = [], -before, span(kernel, dilation), side + after
    while start + spans <= end or (ceil_mode and start - stride + spans < end and start < side):
        windows.append([start + tap * dilation for tap in range(kernel)])
        start += stride
    return windows


def axes(x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, pads: Pairs, ceil_mode: bool = False) -> list[Axis]:
    parts = zip(x.shape[1:], kernel, stride, dilation, pads, strict=True)
    return [axis(*part, ceil_mode) for part in parts]


def adaptive_axis(side: int, windows: int) -> Axis:
    """The share of each window, with every place that it touches."""
    return [list(range(floor(n * side / windows), ceil((n + 1) * side / windows))) for n in range(windows)]


def positions(windows: list[Axis]) -> Iterator[tuple[Sizes, list[list[int]]]]:
    """Each window's position, and the places that it reads per axis."""
    for position in np.ndindex(*map(len, windows)):
        yield position, [windows[n][at] for n, at in enumerate(position)]


def convolve(x: Array, kernel: Callable[[Sizes], Array], bias: Array | None, windows: list[Axis], groups: int) -> Array:
    """Sums of products. `kernel(tap)` is a matrix (C / groups, F); what lies outside of the map is 0."""
    first = kernel((0,) * len(windows))
    out = np.zeros((first.shape[1], *map(len, windows)))
    for position, taps in positions(windows):
        for tap in np.ndindex(*map(len, taps)):
            place = tuple(places[at] for places, at in zip(taps, tap, strict=True))
            if inside(place, x.shape[1:]):
                out[:, *position] += grouped(x[:, *place], kernel(tap), groups)
    return out if bias is None else out + bias.reshape(-1, *[1] * len(windows))


def inside(place: Sizes, sides: Sizes) -> bool:
    return all(0 <= at < side for at, side in zip(place, sides, strict=True))


def grouped(values: Array, matrix: Array, groups: int) -> Array:
    """(C,) -> (F,): each group of filters reads its own group of channels."""
    reads, makes = len(values) // groups, matrix.shape[1] // groups
    parts = [values[n * reads : (n + 1) * reads] @ matrix[:, n * makes : (n + 1) * makes] for n in range(groups)]
    return np.concatenate(parts)


def spread(x: Array, kernel: Callable[[Sizes], Array], size: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """A transposed convolution, nothing cut: each value (C,) times `kernel(tap)`, (C, F), added where its tap lies."""
    sides = x.shape[1:]
    whole = [(n - 1) * step + span(k, d) for n, step, k, d in zip(sides, stride, size, dilation, strict=True)]
    out = np.zeros((kernel((0,) * len(size)).shape[1], *whole))
    for place in np.ndindex(*sides):
        for tap in np.ndindex(*size):
            at = [p * step + t * d for p, step, t, d in zip(place, stride, tap, dilation, strict=True)]
            out[:, *at] += x[:, *place] @ kernel(tap)
    return out


def trim(over: int) -> tuple[int, int]:
    """What is cut off both ends, as negative numbers, the odd one off the last; too little is added at the end."""
    before = max(0, over) // 2
    return -before, before - over


def bordered(x: Array, pads: Pairs, mode: str = "constant", **more: float) -> Array:
    """More at the ends, or less where a number is negative."""
    cut = x[:, *[slice(max(0, -a), side - max(0, -b)) for (a, b), side in zip(pads, x.shape[1:], strict=True)]]
    return np.pad(cut, [(0, 0), *((max(0, a), max(0, b)) for a, b in pads)], mode, **more)


def largest(x: Array, windows: list[Axis]) -> tuple[Array, dict[Sizes, Sizes]]:
    """The largest value of each window, and at which place of the map it stood."""
    out, winners = np.full((len(x), *map(len, windows)), -inf), {}
    for position, taps in positions(windows):
        for channel in range(len(x)):
            for tap in np.ndindex(*map(len, taps)):
                place = tuple(places[at] for places, at in zip(taps, tap, strict=True))
                if inside(place, x.shape[1:]) and x[channel, *place] > out[channel, *position]:
                    out[channel, *position] = x[channel, *place]
                    winners[channel, *position] = (channel, *place)
    return out, winners


def mean(x: Array, windows: list[Axis], counted: Pairs | None = None) -> Array:
    """The mean of each window; places of padding count as zeros up to `counted` (before, after), none if None."""
    sides, out = x.shape[1:], np.zeros((len(x), *map(len, windows)))
    pads = counted or ((0, 0),) * len(sides)
    for position, taps in positions(windows):
        count = 0
        for tap in np.ndindex(*map(len, taps)):
            place = tuple(places[at] for places, at in zip(taps, tap, strict=True))
            ends = zip(place, sides, pads, strict=True)
            count += all(-before <= at < side + after for at, side, (before, after) in ends)
            if inside(place, sides):
                out[:, *position] += x[:, *place]
        out[:, *position] /= count
    return out


def unpooled(y: Array, winners: dict[Sizes, Sizes], shape: Sizes) -> Array:
    """Each value back at the place of its winner."""
    out = np.zeros(shape)
    for position, place in winners.items():
        out[place] = y[position]
    return out


def cubic(distance: float) -> float:
    """Keys's kernel with a = -3/4 (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981)."""
    d, a = abs(distance), -0.75
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def resized(x: Array, sides: Sizes, how: str, corners: bool = False) -> Array:
    """Each axis to another side: `nearest`, `linear` or `cubic`; the ends go on with their last value."""
    for n, (side, out) in enumerate(zip(x.shape[1:], sides, strict=True), 1):
        x = np.moveaxis(np.tensordot(x, weights(side, out, how, corners), (n, 1)), -1, n)
    return x


def weights(side: int, out: int, how: str, corners: bool) -> Array:
    """(out, side): what each new value takes of each old one."""
    matrix = np.zeros((out, side))
    for place in range(out):
        if how == "nearest":
            matrix[place, floor(place * side / out)] = 1
            continue
        centre = place * (side - 1) / max(1, out - 1) if corners else (place + 0.5) * side / out - 0.5
        for tap in range(floor(centre) - 1, floor(centre) + 3):
            weight = cubic(centre - tap) if how == "cubic" else max(0.0, 1 - abs(centre - tap))
            matrix[place, min(max(tap, 0), side - 1)] += weight
    return matrix
