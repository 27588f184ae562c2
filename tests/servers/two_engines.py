"""The same rows on the embedded ClickHouse server and a BigQuery emulator, built by dbt twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recorded_telemetry import as_arrow, telemetry
from streaming.ddl import ods_tables
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.dbt_runner import DbtResult, run_dbt
from warehouse.ingestion import load_days
from warehouse_process import warehouse_server

PROJECT = Path(__file__).parents[2] / "dbt"
# Over a month and whatever weeks are begun: enough for each question to have rows.
HISTORY_DAYS = 40
TELEMETRY_DAYS = 4


@dataclass(frozen=True)
class Engine:
    settings: WarehouseSettings
    writer: Warehouse
    reader: Warehouse


@dataclass(frozen=True)
class Both:
    """The two engines, and what dbt's first build of BigQuery, with its tests, came to."""

    clickhouse: Engine
    bigquery: Engine
    built: DbtResult


@contextmanager
def two_engines(bigquery_url: str, folder: Callable[[str], Path]) -> Iterator[Both]:
    """Loaded, built; then two days again and what came late, and built again."""
    with warehouse_server(folder("warehouse_data")) as server:
        engines = [_engine(url, folder("dbt_target")) for url in (server.url, bigquery_url)]
        now = datetime.now(UTC)
        yesterday = now.date() - timedelta(days=1)
        for engine in engines:
            load_days(engine.writer, yesterday - timedelta(days=HISTORY_DAYS), yesterday)
            _insert(engine, now - timedelta(hours=1), seed=7)
        run_dbt(engines[0].settings, ["run"])
        built = run_dbt(engines[1].settings, ["build"])
        for engine in engines:
            load_days(engine.writer, yesterday - timedelta(days=1), yesterday)
            _insert(engine, now, seed=8)
            run_dbt(engine.settings, ["run"])
        yield Both(*engines, built)


def _engine(url: str, target: Path) -> Engine:
    settings = WarehouseSettings(warehouse_url=url, dbt_project_dir=PROJECT, dbt_target_dir=target)
    return Engine(settings, connect(settings), connect(settings, read_only=True))


def _insert(engine: Engine, until: datetime, seed: int) -> None:
    rows = telemetry(TELEMETRY_DAYS, until, seed)
    for table in ods_tables(3650):
        engine.writer.create(table)
        as_json = engine.writer.dialect.name == "bigquery"
        if found := rows[table.name.partition(".")[2]]:
            engine.writer.insert(table, as_arrow(table, found, maps_as_json=as_json))
