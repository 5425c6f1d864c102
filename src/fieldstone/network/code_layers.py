"""Each block as lines of plain PyTorch, and how nested lines are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fieldstone.design.blocks.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.norm import BatchNorm, Dropout
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.window import AvgPool, Conv, GlobalAvgPool, GlobalMaxPool, GlobalPool, MaxPool, Pool
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


@dataclass(frozen=True)
class Loop:
    """The same module several times, within a group: `*[… for _ in range(2)]`."""

    times: int
    body: Layer | Group


Node = Layer | Group | Loop


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
        yield f"{space}){after}"
    else:
        body, turns = list(lines(node.body, indent + INDENT, after="")), f"for _ in range({node.times})"
        flat = f"{space}{before}*[{body[0].strip()} {turns}]{after}"
        if len(body) == 1 and "#" not in flat and len(flat) <= WIDTH:
            yield flat
        else:
            yield from (f"{space}{before}*[", *body, f"{inner}{turns}", f"{space}]{after}")


def _layer(layer: Layer, space: str, inner: str, before: str, after: str) -> Iterator[str]:
    comment = f"  # {layer.comment}" if layer.comment else ""
    flat = f"{space}{before}{layer.call}({', '.join(layer.arguments)}){after}{comment}"
    if len(flat) <= WIDTH or not layer.arguments:
        yield flat
        return
    yield f"{space}{before}{layer.call}("
    arguments = f"{inner}{', '.join(layer.arguments)}"
    yield from [arguments] if len(arguments) <= WIDTH else (f"{inner}{one}," for one in layer.arguments)
    yield f"{space}){after}{comment}"


def _numbers(sizes: tuple[int, ...]) -> str:
    """(3, 3) as `3`, (3, 5) as `(3, 5)`."""
    return str(sizes[0]) if len(set(sizes)) == 1 else str(sizes)


def _changed(block: Block, *names: str) -> tuple[str, ...]:
    """The options of those names that are not torch's default, as keyword arguments."""
    options = [option for option in block.arguments("option") if option.name in names]
    values = [(option.name, getattr(block, option.name), option.default) for option in options]
    return tuple(f"{name}={_literal(value)}" for name, value, default in values if value != default)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


PADS = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def _conv(block: Conv, shape: Shape) -> tuple[Layer, ...]:
    rank, window = len(shape) - 1, block.window(shape[1:])
    uneven = any(before != after for before, after in window.padding)
    padding = tuple(before for before, _ in window.padding)
    arguments = [str(shape[0]), str(block.out_channels), f"kernel_size={_numbers(window.kernel)}"]
    if set(window.stride) != {1}:
        arguments.append(f"stride={_numbers(window.stride)}")
    if any(padding) and not uneven:
        arguments.append('padding="same"' if block.padding == "same" else f"padding={_numbers(padding)}")
    if set(window.dilation) != {1}:
        arguments.append(f"dilation={_numbers(window.dilation)}")
    arguments += _changed(block, "groups", "bias", *(() if uneven else ("padding_mode",)))
    conv = Layer(f"nn.Conv{rank}d", tuple(arguments))
    if not uneven:
        return (conv,)
    # An even kernel that keeps the size: torch's own padding="same" warns of it, and pads the last axis first.
    sides = tuple(side for pair in reversed(window.padding) for side in pair)
    return Layer(f"nn.{PADS[block.padding_mode]}{rank}d", (str(sides),)), conv


def _pool(kind: str) -> Callable[[Any, Shape], tuple[Layer, ...]]:
    def layers(block: Pool, shape: Shape) -> tuple[Layer, ...]:
        window = block.window(shape[1:])
        padding = tuple(before for before, _ in window.padding)
        arguments = [f"kernel_size={_numbers(window.kernel)}"]
        if window.stride != window.kernel:
            arguments.append(f"stride={_numbers(window.stride)}")
        if any(padding):
            arguments.append(f"padding={_numbers(padding)}")
        if set(window.dilation) != {1}:
            arguments.append(f"dilation={_numbers(window.dilation)}")
        arguments += _changed(block, "ceil_mode", "count_include_pad")
        return (Layer(f"nn.{kind}{len(shape) - 1}d", tuple(arguments)),)

    return layers


def _global_pool(kind: str) -> Callable[[Any, Shape], tuple[Layer, ...]]:
    def layers(block: GlobalPool, shape: Shape) -> tuple[Layer, ...]:
        pool = Layer(f"nn.Adaptive{kind}{len(shape) - 1}d", ("1",))
        return (pool,) if block.keepdims else (pool, Layer("nn.Flatten"))

    return layers


def _linear(block: Linear, shape: Shape) -> tuple[Layer, ...]:
    return (Layer("nn.Linear", (str(shape[0]), str(block.out_features), *_changed(block, "bias"))),)


def _batchnorm(block: BatchNorm, shape: Shape) -> tuple[Layer, ...]:
    return (Layer(f"nn.BatchNorm{max(1, len(shape) - 1)}d", (str(shape[0]), *_changed(block, "eps", "momentum"))),)


def _plain(call: str, *options: str) -> Callable[[Any, Shape], tuple[Layer, ...]]:
    """A layer that needs nothing but the options that were changed."""
    return lambda block, shape: (Layer(call, _changed(block, *options)),)


LAYERS: dict[type[Block], Callable[[Any, Shape], tuple[Layer, ...]]] = {
    Conv: _conv,
    MaxPool: _pool("MaxPool"),
    AvgPool: _pool("AvgPool"),
    GlobalMaxPool: _global_pool("MaxPool"),
    GlobalAvgPool: _global_pool("AvgPool"),
    Linear: _linear,
    Flatten: _plain("nn.Flatten"),
    BatchNorm: _batchnorm,
    Dropout: lambda block, shape: (Layer("nn.Dropout", (f"p={block.p!r}",)),),
    ReLU: _plain("nn.ReLU"),
    LeakyReLU: _plain("nn.LeakyReLU", "negative_slope"),
    GELU: _plain("nn.GELU", "approximate"),
    SiLU: _plain("nn.SiLU"),
    ELU: _plain("nn.ELU", "alpha"),
    Tanh: _plain("nn.Tanh"),
    Sigmoid: _plain("nn.Sigmoid"),
    Softmax: lambda block, shape: (Layer("nn.Softmax", ("dim=1",)),),
}
