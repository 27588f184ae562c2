"""Puts logical days of the sample into ODS, each day at once, so that loading a day twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from warehouse.errors import PermanentError
from warehouse.ingestion.delivery import deliveries
from warehouse.ingestion.randomness import EPOCH, day_number
from warehouse.ingestion.schema import TABLES

if TYPE_CHECKING:
    from warehouse.client import Warehouse

DEFAULT_SEED = 7
DEFAULT_HISTORY_DAYS = 400


# Delivered with the opening alone: its day is the first of the history.
_OPENING = "ods.commerce_distribution_centers"


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
    for table in TABLES:
        warehouse.create(table.spec)
    held = exp.select("count(*)", "min(_day)").from_(_OPENING)
    ((count, earliest),) = warehouse.query(held).rows
    opening = not count or start <= earliest
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
    result = LoadResult(start, end)
    for table, rows in deliveries(seed, day_number(start), day_number(end), opening=opening):
        loaded_at = pa.repeat(now, rows.num_rows)
        warehouse.replace_days(table.spec, days, rows.append_column("_loaded_at", loaded_at))
        result.rows[table.name] = rows.num_rows
        progress(f"{table.name}: {rows.num_rows:,} rows")
    return result
