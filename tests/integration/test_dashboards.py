"""Grafana cannot run here, so each panel's SQL runs on the warehouse as the user Grafana has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from warehouse import WarehouseSettings, connect

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

DASHBOARDS = sorted((Path(__file__).resolve().parents[2] / "deploy/grafana/dashboards").glob("*.json"))
PANELS = [
    pytest.param(target["rawSql"], id=f"{board['title']}: {panel['title']}")
    for board in (json.loads(file.read_text()) for file in DASHBOARDS)
    for panel in board["panels"]
    for target in panel["targets"]
]


@pytest.mark.parametrize("sql", PANELS)
def test_a_panel_runs_as_the_reader(first, stack, sql: str) -> None:
    url = f"http://127.0.0.1:{stack.environment['TIDEMARK_WAREHOUSE_PORT']}"
    warehouse = connect(WarehouseSettings(warehouse_url=url), read_only=True)
    # Grafana's macro for the shown range of time.
    sql = sql.replace("$__timeFilter(minute)", "minute > now() - 3600").replace(
        "$__timeFilter(day)", "day > today() - 7"
    )
    result = warehouse.query(sql)
    assert result.columns
