"""A built design, inspected as a module: the same shapes, numbers, fields and findings as the design's own."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from fieldstone.analysis.findings import find
from fieldstone.analysis.module.examine import examine
from fieldstone.analysis.rule import Subject
from fieldstone.analysis.summary import Summary
from fieldstone.design import named
from fieldstone.design.blocks.attention import SqueezeExcite
from fieldstone.design.blocks.pooling import AdaptivePool, MaxPool
from fieldstone.design.blocks.structure import Chain, Parallel, Save
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.network.build import build
from places import OUTPUTS
from strategies import designs

EXAMPLES = int(os.environ.get("FIELDSTONE_RANDOM_DESIGNS", "200"))


def both(design: Design, outputs: int) -> tuple[tuple[Row, ...], Summary]:
    with torch.device("meta"):
        network = build(design, outputs)
    return design.walk(outputs), examine(network, design.input, name="built")


def inside(path: str, rows: Sequence[Row]) -> list[Row]:
    """What a block's module did: the rows at its path and below, those of the blocks in it included."""
    return [row for row in rows if row.path == path or row.path.startswith((f"{path}.", f"{path}_"))]


def is_twofold(row: Row) -> bool:
    """Where torch's layer is that of another block, or does not say all: the fields may differ.

    An adaptive pooling to 1 is a global one; a max unpooling does not know its pooling's dilation; a gate is seen
    beside the map that it weighs.
    """
    if isinstance(row.block, MaxPool):
        return row.block.name is not None and max(row.block.dilation) > 1
    return isinstance(row.block, SqueezeExcite) or (
        isinstance(row.block, AdaptivePool) and max(row.output_shape[1:]) == 1
    )


def check(design: Design, outputs: int) -> None:
    rows, summary = both(design, outputs)
    assert not summary.untraced
    assert not summary.unused
    assert (summary.params, summary.macs) == (sum(row.params for row in rows), sum(row.macs for row in rows))
    twofold = any(map(is_twofold, rows))
    for row in rows:
        done = inside(row.path, summary.rows)
        if not done or isinstance(row.block, Save):
            assert not row.params, row.path
            continue
        last = done[-1]
        assert (row.path, last.output_shape) == (row.path, row.output_shape)
        assert twofold or (row.path, last.receptive_field) == (row.path, row.receptive_field)
        if not isinstance(row.block, Chain | Parallel):
            assert (sum(one.params for one in done), sum(one.macs for one in done)) == (row.params, row.macs)
            assert last.field is not None
            assert row.field is not None
            assert twofold or (last.jump, last.field.start) == (row.jump, row.field.start)


@pytest.mark.parametrize("name", named.names())
def test_a_design_of_the_gallery(name: str) -> None:
    design = Design.named(name)
    check(design, design.classes or 10)


@pytest.mark.parametrize("name", named.names())
def test_its_module_has_the_same_findings(name: str) -> None:
    design = Design.named(name)
    rows, summary = both(design, design.classes or 10)
    mine = find(Subject(design.input, rows))
    assert [found.code for found in summary.findings] == [found.code for found in mine]


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(designs())
def test_a_random_design(design: Design) -> None:
    check(design, OUTPUTS)
