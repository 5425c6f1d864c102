"""Rules about dilation: what it leaves out, and where it reaches over the borders of its map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from fieldstone.analysis.reading import Line, Run, ends, is_dilated
from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import SIDES, percent, plural, short
from fieldstone.design.blocks.window import padding_of
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import Reads, Window, format_shape

LONGEST_PICTURE = 65  # places
LONGEST_LIST = 8  # dilations


def gridding(subject: Subject) -> Iterator[Found]:
    """Dilations one after another whose reads leave holes that nothing else on the way fills."""
    said = set()
    for run in ends(subject):
        holes = [line for line in run.lines if line.read < line.field]
        dilated = [row for row in run.windows.values() if is_dilated(_window(row))]
        if not holes or run.depth < 2 or dilated[-1].path in said:
            continue
        said.add(dilated[-1].path)
        start = "the input" if run.start == INPUT else f"the map that {run.start} gives"
        yield Found(
            dilated[-1].path,
            f"{dilated[-1].block.text()}, with the dilations before it ({_listed(dilated)}), "
            f"reads {_reads(run.lines)} of {start}; {percent(_unread(run.lines))} of its field is unread: "
            f"{_picture(min(holes, key=lambda line: line.read / line.field))}",
            _without_holes(run, dilated),
        )


def _window(row: Row) -> Window:
    window = window_of(row)
    assert isinstance(window, Window)
    return window


def _listed(rows: list[Row]) -> str:
    return _listing([short(_window(row).dilation) for row in rows[:-1]])


def _listing(texts: list[str]) -> str:
    return ", ".join(texts if len(texts) <= LONGEST_LIST else (*texts[: LONGEST_LIST - 1], "…", texts[-1]))


def _reads(lines: tuple[Line, ...]) -> str:
    named = zip(lines, SIDES[len(lines)], strict=True)
    return " and ".join(f"{line.read} of {line.field} {name}s" for line, name in named)


def _unread(lines: tuple[Line, ...]) -> float:
    """The share of the field that is not read; no less of it where paths are joined."""
    return 1 - prod(line.read for line in lines) / prod(line.field for line in lines)


def _picture(line: Line) -> str:
    drawn = str(line)
    return drawn if len(drawn) <= LONGEST_PICTURE else f"{drawn[:LONGEST_PICTURE]}…"


def _without_holes(run: Run, dilated: list[Row]) -> str:
    """Dilations no larger than these, each at most as wide as what is solid before it; where they stand in a chain."""
    given = [_window(row).dilation for row in dilated]
    if run.depth < len(dilated) or len(dilated) > LONGEST_LIST or any(len(set(steps)) > 1 for steps in given):
        return "let the dilations begin with 1, each at most as wide as what those before it read without holes"
    wanted = zip(*(_solid(run, dilated, axis) for axis in range(len(run.lines))), strict=True)
    return f"use the dilations {', '.join(str(min(steps)) for steps in wanted)}, padded to keep the sides"


def _solid(run: Run, dilated: list[Row], axis: int) -> list[int]:
    """Along one axis the largest dilations that leave no holes."""
    plain = [row for row in run.windows.values() if row not in dilated]
    solid = 1 + sum(_window(row).kernel[axis] - 1 for row in plain)
    steps = []
    for window in map(_window, dilated):
        steps.append(min(window.dilation[axis], solid))
        solid += steps[-1] * (window.kernel[axis] - 1)
    return steps


def padding_alone(subject: Subject) -> Iterator[Found]:
    """A window with weights so wide for its map that along an axis at most one of its taps ever sees a value."""
    alike: dict[tuple[Window, tuple[int, ...]], list[Row]] = {}
    for row in subject.rows:
        window = window_of(row)
        if row.params and isinstance(window, Window) and getattr(row.block, "padding_mode", "zeros") == "zeros":
            alike.setdefault((window, row.input_shape[1:]), []).append(row)
    for (window, sides), rows in alike.items():
        axes = zip(window.reads(sides), sides, window.output_sizes(sides), strict=True)
        seeing = [_seeing(reads, size, count) for reads, size, count in axes]
        blind = [axis for axis, seen in enumerate(seeing) if seen < min(2, window.kernel[axis])]
        if blind:
            taps = prod(window.kernel)
            others = f", and so do {plural(len(rows) - 1, 'block')} after it" if len(rows) > 1 else ""
            yield Found(
                rows[0].path,
                f"{rows[0].block.text()} sees padding alone with {taps - prod(seeing)} of its {taps} taps{others}: "
                f"its window spans {format_shape(window.extents)}, its map is {format_shape(sides)}",
                _narrower(rows[0], window, blind),
            )


def _seeing(reads: Reads, size: int, count: int) -> int:
    """How many taps see a value of the map from any place."""
    firsts = ((tap, max(0, -(tap // reads.advance))) for tap in reads.at(0))  # where the tap is not before the map
    return sum(turn < count and tap + turn * reads.advance < size for tap, turn in firsts)


def _narrower(row: Row, window: Window, blind: list[int]) -> str:
    """The largest dilation with which every tap sees a value, with padding that keeps the sides that leave."""
    sides = row.input_shape[1:]
    if any(window.extents[axis] == window.kernel[axis] or sides[axis] == 1 for axis in blind):
        return "use a kernel of 1 without padding, reduce the map less before it, or use a larger input"
    step, high = 1, max(window.dilation)
    while step < high:  # halving the difference: with less dilation no tap sees less
        middle = (step + high + 1) // 2
        step, high = (middle, high) if _all_see(_dilated(row, window, middle), sides) else (step, middle - 1)
    return f"use dilation={step} or less with padding={_padding(row)}, or a larger input"


def _padding(row: Row) -> str:
    """What keeps the order of time where the block does, and else the sides."""
    return "causal" if getattr(row.block, "padding", None) == "causal" else "same"


def _dilated(row: Row, window: Window, step: int) -> Window:
    """The window with that dilation, padded so."""
    sides, dilation = row.input_shape[1:], (step,) * len(window.kernel)
    padding = padding_of(_padding(row), sides, window.kernel, window.stride, dilation)
    return replace(window, dilation=dilation, padding=padding)


def _all_see(window: Window, sides: tuple[int, ...]) -> bool:
    axes = zip(window.reads(sides), sides, window.output_sizes(sides), window.kernel, strict=True)
    return all(_seeing(reads, size, count) == kernel for reads, size, count, kernel in axes)


BEFORE = ("conv 8 3 padding=1", "relu", "maxpool 2", "relu")
WIDE = ("conv 8 3 padding=1", "relu", "maxpool 4")
END = ("globalavgpool", "linear classes")

RULES = (
    Rule(
        code="FS107",
        severity="warning",
        title="gridding: dilated convolutions that leave holes",
        why="A convolution with dilation 2 reads every second place, with 3 every third. Where several dilations "
        "have a common factor, or outgrow what is read without holes, all together still leave holes: neighbouring "
        "values are computed from different places, and outputs show the grid. In the picture, along one side, ■ is "
        "a place that one value reads, · one in its field that it never reads.",
        source="Wang et al., Understanding Convolution for Semantic Segmentation, arXiv:1702.08502, section 3.2",
        check=gridding,
        bad=Example((3, 64, 64), (*BEFORE, *(f"conv 8 3 padding=same dilation={step}" for step in (2, 2, 2)), *END)),
        good=Example((3, 64, 64), (*BEFORE, *(f"conv 8 3 padding=same dilation={step}" for step in (1, 2, 3)), *END)),
    ),
    Rule(
        code="FS108",
        severity="warning",
        title="a window so wide that it sees padding alone",
        why="Where a dilation is as wide as the map, all taps but the centre stand on padding, wherever the window is: "
        "a 3x3 convolution is a 1x1 convolution that pays for nine weights. The same happens to kernels of 3 without "
        "dilation on a map that was reduced to 1x1.",
        source="Chen et al., Rethinking Atrous Convolution, arXiv:1706.05587, section 3.3",
        check=padding_alone,
        bad=Example((3, 32, 32), (*WIDE, "conv 16 3 padding=12 dilation=12", *END)),
        good=Example((3, 32, 32), (*WIDE, "conv 16 3 padding=3 dilation=3", *END)),
    ),
)
