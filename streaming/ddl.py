"""Every system's schema, derived from the record contract: JSON Schema, Flink columns, ODS tables."""

from __future__ import annotations

from typing import Any

from streaming.records import RECORDS, Field, Record

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
_ODS = {
    "text": "String",
    "bigint": "Int64",
    "double": "Float64",
    "time": "DateTime64(6, 'UTC')",
    "map": "Map(LowCardinality(String), String)",
}
# Measured habits of the column types: times and offsets rise, texts repeat.
_CODEC = {
    "time": "Delta, ZSTD(1)",
    "text": "ZSTD(1)",
    "map": "ZSTD(1)",
    "bigint": "T64, ZSTD(1)",
    "double": "ZSTD(1)",
}

ODS_DATABASE = "ods"
# A record's own position in the topic that it was loaded from: what makes loading exactly-once.
POSITION: tuple[tuple[str, str], ...] = (
    ("_topic", "LowCardinality(String)"),
    ("_partition", "Int64 CODEC(T64, ZSTD(1))"),
    ("_offset", "Int64 CODEC(Delta, ZSTD(1))"),
    ("_ingested_at", "DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1))"),
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


def ods_type(field: Field) -> str:
    """A field's column type in ODS."""
    name = _ODS[field.type]
    if field.type == "text" and field.few:
        return f"LowCardinality({name})"
    if field.type in ("bigint", "double") and not field.required:
        return f"Nullable({name})"
    return name


def ods_table(record: Record, retention_days: int) -> str:
    """CREATE TABLE for a record's ODS table.

    Partition and retention go by arrival, not by event time: a replayed old trace is kept as long as
    any other, and records with wild clocks cannot open hundreds of partitions in one insert. One insert
    meets one partition and so is atomic.
    """
    columns = [f"`{f.name}` {ods_type(f)}{_codec(f)}" for f in record.fields]
    columns += [f"`{name}` {type_}" for name, type_ in POSITION]
    columns += [f"INDEX by_{name} {name} TYPE bloom_filter(0.01) GRANULARITY 1" for name in record.lookups]
    body = ",\n  ".join(columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {ODS_DATABASE}.{record.table} (\n  {body}\n)\n"
        f"ENGINE = MergeTree\nPARTITION BY toMonday(_ingested_at)\nORDER BY ({', '.join(record.sort)})\n"
        f"TTL toDateTime(_ingested_at) + INTERVAL {int(retention_days)} DAY\n"
        # Without a window of its own a plain MergeTree forgets deduplication tokens at once.
        "SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000"
    )


def ods_statements(retention_days: int) -> list[str]:
    """Everything that ODS needs for telemetry, in order; each statement may run twice."""
    # Named, because the default engine would want file grants for its readers on the embedded server.
    database = f"CREATE DATABASE IF NOT EXISTS {ODS_DATABASE} ENGINE = Atomic"
    return [database, *(ods_table(record, retention_days) for record in RECORDS.values())]


def _codec(field: Field) -> str:
    return "" if field.few else f" CODEC({_CODEC[field.type]})"
