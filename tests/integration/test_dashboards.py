"""Grafana cannot run here, so each panel's SQL runs on the warehouse as the user Grafana has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

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
    warehouse = stack.warehouse(read_only=True)
    # Grafana's macro for the shown range of time.
    sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 > now() - interval 90 day", sql)
    result = warehouse.query(sql)
    assert result.columns
    # Nothing is refused on a healthy stack, and its own agents' tools do not fail.
    assert result.rows or "ads_data_quality" in sql or "failures > 0" in sql
