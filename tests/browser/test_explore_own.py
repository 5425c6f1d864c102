"""Pages of modules of one's own: what is not known of them is said, and nothing overlaps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import fieldstone as fs

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]


class Rolled(nn.Module):
    """Its second half sees what nobody can follow."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.relu(self.first(x))[:, torch.randperm(8, generator=torch.Generator().manual_seed(0))]
        return self.head(torch.relu(self.second(torch.roll(mixed, 1, 2))).mean((2, 3)))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.linear_gradient("L").convert("RGB").resize((40, 40)).save(tmp_path / "image.png")
    return tmp_path / "image.png"


def test_why_is_told_where_a_field_is_not_known(page_of: Pages, image: Path, tmp_path: Path) -> None:
    network = Rolled().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    page_file = fs.explore(network, image, out=tmp_path / "own.html", input=(3, 20, 20))
    assert page_file is not None
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    page = page_of(page_file)
    page.goto(f"{page_file.as_uri()}#/why")
    said = page.locator(".why, main").last
    said.get_by_text("All that it can see is not known").wait_for()
    assert page.locator(".figures-frame").is_hidden()


def test_a_module_stays_where_it_is(image: Path) -> None:
    with pytest.raises(fs.errors.DesignError, match="a module stays on the device that it is on; leave device out"):
        fs.explore(Rolled(), image, input=(3, 20, 20), device="cpu")


def test_labels_of_narrow_maps_end_before_the_next(page_of: Pages, image: Path, tmp_path: Path) -> None:
    layers = ["conv 6 3 stride=2 padding=same", "upconv 6 3 stride=3 dilation=2", "globalavgpool", "linear classes"]
    page_file = fs.explore(fs.Design((3, 32, 32), layers, classes=3), image, out=tmp_path / "up.html")
    assert page_file is not None
    page = page_of(page_file, viewport={"width": 1280, "height": 900})
    page.goto(f"{page_file.as_uri()}#/block/2")
    page.locator(".stage .stage-label").first.wait_for()
    boxes = sorted(
        (box for one in page.locator(".stage-label").all() if (box := one.bounding_box())), key=lambda b: b["x"]
    )
    for left, right in pairwise(boxes):
        same_line = abs(left["y"] - right["y"]) < left["height"]
        assert not same_line or left["x"] + left["width"] < right["x"] - 16


def test_the_rest_of_a_mean_is_a_term_of_its_sum(page_of: Pages, image: Path, tmp_path: Path) -> None:
    layers = ["conv 4 3", "relu", "globalavgpool", "linear classes"]
    page_file = fs.explore(fs.Design((3, 12, 12), layers, classes=3), image, out=tmp_path / "mean.html")
    assert page_file is not None
    page = page_of(page_file)
    page.goto(f"{page_file.as_uri()}#/block/3")
    page.keyboard.press("ArrowRight")
    page.get_by_text("94 more").wait_for()
    line = page.locator(".arithmetic").first.inner_text().replace("\n", " ")
    inside = line[line.index("(") + 1 : line.index("÷")].replace("(94 more)", "").rstrip(" )")
    assert "=" not in inside
    total = sum(float(term) for term in inside.replace("−", "-").split("+"))
    mean = float(page.locator('[data-grid="output"] [data-value]').first.get_attribute("data-value") or "nan")
    assert total / 100 == pytest.approx(mean, rel=0.02)
