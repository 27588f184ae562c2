"""The gates on the real server: what each kind of expectation lets through, refuses, and says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from warehouse import PermanentError, TransientError, Warehouse, WarehouseSettings, connect
from warehouse.ingestion import load_days
from warehouse.ingestion.schema import TABLES
from warehouse.quality import (
    GateFailedError,
    GateLateError,
    GateResult,
    Suite,
    SuiteError,
    load_suite,
    run_gate,
)

NOW = datetime.now(UTC)
# Forty days of a shop that sells a hundred things a day or so, none of them late.
HEALTHY = """
create table gate.sales engine = MergeTree partition by _day order by id as
select number as id, toDate(now('UTC')) - 1 - intDiv(number, 100) as _day,
    toDateTime64(_day, 6, 'UTC') + interval number % 24 hour as created_at,
    20 + cityHash64(number) % 10 as price, now64(6, 'UTC') as _loaded_at
from numbers(4000) where cityHash64(number, 1) % 20 > 0
"""
SALES = {
    "table": "gate.sales",
    "fresh_within_days": 2,
    "figures": {
        "rows": {"of": "count(*)", "within": 0.4},
        "price": {"of": "avg(price)", "within": 0.2},
        "sold_that_day": {
            "of": "avg(case when cast(created_at as date) = _day then 1.0 else 0.0 end)",
            "within": 0.1,
        },
    },
}
YESTERDAY = "toDate(now('UTC')) - 1"


@pytest.mark.parametrize("layer", ["ods", "dwd", "dws", "ads"])
def test_each_layer_has_a_gate(layer: str) -> None:
    suite = load_suite(layer)
    assert suite.layer == layer
    assert any(table.startswith(f"{layer}.") for table in suite.tables)


def test_a_gate_that_does_not_exist_says_which_do() -> None:
    with pytest.raises(SuiteError, match=r"'raw'.*ads, dwd, dws, ods"):
        load_suite("raw")


def test_a_misspelt_suite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dwd.yml").write_text("daily:\n  - {table: dwd.t, figure: {}}\n")
    with pytest.raises(SuiteError, match="figure"):
        load_suite("dwd", tmp_path)


def test_a_warehouse_that_is_away_is_worth_a_retry() -> None:
    with pytest.raises(TransientError):
        run_gate(WarehouseSettings(warehouse_url="http://127.0.0.1:9"), "ods")


@pytest.fixture(scope="module")
def sales(warehouse_settings: WarehouseSettings) -> Iterator[Warehouse]:
    warehouse = connect(warehouse_settings)
    warehouse.execute("create database if not exists gate engine = Atomic")
    warehouse.execute(HEALTHY)
    yield warehouse
    warehouse.execute("drop database gate sync")
    warehouse.close()


@contextmanager
def fault(warehouse: Warehouse, statements: str) -> Iterator[None]:
    """What a bad load leaves, for as long as the block lasts."""
    warehouse.execute("create table gate.kept clone as gate.sales")
    try:
        for statement in statements.split(";"):
            warehouse.execute(statement)
        yield
    finally:
        warehouse.execute("exchange tables gate.sales and gate.kept")
        warehouse.execute("drop table gate.kept sync")


def checked(settings: WarehouseSettings, now: datetime = NOW, **expected: Any) -> GateResult:
    return run_gate(
        settings, "gate", Suite.model_validate({"layer": "gate", "written_in": "here", **expected}), now
    )


@pytest.mark.integration
def test_a_healthy_table_passes_on_each_of_its_days(
    sales: Warehouse, warehouse_settings: WarehouseSettings
) -> None:
    result = checked(warehouse_settings, daily=[SALES])
    result.raise_on_failure()
    assert [outcome.kind for outcome in result.outcomes] == [
        "freshness",
        "volume",
        "distribution",
        "distribution",
    ]
    # Forty days, of which the first fourteen have too little before them.
    assert result.outcomes[1].observed == "0 of 26 beyond"


INTO_A_DAY = "insert into gate.sales select {} from gate.sales where _day = " + YESTERDAY
FROM_A_DAY = "alter table gate.sales {} where _day = " + YESTERDAY + " settings mutations_sync = 1"

HALF_OF_A_DAY = FROM_A_DAY.format("delete").replace("where", "where id % 2 = 0 and")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("statements", "kinds", "says"),
    [
        (INTO_A_DAY.format("*"), {"volume"}, "rows of each day"),
        (
            HALF_OF_A_DAY,
            {"volume"},
            "rows of each day",
        ),
        (FROM_A_DAY.format("update price = price * 100"), {"distribution"}, "price of each day"),
        (FROM_A_DAY.format("update price = price * 13 / 10"), {"distribution"}, "price of each day"),
        (FROM_A_DAY.format("update price = null"), {"distribution"}, "value=nan"),
        (
            FROM_A_DAY.format("update created_at = created_at - interval 8 hour"),
            {"distribution"},
            "sold_that_day of each day",
        ),
        (
            "alter table gate.sales delete where _day >= toDate(now('UTC')) - 3 settings mutations_sync = 1",
            {"freshness"},
            "the newest day is",
        ),
        (
            INTO_A_DAY.format("id, today() + 29, created_at, price, _loaded_at"),
            {"freshness", "volume"},
            "value=-29",
        ),
        (
            "alter table gate.sales delete where _day = toDate(now('UTC')) - 9 settings mutations_sync = 1",
            {"volume"},
            "value=0",
        ),
    ],
    ids=["doubled", "truncated", "unit", "drifted", "empty", "zone", "late", "future", "gap"],
)
def test_a_bad_load_is_refused_and_named(
    sales: Warehouse, warehouse_settings: WarehouseSettings, statements: str, kinds: set[str], says: str
) -> None:
    if "null" in statements:
        statements = f"alter table gate.sales modify column price Nullable(Float64);{statements}"
    with fault(sales, statements):
        result = checked(warehouse_settings, daily=[SALES])
    assert {outcome.kind for outcome in result.failures} == kinds
    with pytest.raises(GateLateError if kinds == {"freshness"} else GateFailedError, match=says) as refused:
        result.raise_on_failure()
    assert "gate.sales" in str(refused.value)


@pytest.mark.integration
@pytest.mark.parametrize("seed", [1, 2])
def test_the_sample_passes_on_each_day_of_its_history(
    warehouse_settings: WarehouseSettings, sales: Warehouse, seed: int
) -> None:
    for table in TABLES:
        sales.execute(f"drop table if exists {table.name} sync")
    load_days(sales, NOW.date() - timedelta(days=80), NOW.date() - timedelta(days=1), seed=seed)
    result = run_gate(warehouse_settings, "ods", now=NOW)
    result.raise_on_failure()
    judged = [outcome.observed for outcome in result.outcomes if outcome.kind != "freshness"]
    assert set(judged) == {"0 of 66 beyond"}


@pytest.mark.integration
def test_what_was_seen_for_a_week_is_not_refused_again(
    sales: Warehouse, warehouse_settings: WarehouseSettings
) -> None:
    old = INTO_A_DAY.format("*").replace("- 1", "- 12")
    long_ago = "alter table gate.sales update _loaded_at = _loaded_at - interval 8 day where 1"
    with fault(sales, f"{old};{long_ago} settings mutations_sync = 1"):
        assert checked(warehouse_settings, daily=[SALES]).passed


TOTALS = {
    "name": "the day's sales are those of the table",
    "key": "day",
    "sides": {
        "gate.sales": (
            "select _day as day, count(*) as items, sum(price) as revenue from gate.sales group by day"
        ),
        "gate.daily": "select day, items, revenue from gate.daily",
    },
}


@pytest.mark.integration
def test_totals_that_differ_are_named_by_their_key(
    sales: Warehouse, warehouse_settings: WarehouseSettings
) -> None:
    sales.execute(
        "create or replace table gate.daily engine = MergeTree order by day as "
        f"select _day as day, count() as items, sum(price) + if(day = {YESTERDAY}, 1, 0) as revenue "
        "from gate.sales group by day"
    )
    result = checked(warehouse_settings, totals=[TOTALS])
    (failed,) = result.failures
    assert failed.expectation == "the day's sales are those of the table: revenue"
    assert failed.table == "gate.daily"
    ((name, day), *_) = failed.failing[0].items()
    assert (name, day) == ("day", sales.query(f"select {YESTERDAY}").rows[0][0])
    assert checked(warehouse_settings, totals=[TOTALS | {"off_by": 1.5}]).passed
    assert checked(warehouse_settings, totals=[TOTALS | {"at_least": True}]).passed
    nothing = {
        "gate.sales": "select _day as day, sum(price - price) / 0 as revenue from gate.sales group by day",
        "gate.daily": "select day, (revenue - revenue) / 0 as revenue from gate.daily",
    }
    assert not checked(warehouse_settings, totals=[TOTALS | {"sides": nothing}]).passed
    sales.execute(f"alter table gate.daily delete where day = {YESTERDAY} settings mutations_sync = 1")
    missing = checked(warehouse_settings, totals=[TOTALS | {"at_least": True}])
    assert len(missing.failures) == 2


@pytest.mark.integration
def test_what_cannot_be_checked_is_an_error_not_a_pass(
    sales: Warehouse, warehouse_settings: WarehouseSettings
) -> None:
    nowhere = SALES | {"figures": {"x": {"of": "avg(nowhere)", "within": 0.1}}}
    with pytest.raises(PermanentError, match="nowhere"):
        checked(warehouse_settings, daily=[nowhere])
    with pytest.raises(PermanentError, match=r"cannot find gate\.items"):
        checked(warehouse_settings, daily=[SALES | {"table": "gate.items"}])
    sides = dict(TOTALS["sides"]) | {"gate.daily": "select day, items from gate.daily"}
    with pytest.raises(PermanentError, match="Select the same names"):
        checked(warehouse_settings, totals=[TOTALS | {"sides": sides}])
