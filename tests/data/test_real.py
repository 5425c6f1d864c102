"""The public image sets."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fieldstone.data.opening import open_data
from fieldstone.data.preprocessing import Preprocessing

pytestmark = pytest.mark.real
RealData = Callable[[str], Path]


def test_mnist(real_data: RealData) -> None:
    dataset = open_data(real_data("mnist"))
    assert (dataset.form, len(dataset.entries), dataset.median_size, dataset.channels) == ("idx", 70_000, (28, 28), 1)
    decoded = dataset.decode(Preprocessing((28, 28), 1))
    test = decoded.manifest.indices("test")
    # Counts and mean as published for the set; the first test digit is a seven.
    assert np.bincount(decoded.manifest.targets[test]).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert decoded.manifest.targets[test[0]] == 7
    assert decoded.preprocessing.mean == pytest.approx((0.1307,), abs=0.0002)
    assert decoded.preprocessing.std == pytest.approx((0.3081,), abs=0.0002)
    assert len(decoded.manifest.indices("val")) == pytest.approx(6000, abs=200)


def test_cifar_agrees_with_its_other_layout(real_data: RealData) -> None:
    dataset = open_data(real_data("cifar10-exact4k"))
    assert (dataset.form, dataset.classes[3], len(dataset.entries)) == ("cifar", "cat", 4000)
    first = dataset.decode(Preprocessing((32, 32), 3)).images[0]
    assert first[:, 0, 0].tolist() == [59, 62, 63]  # the frog that begins data_batch_1


def test_photos(real_data: RealData) -> None:
    dataset = open_data(real_data("hymenoptera"))
    assert Counter(entry.given for entry in dataset.entries) == {"train": 245, "test": 153}
    decoded = dataset.decode(Preprocessing((64, 64), 3))
    assert decoded.images.shape == (398, 3, 64, 64)
    assert decoded.manifest.left_out == ()


def test_malformed_files_are_left_out_and_stop_nothing(real_data: RealData, tmp_path: Path) -> None:
    (tmp_path / "good").symlink_to(real_data("weather4") / "train" / "cloud")
    (tmp_path / "odd").symlink_to(real_data("malformed"))
    decoded = open_data(tmp_path).decode(Preprocessing((48, 48), 3))
    left_out = {left.file: left.reason for left in decoded.manifest.left_out}
    assert len(left_out) > 400
    assert len(decoded.images) > 800
    assert not any("good/" in file or "0x" in reason for file, reason in left_out.items())
    assert dict.fromkeys(row.file for row in decoded.manifest.rows).keys().isdisjoint(left_out)
