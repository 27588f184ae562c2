"""What a guarded statement may call on BigQuery: each function passes the guard, and is one there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse import Catalogue, Limits, WarehouseSettings, connect
from warehouse.bigquery import DIALECT
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
