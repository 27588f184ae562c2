"""The bicycle shop's project, built by dbt in a warehouse server of this folder alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from asked import Project
from bikes import FIXTURES
from warehouse.catalogue import Catalogue
from warehouse.dbt_runner import run_dbt
from warehouse.engines import connect
from warehouse.semantic import SemanticLayer
from warehouse.settings import WarehouseSettings
from warehouse_process import warehouse_server


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with warehouse_server(tmp_path_factory.mktemp("bikes_data")) as server:
        settings = WarehouseSettings(
            warehouse_url=server.url,
            dbt_project_dir=FIXTURES / "bikes",
            dbt_target_dir=tmp_path_factory.mktemp("bikes_target"),
            dbt_profiles_dir=FIXTURES / "profiles",
        )
        run_dbt(settings, ["build"])
        warehouse = connect(settings)
        layer = SemanticLayer.load(settings.semantic_manifest_path, warehouse.dialect)
        now = datetime(2026, 4, 20, 12, tzinfo=UTC)
        yield Project(layer, Catalogue.load(settings.manifest_path, warehouse), warehouse, now)
