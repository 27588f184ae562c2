"""One contract: record definition = JSON Schema = Flink columns = ODS tables = dbt sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from streaming import ddl
from streaming.records import EXECUTION, INPUTS, RECORDS, Field, Record, iso, validate
from warehouse.clickhouse.ddl import column_type

_SOURCES = Path(__file__).resolve().parents[2] / "dbt" / "models" / "ods" / "_sources.yml"
_TIME = "2026-11-21T10:00:00.000001Z"
_GOOD = {
    "execution": {"trace_id": "t", "span_id": "s", "status": "ok", "started_at": _TIME, "ended_at": _TIME},
    "event": {"event_id": "e", "kind": "tool_called", "occurred_at": _TIME},
    "metric": {"name": "m", "value": 1.5, "observed_at": _TIME},
}
every_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)


def _columns(create_body: str) -> dict[str, str]:
    return dict(re.findall(r"`(\w+)` (.+?)(?: CODEC\(.*\))?(?: DEFAULT .*)?,?$", create_body, re.MULTILINE))


@every_record
def test_flink_and_ods_have_the_records_fields_in_order(record: Record) -> None:
    names = [field.name for field in record.fields]
    assert list(_columns(ddl.flink_columns(record))) == names
    position = ["_topic", "_topic_partition", "_offset", "_ingested_at"]
    assert [column.name for column in ddl.ods_table(record, 90).columns] == [*names, *position]


@every_record
def test_dbt_sources_are_the_ods_tables(record: Record) -> None:
    tables = {
        table["name"]: table
        for source in yaml.safe_load(_SOURCES.read_text())["sources"]
        for table in source["tables"]
    }
    assert record.table in tables
    declared = {column["name"]: column.get("data_type") for column in tables[record.table]["columns"]}
    expected = {column.name: column_type(column) for column in ddl.ods_table(record, 90).columns}
    assert set(declared) == set(expected)
    assert {n: _plain(t) for n, t in declared.items() if t} == {
        n: _plain(expected[n]) for n, t in declared.items() if t
    }


def _plain(type_: str) -> str:
    """A type without what concerns storage only, or what a source may hold beyond this topic."""
    return re.sub(r"LowCardinality\(([^()]+)\)|Nullable\(([^()]+)\)", r"\1\2", type_).replace(" ", "")


@every_record
def test_the_json_schema_is_one_and_asks_for_the_required_fields(record: Record) -> None:
    schema = ddl.json_schema(record)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == [field.name for field in record.fields if field.required]


@pytest.mark.parametrize("kind", _GOOD)
def test_a_minimal_record_passes_and_each_missing_field_is_named(kind: str) -> None:
    schema = ddl.json_schema(RECORDS[kind])
    assert validate(kind, _GOOD[kind]) is None
    jsonschema.validate(_GOOD[kind], schema)
    for name in _GOOD[kind]:
        broken = {k: v for k, v in _GOOD[kind].items() if k != name}
        assert str(validate(kind, broken)).startswith(f"{name} is missing")
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


_VALUES = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(),
    st.floats(allow_nan=False),
    st.just(_TIME),
    st.dictionaries(st.text(), st.text()),
)


@given(st.sampled_from([(record, field) for record in INPUTS for field in record.fields]), _VALUES)
@example((EXECUTION, EXECUTION.field("input_tokens")), "0")
def test_what_validate_passes_the_schema_passes(of: tuple[Record, Field], value: Any) -> None:
    record, field = of
    # The stream is lenient where producers of all kinds differ: anything is read as a text by its JSON, and
    # a number may come as text, as 64 bits do from many. The schema is what a producer of ours keeps to.
    lenient = isinstance(value, str) != (field.type == "text") and field.type in ("text", "bigint", "double")
    changed = _GOOD[record.kind] | {field.name: value}
    if not lenient and validate(record.kind, changed) is None:
        jsonschema.validate(changed, ddl.json_schema(record))


@given(st.datetimes())
def test_times_are_written_as_the_contract_reads_them(moment: Any) -> None:
    if 2000 <= moment.year < 2200:
        record = _GOOD["execution"] | {"started_at": iso(moment), "ended_at": iso(moment)}
        assert validate("execution", record) is None


def test_ended_before_started_is_refused() -> None:
    record = _GOOD["execution"] | {"ended_at": "2026-11-21T09:59:59Z"}
    assert validate("execution", record) == "ended_at is before started_at"


def test_keys_and_sort_columns_are_fields() -> None:
    for record in RECORDS.values():
        record.field(record.key)
        for one in record.sort:
            record.field(one if isinstance(one, str) else one[1])
    with pytest.raises(KeyError):
        EXECUTION.field("nothing")
