"""Puts logical days of the sample into ODS, each day at once, so that loading a day twice changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from warehouse.errors import PermanentError
from warehouse.ingestion.delivery import deliveries
from warehouse.ingestion.randomness import EPOCH, day_number
from warehouse.ingestion.schema import CENTERS, DATABASE, TABLES, Table

if TYPE_CHECKING:
    from warehouse.client import Warehouse

DEFAULT_SEED = 7
DEFAULT_HISTORY_DAYS = 400

# An insert may not meet more than a hundred partitions at once, ClickHouse's own limit.
_DAYS_AT_ONCE = 100


@dataclass(frozen=True)
class LoadResult:
    """What a load delivered: `rows` by full table name, over the days `start` to `end`."""

    start: date
    end: date
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def default_history(today: date) -> tuple[date, date]:
    """The days that a new warehouse begins with: those up to yesterday."""
    return today - timedelta(days=DEFAULT_HISTORY_DAYS), today - timedelta(days=1)


def load_days(
    warehouse: Warehouse,
    start: date,
    end: date,
    *,
    seed: int = DEFAULT_SEED,
    progress: Callable[[str], None] = lambda line: None,
) -> LoadResult:
    """Deliver the logical days from `start` to `end`, both included, in place of what ODS holds of them.

    The first day of the history also delivers what was there before it (see `delivery`). Creates the tables
    that are missing. Raises `PermanentError` for a span that is none, and what the warehouse raises.
    """
    if end < start or start < EPOCH + timedelta(days=366):
        raise PermanentError(
            f"There are no days from {start} to {end} to load. Give a start of {EPOCH.year + 1}-01-02 or "
            "later, and an end that is not before it."
        )
    warehouse.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
    for table in TABLES:
        warehouse.execute(table.ddl())
    earliest = warehouse.query(f"SELECT toString(min(_day)) FROM {CENTERS.name} HAVING count() > 0").rows
    opening = not earliest or start <= date.fromisoformat(earliest[0][0])
    result = LoadResult(start, end)
    for table, rows in deliveries(seed, day_number(start), day_number(end), opening=opening):
        _replace(warehouse, table, rows, start, end)
        result.rows[table.name] = rows.num_rows
        progress(f"{table.name}: {rows.num_rows:,} rows")
    return result


def _replace(warehouse: Warehouse, table: Table, rows: pa.Table, start: date, end: date) -> None:
    """Stage all the days, then swap them in; each day's partition changes hands at once."""
    held = warehouse.query(
        f"SELECT DISTINCT toString(_day) FROM {table.name} WHERE _day BETWEEN '{start}' AND '{end}'",
        limits=None,
    ).rows
    loaded_at = pa.array(np.full(rows.num_rows, int(datetime.now(UTC).timestamp() * 1e6)))
    rows = rows.append_column("_loaded_at", loaded_at.cast(pa.timestamp("us", tz="UTC")))
    stage = f"{table.name}__{uuid.uuid4().hex[:12]}"
    warehouse.execute(table.ddl(stage))
    try:
        staged: set[str] = set()
        for days, part in _in_days(rows):
            warehouse.insert_arrow(stage, part)
            staged |= days
        stale = {day for (day,) in held} - staged
        commands = [f"REPLACE PARTITION '{day}' FROM {stage}" for day in sorted(staged)]
        commands += [f"DROP PARTITION '{day}'" for day in sorted(stale)]
        if commands:
            warehouse.execute(f"ALTER TABLE {table.name} {', '.join(commands)}")
    finally:
        warehouse.execute(f"DROP TABLE IF EXISTS {stage}")


def _in_days(rows: pa.Table) -> Iterator[tuple[set[str], pa.Table]]:
    """Slices of whole days, few enough for one insert; the rows are ordered by day."""
    day = rows["_day"].cast(pa.int32()).to_numpy()
    days, starts = np.unique(day, return_index=True)
    edges = [*starts[::_DAYS_AT_ONCE], rows.num_rows]
    for number, (begin, stop) in enumerate(pairwise(edges)):
        held = days[number * _DAYS_AT_ONCE : (number + 1) * _DAYS_AT_ONCE]
        yield {str(np.datetime64(int(d), "D")) for d in held}, rows.slice(begin, stop - begin)
