"""A design as a torch module of standard layers, with the design's paths as names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.design.blocks import dense, shape, structure, window
from fieldstone.design.blocks.block import Block
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.network.build_pointwise import POINTWISE
from fieldstone.network.builder import Builder, Rows, ranked
from fieldstone.network.memory import within_memory

Names = dict[str, Tensor]


def build(design: Design, outputs: int) -> nn.Sequential:
    """The network of a design, (N, C, *sides) -> (N, outputs); logits leave it.

    A block's module stands at its path, so block `5.body.2` stores `5.body.2.weight`. A chain is an `nn.Sequential`.

    Args:
        outputs: the number that `classes` stands for.

    Raises:
        DesignError: the design does not walk, or a block of it does not fit into memory.
    """
    rows = {row.path: row for row in design.walk(outputs)}
    try:
        return _chain(design.layers, "", rows)
    except _TooLargeError as fault:
        row = fault.row
        message = f"{row.block.text()}: there is too little memory for its {row.params:,} parameters"
        fix = "make it smaller, or the whole network, as by --width 0.5"
        raise DesignError(message, file=design.file, line=row.block.line, path=row.path, fix=fix) from fault


class _TooLargeError(Exception):
    def __init__(self, row: Row) -> None:
        super().__init__(row.path)
        self.row = row


def _chain(blocks: structure.Blocks, path: str, rows: Rows) -> nn.Sequential:
    prefix = f"{path}." if path else ""
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for number, block in enumerate(blocks, 1):
        row = rows[f"{prefix}{number}"]
        with within_memory(_TooLargeError(row)):
            children[str(number)] = BUILDERS[type(block)](block, row, rows)
    return _sequential(children)


def _sequential(children: OrderedDict[str, nn.Module]) -> nn.Sequential:
    """A plain `nn.Sequential`, unless something in it saves a map or joins one."""
    uses_names = any(isinstance(inner, _Save | _Join) for child in children.values() for inner in child.modules())
    return _NamedSequential(children) if uses_names else nn.Sequential(children)


class _NamedSequential(nn.Sequential):
    """A chain that hands the saved maps to the children that use them.

    One dict serves every scope: the walk has refused each name that is used outside its own, or saved again inside it.
    """

    def forward(self, input: Tensor, names: Names | None = None) -> Tensor:
        names = {"input": input} if names is None else names
        for child in self:
            input = _called(child, input, names)
        return input


class _Parallel(nn.Module):
    """Every path from the same input, put together."""

    def __init__(self, how: str, paths: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.how = how
        for part, path in paths.items():
            self.add_module(part, path)

    def forward(self, input: Tensor, names: Names | None = None) -> Tensor:
        return _JOINS[self.how]([_called(path, input, names) for path in self.children()])

    def extra_repr(self) -> str:
        return self.how


class _Save(nn.Module):
    """Keeps its input under a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, input: Tensor, names: Names) -> Tensor:
        names[self.name] = input
        return input

    def extra_repr(self) -> str:
        return self.name


class _Join(nn.Module):
    """The saved map and the input, put together; the saved one first, its centre where it is to be cropped."""

    def __init__(self, how: str, name: str, crop: bool) -> None:
        super().__init__()
        self.how = how
        self.name = name
        self.crop = crop

    def forward(self, input: Tensor, names: Names) -> Tensor:
        saved = names[self.name]
        return _JOINS[self.how]([_centre(saved, input.shape[2:]) if self.crop else saved, input])

    def extra_repr(self) -> str:
        return f"{self.how} {self.name}"


_USE_NAMES = (_NamedSequential, _Parallel, _Save, _Join)


def _called(module: nn.Module, input: Tensor, names: Names | None) -> Tensor:
    output: Tensor = module(input, names) if isinstance(module, _USE_NAMES) else module(input)
    return output


