"""The real semantic layer, parsed by dbt from the project, and a linker over it with a few known values."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.analyst.linker import Linker
from streaming.ddl import ods_statements
from warehouse import TransientError, Warehouse, WarehouseSettings, connect
from warehouse.dbt_runner import run_dbt
from warehouse.ingestion import load_days
from warehouse.semantic import SemanticLayer

ROOT = Path(__file__).parents[2]
VALUES = {
    "user__country": [
        "China",
        "United States",
        "Brasil",
        "Germany",
        "Japan",
        "France",
        "United Kingdom",
        "Spain",
    ],
    "user__city": ["Shanghai", "Beijing", "São Paulo"],
    "user__traffic_source": ["Search", "Organic", "Facebook", "Email", "Display"],
    "user__age_band": ["under 20", "20-29", "30-39", "60 and over"],
    "product__brand": ["Levi's", "Calvin Klein", "Nike", "Allegra K"],
    "product__category": ["Jeans", "Accessories", "Plus", "Active", "Tops & Tees", "Swim"],
    "product__department": ["Women", "Men"],
    "tool_call__tool": ["execute_sql", "compile_metrics"],
    "stage_run__stage": ["sql", "chart", "document"],
}


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dbt's manifests; parsing needs no warehouse."""
    target = tmp_path_factory.mktemp("dbt_target")
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "parse",
        "--quiet",
        "--profiles-dir",
        str(ROOT / "dbt"),
        "--project-dir",
        str(ROOT / "dbt"),
        "--target-path",
        str(target),
        "--log-path",
        str(target),
    ]
    quiet = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(command, check=True, env=quiet, timeout=180)
    return target


@pytest.fixture(scope="session")
def semantic(dbt_target: Path) -> SemanticLayer:
    return SemanticLayer.load(dbt_target / "semantic_manifest.json")


@pytest.fixture(scope="session")
def linker(semantic: SemanticLayer) -> Linker:
    return Linker(semantic, lambda dimension: VALUES.get(dimension, []))


@pytest.fixture(scope="session")
def commerce(dbt_target: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    """A warehouse server of this run alone with a short history of the shop, built by dbt."""
    data = tmp_path_factory.mktemp("warehouse_data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = WarehouseSettings(
        warehouse_url=f"http://127.0.0.1:{port}", dbt_project_dir=ROOT / "dbt", dbt_target_dir=dbt_target
    )
    command = [sys.executable, "-m", "embedded.warehouse_server", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            writer = connect(settings)
            _wait(writer, server)
            for statement in ods_statements(30):
                writer.execute(statement)
            yesterday = datetime.now(UTC).date() - timedelta(days=1)
            load_days(writer, yesterday - timedelta(days=120), yesterday)
            run_dbt(settings, ["run"])
            yield settings
        finally:
            server.terminate()


def _wait(client: Warehouse, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            return client.ping()
        except TransientError:
            assert server.poll() is None, "the warehouse server ended at once"
            time.sleep(0.1)
    raise AssertionError("the warehouse server did not answer within 60 s")
