"""Effective fields against profiles that NumPy convolves by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fieldstone as fs
from fieldstone.explain.effective import TWO_SIGMA, count, effective_fields
from fieldstone.network.build import build
from fieldstone.progress import Progress


def measure(design: fs.Design, network: torch.nn.Module, trained: bool = False) -> dict[str, object]:
    with Progress.quiet().bar("", 1) as bar:
        return dict(effective_fields(network, design.walk(1), design.input, bar, trained=trained))


def test_stacked_boxes_give_the_profile_that_numpy_gives() -> None:
    depth = 8
    design = fs.Design((1, 65), [*["conv 1 3 padding=1 bias=false"] * depth, "conv classes 1"])
    network = build(design, 1)
    for parameter in network.parameters():
        parameter.data.fill_(1.0)
    fields = measure(design, network)
    profile = np.ones(1)
    for _ in range(depth):
        profile = np.convolve(profile, np.ones(3))
    last = fields[str(depth)]
    seen = last.map[last.map > 0]  # type: ignore[attr-defined]
    assert len(seen) == len(profile) == 2 * depth + 1  # the theoretical field
    np.testing.assert_allclose(seen / seen.max(), profile / profile.max(), rtol=1e-5)
    wide = (profile > (1 - TWO_SIGMA) * profile.max()).sum()
    assert last.size == wide < len(profile)  # type: ignore[attr-defined]


def test_it_is_never_more_than_the_field_and_has_one_for_each_window() -> None:
    design = fs.Design.named("vgg-small").resolve(input=(3, 32, 32))
    rows = design.walk(10)
    fields = measure(design, build(design, 10))
    assert len(fields) == count(rows) == 9
    for row in rows:
        if row.path in fields:
            assert 1 <= fields[row.path].size <= row.receptive_field[0]  # type: ignore[attr-defined]
            assert fields[row.path].map.shape == (32, 32)  # type: ignore[attr-defined]


@pytest.mark.parametrize("trained", [True, False])
def test_the_network_is_left_as_it_was(trained: bool) -> None:
    design = fs.Design((3, 16, 16), ["conv 4 3", "batchnorm", "dropout", "conv 4 3", "globalavgpool", "linear classes"])
    network = build(design, 1).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    measure(design, network, trained)
    assert network.training
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_nested_blocks_are_measured_at_their_paths() -> None:
    layers = [{"repeat 2": ["conv 3 3 padding=1", {"residual": ["conv 3 5 padding=2", "relu"]}]}, "conv classes 1"]
    design = fs.Design((3, 33), layers)
    fields = measure(design, build(design, 1))
    assert list(fields) == ["1.1.1", "1.1.2.body.1", "1.2.1", "1.2.2.body.1", "2"]
