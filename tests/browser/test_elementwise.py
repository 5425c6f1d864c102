"""What the explorer's page computes again by itself, against torch: activations, batch normalisation, softmax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from explored_pages import seen_of, write_page
from fieldstone.design.blocks.activation import ACTIVATIONS
from fieldstone.design.design import Design
from fieldstone.network.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Page

INFINITY, NAN = float("inf"), float("nan")
EXTREMES = [0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 20.0, -20.0, 50.0, -50.0, 88.0, -88.0, 3e3, -3e3, 1e30, -1e30]
EXTREMES += [INFINITY, -INFINITY, NAN, 3.0, -3.0, 6.0, 0.5, -0.5, 1.0, -1.0, 2.9999998, -2.9999998]

WRITTEN = [
    *(block.keyword for block in ACTIVATIONS if block.keyword != "threshold"),
    "leakyrelu negative_slope=0.3", "leakyrelu negative_slope=-0.2", "prelu num_parameters=channels",
    "rrelu lower=0.2 upper=0.7", "elu alpha=0.4", "elu alpha=-1.5", "celu alpha=2.5", "gelu approximate=tanh",
    "hardtanh min_val=-0.3 max_val=2.1", "softplus beta=2.5 threshold=4", "hardshrink lambd=0.3", "hardshrink lambd=0",
    "softshrink lambd=0.3", "threshold 0.1 20", "threshold -0.7 -2.3",
]  # fmt: skip
SUBTRACTING = ("gelu", "tanhshrink", "batchnorm", "logsoftmax", "logsigmoid")
"""Those that subtract nearly equal numbers: torch's own float32 is that of the larger of them, and so is ours."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seen = seen_of(Design(input=(1, 4, 4), classes=2, layers=["flatten", "linear classes"]))
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def page(page_of: Callable[..., Page], path: Path) -> Page:
    page = page_of(path)
    page.wait_for_selector("html[data-ready]")
    return page


def values(channels: int) -> Tensor:
    """(channels, 2, m): random numbers of three sizes, and every extreme."""
    torch.manual_seed(7)
    random = torch.cat([torch.randn(channels, 2, 60) * scale for scale in (0.05, 1.0, 8.0)], dim=2)
    random[:, 0, : len(EXTREMES)] = torch.stack([torch.tensor(EXTREMES).roll(7 * at) for at in range(channels)])
    random[0, 1, : len(EXTREMES)] = torch.tensor(EXTREMES)
    return random


def layer_of(block: Any, module: nn.Module) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The page's `layer`, and its arrays by name."""
    if isinstance(module, nn.BatchNorm2d):
        assert module.running_mean is not None
        assert module.running_var is not None
        arrays = {"mean": module.running_mean, "var": module.running_var}
        arrays |= {"gamma": module.weight, "beta": module.bias} if module.affine else {}
        return {"type": "batchnorm", "eps": module.eps}, {name: array.tolist() for name, array in arrays.items()}
    names = [entry.name for place in ("main", "option") for entry in block.arguments(place)]
    options = {name: getattr(block, name) for name in names}
    arrays = {"weight": module.weight.tolist()} if isinstance(module, nn.PReLU) else {}
    return {"type": "activation", "name": block.keyword, "options": options}, arrays


def computed(page: Page, layer: dict[str, Any], input: Tensor, arrays: dict[str, list[float]]) -> Tensor:
    shape, data = page.evaluate(
        """async ([layer, shape, data, arrays]) => {
            const { compute } = await import("fieldstone/elementwise");
            const output = compute(layer, { shape, data: new Float32Array(data) },
                Object.fromEntries(Object.entries(arrays).map(([name, list]) => [name, new Float32Array(list)])));
            return [output.shape, Array.from(output.data)];
        }""",
        [layer, list(input.shape), input.flatten().tolist(), arrays],
    )
    return torch.tensor(data, dtype=torch.float64).reshape(shape)


def both(text: str, input: Tensor) -> tuple[Any, nn.Module, Tensor, Tensor]:
    """The block, its module, and what torch computes in float32 and in float64."""
    design = Design(input=tuple(input.shape), layers=[text, "flatten", "linear classes"])
    network = build(design, outputs=3).eval()
    module = network.get_submodule("1")
    torch.manual_seed(11)
    for parameter in [*module.parameters(), *(buffer for buffer in module.buffers() if buffer.is_floating_point())]:
        parameter.data.uniform_(0.1, 2.0)
    with torch.no_grad():
        single = module(input[None])[0]
        double = module.double()(input[None].double())[0]
    if text == "gelu":  # oneDNN's gelu(∞), in float32, is NaN
        single[input == INFINITY] = INFINITY
    return design.layers[0], module.float(), single, double


@pytest.mark.parametrize("text", [*WRITTEN, "batchnorm", "batchnorm affine=false eps=0.1"])
def test_equal_to_torch(page: Page, text: str) -> None:
    input = values(4)
    block, module, single, double = both(text, input)
    layer, arrays = layer_of(block, module)
    ours = computed(page, layer, input, arrays)
    assert ours.shape == single.shape
    smallest = 1e-6 if text.split()[0] in SUBTRACTING else 1e-37
    torch.testing.assert_close(ours, single.double(), rtol=1e-5, atol=smallest, equal_nan=True)
    finite = single.isfinite() & double.isfinite()
    torch.testing.assert_close(ours[finite], double[finite], rtol=1e-5, atol=smallest)


def test_every_activation_is_tried() -> None:
    assert {text.split()[0] for text in WRITTEN} == {block.keyword for block in ACTIVATIONS}
    assert len(ACTIVATIONS) == 26


@pytest.mark.parametrize("text", ["softmax", "logsoftmax", "relu"])
def test_a_vector(page: Page, text: str) -> None:
    input = torch.tensor([3.0, -1.0, 900.0, 898.5, -INFINITY])
    module = {"softmax": nn.Softmax(0), "logsoftmax": nn.LogSoftmax(0), "relu": nn.ReLU()}[text]
    ours = computed(page, {"type": "activation", "name": text, "options": {}}, input, {})
    torch.testing.assert_close(ours, module(input).double(), rtol=1e-5, atol=1e-37)


def test_identity_gives_its_input(page: Page) -> None:
    input = values(2)
    assert torch.equal(computed(page, {"type": "identity"}, input, {}).nan_to_num(5), input.double().nan_to_num(5))


def test_error_function(page: Page) -> None:
    x = torch.linspace(-7, 7, 4001, dtype=torch.float64)
    found = page.evaluate("async list => list.map((await import('fieldstone/erf')).erf)", x.tolist())
    ours = torch.tensor(found, dtype=torch.float64)
    torch.testing.assert_close(ours, torch.erf(x), rtol=1e-14, atol=0)
