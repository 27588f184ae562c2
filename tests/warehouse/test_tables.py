"""A table of ODS is one file: what is created, generated and expected of it follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse.clickhouse.ddl import create_table
from warehouse.client import Warehouse
from warehouse.errors import PermanentError
from warehouse.ingestion import delivery
from warehouse.ingestion.schema import TABLES, Table, read_tables
from warehouse.quality import GateFailedError, SuiteError, load_suite, run_gate
from warehouse.settings import WarehouseSettings

REFUNDS = """
# What was paid back.
key: id
columns:
  id: bigint
  order_id: bigint
  amount: double
  paid_at: time?
gate:
  fresh_within_days: 2
  figures:
    rows: {of: count(*), within: 0.5}
    amount: {of: avg(amount), within: 0.3}
"""


def test_a_new_table_with_its_gate_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "refunds.yml").write_text(REFUNDS)
    (table,) = read_tables(tmp_path)
    assert table.name == "ods.commerce_refunds"
    assert table.arrow.field("paid_at").type == pa.timestamp("us", tz="UTC")
    assert table.arrow.names == ["id", "order_id", "amount", "paid_at", "_day"]
    ddl = create_table(table.spec)
    assert "`paid_at` Nullable(DateTime64(6, 'UTC'))" in ddl
    assert "PARTITION BY _day\nORDER BY (id)" in ddl
    (daily,) = load_suite("ods", tables=[table]).daily
    assert daily.table == table.name
    assert list(daily.figures) == ["rows", "amount"]


def refunds(table: Table, days: list[date], each: int) -> pa.Table:
    """So many rows a day, as a maker in `delivery` makes them."""
    made = [
        {"id": number * 1000 + n, "order_id": n, "amount": 20.0, "paid_at": None, "_day": day}
        for number, day in enumerate(days)
        for n in range(each)
    ]
    return pa.Table.from_pylist(made, schema=table.arrow)


@pytest.mark.integration
def test_its_days_are_loaded_and_pass_its_gate_and_half_a_day_does_not(
    shop: Warehouse, warehouse_settings: WarehouseSettings, tmp_path: Path
) -> None:
    (tmp_path / "refunds.yml").write_text(REFUNDS)
    (table,) = read_tables(tmp_path)
    suite = load_suite("ods", tables=[table])
    now = datetime.now(UTC)
    days = [now.date() - timedelta(days=back) for back in range(16, 0, -1)]

    def load(days: list[date], each: int) -> None:
        rows = refunds(table, days, each)
        rows = rows.append_column(
            "_loaded_at", pa.repeat(pa.scalar(now, pa.timestamp("us", tz="UTC")), len(rows))
        )
        shop.replace_days(table.spec, days, rows)

    shop.create(table.spec)
    load(days, 10)
    run_gate(warehouse_settings, "ods", suite, now).raise_on_failure()
    load(days[-1:], 4)
    with pytest.raises(GateFailedError, match=r"rows of each day within 50%.*value=4, .*lowest=5"):
        run_gate(warehouse_settings, "ods", suite, now).raise_on_failure()


def test_a_table_that_nothing_makes_rows_for_is_no_empty_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "refunds.yml").write_text(REFUNDS)
    monkeypatch.setattr(delivery, "TABLES", (*TABLES, *read_tables(tmp_path)))
    with pytest.raises(PermanentError, match=r"Nothing makes the rows of refunds\. Add .*delivery\.py"):
        next(delivery.deliveries(7, 1000, 1000, opening=False))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("  id: bigint", "  id: int8"), ("key: id", "keys: id")],
)
def test_a_file_that_describes_no_table_is_named(tmp_path: Path, wrong: str, said: str) -> None:
    (tmp_path / "refunds.yml").write_text(REFUNDS.replace(wrong, said))
    with pytest.raises(PermanentError, match=r"refunds\.yml describes no table"):
        read_tables(tmp_path)


def test_a_gate_that_expects_nonsense_is_refused(tmp_path: Path) -> None:
    (tmp_path / "refunds.yml").write_text(REFUNDS.replace("within: 0.5", "within: -1"))
    with pytest.raises(SuiteError, match=r"figures\.rows\.within"):
        load_suite("ods", tables=read_tables(tmp_path))


def test_every_table_has_its_key_among_its_columns() -> None:
    for table in TABLES:
        assert table.key in {column.name for column in table.columns}
