"""Lines of plain PyTorch: a layer, modules that hold modules, and how they are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.geometry import Shape

WIDTH = 100  # characters to which a printed line may grow
INDENT = 4


@dataclass(frozen=True)
class Layer:
    """A torch layer on a line: `nn.Conv2d(3, 10, kernel_size=3)  # 10x37x37`."""

    call: str
    arguments: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Group:
    """A module that holds modules, one a line; some of them by keyword."""

    call: str
    children: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Loop:
    """A module several times, within a group: `*[… for _ in range(2)]`."""

    turns: str
    body: Layer | Group


Node = Layer | Group | Loop
LayerPrinter = Callable[[Any, Shape], tuple[Layer | Group, ...]]  # of a block and the shape of its input


def lines(node: Node, indent: int, before: str = "", after: str = ",") -> Iterator[str]:
    """The node as `ruff format` lays it out, between what stands before and after it on its lines."""
    space, inner = " " * indent, " " * (indent + INDENT)
    if isinstance(node, Layer):
        yield from _layer(node, space, inner, before, after)
    elif isinstance(node, Group):
        yield f"{space}{before}{node.call}("
        for child in node.children:
            yield from lines(child, indent + INDENT)
        for key, child in node.keywords:
            yield from lines(child, indent + INDENT, f"{key}=")
        yield f"{space}){after}{_comment(node)}"
    else:
        body = list(lines(node.body, indent + INDENT, after=""))
        flat = f"{space}{before}*[{body[0].strip()} {node.turns}]{after}"
        if len(body) == 1 and "#" not in flat and len(flat) <= WIDTH:
            yield flat
        else:
            yield from (f"{space}{before}*[", *body, f"{inner}{node.turns}", f"{space}]{after}")


def _comment(node: Layer | Group) -> str:
    return f"  # {node.comment}" if node.comment else ""


def _layer(layer: Layer, space: str, inner: str, before: str, after: str) -> Iterator[str]:
    comment = _comment(layer)
    flat = f"{space}{before}{layer.call}({', '.join(layer.arguments)}){after}{comment}"
    if len(flat) <= WIDTH or not layer.arguments:
        yield flat
        return
    yield f"{space}{before}{layer.call}("
    arguments = f"{inner}{', '.join(layer.arguments)}"
    yield from [arguments] if len(arguments) <= WIDTH else (f"{inner}{one}," for one in layer.arguments)
    yield f"{space}){after}{comment}"


def changed(block: Block, *names: str) -> tuple[str, ...]:
    """The options of those names that are not torch's default, as keyword arguments."""
    options = [option for option in block.arguments("option") if option.name in names]
    values = [(option.name, getattr(block, option.name), option.default) for option in options]
    return tuple(f"{name}={literal(value)}" for name, value, default in values if value != default)


def literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
