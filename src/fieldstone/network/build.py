"""A design as a torch module of standard layers, with the design's paths as names."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from fieldstone.design.blocks import dense, shape, structure
from fieldstone.design.blocks.block import Block
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.network.build_pointwise import POINTWISE
from fieldstone.network.build_windows import WINDOWS
from fieldstone.network.builder import Builder, Rows
from fieldstone.network.memory import within_memory
from fieldstone.network.named_modules import USES_NAMES, Join, NamedSequential, Parallel, Save


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
    for number in range(1, len(blocks) + 1):
        row = rows[f"{prefix}{number}"]
        with within_memory(_TooLargeError(row)):
            children[str(number)] = BUILDERS[type(row.bound)](row.bound, row, rows)
    return _sequential(children)


def _sequential(children: OrderedDict[str, nn.Module]) -> nn.Sequential:
    """A plain `nn.Sequential`, unless something in it uses names."""
    uses_names = any(isinstance(inner, USES_NAMES) for child in children.values() for inner in child.modules())
    return NamedSequential(children) if uses_names else nn.Sequential(children)


def _linear(block: dense.Linear, row: Row, rows: Rows) -> nn.Module:
    return nn.Linear(row.input_shape[0], row.output_shape[0], bias=block.bias)


def _repeat(block: structure.Repeat, row: Row, rows: Rows) -> nn.Module:
    passes = [(part, _chain(blocks, f"{row.path}.{part}", rows)) for part, blocks in block.paths()]
    return _sequential(OrderedDict(passes))


def _parallel(block: structure.Parallel, row: Row, rows: Rows) -> nn.Module:
    paths = {part: _chain(blocks, f"{row.path}.{part}", rows) for part, blocks in block.paths()}
    return Parallel(block.how, paths)


def _join(block: structure.Join, row: Row, rows: Rows) -> nn.Module:
    return Join(block.keyword, block.name, block.crop)


BUILDERS: dict[type[Block], Builder] = {
    **WINDOWS,
    dense.Linear: _linear,
    shape.Flatten: lambda block, row, rows: nn.Flatten(),
    **POINTWISE,
    structure.Save: lambda block, row, rows: Save(block.name),
    structure.Concat: _join,
    structure.Add: _join,
    structure.Multiply: _join,
    structure.Repeat: _repeat,
    structure.Sequence: lambda block, row, rows: _chain(block.body, row.path, rows),
    structure.Residual: _parallel,
    structure.Branches: _parallel,
}
