"""Receptive fields against gradients: a network of positive weights, and the inputs that move one output."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import fieldstone as fs
from fieldstone.design.blocks.activation import ReLU
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv
from fieldstone.design.blocks.norm import BatchNorm
from fieldstone.design.blocks.pooling import AvgPool
from fieldstone.design.blocks.structure import Branches, Concat, Repeat, Residual, Save
from fieldstone.design.design import Design
from fieldstone.network.build import build

EXAMPLES = int(os.environ.get("FIELDSTONE_RANDOM_DESIGNS", "100"))
RANDOM = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
LONG = 2000  # any length that every design here walks; fields do not depend on it
HEAD = ["conv classes 1"]


def positive(network: nn.Module) -> nn.Module:
    """In float64, every weight 1 or more: no gradient can cancel."""
    network = network.double().eval()
    for weight in network.parameters():
        weight.data.fill_(1.0)
    return network


def spans(network: nn.Module, shape: tuple[int, ...]) -> dict[int, tuple[int, int]]:
    """For some output values, ends and middle, along the one axis: the first and last input place that moves each."""
    inputs = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    outputs = network(inputs).sum(dim=1)[0]
    middle = len(outputs) // 2
    found = {}
    for place in sorted({0, middle - 1, middle, middle + 1, len(outputs) - 1} & set(range(len(outputs)))):
        (gradient,) = torch.autograd.grad(outputs[place], inputs, retain_graph=True)
        moved = gradient.sum(dim=1)[0].nonzero().flatten()
        found[place] = (int(moved[0]), int(moved[-1])) if len(moved) else (0, -1)
    return found


def check(layers: list[Block]) -> None:
    design = Design((1, LONG), [*layers, *HEAD])
    row = design.walk(1)[-1]
    assert row.jump is not None
    (field,), (jump,) = row.receptive_field, row.jump
    margin = field + jump  # a value that a border clips sees something nearer to it than this
    design = design.resolve(input=(1, 4 * margin))
    seen = spans(positive(build(design, 1)), design.input)
    assert max(last - first + 1 for first, last in seen.values()) <= field
    # Away from the borders nothing is clipped: there every value sees exactly its receptive field, one jump apart.
    inner = {at: span for at, span in seen.items() if span[0] >= margin and span[1] < 3 * margin}
    assert inner
    assert all(last - first + 1 == field for first, last in inner.values())
    assert all(inner[at + 1][0] - inner[at][0] == jump for at in inner if at + 1 in inner)


def small(least: int, most: int) -> st.SearchStrategy[tuple[int]]:
    return st.tuples(st.integers(least, most))


CHAINED = st.one_of(
    st.builds(Conv, st.integers(1, 2), small(1, 4), stride=small(1, 2), padding=small(0, 3), dilation=small(1, 3)),
    st.builds(Conv, st.integers(1, 2), small(1, 5), padding=st.just("same"), dilation=small(1, 2)),
    st.builds(AvgPool, small(2, 4), stride=st.none() | small(1, 3), padding=small(0, 1), ceil_mode=st.booleans()),
    st.sampled_from([ReLU(), BatchNorm()]),
)
# Paths that are joined must look at the same centre: else the pixels seen by both together are more than the largest.
CENTRED = st.one_of(
    st.builds(Conv, st.just(2), st.sampled_from([(1,), (3,), (5,)]), padding=st.just("same"), dilation=small(1, 2)),
    st.just(AvgPool((3,), stride=(1,), padding=(1,))),
    st.just(ReLU()),
)
TWO = Conv(2, (1,))  # so that residuals and concatenations have channels that fit


def strided(stride: int) -> st.SearchStrategy[Block]:
    """Blocks that give ceil(n / stride) values of n, the first of them centred on the first."""
    convs = [
        Conv(2, (size,), stride=(stride,), padding=(dilation * (size // 2),), dilation=(dilation,))
        for size in (1, 3, 5)
        for dilation in (1, 2)
    ]
    return st.sampled_from([*convs, AvgPool((3,), stride=(stride,), padding=(1,))])


@st.composite
def path(draw: st.DrawFn, strides: list[int], depth: int) -> tuple[Block, ...]:
    """Blocks of chance that take these strides, in any order: alone, or all within one nested block."""
    within = depth > 0 and draw(st.booleans())
    groups = [strides] if within else [[stride] for stride in strides]
    groups = draw(st.permutations([*groups, *[[]] * draw(st.integers(0, 2))]))
    return (TWO, *(draw(block(group, depth, nested=within)) for group in groups), TWO)


def block(strides: list[int], depth: int, *, nested: bool) -> st.SearchStrategy[Block]:
    if nested:
        return joined(strides, depth - 1)
    return strided(*strides) if strides else CENTRED


@st.composite
def joined(draw: st.DrawFn, strides: list[int], depth: int) -> Block:
    """A residual or branches, with these strides in every path, so that the paths join."""
    if draw(st.booleans()):
        return Branches("concat", tuple(draw(st.lists(path(strides, depth), min_size=2, max_size=3))))
    body, shortcut = draw(path(strides, depth)), draw(path(strides, depth)) if strides else ()
    return Repeat(draw(st.integers(1, 1 if strides else 2)), (TWO, Residual(body, shortcut)))


STRIDES = st.lists(st.integers(1, 3), max_size=2)
NESTED = STRIDES.flatmap(lambda strides: joined(strides, 2))


@RANDOM
@given(st.lists(CHAINED, min_size=1, max_size=5))
def test_a_chain_sees_what_moves_it(layers: list[Block]) -> None:
    check(layers)


RESIZING = st.sampled_from(
    [
        Residual((Conv(2, (3,), stride=(2,), padding=(1,)),), (Conv(2, (1,), stride=(2,)),)),
        Branches("add", ((TWO, AvgPool((3,), padding=(1,), stride=(2,))), (Conv(2, (5,), stride=(2,), padding=(2,)),))),
        Repeat(2, (Save("s"), Conv(2, (3,)), AvgPool((3,), stride=(1,)), Concat("s", crop=True))),
    ]
)


@RANDOM
@given(st.lists(NESTED | RESIZING, min_size=1, max_size=3))
def test_nested_blocks_see_by_their_largest_path(layers: list[Block]) -> None:
    check(layers)


@pytest.mark.parametrize("gather", ["flatten", "globalavgpool", "globalavgpool keepdims=true"])
def test_what_sees_everything_sees_the_whole_map_and_has_no_jump(gather: str) -> None:
    end = ["flatten"] if "keepdims" in gather else []
    design = Design((1, 40), ["conv 2 3 stride=2", "conv 2 3", gather, *end, "linear classes"])
    seen = spans(positive(nn.Sequential(build(design, 1), nn.Unflatten(1, (1, 1)))), design.input)
    rows = design.walk(1)
    assert rows[-1].jump is None
    assert [(last - first + 1,) for first, last in seen.values()] == [rows[-1].receptive_field] == [(39,)]


@pytest.mark.parametrize("around", [1, 2, 3])
def test_a_squeeze_and_excitation_sees_as_its_layers_joined(around: int) -> None:
    convs = ["conv 4 3 padding=1"] * around
    layers = [*convs, "squeezeexcite 2", "conv 4 3 stride=2", *convs, "globalavgpool", "linear classes"]
    design = Design((3, 16, 20), layers)
    module = {row.path: row.field for row in fs.inspect(build(design, 3), design.input).rows}
    for row in (row for row in design.walk(3) if isinstance(row.block, Conv)):
        graph = module[row.path]
        assert graph is not None
        assert (row.field.receptive_field, row.field.smallest) == (graph.receptive_field, graph.smallest)
        assert row.field.padding_share((16, 20)) == graph.padding_share((16, 20))


def test_flatten_keeps_the_field_and_global_pooling_ends_it() -> None:
    rows = {row.path: row for row in Design((1, 20, 30), ["conv 2 3 stride=2", "flatten", "linear classes"]).walk(4)}
    assert (rows["2"].receptive_field, rows["2"].jump) == ((3, 3), (2, 2))
    assert (rows["3"].receptive_field, rows["3"].jump) == ((19, 29), None)  # the floor leaves a pixel unread
    pooled = Design((1, 20, 30), ["conv 2 3 stride=2", "globalmaxpool", "linear classes"]).walk(4)
    assert [(row.receptive_field, row.jump) for row in pooled[1:]] == [((19, 29), None)] * 2
