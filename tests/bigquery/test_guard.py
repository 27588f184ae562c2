"""What a guarded statement may call on BigQuery: each function passes the guard, and is one there."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlglot import exp

from two_engines import Both
from warehouse import Catalogue, Limits, Table, Warehouse, WarehouseSettings, connect
from warehouse.bigquery import DIALECT
from warehouse.dialect import column
from warehouse.guard import guard

# Aggregates, windows, functions of values: a call of each.
AGGREGATES, WINDOWS, VALUES = (
    part.splitlines()
    for part in (Path(__file__).parent / "fixtures" / "functions.txt").read_text().strip().split("\n\n")
)
ROW = """from (select 1 as n, 1.5 as f, 'abc' as t, date '2026-01-01' as d,
datetime '2026-01-01 00:00:00' as dt, timestamp '2026-01-01 00:00:00+00' as ts,
json '{"a": 1, "l": ["x"]}' as j) as r"""
# The parser's other names of COUNTIF and EXTRACT(WEEK ...), and one that wants a GROUP BY ROLLUP.
ITEMS = Catalogue([Table("dwd", "dwd_order_items", "commerce", "", "", ())])
NO_CALLS = {"count_if", "week", "grouping"}
NOT_EMULATED = ("current_datetime()", "net.")


@pytest.mark.parametrize("call", [*AGGREGATES, *WINDOWS, *VALUES])
def test_a_call_comes_back(call: str) -> None:
    text = guard(f"select {call} as x {ROW}", Catalogue([]), DIALECT)
    assert guard(text, Catalogue([]), DIALECT) == text


def test_every_function_of_the_list_is_called_here() -> None:
    called = set(re.findall(r"([a-z][a-z_0-9.]*)[(\[]", "\n".join([*AGGREGATES, *WINDOWS, *VALUES])))
    called |= set(re.findall(r"\[([a-z_]+)\(", "\n".join(VALUES)))
    assert set(DIALECT.guard.functions) - called == NO_CALLS


@pytest.mark.integration
@pytest.mark.parametrize("calls", [AGGREGATES, WINDOWS, VALUES], ids=["aggregates", "windows", "values"])
def test_what_the_guard_prints_runs(emulator: str, calls: list[str]) -> None:
    run = [call for call in calls if not call.startswith(NOT_EMULATED)]
    columns = ", ".join(f"{call} as x{number}" for number, call in enumerate(run))
    text = guard(f"select {columns} {ROW}", Catalogue([]), DIALECT)
    warehouse = connect(WarehouseSettings(warehouse_url=emulator), read_only=True)
    result = warehouse.query(text, limits=Limits(seconds=60))
    assert len(result.rows) == 1
    assert len(result.columns) == len(run)


@pytest.mark.integration
@pytest.mark.parametrize("grain", ["year", "quarter", "month", "week", "day", "hour", "minute"])
def test_a_periods_start_passes_the_guard_and_is_clickhouses(both: Both, grain: str) -> None:
    ours, theirs = (
        engine.reader.query(
            guard(engine.reader.dialect.render(periods(engine.reader, grain)), ITEMS, engine.reader.dialect)
        ).rows
        for engine in (both.clickhouse, both.bigquery)
    )
    assert len(ours) == 40
    assert [tuple(map(moment, row)) for row in theirs] == [tuple(map(moment, row)) for row in ours]


def periods(warehouse: Warehouse, grain: str) -> exp.Select:
    """Of forty moments, the start of their period, that of the next and that of the one before."""
    dialect = warehouse.dialect
    start = dialect.start_of(grain, column("created_at"))
    shifts = [dialect.shifted(start.copy(), grain, steps) for steps in (1, -1)]
    return (
        exp.select(start.as_("a"), shifts[0].as_("b"), shifts[1].as_("c"))
        .from_("dwd.dwd_order_items")
        .order_by("order_item_id")
        .limit(40)
    )


def moment(value: date) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else f"{value}T00:00:00+00:00"
