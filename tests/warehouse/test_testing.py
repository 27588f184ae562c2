"""The warehouse in memory keeps the promises of the protocol."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from sqlglot import exp

from streaming.ddl import ods_tables
from streaming.loader import positions
from warehouse.client import ColumnSpec, Limits, LineWarehouse, TableSpec
from warehouse.errors import LimitExceededError, OverloadedError, PermanentError, QueryError, RowsRefusedError
from warehouse.ingestion import load_days
from warehouse.testing import FakeWarehouse

DAY, NEXT = date(2026, 3, 10), date(2026, 3, 11)
DAYS = TableSpec("ods.days", (ColumnSpec("_day", "date"), ColumnSpec("n", "bigint")), "_day", ("n",))


def rows_of(day: date, *numbers: int) -> pa.Table:
    return pa.table({"_day": [day] * len(numbers), "n": list(numbers)})


def test_tables_are_asked_in_sql_and_answers_come_first() -> None:
    fake = FakeWarehouse({"dwd.users": [{"id": 1, "country": "China"}, {"id": 2, "country": None}]})
    fake.answers = {
        "sold": [{"n": 7}],
        "busy": OverloadedError("Too much to do."),
        "echo": lambda sql: [{"q": sql}],
    }
    warehouse: LineWarehouse = fake
    result = warehouse.query("SELECT count(*) AS n, max(country) AS c FROM dwd.users WHERE id > 0")
    assert (result.column_names, result.rows) == (["n", "c"], [(2, "China")])
    picked = exp.select("id").from_("dwd.users").where(exp.column("country").eq("China"))
    assert warehouse.query(picked).rows == [(1,)]
    assert warehouse.query("SELECT quantileExact(0.5)(sold) FROM x").rows == [(7,)]
    assert warehouse.query("SELECT 'echo'").rows == [("SELECT 'echo'",)]
    with pytest.raises(OverloadedError):
        warehouse.dry_run("SELECT busy")
    with pytest.raises(QueryError):
        warehouse.query("SELECT id FROM dwd.nothing")
    with pytest.raises(LimitExceededError):
        warehouse.query("SELECT id FROM dwd.users", limits=Limits(rows=1))
    assert len(fake.asked) == 7


def test_loading_counts_a_token_once_and_replaces_whole_days() -> None:
    fake = FakeWarehouse()
    with pytest.raises(QueryError, match="no table"):
        fake.insert(DAYS, rows_of(DAY, 1))
    for columns in (DAYS.columns, (*DAYS.columns, ColumnSpec("more", "text"))):
        fake.create(replace(DAYS, columns=columns))
    assert fake.query("SELECT n FROM ods.days").rows == []
    (empty,) = fake.tables([DAYS.name])
    assert [column.name for column in empty.columns] == ["_day", "n"]
    for token in ("a", "a", None):
        fake.insert(DAYS, rows_of(DAY, 1), token=token)
    assert fake.query("SELECT n FROM ods.days").rows == [(1,), (1,)]
    assert fake.tables([DAYS.name])[0].version != empty.version
    with pytest.raises(PermanentError, match="2026-03-11"):
        fake.replace_days(DAYS, [DAY], rows_of(NEXT, 5))
    fake.replace_days(DAYS, [DAY, NEXT], rows_of(NEXT, 5))
    assert fake.query("SELECT n FROM ods.days").rows == [(5,)]
    with pytest.raises(RowsRefusedError):
        fake.insert_json(DAYS.name, b"{", token="b")


def test_the_rooms_own_loading_runs_on_it() -> None:
    fake = FakeWarehouse()
    for table in ods_tables(30):
        fake.create(table)
    lines = (
        b'{"_topic":"t","_topic_partition":1,"_offset":7}\n{"_topic":"t","_topic_partition":1,"_offset":9}'
    )
    fake.insert_json("ods.agent_events", lines, token="a")
    assert positions(fake) == {("t", 1): 9}
    loaded = load_days(fake, DAY, DAY)
    again = load_days(fake, DAY, DAY)
    assert (
        loaded.rows
        == again.rows
        == {table.qualified_name: table.rows for table in fake.tables() if table.name.startswith("commerce_")}
    )


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        ({"n": pa.array(["many"])}, "n cannot hold"),
        ({"n": pa.array([1.5])}, "n cannot hold"),
        ({"n": pa.array([2**64 - 1], pa.uint64())}, "n cannot hold"),
        ({"n": pa.nulls(1)}, "n cannot hold a null"),
        ({"_day": pa.nulls(1)}, "_day cannot hold a null"),
        ({"more": pa.array([1])}, "columns _day, n; the rows have _day, n, more"),
    ],
)
def test_rows_that_do_not_fit_are_refused(unfit: dict[str, pa.Array], said: str) -> None:
    rows = pa.table({"_day": pa.array([DAY]), "n": pa.array([1])} | unfit)
    fake = FakeWarehouse({DAYS.name: []})
    with pytest.raises(RowsRefusedError, match=said):
        fake.insert(DAYS, rows)
    with pytest.raises(RowsRefusedError, match=said):
        fake.replace_days(DAYS, [DAY], rows)
    with pytest.raises(RowsRefusedError, match="have n"):
        fake.replace_days(DAYS, [DAY], rows.select(["n"]))
    assert not fake.held[DAYS.name]


def test_rows_that_fit_have_the_types_and_the_order_of_their_table() -> None:
    table = TableSpec(
        "ods.kinds",
        (
            ColumnSpec("t", "text"),
            ColumnSpec("x", "double", nullable=True),
            ColumnSpec("at", "time"),
            ColumnSpec("came", "time", stamped=True),
        ),
        "at",
        ("t",),
    )
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    rows = table.fitted(pa.table({"at": [noon.replace(tzinfo=None)], "t": ["中"], "x": [Decimal("1.10")]}))
    assert rows.to_pylist() == [{"t": "中", "x": 1.1, "at": noon}]
