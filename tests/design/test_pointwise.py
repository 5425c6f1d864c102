# ruff: noqa: E501  (a message is one line)
"""Blocks that slide no window, against torch: weights, what is refused, and what may change places with pooling."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fieldstone.design.blocks.activation import (
    ACTIVATIONS,
    ELU,
    GELU,
    GLU,
    OVER_CHANNELS,
    Activation,
    Hardtanh,
    LeakyReLU,
    PReLU,
    RReLU,
    Softplus,
    Threshold,
)
from fieldstone.design.blocks.attention import SqueezeExcite
from fieldstone.design.blocks.block import Block, FitError
from fieldstone.design.blocks.norm import (
    BatchNorm,
    ChannelDropout,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.network.build import build

INSTANCE = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
BATCH = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def accepts(layer: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether torch trains the layer on one input of that shape."""
    try:
        layer.train()(torch.zeros(1, *shape))
    except ValueError:
        return False
    return True


def fits(block: Block, shape: tuple[int, ...]) -> bool:
    try:
        assert block.output_shape(shape) == shape
    except FitError:
        return False
    return True


def params(layer: nn.Module) -> int:
    return sum(weight.numel() for weight in layer.parameters())


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 12), st.lists(st.integers(1, 3), max_size=3), st.integers(1, 13), st.booleans(), st.booleans())
def test_normalisation_has_the_weights_of_torch_or_refuses_with_it(
    channels: int, sides: list[int], groups: int, affine: bool, bias: bool
) -> None:
    shape = (channels, *sides)
    assert BatchNorm(affine=affine).params(shape) == params(BATCH[len(sides)](channels, affine=affine))
    layer = nn.LayerNorm(shape, elementwise_affine=affine, bias=bias)
    assert LayerNorm(affine=affine, bias=bias).params(shape) == params(layer)
    if sides:
        instance = InstanceNorm(affine=affine)
        normal = INSTANCE[len(sides) - 1](channels, affine=affine)
        assert (fits(instance, shape), instance.params(shape)) == (accepts(normal, shape), params(normal))
    group = GroupNorm(groups, affine=affine)
    if channels % groups:
        with pytest.raises(ValueError, match="divisible"):
            nn.GroupNorm(groups, channels)
        assert not fits(group, shape)
    else:
        grouped = nn.GroupNorm(groups, channels, affine=affine)
        assert (fits(group, shape), group.params(shape)) == (accepts(grouped, shape), params(grouped))


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 45))
def test_the_groups_that_a_fault_proposes_fit_and_more_do_not(channels: int, side: int, groups: int) -> None:
    try:
        GroupNorm(groups).output_shape((channels, side))
    except FitError as fault:
        found = re.fullmatch(r"use groupnorm (\d+)|leave it out", fault.fix or "")
        assert found
        proposed = int(found[1]) if found[1] else 0
        assert all(
            fits(GroupNorm(more), (channels, side)) == (more == proposed) for more in range(max(1, proposed), groups)
        )


FLAT = "its input is flat (6 numbers) and has no sides; put it before the map is flattened"


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        ((8, 4, 4), "groupnorm 6", "num_groups 6 does not divide its 8 channels; use groupnorm 4"),
        ((8, 4, 4), "groupnorm 0", "num_groups '0' is not a whole number above 0; write it as `groupnorm GROUPS`"),
        ((8, 4, 4), "groupnorm", "it has no num_groups; write it as `groupnorm GROUPS`"),
        ((999999937, 1), "groupnorm 999999936", "num_groups 999999936 does not divide its 999999937 channels; use groupnorm 1"),
        ((8, 1, 1), "groupnorm 8", "num_groups 8 leaves one value a group of its 8 channels; use groupnorm 4"),
        ((1, 1), "groupnorm 1", "num_groups 1 leaves one value a group of its 1 channel; leave it out"),
        ((8, 1, 1), "instancenorm", "its input has one value a channel, whose deviation is 0; use layernorm or batchnorm here or give the design an input of at least 2x2"),
        ((8, 4, 4), "batchnorm eps=0", "eps '0' is not a number above 0; leave it out, or write such a value"),
        ((8, 4, 4), "localresponsenorm 5 alpha=-1", "alpha '-1' is not a number of 0 or more; leave it out, or write such a value"),
        ((8, 4, 4), "channeldropout 1.5", "p '1.5' is not a number from 0 to 1; write it as `channeldropout P`"),
        ((8, 4, 4), "prelu num_parameters=3", "num_parameters=3 is neither 1 nor its 8 channels; write num_parameters=channels"),
        ((8, 4, 4), "prelu num_parameters=all", "num_parameters 'all' is not a whole number above 0, or `channels`; leave it out, or write such a value"),
        ((8, 4, 4), "hardtanh min_val=1", "min_val=1 is not below max_val=1; give it a smaller min_val or a larger max_val"),
        ((8, 4, 4), "rrelu lower=0.5", "lower=0.5 is above upper=0.333333; exchange them"),
        ((8, 4, 4), "celu alpha=0", "alpha '0' is not a number above 0; leave it out, or write such a value"),
        ((8, 4, 4), "softshrink lambd=-1", "lambd '-1' is not a number of 0 or more; leave it out, or write such a value"),
        ((8, 4, 4), "threshold 3", "it has no value; write it as `threshold THRESHOLD VALUE`"),
        ((7, 4, 4), "glu", "its input has 7 channels, which cannot be halved; give it an even number"),
        ((8, 4, 4), "squeezeexcite 4 gate=relu", "gate 'relu' is not sigmoid or hardsigmoid; leave it out, or write such a value"),
        ((8, 4, 4), "squeezeexcite 0", "ratio '0' is not a whole number above 0; write it as `squeezeexcite RATIO`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_its_remedy(shape: tuple[int, ...], text: str, message: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(f'{text}: {message}')}$"):
        Design(shape, [text, "flatten", "linear classes"]).walk(3)


