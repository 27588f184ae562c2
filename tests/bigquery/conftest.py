"""One emulator and one pair of engines for all the tests of BigQuery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bigquery_emulator import bigquery_emulator
from two_engines import Both, two_engines


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The URL of an emulated warehouse."""
    with bigquery_emulator() as url:
        yield url


@pytest.fixture(scope="session")
def both(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with two_engines(emulator, tmp_path_factory.mktemp) as engines:
        yield engines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test is the first waits for both engines to be built: minutes, on a busy machine many."""
    for item in items:
        if "both" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(1500))
