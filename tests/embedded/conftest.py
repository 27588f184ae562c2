"""A warehouse server of the tests' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from warehouse_process import WarehouseProcess, warehouse_server


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseProcess]:
    with warehouse_server(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture
def start_warehouse() -> Iterator[Callable[[Path], WarehouseProcess]]:
    """Start servers that are gone when the test is."""
    with ExitStack() as started:
        yield lambda folder: started.enter_context(warehouse_server(folder))
