"""The client against the real server: results, caps, rights, errors, partitions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp

from warehouse.client import Column, ColumnSpec, Cost, Limits, LiveTable, TableSpec, Warehouse
from warehouse.engines import connect
from warehouse.errors import (
    AccessDeniedError,
    CancelledError,
    LimitExceededError,
    PermanentError,
    QueryError,
    RowsRefusedError,
    SettingsError,
    TransientError,
    UnreachableError,
)
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.integration
DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)


@pytest.fixture
def reader(warehouse_settings: WarehouseSettings, shop: Warehouse) -> Warehouse:
    return connect(warehouse_settings, read_only=True)


PRODUCTS = TableSpec(
    "dwd.dwd_products", (ColumnSpec("product_id", "bigint"), ColumnSpec("category", "text")), "", ()
)
DAYS = TableSpec("kept.days", (ColumnSpec("_day", "date"), ColumnSpec("n", "bigint")), "_day", ("n",))


@pytest.fixture
def days(shop: Warehouse) -> Warehouse:
    """The warehouse with an empty table of days."""
    shop.execute("DROP DATABASE IF EXISTS kept")
    for _ in range(2):
        shop.create(DAYS)
    return shop


def numbers(warehouse: Warehouse) -> list[int]:
    return [n for (n,) in warehouse.query(f"SELECT n FROM {DAYS.name} ORDER BY n").rows]


def rows_of(day: date, *numbers: int) -> pa.Table:
    return pa.table({"_day": [day] * len(numbers), "n": list(numbers)})


def test_a_column_of_another_name_formerly_keeps_its_values(days: Warehouse) -> None:
    before = replace(DAYS, name="kept.renamed", order_by=("_day",))
    days.create(before)
    days.insert(before, rows_of(DAY, 7))
    renamed = ColumnSpec("m", "bigint", formerly="n")
    for _ in range(2):
        days.create(replace(before, columns=(DAYS.columns[0], renamed)))
    assert days.query(f"SELECT m FROM {before.name}").rows == [(7,)]


def test_result_has_types_values_and_cost(reader: Warehouse) -> None:
    result = reader.query(
        "SELECT toInt32(7) AS n, 'it''s' AS text, NULL AS nothing, "
        "toDateTime64('2026-01-01 10:00:00', 3, 'UTC') AS at"
    )
    assert result.columns[:2] == (Column("n", "Int32"), Column("text", "String"))
    assert result.rows == [(7, "it's", None, datetime(2026, 1, 1, 10, tzinfo=UTC))]
    assert result.records()[0]["text"] == "it's"
    assert result.arrow().column_names == ["n", "text", "nothing", "at"]
    assert result.elapsed > 0
    assert reader.query("SELECT sum(user_id) FROM dwd.dwd_users").cost.rows == 40


def test_an_empty_result_still_has_its_columns(reader: Warehouse) -> None:
    result = reader.query("SELECT user_id, country FROM dwd.dwd_users WHERE user_id = -1 -- none")
    assert result.columns == (Column("user_id", "Int64"), Column("country", "Nullable(String)"))
    assert result.arrow().num_rows == 0


def test_unmatched_joins_are_null(reader: Warehouse) -> None:
    sql = "SELECT b.n FROM (SELECT 1 AS k) AS a LEFT JOIN (SELECT 2 AS k, 5 AS n) AS b ON a.k = b.k"
    assert reader.query(sql).rows == [(None,)]


def test_dry_run_gives_columns_and_cost_without_running(reader: Warehouse) -> None:
    plan = reader.dry_run("SELECT user_id, throwIf(user_id >= 0) AS t FROM dwd.dwd_users -- note")
    assert [column.name for column in plan.columns] == ["user_id", "t"]
    assert plan.cost == Cost(rows=40)


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("SELECT nope FROM dwd.dwd_users", 47, "Unknown expression identifier `nope`"),
        ("SELECT 1 FROM dwd.nope", 60, "dwd.nope"),
        ("SELEC 1", 62, "Syntax error"),
        ("SELECT toDate('x')", 38, "Cannot parse"),
    ],
)
def test_errors_carry_the_servers_code_and_reason_alone(
    shop: Warehouse, sql: str, code: int, message: str
) -> None:
    with pytest.raises(QueryError, match=message) as error:
        shop.query(sql)
    assert error.value.code == code
    assert "Stack trace" not in str(error.value)
    assert "version" not in str(error.value)
    assert isinstance(error.value, PermanentError)


@pytest.mark.parametrize(
    ("sql", "limits"),
    [
        ("SELECT number FROM system.numbers LIMIT 1000", Limits(rows=10)),
        ("SELECT repeat('x', 10000 + number % 9) FROM system.numbers LIMIT 5000", Limits(bytes=1_000_000)),
        ("SELECT count() FROM system.numbers WHERE sipHash64(number) = 1", Limits(seconds=0.5)),
    ],
)
def test_the_server_enforces_the_caps(shop: Warehouse, sql: str, limits: Limits) -> None:
    with pytest.raises(LimitExceededError):
        shop.query(sql, limits=limits)


def test_a_failure_in_the_middle_of_a_result_keeps_its_code(shop: Warehouse) -> None:
    with pytest.raises(QueryError, match="at last") as error:
        shop.query("SELECT throwIf(number = 3000000, 'at last') FROM numbers(4000000)")
    assert error.value.code == 395


@pytest.mark.parametrize(
    "value",
    [
        "it's \\ {n:UInt8} `\n\r\t\0%s$1",
        2**53 + 1,
        1.5,
        True,
        DAY,
        datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC),
    ],
)
def test_a_value_in_a_tree_comes_back_as_it_was(reader: Warehouse, value: Any) -> None:
    assert reader.query(exp.select(reader.dialect.literal(value).as_("v"))).rows == [(value,)]


def test_a_tree_in_neutral_words_is_asked_in_the_servers(reader: Warehouse) -> None:
    countries = exp.column("country").isin("China", "Brasil")
    query = exp.select("country", "count(distinct user_id)").from_("dwd.dwd_users").where(countries)
    assert reader.query(query.group_by("country").order_by("country")).rows == [("Brasil", 10), ("China", 10)]
    assert reader.dry_run(query.group_by("country")).columns[0].name == "country"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda one: one.execute("DROP TABLE dwd.dwd_users"),
        lambda one: one.execute("INSERT INTO dwd.dwd_products VALUES (99, 'x')"),
        lambda one: one.insert(PRODUCTS, pa.table({"product_id": [99], "category": ["x"]})),
        lambda one: one.query("SELECT * FROM url('http://127.0.0.1:9', 'CSV', 'a String')"),
    ],
)
def test_the_reader_cannot_write_or_reach_out(
    reader: Warehouse, attempt: Callable[[Warehouse], object]
) -> None:
    with pytest.raises(QueryError):
        attempt(reader)
    assert reader.query("SELECT count() FROM dwd.dwd_products").rows == [(6,)]


def test_a_wrong_password_is_not_worth_a_retry(warehouse_settings: WarehouseSettings) -> None:
    wrong = warehouse_settings.model_copy(update={"warehouse_user": "nobody"})
    with pytest.raises(AccessDeniedError, match=r"nobody.*tidemark env"):
        connect(wrong).ping()


def test_a_server_that_is_away_is_transient() -> None:
    with pytest.raises(UnreachableError, match="Connection refused") as error:
        connect(WarehouseSettings(warehouse_url="http://127.0.0.1:9")).ping()
    assert isinstance(error.value, TransientError)


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(SettingsError, match="'gopher'"):
        connect(WarehouseSettings(warehouse_url="gopher://x"))


def test_replacing_days_twice_changes_nothing_and_empties_those_without_rows(days: Warehouse) -> None:
    days.insert(DAYS, rows_of(NEXT, 9))
    for _ in range(2):
        days.replace_days(DAYS, [DAY], rows_of(DAY, 1, 2))
    assert numbers(days) == [1, 2, 9]
    days.replace_days(DAYS, [DAY, NEXT, date(2031, 1, 1)], rows_of(NEXT, 3))
    assert numbers(days) == [3]
    assert [table.name for table in days.tables() if table.database == "kept"] == ["days"]


def test_many_days_are_replaced_at_once(days: Warehouse) -> None:
    span = [DAY + timedelta(days=number) for number in range(250)]
    rows = pa.table({"_day": span[::-1], "n": list(range(250))})
    days.replace_days(DAYS, span, rows)
    assert numbers(days) == list(range(250))


def test_rows_of_another_day_are_refused_and_nothing_is_lost(days: Warehouse) -> None:
    days.insert(DAYS, rows_of(DAY, 1))
    with pytest.raises(PermanentError, match="2026-01-02"):
        days.replace_days(DAYS, [DAY], rows_of(NEXT, 5))
    assert numbers(days) == [1]


def test_a_value_that_its_column_cannot_hold_is_refused_and_not_made_another(days: Warehouse) -> None:
    columns = (DAYS.columns[0], ColumnSpec("n", "bigint", nullable=True))
    nullable = replace(DAYS, name="kept.nullable", columns=columns, order_by=("_day",))
    days.create(nullable)
    with pytest.raises(RowsRefusedError, match="many"):
        days.insert(nullable, pa.table({"_day": [DAY], "n": ["many"]}))
    with pytest.raises(RowsRefusedError, match="null"):
        days.insert(nullable, pa.table({"_day": pa.nulls(1), "n": [1]}))
    with pytest.raises(RowsRefusedError, match="n cannot hold"):
        days.replace_days(nullable, [DAY], pa.table({"_day": [DAY], "n": pa.array([2**64 - 1], pa.uint64())}))
    assert days.query("SELECT n FROM kept.nullable").rows == []


def test_an_insert_with_the_same_token_counts_once_and_one_without_always(days: Warehouse) -> None:
    for token in ("a", "a", "b", None, None):
        days.insert(DAYS, rows_of(DAY, 1), token=token)
    assert numbers(days) == [1] * 4


def test_json_lines_go_in_once_and_whole_or_not_at_all(days: Warehouse) -> None:
    lines = b'{"_day": "2026-01-01", "n": 1, "unknown": [2]}\n{"_day": "2026-01-02", "n": null}'
    for _ in range(2):
        days.insert_json(DAYS.name, lines, token="a")
    with pytest.raises(RowsRefusedError, match="n") as refused:
        days.insert_json(DAYS.name, lines + b'\n{"n": "many"}', token="b")
    assert isinstance(refused.value, PermanentError)
    with pytest.raises(QueryError, match="nowhere") as missing:
        days.insert_json("kept.nowhere", lines, token="c")
    assert not isinstance(missing.value, RowsRefusedError)
    assert numbers(days) == [0, 1]
    assert days.inserts_running() == 0


def test_live_tables_have_columns_sizes_and_a_version_that_changes(days: Warehouse) -> None:
    def seen() -> LiveTable:
        (one,) = days.tables([DAYS.name, "kept.nowhere"])
        return one

    empty = seen()
    assert (empty.qualified_name, empty.rows) == (DAYS.name, 0)
    assert empty.columns == (Column("_day", "Date"), Column("n", "Int64"))
    days.insert(DAYS, rows_of(DAY, 1))
    assert seen().rows == 1
    assert seen().version != empty.version
    days.execute("CREATE VIEW kept.seen AS SELECT n FROM kept.days")
    (view,) = days.tables(["kept.seen"])
    assert (view.rows, view.version, view.columns) == (None, None, (Column("n", "Int64"),))
    assert days.tables([]) == []


def test_a_query_that_somebody_ends_is_not_begun_again(shop: Warehouse) -> None:
    endless = "SELECT count() AS endless FROM numbers(1000000000000) WHERE sipHash64(number) = 1"
    running = "FROM system.processes WHERE query LIKE 'SELECT count() AS endless%'"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(shop.query, endless, limits=Limits(seconds=60))
        while not (found := shop.query(f"SELECT query_id {running}").rows):
            assert not asked.done()
        shop.execute(f"KILL QUERY WHERE query_id = '{found[0][0]}' SYNC")
        with pytest.raises(CancelledError) as error:
            asked.result(timeout=20)
    assert isinstance(error.value, TransientError)
    assert shop.query(f"SELECT query_id {running}").rows == []


def test_threads_may_share_a_client(reader: Warehouse) -> None:
    with ThreadPoolExecutor(6) as pool:
        counts = pool.map(lambda number: reader.query(f"SELECT {number}").rows[0][0], range(48))
        assert list(counts) == list(range(48))
