"""The client against the real server: results, caps, rights, errors, partitions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from warehouse.client import Column, Limits, Warehouse, connect
from warehouse.errors import (
    AccessDeniedError,
    LimitExceededError,
    PermanentError,
    QueryError,
    SettingsError,
    TransientError,
    UnreachableError,
)
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.integration
DAY = date(2026, 1, 1)


@pytest.fixture
def reader(warehouse_settings: WarehouseSettings, shop: Warehouse) -> Warehouse:
    return connect(warehouse_settings, read_only=True)


@pytest.fixture
def days(shop: Warehouse) -> str:
    shop.execute("DROP TABLE IF EXISTS ods.days")
    shop.execute(
        "CREATE TABLE ods.days (_day Date, n Int64) ENGINE = MergeTree PARTITION BY _day ORDER BY n "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    return "ods.days"


def rows_of(day: date, *numbers: int) -> pa.Table:
    return pa.table({"_day": [day] * len(numbers), "n": list(numbers)})


def test_result_has_types_values_and_cost(reader: Warehouse) -> None:
    result = reader.query(
        "SELECT {n:Int32} AS n, {text:String} AS text, NULL AS nothing, "
        "toDateTime64('2026-01-01 10:00:00', 3, 'UTC') AS at",
        parameters={"n": 7, "text": "it's"},
    )
    assert result.columns[:2] == (Column("n", "Int32"), Column("text", "String"))
    assert result.rows == [(7, "it's", None, datetime(2026, 1, 1, 10, tzinfo=UTC))]
    assert result.records()[0]["text"] == "it's"
    assert result.arrow().column_names == ["n", "text", "nothing", "at"]
    assert result.elapsed > 0
    assert reader.query("SELECT sum(user_id) FROM dwd.dwd_users").rows_read > 0


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
    assert (plan.estimated_rows, plan.estimated_parts) == (40, 1)


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
        ("SELECT sum(user_id) FROM dwd.dwd_users", Limits(read_rows=10)),
    ],
)
def test_the_server_enforces_the_caps(shop: Warehouse, sql: str, limits: Limits) -> None:
    with pytest.raises(LimitExceededError):
        shop.query(sql, limits=limits)


def test_a_failure_in_the_middle_of_a_result_keeps_its_code(shop: Warehouse) -> None:
    with pytest.raises(QueryError, match="at last") as error:
        shop.query("SELECT throwIf(number = 3000000, 'at last') FROM numbers(4000000)")
    assert error.value.code == 395


def test_a_value_that_no_parameter_can_carry_is_not_worth_a_retry(shop: Warehouse) -> None:
    with pytest.raises(PermanentError):
        shop.query("SELECT {n:UInt8}", parameters={"n": "many"})


@pytest.mark.parametrize(
    "attempt",
    [
        lambda one: one.execute("DROP TABLE dwd.dwd_users"),
        lambda one: one.execute("INSERT INTO dwd.dwd_products VALUES (99, 'x')"),
        lambda one: one.insert_arrow("dwd.dwd_products", pa.table({"product_id": [99], "category": ["x"]})),
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


def test_replacing_a_partition_twice_changes_nothing(shop: Warehouse, days: str) -> None:
    shop.insert_arrow(days, rows_of(date(2026, 1, 2), 9))
    for _ in range(2):
        shop.replace_partition(days, DAY, rows_of(DAY, 1, 2))
    assert shop.query(f"SELECT n FROM {days} ORDER BY n").rows == [(1,), (2,), (9,)]
    shop.replace_partition(days, DAY, rows_of(DAY))
    assert shop.query(f"SELECT n FROM {days}").rows == [(9,)]
    assert shop.query("SELECT count() FROM system.tables WHERE database = 'ods' AND name != 'days'").rows == [
        (0,)
    ]


def test_rows_of_another_day_are_refused_and_nothing_is_lost(shop: Warehouse, days: str) -> None:
    shop.insert_arrow(days, rows_of(DAY, 1))
    with pytest.raises(PermanentError, match="2026-01-02"):
        shop.replace_partition(days, DAY, rows_of(date(2026, 1, 2), 5))
    assert shop.query(f"SELECT n FROM {days}").rows == [(1,)]


def test_an_insert_with_the_same_token_counts_once(shop: Warehouse, days: str) -> None:
    for token in ("a", "a", "b"):
        shop.insert_arrow(days, rows_of(DAY, 1), dedup_token=token)
    assert shop.query(f"SELECT count() FROM {days}").rows == [(2,)]


def test_threads_may_share_a_client(reader: Warehouse) -> None:
    with ThreadPoolExecutor(6) as pool:
        counts = pool.map(lambda number: reader.query(f"SELECT {number}").rows[0][0], range(48))
        assert list(counts) == list(range(48))
