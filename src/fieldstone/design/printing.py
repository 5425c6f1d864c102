"""A design as text: one block per line, short lists in one line, long ones spread over several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Blocks, Branches, Residual, Sequence, Structure
from fieldstone.geometry import format_shape

if TYPE_CHECKING:
    from fieldstone.design.design import Design

LINE = 110  # characters to which a line may grow before its list is spread


def design_text(design: Design) -> str:
    """The text that `Design.parse` reads back to the same design."""
    fields = {
        "name": design.name,
        "about": design.about,
        "paper": design.paper,
        "input": format_shape(design.input),
        "classes": design.classes,
        "allow": dict(design.allow),
    }
    written = {key: value for key, value in fields.items() if value}
    texts = [*written.values(), *design.allow, *design.allow.values()]
    plain = all(str(text).isprintable() for text in texts)  # PyYAML loses some breaks that it may leave unescaped
    header = yaml.safe_dump(written, sort_keys=False, allow_unicode=plain, width=float("inf"))
    return header + "\n".join(["layers:", *_spread(_trees(design.layers), "  ")]) + "\n"


def _trees(blocks: Blocks) -> list[Any]:
    return [_tree(block) for block in blocks]


def _tree(block: Block) -> Any:
    """The block as YAML would give it: a text, a list, or a mapping with one key."""
    if isinstance(block, Sequence):
        return _trees(block.body)
    if isinstance(block, Branches):
        return {block.text(): [_trees(branch) for branch in block.branches]}
    if isinstance(block, Residual) and block.shortcut:
        return {block.text(): {"body": _trees(block.body), "shortcut": _trees(block.shortcut)}}
    if isinstance(block, Structure):
        return {block.text(): _trees(block.paths()[0][1])}
    return block.text()


def _flow(tree: Any) -> str:
    """In one line; a mapping with one key needs no braces in a list."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return f"[{', '.join(map(_flow, tree))}]"
    return ", ".join(f"{key}: {_braced(value)}" for key, value in tree.items())


def _braced(tree: Any) -> str:
    return f"{{{_flow(tree)}}}" if isinstance(tree, dict) else _flow(tree)


def _spread(trees: list[Any], indent: str) -> Iterator[str]:
    """One item per line; one that is too long for it goes on below, indented."""
    for tree in trees:
        line = f"{indent}- {_flow(tree)}"
        if len(line) <= LINE or isinstance(tree, str):
            yield line
        elif isinstance(tree, list):
            first, *rest = _spread(tree, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            ((key, value),) = tree.items()
            yield from _spread_value(f"{indent}- {key}:", value, f"{indent}    ")


def _spread_value(key: str, value: Any, indent: str) -> Iterator[str]:
    """What stands under a key: a list, or the paths of a residual."""
    yield key
    if isinstance(value, list):
        yield from _spread(value, indent)
        return
    for part, blocks in value.items():
        line = f"{indent}{part}: {_flow(blocks)}"
        if len(line) <= LINE:
            yield line
        else:
            yield from _spread_value(f"{indent}{part}:", blocks, f"{indent}  ")
