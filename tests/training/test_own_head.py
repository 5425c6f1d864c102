"""The head of a network of the user's own, in modules whose forward is written out; torch says what they give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldstone.errors import DesignError
from fieldstone.training.own_head import find_head, halves_of_own

SHAPE = (3, 8, 8)
End = Callable[[Tensor], Tensor]


class Net(nn.Module):
    """A head that is there before the layers that run before it, and an end that is given."""

    def __init__(self, head: nn.Module, end: End, pooled: bool) -> None:
        super().__init__()
        self.head = head
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.unused = nn.Linear(5, 5)
        self.end = end
        self.pooled = pooled

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        return self.end(self.head(x.mean((2, 3)) if self.pooled else x))


def linear(end: End = lambda x: x, outputs: int = 4) -> Net:
    return Net(nn.Linear(6, outputs), end, pooled=True)


def convolution(end: End, outputs: int = 4) -> Net:
    return Net(nn.Conv2d(6, outputs, 1), end, pooled=False)


ENDS: dict[str, Net] = {
    "none": linear(),
    "relu": linear(F.relu),
    "sigmoid": linear(torch.sigmoid),
    "softmax": linear(lambda x: x.softmax(1)),
    "log_softmax": linear(lambda x: x.log_softmax(1)),
    "mean": convolution(lambda x: x.mean((2, 3))),
    "pool and flatten": convolution(lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1)),
    "relu, mean, as squeezenet": convolution(lambda x: F.relu(x).mean((2, 3))),
    "mean, relu": convolution(lambda x: F.relu(x.mean((2, 3)))),
    "mean, softmax": convolution(lambda x: x.mean((2, 3)).softmax(1)),
    "one output": convolution(lambda x: F.relu(x).mean((2, 3)), outputs=1),
}


@pytest.mark.parametrize("name", ENDS)
def test_both_halves_give_what_the_network_gives(name: str) -> None:
    network = ENDS[name].eval()
    outputs = 1 if name == "one output" else 4
    assert find_head(network, SHAPE, outputs) == "head"
    parts = halves_of_own(network, "head", SHAPE)
    x = torch.randn(50, *SHAPE)
    with torch.no_grad():
        network.head.bias.sub_(network.head(parts.trunk(x)).mean())  # type: ignore[operator,union-attr]
        given = network.head(parts.trunk(x))
        assert (given > 0).any()
        assert (given < 0).any()
        torch.testing.assert_close(parts.tail(parts.trunk(x)), network(x))
    assert parts.tail[0] is network.head
    assert set(parts.weights) == {"first.weight", "first.bias", "unused.weight", "unused.bias"}


@pytest.mark.parametrize(
    "end",
    [
        lambda x: x * 2,
        lambda x: x[:, :, ::2, ::2].mean((2, 3)),
        lambda x: x.amax((2, 3)),
        lambda x: x.mean((2, 3)) + torch.arange(4) * 0.01,
    ],
)
def test_an_end_that_is_not_known_is_refused(end: End) -> None:
    network = convolution(end)
    with pytest.raises(DesignError, match="nobody knows what follows the head in its forward") as raised:
        halves_of_own(network, "head", SHAPE)
    assert raised.value.path == "head"


class Around(Net):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 0.1 * x.mean((1, 2, 3))[:, None]


class Twice(Net):
    def forward(self, x: Tensor) -> Tensor:
        super().forward(x.flip(3))
        return super().forward(x)


@pytest.mark.parametrize("kind", [Around, Twice])
def test_a_head_that_is_not_all_of_the_answer_is_refused(kind: type[Net]) -> None:
    network = kind(nn.Linear(6, 4), lambda x: x, pooled=True)
    assert find_head(network, SHAPE, 4) == "head"
    with pytest.raises(DesignError, match="nobody knows what follows the head"):
        halves_of_own(network, "head", SHAPE)


def test_a_linear_layer_over_places_is_no_head_that_can_be_cut_off() -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Flatten(2), nn.Linear(36, 6), nn.Linear(6, 4), nn.AvgPool1d(4))
    network.append(nn.Flatten())
    with pytest.raises(DesignError, match="nobody knows what follows the head"):
        halves_of_own(network, "3", SHAPE)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 8)),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    ],
)
def test_without_a_last_layer_of_so_many_outputs_there_is_no_head(network: nn.Module) -> None:
    network.register_parameter("factor", nn.Parameter(torch.ones(1)))
    assert find_head(network, SHAPE, 4) is None


def test_the_same_weights_in_another_forward_are_another_trunk() -> None:
    first, second, third = linear(), linear(), linear()
    for other in (second, third):
        other.load_state_dict(first.state_dict())
    second.forward = lambda x: second.head(F.gelu(second.first(x)).mean((2, 3)))  # type: ignore[method-assign]
    functions = [halves_of_own(one, "head", SHAPE).function for one in (first, second, third)]
    assert functions[0] == functions[2] != functions[1]


def test_no_hook_stays_and_every_mode_is_as_before() -> None:
    network = linear().train()
    network.first.eval()
    parts = halves_of_own(network, "head", SHAPE)
    parts.trunk(torch.zeros(1, *SHAPE))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert (network.training, network.first.training, network.head.training) == (True, False, True)


def test_a_head_that_is_not_to_train_cannot_be_fitted() -> None:
    network = linear()
    network.head.bias.requires_grad_(False)  # type: ignore[union-attr]
    with pytest.raises(DesignError, match="the head does not train: its parameters require no gradients"):
        halves_of_own(network, "head", SHAPE)
