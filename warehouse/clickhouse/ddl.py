"""A table's specification as ClickHouse's CREATE TABLE."""

from __future__ import annotations

from warehouse.clickhouse.grains import start_of
from warehouse.client import ColumnSpec, TableSpec

_TYPES = {
    "text": "String",
    "bigint": "Int64",
    "double": "Float64",
    "date": "Date",
    "time": "DateTime64(6, 'UTC')",
    "map": "Map(LowCardinality(String), String)",
}
# Measured habits of the column types: times rise, texts repeat.
_CODECS = {
    "text": "ZSTD(1)",
    "bigint": "T64, ZSTD(1)",
    "double": "ZSTD(1)",
    "date": "ZSTD(1)",
    "time": "Delta, ZSTD(1)",
    "map": "ZSTD(1)",
}


def column_type(column: ColumnSpec) -> str:
    """A column's type in this engine's words."""
    name = _TYPES[column.type]
    if column.few:
        return f"LowCardinality({name})"
    return f"Nullable({name})" if column.nullable else name


def create_table(table: TableSpec) -> str:
    """CREATE TABLE, to run as often as one likes.

    A time's partitions are weeks: fewer parts, and an insert of now meets one of them and so is atomic.
    """
    kind = next(column.type for column in table.columns if column.name == table.partition_by)
    partition = start_of("week", table.partition_by) if kind == "time" else table.partition_by
    # Without a window of its own a plain MergeTree forgets deduplication tokens at once.
    settings = "non_replicated_deduplication_window = 1000"
    retention = ""
    if table.retention_days:
        retention = f"TTL toDateTime({table.partition_by}) + INTERVAL {int(table.retention_days)} DAY\n"
        settings += ", ttl_only_drop_parts = 1"
    lines = [_column(column) for column in table.columns]
    lines += [f"INDEX by_{name} {name} TYPE bloom_filter(0.01) GRANULARITY 1" for name in table.lookups]
    order = [one if isinstance(one, str) else start_of(*one) for one in table.order_by]
    body = ",\n  ".join(lines)
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} (\n  {body}\n)\n"
        f"ENGINE = MergeTree\nPARTITION BY {partition}\nORDER BY ({', '.join(order)})\n"
        f"{retention}SETTINGS {settings}"
    )


def _column(column: ColumnSpec) -> str:
    default = " DEFAULT now64(6, 'UTC')" if column.stamped else ""
    codec = "Delta, ZSTD(1)" if column.rising else _CODECS[column.type]
    return f"`{column.name}` {column_type(column)}{default}" + ("" if column.few else f" CODEC({codec})")
