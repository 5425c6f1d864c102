"""Effective fields of modules: against those of the same design, profiles by hand, and what cannot be measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.errors import DesignError
from fieldstone.explain.effective import TWO_SIGMA


def ones(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    return module


def profile(depth: int) -> np.ndarray:
    made = np.ones(1)
    for _ in range(depth):
        made = np.convolve(made, np.ones(3))
    return made


def check_profile(field: object, depth: int) -> None:
    seen = field.map[field.map > 0]  # type: ignore[attr-defined]
    expected = profile(depth)
    np.testing.assert_allclose(seen / seen.max(), expected / expected.max(), rtol=1e-5)
    assert field.size == (expected > (1 - TWO_SIGMA) * expected.max()).sum()  # type: ignore[attr-defined]


class Boxes(nn.Module):
    """One layer called again and again, then a function of torch, both changed in place after."""

    def __init__(self) -> None:
        super().__init__()
        self.box = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        self.weight = nn.Parameter(torch.ones(1, 1, 3))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x *= 1
        for _ in range(3):
            x = self.box(x)
            x *= 0.5
        return F.conv1d(x, self.weight, padding=1).mul_(2)


def test_stacked_boxes_give_the_profile_that_numpy_gives() -> None:
    summary = fs.inspect(ones(Boxes()), (1, 33), effective=True)
    assert list(summary.effective) == ["box", "box_2", "box_3", "conv1d"]
    for depth, field in enumerate(summary.effective.values(), 1):
        check_profile(field, depth)
    assert "effective" in repr(summary)


def test_what_a_gate_shuts_is_not_seen() -> None:
    """A relu in place after a layer is not part of it: with negative weights it would leave nothing."""
    first = nn.Conv1d(1, 1, 3, padding=1, bias=False)
    nn.init.constant_(first.weight, -1)
    module = nn.Sequential(nn.Softplus(), first, nn.ReLU(inplace=True), nn.Conv1d(1, 1, 3, padding=1, bias=False))
    summary = fs.inspect(module, (1, 9), effective=True)
    assert summary.effective["1"].size > 0
    assert summary.effective["3"].size == 0


class ChannelsLast(nn.Module):
    """Between two convolutions the channels are last, and laid anew so that nobody knows the sides."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.last = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).permute(0, 2, 3, 1)
        x = x.reshape(2, x.shape[1] // 2, *x.shape[2:]).reshape(1, *x.shape[1:])
        return self.last(x.permute(0, 3, 1, 2))


def test_a_map_may_be_laid_anew() -> None:
    fields = fs.inspect(ones(ChannelsLast()), (1, 12, 12), effective=True).effective
    assert int((fields["conv"].map > 0).sum()) == 9
    assert int((fields["last"].map > 0).sum()) == 25


class Windowed(nn.Module):
    """The signal is cut in four, which are a batch; of pooling it is still seen that it slides a window."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = nn.Conv1d(1, 2, 3, padding=1), nn.AvgPool1d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pool(x.reshape(4, 1, -1))).reshape(1, 2, -1)


def test_windows_in_the_batch_are_seen_one_by_one() -> None:
    fields = fs.inspect(ones(Windowed()), (1, 20), effective=True).effective
    assert {path: np.flatnonzero(field.map).tolist() for path, field in fields.items()} == {"pool": [11, 12, 13]}


def test_modules_are_measured_as_designs_are() -> None:
    """The same network: of the design by batches, of the module image by image; the noise is another."""
    from fieldstone.network.build import build
    from fieldstone.network.initialise import initialise

    design = fs.Design.named("vgg-small").resolve(input=(3, 32, 32))
    network = build(design, 10)
    initialise(network, "torch", 0)
    of_design = fs.inspect(design, effective=True).effective
    of_module = fs.inspect(network, (3, 32, 32), effective=True).effective
    assert of_module.keys() == of_design.keys()
    for path, field in of_module.items():
        assert field.size == pytest.approx(of_design[path].size, rel=0.1)


@pytest.mark.parametrize("seen", [True, False])
def test_batch_normalisation_takes_statistics_where_it_has_none(seen: bool) -> None:
    module = nn.Sequential(nn.BatchNorm1d(1), nn.ReLU6(), nn.Conv1d(1, 1, 1))
    norm = module[0]
    assert norm.running_mean is not None
    if seen:  # what it has learned puts everything above the 6
        norm.running_mean.fill_(-1000)
    summary = fs.inspect(module, (1, 9), effective=True)
    assert (summary.effective["2"].size > 0) is not seen


def test_the_module_is_left_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU(inplace=True)).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    first, second = (fs.inspect(module, (3, 9, 9), effective=True).effective["0"] for _ in range(2))
    np.testing.assert_array_equal(first.map, second.map)
    assert all(part.training for part in module.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in module.parameters())
    assert "forward" not in vars(module[0])


class Frozen(nn.Module):
    """Its first half is computed without gradients."""

    def __init__(self, all_of_it: bool) -> None:
        super().__init__()
        self.body, self.head, self.all_of_it = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 2, 5), all_of_it

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            first = self.body(x)
        return (first,) if self.all_of_it else (first, self.head(x))


def test_what_gives_no_gradient_is_left_out() -> None:
    assert list(fs.inspect(Frozen(False), (3, 9, 9), effective=True).effective) == ["head"]


class Asks(nn.Module):
    """It asks for values, and its weights are made by its first input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.LazyConv2d(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(-x if x.sum() > 1e9 else x)


def test_what_is_shown_of_one_image_is_measured() -> None:
    summary = fs.inspect(Asks(), (3, 9, 9), effective=True)
    assert summary.untraced
    assert int((summary.effective["conv"].map > 0).sum()) == 9


class BatchOfOne(nn.Module):
    """It takes one image at a time, and its batch normalisation has seen none."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 1:
            raise RuntimeError("one image, please")
        return self.conv(self.norm(x))


def meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Conv2d(3, 4, 3)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(243, 2)), "Sequential slides no window over its input, so it has no"),
        (meta(), "Conv2d is on the meta device: without values there are no gradients; make it on a real device, or"),
        (Frozen(True), "no gradient comes back from the windows of Frozen to its input; leave --effective out"),
        (BatchOfOne(), "BatchOfOne cannot be run on noise to measure it: RuntimeError: one image, please; leave"),
        (nn.Conv2d(3, 4, 30), "Conv2d cannot be run on an input of 3x9x9"),
    ],
)
def test_what_cannot_be_measured_is_refused(module: nn.Module, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        fs.inspect(module, (3, 9, 9), effective=True)