@pytest.mark.parametrize("text", ["instancenorm", "localresponsenorm 5", "channeldropout 0.5", "squeezeexcite 4"])
def test_what_needs_sides_is_refused_after_flatten(text: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(f'{text}: {FLAT}')}$"):
        Design((1, 2, 3), ["flatten", text, "linear classes"]).walk(3)


def test_torch_takes_a_row_of_numbers_for_one_map_where_it_is_refused() -> None:
    """The reason for the refusal: (N, C) is read as one input of N channels."""
    dropped = nn.Dropout1d(0.5)(torch.ones(64, 6))
    assert set(dropped.sum(dim=1).tolist()) == {0.0, 12.0}
    assert not fits(ChannelDropout(), (6,))
    with pytest.raises(ValueError, match="3D or higher"):
        nn.LocalResponseNorm(5)(torch.ones(64, 6))
    assert not fits(LocalResponseNorm(5), (6,))


CHANGED: list[Activation] = [
    LeakyReLU(0.0), LeakyReLU(-0.1), ELU(0.0), ELU(2.0), ELU(-0.5), Softplus(3.0), Softplus(0.5, threshold=1.0),
    Softplus(2.0, threshold=-1.0), Hardtanh(-3.0, 0.1), Threshold(0.5, 0.5), Threshold(0.5, 0.6), Threshold(-1.0, -7.0),
    PReLU("channels"), GELU("tanh"), RReLU(0.0, 0.1),
]  # fmt: skip
DEFAULT: list[Activation] = [kind() for kind in ACTIVATIONS if kind is not Threshold]


def layer_of(block: Activation, channels: int) -> nn.Module:
    """In double precision and training, a learned slope below 0."""
    layer = build(Design((channels, 64), [block, "conv classes 1"]), 1)[0].double().train()
    for weight in layer.parameters():
        weight.data.fill_(-0.3)
    return layer


@pytest.mark.parametrize("block", DEFAULT + CHANGED, ids=lambda block: block.text())
def test_max_pooling_may_come_first_where_an_activation_is_monotone_and_only_there(block: Activation) -> None:
    layer = layer_of(block, 2)
    inputs = torch.randn(512, 2, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    pool = nn.MaxPool1d(2)
    with torch.no_grad():
        assert torch.allclose(pool(layer(inputs)), layer(pool(inputs)), atol=1e-7) == block.monotone


@pytest.mark.parametrize("block", [one for one in DEFAULT + CHANGED if not isinstance(one, (*OVER_CHANNELS, RReLU))],
                         ids=lambda block: block.text())  # fmt: skip
def test_monotone_means_that_the_curve_never_falls(block: Activation) -> None:
    curve = layer_of(block, 1)(torch.linspace(-40, 40, 80_001, dtype=torch.float64).view(1, 1, -1)).detach().flatten()
    assert (curve.diff().min().item() >= 0) == block.monotone


def test_activations_have_the_shape_of_their_input_but_the_one_that_halves_the_channels() -> None:
    assert GLU().output_shape((6, 5, 4)) == (3, 5, 4)
    assert GLU().output_shape((6,)) == (3,)
    assert PReLU("channels").params((6, 5, 4)) == 6


def test_squeeze_and_excitation_adds_the_parameters_of_the_paper() -> None:
    """arXiv:1709.01507, section 3.2: 2 / r · Σ N · C², some 2.5 million for SE-ResNet-50 with r = 16, biases left out."""
    stages = {256: 3, 512: 4, 1024: 6, 2048: 3}
    block = SqueezeExcite(16)
    added = sum(blocks * block.macs((channels, 7, 7)) for channels, blocks in stages.items())
    assert added == 2 / 16 * sum(blocks * channels**2 for channels, blocks in stages.items())
    assert round(added / 1e6, 1) == 2.5
    assert [SqueezeExcite(ratio).squeezed(6) for ratio in (1, 2, 4, 6, 7, 100)] == [6, 3, 1, 1, 1, 1]
    assert block.params((64, 3)) == 64 * 4 + 4 + 4 * 64 + 64
