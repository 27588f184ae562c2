"""The steward on BigQuery: of the same faults in the same days it finds what it finds on ClickHouse."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from agents.steward.case import FailedCheck, Finding, Step
from agents.steward.diagnosis import diagnose
from agents.steward.evidence import Asking
from agents.steward.lineage import Lineage
from agents.steward.repair import quarantine
from two_engines import PROJECT
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.dbt_runner import run_dbt
from warehouse.ingestion import load_days
from warehouse.ingestion.schema import TABLES
from warehouse_process import warehouse_server

pytestmark = pytest.mark.integration

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 21)
NEGATIVE, DOUBLED, TRUNCATED = date(2026, 3, 8), date(2026, 3, 11), date(2026, 3, 14)
ITEMS, UNITS, EVENTS = "ods.commerce_order_items", "ods.commerce_inventory_items", "ods.commerce_events"
BELOW_ZERO = FailedCheck(
    name="a price is never negative", table=ITEMS, rows_sql=f"select * from {ITEMS} where sale_price < 0"
)
Rows = list[dict[str, Any]]


def planted(first: Warehouse) -> dict[tuple[str, date], Rows]:
    """Three prices below zero, three units that came again by another load, a day without its second half."""

    def rows(table: str, day: date) -> Rows:
        key = next(one.key for one in TABLES if one.name == table)
        return first.query(f"select * from {table} where _day = '{day}' order by {key}").records()

    items, units, events = rows(ITEMS, NEGATIVE), rows(UNITS, DOUBLED), rows(EVENTS, TRUNCATED)
    items[:3] = [{**row, "sale_price": -row["sale_price"]} for row in items[:3]]
    units += [{**row, "_loaded_at": row["_loaded_at"] + timedelta(hours=3)} for row in units[:3]]
    return {
        (ITEMS, NEGATIVE): items,
        (UNITS, DOUBLED): units,
        (EVENTS, TRUNCATED): events[: len(events) // 2],
    }


def found(url: str, lineage: Lineage) -> tuple[Finding, ...]:
    reader = connect(WarehouseSettings(warehouse_url=url), read_only=True)
    asking = Asking(reader, lineage.sources)
    tables = (ITEMS, UNITS, EVENTS)
    extent, volumes = asking.volumes(of=lineage.upstream(tables))
    measured = [volumes, *asking.failing(BELOW_ZERO, 0)]
    for question, table in asking.questions(extent):
        if table in tables:
            measured += asking.answer(question, table, extent)
    assert not [one.evidence for one in measured if one.evidence.refused]
    reader.close()
    return diagnose(sign for one in measured for sign in one.signs)


@pytest.mark.timeout(900)
def test_the_same_faults_are_found_on_both_engines(emulator: str, tmp_path: Path) -> None:
    # A project of its own: the other tests' days are not among these.
    emulator = emulator.replace("//demo?", "//steward?")
    run_dbt(WarehouseSettings(dbt_project_dir=PROJECT, dbt_target_dir=tmp_path), ["parse"])
    lineage = Lineage.load(tmp_path / "manifest.json")
    with warehouse_server(tmp_path / "data") as server:
        writers = [connect(WarehouseSettings(warehouse_url=url)) for url in (server.url, emulator)]
        for writer in writers:
            load_days(writer, FIRST, LAST)
        specs = {table.name: table.spec for table in TABLES}
        for (table, day), rows in planted(writers[0]).items():
            for writer in writers:
                writer.replace_days(
                    specs[table], [day], pa.Table.from_pylist(rows, schema=specs[table].arrow)
                )
        clickhouse, bigquery = found(server.url, lineage), found(emulator, lineage)
        step = Step(days=(NEGATIVE,), table=ITEMS, where='"sale_price" < 0', rows=3)
        for writer in writers:
            assert quarantine(writer, step, NEGATIVE, specs[ITEMS], "run", "negative") == 3
            assert not writer.query(BELOW_ZERO.rows_sql).rows
            writer.close()
    exact = {(one.fault, one.table, one.days, one.rows) for one in clickhouse if one.fault != "truncated"}
    assert exact == {("negative", ITEMS, (NEGATIVE,), 3), ("doubled", UNITS, (DOUBLED,), 3)}
    assert [one.days for one in clickhouse if one.fault == "truncated"] == [(TRUNCATED,)]
    assert told(bigquery) == told(clickhouse)


def told(findings: tuple[Finding, ...]) -> list[Any]:
    """All but what the engines write otherwise: their own numbers to the last digit, their load's moment."""
    return [
        (one.fault, one.table, one.days, one.columns, one.rows, one.of_rows, one.severity, one.doubt,
         sorted((sign.kind, sign.column, sign.rows) for sign in one.signs))
        for one in findings
    ]  # fmt: skip