def _centre(saved: Tensor, sides: torch.Size) -> Tensor:
    """The middle of a map; the odd pixel is cut from the end."""
    for axis, side in enumerate(sides, 2):
        saved = saved.narrow(axis, (saved.shape[axis] - side) // 2, side)
    return saved


_JOINS: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "concat": lambda maps: torch.cat(maps, dim=1),
    "add": lambda maps: reduce(torch.add, maps),
    "multiply": lambda maps: reduce(torch.mul, maps),
}


_CONV = ranked(nn.Conv1d, nn.Conv2d, nn.Conv3d)
_MAX_POOL = ranked(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVG_POOL = ranked(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_GLOBAL_MAX_POOL = ranked(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
_GLOBAL_AVG_POOL = ranked(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)


def _conv(block: window.Conv, row: Row, rows: Rows) -> nn.Module:
    seen = block.window(row.input_shape[1:])
    even = any(before != after for before, after in seen.padding)  # torch has one number per axis, or "same"
    return _CONV(row)(
        row.input_shape[0],
        row.output_shape[0],
        seen.kernel,
        stride=seen.stride,
        padding="same" if even else tuple(before for before, _ in seen.padding),
        dilation=seen.dilation,
        groups=block.groups,
        bias=block.bias,
        padding_mode=block.padding_mode,
    )


def _pool(block: window.Pool, row: Row) -> dict[str, Any]:
    """The arguments that both kinds of pooling share."""
    seen = block.window(row.input_shape[1:])
    padding = tuple(before for before, _ in seen.padding)
    return {"kernel_size": seen.kernel, "stride": seen.stride, "padding": padding, "ceil_mode": seen.ceil_mode}


def _max_pool(block: window.MaxPool, row: Row, rows: Rows) -> nn.Module:
    return _MAX_POOL(row)(**_pool(block, row), dilation=block.dilations(len(row.input_shape) - 1))


def _avg_pool(block: window.AvgPool, row: Row, rows: Rows) -> nn.Module:
    return _AVG_POOL(row)(**_pool(block, row), count_include_pad=block.count_include_pad)


def _global_pool(layer: Callable[[Row], type[nn.Module]]) -> Builder:
    def build_pool(block: window.GlobalPool, row: Row, rows: Rows) -> nn.Module:
        pool = layer(row)(1)
        return pool if block.keepdims else nn.Sequential(OrderedDict(pool=pool, flatten=nn.Flatten()))

    return build_pool


def _linear(block: dense.Linear, row: Row, rows: Rows) -> nn.Module:
    return nn.Linear(row.input_shape[0], row.output_shape[0], bias=block.bias)


def _repeat(block: structure.Repeat, row: Row, rows: Rows) -> nn.Module:
    passes = [(part, _chain(blocks, f"{row.path}.{part}", rows)) for part, blocks in block.paths()]
    return _sequential(OrderedDict(passes))


def _parallel(block: structure.Parallel, row: Row, rows: Rows) -> nn.Module:
    paths = {part: _chain(blocks, f"{row.path}.{part}", rows) for part, blocks in block.paths()}
    return _Parallel(block.how, paths)


def _join(block: structure.Join, row: Row, rows: Rows) -> nn.Module:
    return _Join(block.keyword, block.name, block.crop)


BUILDERS: dict[type[Block], Builder] = {
    window.Conv: _conv,
    window.MaxPool: _max_pool,
    window.AvgPool: _avg_pool,
    window.GlobalMaxPool: _global_pool(_GLOBAL_MAX_POOL),
    window.GlobalAvgPool: _global_pool(_GLOBAL_AVG_POOL),
    dense.Linear: _linear,
    shape.Flatten: lambda block, row, rows: nn.Flatten(),
    **POINTWISE,
    structure.Save: lambda block, row, rows: _Save(block.name),
    structure.Concat: _join,
    structure.Add: _join,
    structure.Multiply: _join,
    structure.Repeat: _repeat,
    structure.Sequence: lambda block, row, rows: _chain(block.body, row.path, rows),
    structure.Residual: _parallel,
    structure.Branches: _parallel,
}
