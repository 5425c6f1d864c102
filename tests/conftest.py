"""What every test shares: a cache of its own, and the public image sets where they are present."""

import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ARCHIVES = Path(os.environ.get("FIELDSTONE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Where the public image sets must be there, a test of them that skips has failed."""
    report = yield
    if report.skipped and item.get_closest_marker("real") and os.environ.get("FIELDSTONE_REQUIRE_REAL"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though the public image sets are required: {report.longrepr}"
    return report
