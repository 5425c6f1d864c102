"""The mean of weights, against torch's own averaging."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fieldstone.training.average import averaged
from fieldstone.training.checkpoint import Progressed


def test_it_is_the_mean_of_all_epochs_and_leaves_the_network_alone() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    reference, at = AveragedModel(network, use_buffers=True), Progressed()
    for _ in range(4):
        with torch.no_grad():
            for value in network.state_dict().values():
                value.add_(torch.randn(value.shape) if value.is_floating_point() else 1)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        reference.update_parameters(network)
        with averaged(network, at):
            for name, value in reference.module.state_dict().items():
                if value.is_floating_point():
                    torch.testing.assert_close(network.state_dict()[name], value)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
