"""Depthwise convolution in bfloat16 whose gradients are computed in float32, against torch's own in float64."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from fieldstone.training.depthwise import faster_depthwise

CPU = torch.device("cpu")


def gradients(layer: nn.Module, inputs: Tensor) -> Sequence[Tensor]:
    inputs = inputs.clone().requires_grad_()
    weights = [inputs, *layer.parameters()]
    output = layer(inputs)
    slope = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    return [output, *torch.autograd.grad((output.double() * slope).sum(), weights)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "arguments", "sides"),
    [
        (nn.Conv1d, {"kernel_size": 5, "dilation": 2, "padding": 4}, (20,)),
        (nn.Conv2d, {"kernel_size": 3, "stride": 2, "padding": 1}, (9, 12)),
        (nn.Conv2d, {"kernel_size": 5, "padding": 2, "out_channels": 12}, (7, 7)),
        (nn.Conv3d, {"kernel_size": 3}, (5, 6, 4)),
    ],
)
def test_values_and_gradients_are_torchs_to_the_precision_of_bfloat16(
    kind: type[nn.Module], arguments: dict[str, int], sides: tuple[int, ...], bias: bool
) -> None:
    torch.manual_seed(0)
    layer = kind(**{"in_channels": 6, "out_channels": 6, "groups": 6, "bias": bias, **arguments})  # type: ignore[call-arg]
    inputs = torch.randn(3, 6, *sides)
    exact = gradients(layer.double(), inputs.double())
    layer.float()
    with faster_depthwise(layer, CPU, "bf16"), torch.autocast("cpu", torch.bfloat16):
        assert type(layer.__dict__["_conv_forward"]).__name__ == "_Forward"
        quick = gradients(layer, inputs)
    for ours, theirs in zip(quick, exact, strict=True):
        assert (ours.double() - theirs).norm() < 0.01 * theirs.norm()
    assert "_conv_forward" not in layer.__dict__


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(4, 8, 3), nn.Conv2d(4, 8, 3, groups=2), nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4, padding="same"),
     nn.Conv2d(4, 4, 3, groups=4, padding_mode="reflect", padding=1), nn.ConvTranspose2d(4, 4, 3, groups=4)],
)  # fmt: skip
def test_other_layers_are_left_alone(layer: nn.Module) -> None:
    with faster_depthwise(layer, CPU, "bf16"):
        assert "_conv_forward" not in layer.__dict__


@pytest.mark.parametrize(("device", "precision"), [("cpu", "fp32"), ("cuda", "bf16")])
def test_other_precisions_and_devices_are_left_alone(device: str, precision: str) -> None:
    layer = nn.Conv2d(4, 4, 3, groups=4)
    with faster_depthwise(layer, torch.device(device), precision):
        assert "_conv_forward" not in layer.__dict__
