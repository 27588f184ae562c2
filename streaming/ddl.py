"""Every system's schema, derived from the record contract: JSON Schema, Flink columns, ODS tables."""

from __future__ import annotations

from typing import Any

from streaming.records import RECORDS, Field, Record
from warehouse.client import ColumnSpec, TableSpec

_JSON: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "bigint": {"type": ["integer", "null"]},
    "double": {"type": ["number", "null"]},
    "time": {"type": "string", "format": "date-time"},
    "map": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
}
_FLINK = {
    "text": "STRING",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "time": "TIMESTAMP_LTZ(6)",
    "map": "MAP<STRING, STRING>",
}
ODS_DATABASE = "ods"
# A record's own position in the topic that it was loaded from: what makes loading exactly-once.
POSITION = (
    ColumnSpec("_topic", "text", few=True),
    # BigQuery keeps all names that begin with _partition to itself.
    ColumnSpec("_topic_partition", "bigint", formerly="_partition"),
    ColumnSpec("_offset", "bigint", rising=True),
    ColumnSpec("_ingested_at", "time", stamped=True),
)


def json_schema(record: Record) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record as it lies in its topic; unknown fields are allowed."""
    properties: dict[str, Any] = {}
    for field in record.fields:
        schema = dict(_JSON[field.type])
        if field.required and isinstance(schema["type"], list):
            schema["type"] = schema["type"][0]
        if field.values:
            schema["enum"] = list(field.values)
        if field.limit:
            schema["maxLength"] = field.limit
        if field.required and field.type == "text":
            schema["minLength"] = 1
        properties[field.name] = schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": record.kind,
        "type": "object",
        "required": [field.name for field in record.fields if field.required],
        "properties": properties,
    }


def flink_columns(record: Record) -> str:
    """The columns of a Flink table of this record, quoted (`start`, `raw`, `value` are reserved)."""
    return ",\n  ".join(f"`{field.name}` {_FLINK[field.type]}" for field in record.fields)


def ods_table(record: Record, retention_days: int) -> TableSpec:
    """A record's ODS table.

    Partition and retention go by arrival, not by event time: a replayed old trace is kept as long as
    any other, and records with wild clocks cannot open hundreds of partitions in one insert.
    """
    return TableSpec(
        f"{ODS_DATABASE}.{record.table}",
        (*(_column(field) for field in record.fields), *POSITION),
        partition_by="_ingested_at",
        order_by=record.sort,
        retention_days=retention_days,
        lookups=record.lookups,
    )


def ods_tables(retention_days: int) -> list[TableSpec]:
    """Every table that ODS needs for telemetry."""
    return [ods_table(record, retention_days) for record in RECORDS.values()]


def _column(field: Field) -> ColumnSpec:
    number = field.type in ("bigint", "double")
    return ColumnSpec(field.name, field.type, nullable=number and not field.required, few=field.few)
