"""A trace as text: the arithmetic of its size, the input, the windows on it one by one, the output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby, islice, pairwise, product
from typing import TYPE_CHECKING

from fieldstone.analysis.arithmetic import joined
from fieldstone.explain.arrays import Array
from fieldstone.explain.boxes import WIDTH, beside, flow, width_of
from fieldstone.explain.maps import MOST_SIDE, NOT_READ, Canvas, lift, numbered
from fieldstone.explain.operations import Spread
from fieldstone.explain.scan import Places
from fieldstone.explain.sums import nothing_line, product_lines, result_line, total_line
from fieldstone.explain.windows import MaxWindow, ProductWindow, SpreadWindow, WindowTrace
from fieldstone.geometry import format_shape

if TYPE_CHECKING:
    from fieldstone.explain.trace import Trace

MOST_MAPS = 4  # channels and slices that are drawn of a map, or under a window
MOST_WINDOWS = 16  # maps with a window on them that are drawn, of maps that are drawn whole
MOST_LENSES = 4  # the same of larger maps
MOST_TAPS = 4  # of a kernel that are named, of more the first and the last
NAMES = {1: ("position",), 2: ("row", "column"), 3: ("slice", "row", "column")}

Plane = tuple[int, int]
"""A channel and a slice."""


def draw(trace: Trace) -> str:
    """Title, size, input, windows, output; of a block in several steps those of each, one after another."""
    steps = trace.steps
    title = f"{_titled(trace.block.text(), steps[0].input, trace.output)}, in {len(steps)} steps"
    parts = [
        *([[title]] if len(steps) > 1 else []),
        *_account(steps[0], "input"),
        *chain.from_iterable(_account(step, f"input: what {before.step} gave") for before, step in pairwise(steps)),
        ["output", *_maps(Canvas.of_maps(numbered("map", len(trace.output)), trace.output))],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _titled(name: str, input: Array, output: Array) -> str:
    return f"{name}: {format_shape(input.shape)} → {format_shape(output.shape)}"


def _account(trace: Trace, input_name: str) -> list[list[str]]:
    """One step: title, size, input, windows."""
    canvas = Canvas.of_scan(trace.scan)
    name = f"step {len(trace.steps)}, {trace.step}" if trace.step else trace.block.text()
    sizes = joined(trace.formulas) if trace.formulas else ["one window reads the whole map"]
    shown = list(islice(trace.windows, _how_many(trace)))
    windows = _windows(trace, canvas, shown)
    more = len(trace.windows) - len(shown)
    return [
        [_titled(name, trace.input, trace.output), *sizes],
        *([[input_name, *_maps(canvas)]] if trace.formulas else []),
        *([["kernel", *_maps(_kernels(trace.operation))]] if isinstance(trace.operation, Spread) else []),
        [_heading(trace, canvas, windows)],
        windows,
        *([[f"… and {_count(more, 'more window')}"]] if more else []),
    ]


def _kernels(spread: Spread) -> Canvas:
    """The kernels of a transposed convolution: places in them say by what each value was multiplied."""
    weight, groups = spread.weight, spread.groups
    inputs, filters, *sizes = weight.shape
    names = [
        f"channel {channel + 1} to map {channel * groups // inputs * filters + filter + 1}"
        for channel, filter in product(range(inputs), range(filters))
    ]
    return Canvas.of_maps(names, weight.reshape(-1, *sizes))  # (C, O / groups, *kernel) -> (C * O / groups, *kernel)


def _heading(trace: Trace, canvas: Canvas, windows: list[str]) -> str:
    """How many windows, and what the marks say that are on them."""
    first = trace.windows[0]
    marks = {
        "framed: values whose kernel reaches it": isinstance(first, SpreadWindow),
        "[ ] the largest": isinstance(first, MaxWindow),
        "( ) padding": canvas.has_padding,
        "· not read": any(NOT_READ in line for line in windows),
    }
    many = len(trace.windows)
    count = f"{_count(many, 'window')}: the {trace.operation.says} of {'it' if many == 1 else 'each'}"
    return "   ".join([count, *(mark for mark, there in marks.items() if there)])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _maps(canvas: Canvas) -> list[str]:
    """A map, its channels and slices beside each other."""
    channels, slices = range(len(canvas.values)), canvas.real[0]
    count = len(channels) * len(slices)
    shown = islice(product(channels, slices), MOST_MAPS)
    blocks = [[*_label(canvas, channel, at, count), *canvas.whole(channel, at)] for channel, at in shown]
    return [*flow(blocks), *([f"… and {_count(count - MOST_MAPS, 'more map')}"] if count > MOST_MAPS else [])]


def _label(canvas: Canvas, channel: int, slice: int, count: int) -> list[str]:
    """Which map it is, where there are several."""
    parts = [canvas.names[channel]] if len(canvas.values) > 1 else []
    parts += [f"slice {slice + 1}"] if len(canvas.bounds[0]) > 1 else []
    return [", ".join(parts)] if count > 1 else []


def _how_many(trace: Trace) -> int:
    """All windows if they are few, otherwise some whole rows of them, or what there is room for."""
    slices = max(map(len, lift(trace.scan.reads, ((0,),))[0]))
    room = MOST_WINDOWS if _drawn_whole(trace) else MOST_LENSES
    most = max(1, room // min(MOST_MAPS, len(trace.windows[0].channels) * slices))
    row = trace.output.shape[-1]
    return min(len(trace.windows), most - most % row if most >= row else most)


def _planes(window: WindowTrace) -> list[Plane]:
    """What a window reads of channels and slices."""
    return list(product(window.channels, lift(window.places, (0,))[0])) if window.values.size else []


def _windows(trace: Trace, canvas: Canvas, windows: Sequence[WindowTrace]) -> list[str]:
    """The windows beside each other, each row of the output on its own lines."""
    lines: list[str] = []
    for _, row in groupby(windows, lambda window: window.position[:-1]):
        lines += [*([""] if lines else []), *flow([_window(trace, canvas, window) for window in row])]
    return lines


def _window(trace: Trace, canvas: Canvas, window: WindowTrace) -> list[str]:
    """One window: its title, the maps that it reads, what comes of it."""
    planes = _planes(window)
    drawn = flow([_plane(canvas, window, plane, planes) for plane in planes[:MOST_MAPS]])
    line = _result(window, planes)
    return [*_title(trace, window), *drawn, *([] if line is None else [line + _won(trace, window)])]


def _result(window: WindowTrace, planes: list[Plane]) -> str | None:
    """What stands under the maps of a window; nothing under a single one that has its products beside it."""
    if not isinstance(window, ProductWindow):
        return result_line(window)
    if not planes:
        return nothing_line(window.bias, window.value)
    if len(planes) == 1:
        return None
    sums = [float(_taps(window, window.products, plane).sum()) for plane in planes]
    return total_line(sums, window.bias, window.value, MOST_MAPS)


def _title(trace: Trace, window: WindowTrace) -> list[str]:
    """Where the window stands in the output, what it reads if the map is not drawn whole, and through which taps."""
    place = window.position[1:]
    parts = [f"map {window.position[0] + 1}"] if len(trace.output) > 1 else []
    parts += [_named(map(str, (at + 1 for at in place)), len(place))] if place else []
    read = [] if not place or not window.start or _drawn_whole(trace) else [_spans(window)]
    taps = [_tapped(window.taps)] if isinstance(window, SpreadWindow) and window.start else []
    return [*([f"output {', '.join(parts)}"] if parts else []), *read, *taps]


def _spans(window: WindowTrace) -> str:
    return f"reads {_named(map(_range, window.places), len(window.places))}"


def _tapped(taps: Places) -> str:
    """`kernel row 3, 1; column 2`, in the order of the values that come through them."""
    ordered = [[str(tap + 1) for tap in axis] for axis in taps]
    texts = [", ".join(axis) if len(axis) <= MOST_TAPS else f"{axis[0]}, {axis[1]} … {axis[-1]}" for axis in ordered]
    return "kernel " + "; ".join(f"{name} {text}" for name, text in zip(NAMES[len(taps)], texts, strict=True))


def _drawn_whole(trace: Trace) -> bool:
    return all(len(axis) <= MOST_SIDE for axis in trace.scan.bounds)


def _named(numbers: Iterable[str], rank: int) -> str:
    return ", ".join(f"{name} {number}" for name, number in zip(NAMES[rank], numbers, strict=True))


def _won(trace: Trace, window: WindowTrace) -> str:
    """Where the winner stands, if that is not seen."""
    if not isinstance(window, MaxWindow):
        return ""
    if window.winner is None:
        return " (padding alone)"
    place = window.winner[1:]
    return "" if _drawn_whole(trace) else f" at {_named((str(at + 1) for at in place), len(place))}"


def _range(places: Sequence[int]) -> str:
    first, last = places[0] + 1, places[-1] + 1
    return f"{first}" if first == last else f"{first} to {last}".replace("-", "−")


def _plane(canvas: Canvas, window: WindowTrace, plane: Plane, planes: Sequence[Plane]) -> list[str]:
    """One channel and slice with the window on it; of a convolution, its products beside it."""
    _, rows, columns = lift(window.places, (0,))
    winner = window.winner[1:] if isinstance(window, MaxWindow) and window.winner else None
    grid, start = canvas.around(*plane, (rows, columns), None if winner is None else lift(winner, 0))
    if isinstance(window, ProductWindow):
        grid = _with_products(grid, start, window, plane, alone=len(planes) == 1)
    return [*_label(canvas, *plane, len(planes)), *grid]


def _with_products(grid: list[str], start: int, window: ProductWindow, plane: Plane, *, alone: bool) -> list[str]:
    values, weight, products = (_taps(window, one, plane) for one in (window.values, window.weight, window.products))
    bias, result = (window.bias, window.value) if alone else (None, float(products.sum()))
    lines = product_lines(values, weight, bias, result)
    both = beside([grid, [""] * start + lines])
    return both if width_of(both) <= WIDTH else [*grid, *lines]


def _taps(window: WindowTrace, values: Array, plane: Plane) -> Array:
    """The (rows, columns) of a window's array that belong to a channel and slice."""
    places = lift(window.places, (0,))
    taps = values.reshape(len(values), *map(len, places))  # (C, *window) -> (C, slices, rows, columns)
    one: Array = taps[window.channels.index(plane[0]), places[0].index(plane[1])]
    return one
