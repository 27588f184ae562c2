"""A table of ODS is one file: what is created, generated and expected of it follows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from warehouse.clickhouse.ddl import create_table
from warehouse.errors import PermanentError
from warehouse.ingestion.schema import TABLES, read_tables
from warehouse.quality import SuiteError, load_suite

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
    assert len(TABLES) == 7
    for table in TABLES:
        assert table.key in {column.name for column in table.columns}
