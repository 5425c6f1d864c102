"""A design as the two methods of a plain PyTorch class."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count, groupby
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.pooling import MaxPool, MaxUnpool
from fieldstone.design.blocks.structure import (
    Add,
    Blocks,
    Branches,
    Chain,
    Concat,
    Join,
    Multiply,
    Parallel,
    Repeat,
    Residual,
    Save,
    Sequence,
    Structure,
)
from fieldstone.design.walk import Row
from fieldstone.geometry import format_shape
from fieldstone.network.code_layers import LAYERS
from fieldstone.network.code_lines import INDENT, Group, Layer, Node, lines
from fieldstone.network.code_loops import one_module, passes_in_loops
from fieldstone.network.code_windows import unpool_layers

JOINS: Mapping[str, Callable[[list[str]], str]] = {
    "concat": lambda maps: f"torch.cat([{', '.join(maps)}], dim=1)",
    "add": " + ".join,
    "multiply": " * ".join,
}
TAKEN = {*keyword.kwlist, "self", "torch", "nn", "x", "center_crop", "l", "O", "I"}  # the last three are hard to read

Names = dict[str, str]  # the saved maps in sight: the variable of each, by its name in the design


@dataclass
class NetworkPrinter:
    """Prints `__init__` and `forward`.

    What uses no names is a module in `__init__`; the steps between such modules stand in `forward`.

    Attributes:
        rows: the rows of the design by path.
        init, forward: the lines of the two methods, without the indentation of `forward`.
        used: the names that the file must define.
    """

    rows: Mapping[str, Row]
    init: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    _variables: set[str] = field(default_factory=set)
    _unused: dict[str, str] = field(default_factory=dict)  # what nothing has taken yet, and its line
    _parts: int = 0

    def print(self, layers: Blocks) -> None:
        """Prints the whole network."""
        if all(map(_is_closed, layers)):
            self.init += lines(Group("nn.Sequential", self._modules(layers, "")), 2 * INDENT, "self.layers = ", "")
            self.forward.append("return self.layers(x)")
            return
        names = {"input": self._save("input", "x")}
        output = self._steps(layers, "", "x", "x", names)
        for variable, line in self._unused.items():
            place, places_alone = self.forward.index(line), f", {variable} ="
            self.forward[place : place + 1] = [line.replace(places_alone, ", _ =")] if places_alone in line else []
        if self.forward and self.forward[-1].startswith(f"{output} = "):
            self.forward.append(self.forward.pop().replace(f"{output} =", "return", 1))
        else:
            self.forward.append(f"return {output}")

    def _modules(self, blocks: Blocks, path: str) -> tuple[Node, ...]:
        """Closed blocks as modules, each one or more."""
        return tuple(chain.from_iterable(self._module(block, inner) for inner, block in _numbered(blocks, path)))

    def _module(self, block: Block, path: str) -> tuple[Node, ...]:
        if isinstance(block, Structure):
            paths = [self._modules(blocks, inner) for _, inner, blocks in _paths(block, path)]
            return passes_in_loops(paths) if isinstance(block, Chain) else (self._parallel(block, paths),)
        row = self.rows[path]
        *before, last = LAYERS[type(block)](row.bound, row.input_shape)
        self.used |= {layer.call for layer in (*before, last) if not layer.call.startswith("nn.")}
        reshapes = row.window is not None or row.output_shape != row.input_shape
        return (*before, replace(last, comment=format_shape(row.output_shape)) if reshapes else last)

    def _parallel(self, block: Structure, paths: list[tuple[Node, ...]]) -> Group:
        if isinstance(block, Residual):
            self.used.add("Residual")
            body, shortcut = paths
            return Group("Residual", body, (("shortcut", one_module(shortcut)),) if shortcut else ())
        assert isinstance(block, Branches)
        self.used.add(block.how.capitalize())
        return Group(block.how.capitalize(), tuple(map(one_module, paths)))

    def _steps(self, blocks: Blocks, path: str, source: str, target: str, names: Names) -> str:
        """Steps from one variable to another; gives the variable that holds the output."""
        for closed, group in groupby(_numbered(blocks, path), lambda numbered: _is_closed(numbered[1])):
            if closed:
                modules = tuple(chain.from_iterable(self._module(block, inner) for inner, block in group))
                source = self._part(one_module(modules), source, target)
            else:
                for inner, block in group:
                    source = STEPS[type(block)](self, block, inner, source, target, names)
        return source

    def _part(self, module: Layer | Group, source: str, target: str) -> str:
        self.forward.append(f"{target} = {self._new_part(module)}({source})")
        return target

    def _new_part(self, module: Layer | Group) -> str:
        self._parts += 1
        part = f"self.part{self._parts}"
        self.init += lines(module, 2 * INDENT, f"{part} = ", "")
        return part

    def _save_step(self, block: Save, path: str, source: str, target: str, names: Names) -> str:
        names[block.name] = self._save(block.name, source)
        return source

    def _save(self, name: str, source: str) -> str:
        variable = self._variable("inputs" if name == "input" else name.replace("-", "_"))
        self._unused[variable] = f"{variable} = {source}"
        self.forward.append(self._unused[variable])
        return variable

    def _join_step(self, block: Join, path: str, source: str, target: str, names: Names) -> str:
        saved = names[block.name]
        self._unused.pop(saved, None)
        if block.crop:
            self.used.add("center_crop")
            saved = f"center_crop({saved}, {source})"
        self.forward.append(f"{target} = {JOINS[block.keyword]([saved, source])}{self._shape(path)}")
        return target

    def _pool_step(self, block: MaxPool, path: str, source: str, target: str, names: Names) -> str:
        *pad, pool = self._module(block, path)
        if pad:
            source = self._part(one_module(tuple(pad)), source, target)
        assert block.name is not None
        places = names[block.name] = self._variable(block.name.replace("-", "_"))
        self._unused[places] = f"{target}, {places} = {self._new_part(one_module((pool,)))}({source})"
        self.forward.append(self._unused[places])
        return target

    def _unpool_step(self, block: MaxUnpool, path: str, source: str, target: str, names: Names) -> str:
        row, places = self.rows[path], names[block.name]
        self._unused.pop(places, None)
        assert isinstance(row.bound, MaxUnpool)
        unpool, *cut = unpool_layers(row.bound, format_shape(row.output_shape))
        sizes = row.bound.pooled.torch_sides if row.bound.pooled else ()
        self.forward.append(f"{target} = {self._new_part(unpool)}({source}, {places}, output_size={sizes})")
        return self._part(one_module(tuple(cut)), target, target) if cut else target

    def _chain_steps(self, block: Chain, path: str, source: str, target: str, names: Names) -> str:
        for _, inner, blocks in _paths(block, path):
            source = self._steps(blocks, inner, source, target, dict(names) if block.opens_scope else names)
        return source

    def _parallel_steps(self, block: Parallel, path: str, source: str, target: str, names: Names) -> str:
        ends = []
        for part, inner, blocks in _paths(block, path):
            end = self._variable(part if part.isalpha() else "branch")
            ends.append(self._steps(blocks, inner, source, end, dict(names)))
        self.forward.append(f"{target} = {JOINS[block.how](ends)}{self._shape(path)}")
        return target

    def _shape(self, path: str) -> str:
        """The comment on a step that changes the shape."""
        row = self.rows[path]
        return "" if row.output_shape == row.input_shape else f"  # {format_shape(row.output_shape)}"

    def _variable(self, name: str) -> str:
        """A name that no other map has: the one asked for, or with a number."""
        names = chain([name], (f"{name}{number}" for number in count(2)))
        free = next(one for one in names if one not in self._variables | TAKEN)
        self._variables.add(free)
        return free


# What stands in `forward`; every other block, and a maxpool without a name, is a row of LAYERS.
STEPS: dict[type[Block], Callable[[NetworkPrinter, Any, str, str, str, Names], str]] = {
    MaxPool: NetworkPrinter._pool_step,
    MaxUnpool: NetworkPrinter._unpool_step,
    Save: NetworkPrinter._save_step,
    Concat: NetworkPrinter._join_step,
    Add: NetworkPrinter._join_step,
    Multiply: NetworkPrinter._join_step,
    Repeat: NetworkPrinter._chain_steps,
    Sequence: NetworkPrinter._chain_steps,
    Residual: NetworkPrinter._parallel_steps,
    Branches: NetworkPrinter._parallel_steps,
}


def _is_closed(block: Block) -> bool:
    """Whether it uses no names, so that it is a module by itself."""
    if isinstance(block, Structure):
        return all(_is_closed(inner) for _, blocks in block.paths() for inner in blocks)
    return not (isinstance(block, Save | Join | MaxUnpool) or (isinstance(block, MaxPool) and block.name))


def _numbered(blocks: Blocks, path: str) -> list[tuple[str, Block]]:
    """The blocks with their paths."""
    return [(f"{path}.{number}" if path else str(number), block) for number, block in enumerate(blocks, 1)]


def _paths(block: Structure, path: str) -> list[tuple[str, str, Blocks]]:
    """The part, the path and the blocks of each path of a structure."""
    return [(part, f"{path}.{part}" if part else path, blocks) for part, blocks in block.paths()]
