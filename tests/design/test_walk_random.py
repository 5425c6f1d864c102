"""Whole random designs, walked by our integers and run by torch: shapes, parameters, names."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.vocabulary import BLOCKS
from fieldstone.design.design import Design
from fieldstone.network.build import build
from places import OUTPUTS
from strategies import STRATEGIES, designs

RANDOM = settings(deadline=None, suppress_health_check=list(HealthCheck))

EXAMPLES = int(os.environ.get("FIELDSTONE_RANDOM_DESIGNS", "400"))


def shapes_in_torch(network: nn.Module, design: Design) -> dict[str, tuple[int, ...]]:
    """The shape that leaves each module, by its name."""
    seen: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any) -> None:
        map_ = output[0] if isinstance(output, tuple) else output  # a pooling that gives its places too
        seen[name] = tuple(map_.shape[1:])

    for name, module in network.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: note(name, output))
    with torch.inference_mode():
        network.eval()(torch.randn(2, *design.input))
    return seen


def check(design: Design) -> None:
    network = build(design, OUTPUTS)
    shapes = shapes_in_torch(network, design)
    modules = dict(network.named_modules())
    rows = design.walk(OUTPUTS)
    for row in rows:
        own = sum(weight.numel() for weight in modules[row.path].parameters())
        inside = sum(other.params for other in rows if other.path.startswith(f"{row.path}."))
        assert (row.path, row.output_shape, row.params) == (row.path, shapes[row.path], own - inside)
    assert sum(row.params for row in rows) == sum(weight.numel() for weight in network.parameters())
    assert design.output_shape(OUTPUTS) == shapes[""]


@settings(RANDOM, max_examples=EXAMPLES)
@given(designs())
def test_a_random_design_has_the_shapes_and_parameters_of_its_torch_module(design: Design) -> None:
    check(design)


@pytest.mark.parametrize("block", BLOCKS)
@settings(RANDOM, max_examples=8)
@given(st.data())
def test_every_block_of_the_vocabulary_agrees_with_torch(block: type[Block], data: st.DataObject) -> None:
    assert block in STRATEGIES
    check(data.draw(designs(first=block)))


@settings(RANDOM, max_examples=200)
@given(designs())
def test_a_random_design_survives_print_and_parse(design: Design) -> None:
    assert Design.parse(design.to_text()) == design
