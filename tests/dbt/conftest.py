"""A warehouse server of its own for the tests of the dbt project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.settings import WarehouseSettings
from warehouse_process import warehouse_server

PROJECT = Path(__file__).parents[2] / "dbt"


@pytest.fixture(scope="session")
def dbt_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    """Settings that point at a server of this test run alone, with a target folder of its own."""
    with warehouse_server(tmp_path_factory.mktemp("dbt_warehouse")) as server:
        yield WarehouseSettings(
            warehouse_url=server.url,
            dbt_project_dir=PROJECT,
            dbt_target_dir=tmp_path_factory.mktemp("dbt_target"),
        )
