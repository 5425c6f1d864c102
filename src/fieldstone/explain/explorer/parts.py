"""What an explorer shows of a design, one part after another: its blocks that make something. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks import activation, attention, convolution, dense, norm, pooling, shape, structure
from fieldstone.design.blocks.block import Block
from fieldstone.design.field import Field
from fieldstone.design.walk import Row
from fieldstone.geometry import WHOLE, Moves, Reads, Resized, Shape, Transposed, Whole, Window


@dataclass(frozen=True)
class Part:
    """A block, or one of the convolutions that a `separable` is made of.

    Attributes:
        path: of its module.
        block: with numbers in the place of `classes`.
        text: as it was written.
        sources: the paths of the parts whose maps it takes, or `input`.
        input_shape, output_shape: (C, H, W), or (C,).
        field: what a value of its map sees of the input.
    """

    path: str
    block: Block
    text: str
    sources: tuple[str, ...]
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    field: Field | None

    @property
    def window(self) -> Moves | Whole | None:
        """What a value of its map reads of what it takes; None for its own place alone."""
        return self.block.window(self.input_shape[1:]) if len(self.input_shape) > 1 else None


def parts_of(subject: Subject) -> tuple[Part, ...]:
    """The parts of a design, in the order in which they run."""
    ends = {row.path: f"{row.path}.pointwise" for row in subject.order if isinstance(row.bound, convolution.Separable)}
    parts = (part for row in subject.order for part in _parts(row))
    return tuple(replace(part, sources=tuple(ends.get(one, one) for one in part.sources)) for part in parts)


def _parts(row: Row) -> Iterator[Part]:
    whole = Part(
        row.path, row.bound, row.block.text(), row.sources, row.input_shape, row.output_shape, row.params, row.macs,
        row.field,
    )  # fmt: skip
    if not isinstance(row.bound, convolution.Separable):
        yield whole
        return
    first, second = row.bound.convolutions(row.input_shape[0])
    between = first.output_shape(row.input_shape)
    yield replace(
        whole, path=f"{row.path}.depthwise", block=first, text=f"{whole.text}: depthwise", output_shape=between,
        params=first.params(row.input_shape), macs=first.macs(row.input_shape),
    )  # fmt: skip
    yield replace(
        whole, path=f"{row.path}.pointwise", block=second, text=f"{whole.text}: pointwise", input_shape=between,
        sources=(f"{row.path}.depthwise",), params=second.params(between), macs=second.macs(between),
    )  # fmt: skip


def layer_of(part: Part) -> dict[str, Any]:
    """What a page has to know to show how a part computes, its weights left out."""
    block = part.block
    match block:
        case convolution.Conv() | convolution.UpConv() | convolution.Depthwise() | pooling.Pool():
            return _sliding(block, part.input_shape)
        case pooling.GlobalPool():
            return {"type": block.keyword, "keepdims": block.keepdims}
        case pooling.AdaptivePool():
            return {"type": block.keyword, "sizes": list(part.output_shape[1:])}
        case norm.BatchNorm() | norm.GroupNorm() | norm.InstanceNorm() | norm.LayerNorm():
            return {"type": block.keyword, "eps": block.eps, "groups": _groups(block, part.input_shape[0])}
        case norm.LocalResponseNorm() | attention.SqueezeExcite():
            return {"type": block.keyword, **_options(block)}
        case norm.Dropout() | norm.ChannelDropout() | norm.AlphaDropout():
            return {"type": "identity"}
        case activation.Activation():
            return {"type": "activation", "name": block.keyword, "options": _options(block)}
        case structure.Parallel():
            return {"type": block.how}
        case pooling.MaxUnpool():
            return {"type": block.keyword, "pool": part.sources[1]}
        case shape.Upsample() | shape.PixelShuffle() | shape.Pad() | shape.Crop():
            return _laid_out(block, part)
        case shape.Flatten() | dense.Linear() | structure.Join():
            return {"type": block.keyword}
    return {"type": "other"}


def _sliding(
    block: convolution.Conv | convolution.UpConv | convolution.Depthwise | pooling.Pool, input_shape: Shape
) -> dict[str, Any]:
    sides = input_shape[1:]
    match block:
        case convolution.Depthwise():
            (conv,) = block.convolutions(input_shape[0])
            return _sliding(conv, input_shape)
        case convolution.Conv():
            window = _window(block.window(sides))
            return {"type": "conv", **window, "groups": block.groups, "padding_mode": block.padding_mode}
        case convolution.UpConv():
            return {"type": "upconv", **_transposed(block.window(sides)), "groups": block.groups}
    assert isinstance(block, pooling.Pool)
    counted = {"count_include_pad": block.count_include_pad} if isinstance(block, pooling.AvgPool) else {}
    return {"type": block.keyword, **_window(block.window(sides)), "ceil_mode": block.ceil_mode, **counted}


def _groups(block: Block, channels: int) -> int:
    """Over how many parts of a map, each of neighbouring channels, mean and variance are taken."""
    if isinstance(block, norm.GroupNorm):
        return block.num_groups
    return 1 if isinstance(block, norm.LayerNorm) else channels


def _laid_out(block: shape.Upsample | shape.PixelShuffle | shape.Pad | shape.Crop, part: Part) -> dict[str, Any]:
    """Where the values come from; a signal of one side, laid as a map, is only shown."""
    sides = part.input_shape[1:]
    if block.window(sides).output_sizes(sides) != part.output_shape[1:]:
        return {"type": "other"}
    match block:
        case shape.Upsample():
            return {"type": block.keyword, "mode": block.window(sides).how, "align_corners": block.align_corners}
        case shape.PixelShuffle():
            return {"type": block.keyword, "factor": block.upscale_factor}
    numbers = {"type": block.keyword, "padding": [list(pair) for pair in block.window(sides).padding]}
    return numbers | ({"padding_mode": block.mode, "value": block.value} if isinstance(block, shape.Pad) else {})


def is_recomputed(part: Part) -> bool:
    """Whether a page makes its map itself, of the map before: it is value by value, or the same values."""
    pointwise = activation.Activation | norm.BatchNorm | norm.Dropout | norm.ChannelDropout | norm.AlphaDropout
    return isinstance(part.block, pointwise | shape.Flatten)


def reach_of(part: Part, shapes: Mapping[str, Shape]) -> list[dict[str, Any]]:
    """For each source, which of its values one value of the part's map reads.

    Args:
        shapes: of what each source makes, by path.
    """
    taken = [shapes[source] for source in part.sources]
    if isinstance(part.block, structure.Join | structure.Parallel):
        return list(_joined(part, taken))
    return [_reach(part)] * len(taken)


def _joined(part: Part, taken: Sequence[Shape]) -> Iterator[dict[str, Any]]:
    """Each its own place, of the centre where one is cut; of a `concat` the channels that it brings."""
    block = part.block
    concat = (block.how if isinstance(block, structure.Parallel) else block.keyword) == "concat"
    first = 0
    for one in taken:
        yield _own_place(one, part.output_shape) | ({"channels": [first, first + one[0]]} if concat else {})
        first += one[0]


def _own_place(taken: Shape, made: Shape) -> dict[str, Any]:
    """Which value of a joined map stands at a place: the same, that of its centre, or of a gate its only one."""
    if taken[1:] == made[1:]:
        return {"kind": "same"}
    if len(taken) != len(made) or max(taken[1:]) == 1:
        return {"kind": "all", "depthwise": len(taken) == len(made)}
    cut = [(side - kept) // 2 for side, kept in zip(taken[1:], made[1:], strict=True)]
    ones = [1] * len(cut)
    return {
        "kind": "window",
        "kernel": ones,
        "stride": ones,
        "dilation": ones,
        "before": [-by for by in cut],
        "depthwise": True,
    }


def _reach(part: Part) -> dict[str, Any]:
    block, window = part.block, part.window
    if isinstance(block, shape.Flatten):
        return {"kind": "flat"}
    if isinstance(block, dense.Linear) or window is WHOLE:
        by_channel = isinstance(block, pooling.GlobalPool)
        return {"kind": "all", **({"depthwise": True} if by_channel else {})}
    if not isinstance(window, Moves):
        return {"kind": "same", **_around(block, part.input_shape[0])}
    return {**_moves(window, part.input_shape[1:]), **_channels(block, part), **_border(block)}


def _around(block: Block, channels: int) -> dict[str, list[int]]:
    """How many channels before its own and after it a value reads, where it reads any."""
    match block:
        case norm.LocalResponseNorm():
            return {"around": [block.size // 2, (block.size - 1) // 2]}
        case activation.GLU():
            return {"around": [0, channels // 2]}
        case activation.Softmax() | activation.LogSoftmax():
            return {"around": [channels, channels]}
    return {}


def _border(block: Block) -> dict[str, str]:
    """What padding copies of the map, where it copies something."""
    if isinstance(block, convolution.Conv | convolution.ByChannel):
        return {"padding_mode": block.padding_mode}
    return {"padding_mode": block.mode} if isinstance(block, shape.Pad) else {}


def _moves(window: Moves, sides: tuple[int, ...]) -> dict[str, Any]:
    match window:
        case Window():
            numbers = {"kernel": window.kernel, "stride": window.stride, "dilation": window.dilation}
            before = [first for first, _ in window.padding]
            return {"kind": "window", **{name: list(one) for name, one in numbers.items()}, "before": before}
        case Transposed():
            numbers = {"kernel": window.kernel, "stride": window.stride, "dilation": window.dilation}
            numbers |= {"before": window.padding}
            return {"kind": "transposed", **{name: list(one) for name, one in numbers.items()}}
        case Resized():
            rows, columns = map(_spans, window.reads(sides), window.sizes)
            return {"kind": "table", "rows": rows, "columns": columns}


def _spans(reads: Reads, count: int) -> list[list[int]]:
    """The first and the last place that each value along an axis reads."""
    return [[min(taps), max(taps)] for taps in map(reads.at, range(count))]


def _channels(block: Block, part: Part) -> dict[str, Any]:
    """Which channels: all of its group, its own, or (of a pixel shuffle) the one of its place."""
    if isinstance(block, convolution.Conv | convolution.UpConv):
        return {"groups": block.groups}
    if isinstance(block, convolution.Depthwise):
        return {"groups": part.input_shape[0]}
    return {"shuffled": block.upscale_factor} if isinstance(block, shape.PixelShuffle) else {"depthwise": True}


def _window(window: Window) -> dict[str, Any]:
    numbers = {"kernel": window.kernel, "stride": window.stride, "dilation": window.dilation}
    return {**{name: list(one) for name, one in numbers.items()}, "padding": [list(pair) for pair in window.padding]}


def _transposed(window: Transposed) -> dict[str, Any]:
    names = ("kernel", "stride", "dilation", "padding", "output_padding")
    return {name: list(getattr(window, name)) for name in names}


def _options(block: Block) -> dict[str, Any]:
    """The numbers of an activation, by torch's names."""
    return {entry.name: getattr(block, entry.name) for place in ("main", "option") for entry in block.arguments(place)}
