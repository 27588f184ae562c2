"""The dbt project builds the same rows on BigQuery as on ClickHouse, from nothing and again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlglot import exp

from two_engines import Both
from warehouse import Limits, Warehouse
from warehouse.dialect import column

pytestmark = pytest.mark.integration

# What two engines may hold differently, and why. All else is equal: to the letter, or where it is a float to
# nine digits, as a sum of floats depends on the order of its rows, which no engine promises.
MAY_DIFFER = {
    "_loaded_at": "when a load came is each engine's own",
    "last_loaded_at": "when a load came is each engine's own",
}
RELATIVE, ABSOLUTE = 1e-9, 1e-8


def tables(warehouse: Warehouse) -> dict[str, list[str]]:
    """The layers' tables and views with their columns, those that may differ left out."""
    return {
        table.qualified_name: sorted(one.name for one in table.columns if one.name not in MAY_DIFFER)
        for table in warehouse.tables()
        if table.database in ("ods", "dwd", "dws", "ads")
    }


def rows(warehouse: Warehouse, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    database, _, name = table.partition(".")
    query = exp.select(*map(column, columns)).from_(exp.table_(name, db=database, quoted=True))
    found = warehouse.query(query, limits=Limits(rows=None, bytes=None, seconds=None)).rows
    return [tuple(map(normal, row)) for row in found]


def normal(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        # The emulator's own: a sum of whole numbers, of which BigQuery makes an INT64.
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def split(
    found: list[tuple[Any, ...]], floats: Sequence[bool]
) -> tuple[int, str, list[tuple[tuple[str, ...], tuple[float | None, ...]]]]:
    """How many rows, a hash of all that is no float in them, and the rows in an order of their own."""
    parted = [
        (
            tuple(repr(value) for value, is_float in zip(row, floats, strict=True) if not is_float),
            tuple(
                None if value is None else float(value)
                for value, is_float in zip(row, floats, strict=True)
                if is_float
            ),
        )
        for row in found
    ]
    parted.sort(key=lambda row: (row[0], [-math.inf if one is None else round(one, 4) for one in row[1]]))
    digest = hashlib.sha256("\n".join("\t".join(exact) for exact, _ in parted).encode()).hexdigest()
    return len(parted), digest, parted


def close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def test_every_table_holds_the_same(both: Both) -> None:
    wanted = tables(both.clickhouse.reader)
    assert len(wanted) > 45
    assert tables(both.bigquery.reader) == wanted
    different = []
    for table, columns in wanted.items():
        ours, theirs = (rows(engine.reader, table, columns) for engine in (both.clickhouse, both.bigquery))
        assert ours or table in ("ods.agent_metrics", "ods.agent_stats"), f"{table} is empty"
        floats = [any(isinstance(row[at], float) for row in ours) for at in range(len(columns))]
        (count, digest, first), (other_count, other_digest, second) = (
            split(ours, floats),
            split(theirs, floats),
        )
        if (count, digest) != (other_count, other_digest):
            lost = set(ours) ^ set(theirs)
            different.append(
                f"{table}: {count} and {other_count} rows, such as {sorted(map(repr, lost))[:4]}"
            )
            continue
        far = [
            (exact, one, other)
            for (exact, one), (_, other) in zip(first, second, strict=True)
            if not all(map(close, one, other))
        ]
        if far:
            different.append(f"{table}: {len(far)} rows, such as {far[0]}")
    assert not different, "\n".join(different)


def test_dbts_own_tests_pass_on_it(both: Both) -> None:
    assert not both.built.failures
    assert both.built.counts()["test"] > 100
    assert both.built.counts()["model"] > 35
