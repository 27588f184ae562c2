"""A warehouse server of its own for the tests of the dbt project."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.client import connect
from warehouse.errors import UnreachableError
from warehouse.settings import WarehouseSettings

PROJECT = Path(__file__).parents[2] / "dbt"


@pytest.fixture(scope="session")
def dbt_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    """Settings that point at a server of this test run alone, with a target folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = WarehouseSettings(
        warehouse_url=f"http://127.0.0.1:{port}",
        dbt_project_dir=PROJECT,
        dbt_target_dir=tmp_path_factory.mktemp("dbt_target"),
    )
    folder = tmp_path_factory.mktemp("dbt_warehouse")
    command = [sys.executable, "-m", "embedded.warehouse_server", "--data", str(folder), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(settings)
            yield settings
        finally:
            server.terminate()


def _wait(settings: WarehouseSettings) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            warehouse = connect(settings)
            warehouse.ping()
            warehouse.close()
            return
        except UnreachableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
