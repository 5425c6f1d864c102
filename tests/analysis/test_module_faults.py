"""What is wrong with a module itself: where its forward raises, what it needs, and what torch does not find in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

import fieldstone as fs
from fieldstone.errors import DesignError

IMAGE = (3, 32, 32)


def line_of(text: str) -> int:
    """Where a piece of code stands in this file."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


class Refusing(nn.Module):
    """Its own code raises, or torch does that it calls."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
        self.head = nn.Linear(features, 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.head.in_features == 1:
            raise ValueError("no features")
        return self.head(self.inner(x))


class Leaving(nn.Module):
    """A program, which ends itself."""

    def forward(self, x: Tensor) -> Tensor:
        raise SystemExit(7)


class Masked(nn.Module):
    def forward(self, x: Tensor, mask: Tensor, *, scale: float) -> Tensor:
        return x * mask * scale


@pytest.mark.parametrize(
    ("module", "said", "line", "fix"),
    [
        (Refusing(1), "ValueError: no features", 'ValueError("no',
         "give the input that it is made for, or mend it there"),
        (Refusing(9), "mat1 and mat2 shapes", "return self.head(self.inner(x))", "give the input that it is made for"),
        (Leaving(), "SystemExit: 7", "raise SystemExit", "give the input that it is made for, or mend it there"),
        (Masked(), "Masked takes mask, scale beside its input", "def forward(self, x: Tensor, mask",
         "put a module with one image as its input around it, and inspect that"),
    ],
)  # fmt: skip
def test_a_fault_within_forward_has_its_line_and_a_remedy(module: nn.Module, said: str, line: str, fix: str) -> None:
    with pytest.raises(DesignError, match=said) as raised:
        fs.inspect(module, IMAGE)
    assert (raised.value.file, raised.value.line, raised.value.fix) == (__file__, line_of(line), fix)


class Listed(nn.Module):
    """Two of its layers are in a plain list, where torch does not find them."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = [nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)]
        self.plain[1].weight.requires_grad = False
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.plain[1](self.plain[0](x)))


def test_what_parameters_does_not_give_is_in_no_total_and_named() -> None:
    module = Listed()
    summary = fs.inspect(module, IMAGE)
    assert summary.params == summary.trainable == sum(one.numel() for one in module.parameters())
    assert sum(layer["params"] for layer in summary.to_json()["layers"]) == summary.params
    hidden = [sum(one.numel() for one in layer.parameters()) for layer in module.plain]
    assert [one["params"] for one in summary.to_json()["unregistered"]] == hidden
    assert "not registered: conv2d, 112 parameters, neither trained nor saved; hold their layer in" in repr(summary)
