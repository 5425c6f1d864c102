"""What every test shares: a cache of its own, and the public image sets where they are present."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: small networks on a shared machine

import tarfile
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

ARCHIVES = Path(os.environ.get("FIELDSTONE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))

# The same cases in every run, so that a failure tells of a change; with more random designs asked for, new ones.
settings.register_profile("fieldstone", derandomize="FIELDSTONE_RANDOM_DESIGNS" not in os.environ)
settings.load_profile("fieldstone")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of one test, so that no test reads what another one decoded."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FIELDSTONE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data(name)` is the unpacked folder of a public image set; without the archive the test skips."""

    def unpack(name: str) -> Path:
        archive = ARCHIVES / f"{name}.tar.xz"
        if not archive.exists():
            pytest.skip(f"the public image set {name} is not at {archive}")
        place = Path(tempfile.gettempdir()) / "fieldstone-real-data" / str(archive.stat().st_size)
        if not (place / name).exists():
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place) as beside, tarfile.open(archive) as tar:
                tar.extractall(beside, filter="data")
                (Path(beside) / name).rename(place / name)
        return place / name

    return unpack


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 small colour photos in three classes that a small network learns: each class leans to one colour."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("blue sky", "나무", "zebra 🦓")):
        (folder / name).mkdir()
        for number in range(24):
            pixels = rng.integers(0, 160, (20, 24, 3), dtype=np.uint8)
            pixels[..., channel] += 60
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Without the mark `gpu` a test, its module's fixtures and the processes that they start use the processor."""
    with pytest.MonkeyPatch.context() as patch:
        if not item.get_closest_marker("gpu"):
            patch.setenv("CUDA_VISIBLE_DEVICES", "")
            if torch := sys.modules.get("torch"):  # a test that needs none loads none
                patch.setattr(torch.accelerator, "is_available", lambda: False)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Where the public image sets must be there, a test of them that skips has failed."""
    report = yield
    if report.skipped and item.get_closest_marker("real") and os.environ.get("FIELDSTONE_REQUIRE_REAL"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though the public image sets are required: {report.longrepr}"
    return report
