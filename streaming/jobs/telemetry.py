"""The stream job: checks every record, passes on the good, keeps the refused, counts each minute.

`python -m streaming.jobs.telemetry` runs it on an embedded mini-cluster, `flink run -py` this file on a
real one. `build` is the job as a function of its source and sink.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from streaming.ddl import flink_columns
from streaming.jobs import cluster
from streaming.jobs.recovery import Spans, longest_transaction_ms
from streaming.records import (
    DEAD_LETTER,
    EARLIEST,
    EXECUTION,
    INPUTS,
    LATEST,
    RECORDS,
    STATS,
    Field,
    Record,
    missing_reason,
)
from streaming.settings import StreamingSettings
from streaming.topics import DERIVED_LIMIT_BYTES, create_topics
from warehouse.errors import TidemarkError

if TYPE_CHECKING:
    from pyflink.table import StatementSet, TableEnvironment

# How often a minute's new executions are counted. A minute that is still filling gives several rows.
STATS_SECONDS = 10
GROUP_ID = "tidemark-telemetry"


# First bytes (as Latin-1 text) by which the JSON reader tells an encoding, in its order.
_WIDE_ENCODINGS = (
    (r"^\x00\x00\xFE\xFF|^\xFF\xFE\x00\x00|^\x00\x00\x00[^\x00]", "UTF-32"),
    (r"^\xFE\xFF|^\xFF\xFE|^\x00[^\x00]", "UTF-16"),
    (r"^[^\x00]\x00\x00\x00", "UTF-32LE"),
    (r"^[^\x00]\x00", "UTF-16LE"),
)
# A lead byte without its continuation bytes or the reverse; overlong forms and surrogates, which the
# JSON reader takes, are not meant.
_BROKEN_UTF8 = (
    r"[\xC0-\xDF](?![\x80-\xBF])|[\xE0-\xEF](?![\x80-\xBF]{2})|[\xF0-\xF7](?![\x80-\xBF]{3})|[\xF8-\xFF]"
    r"|(?<![\xC0-\xF7])(?<![\xE0-\xF7][\x80-\xBF])(?<![\xF0-\xF7][\x80-\xBF]{2})[\x80-\xBF]"
)


@dataclass(frozen=True)
class Source:
    """Where the job reads. Bounded reads up to what is there now and ends, by the records' arrival times;
    unbounded goes on for ever, by the job's own clock. With `spans` it is bounded by them."""

    bootstrap: str
    bounded: bool = False
    spans: Spans | None = None

    def ddl(self, record: Record) -> list[str]:
        """Two tables over one topic: typed (what parses) and raw (every record's bytes)."""
        position = (
            "`_key` STRING,\n  `_partition` INT METADATA FROM 'partition' VIRTUAL,\n"
            "  `_offset` BIGINT METADATA FROM 'offset' VIRTUAL"
        )
        typed = {
            "value.format": "json",
            # The tree parser reads a record to its end; the streaming one stops at the last column and
            # would pass a record that is broken after it.
            "value.json.decode.json-parser.enabled": "false",
            "value.json.ignore-parse-errors": "true",
            "value.json.timestamp-format.standard": "ISO-8601",
        }
        return [
            f"CREATE TEMPORARY TABLE {record.kind}_typed (\n  {_lenient_columns(record)},\n  {position},\n"
            f"  {self._arrival()}\n) WITH (\n  {_options(self._kafka(record, 'typed') | typed)}\n)",
            f"CREATE TEMPORARY TABLE {record.kind}_raw (\n  `payload` BYTES,\n  {position}\n"
            f") WITH (\n  {_options(self._kafka(record, 'raw') | {'value.format': 'raw'})}\n)",
        ]

    def _arrival(self) -> str:
        if self.bounded:
            return (
                "`arrived` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,\n"
                "  WATERMARK FOR `arrived` AS `arrived` - INTERVAL '1' MINUTE"
            )
        return "`arrived` AS PROCTIME()"

    def _kafka(self, record: Record, reading: str) -> dict[str, str]:
        options = {
            "connector": "kafka",
            "topic": record.topic,
            "properties.bootstrap.servers": self.bootstrap,
            "properties.group.id": f"{GROUP_ID}-{reading}",
            # Without a checkpoint the job goes on from what it last committed, or from the beginning.
            "scan.startup.mode": "group-offsets",
            "properties.auto.offset.reset": "earliest",
            "key.format": "raw",
            "key.fields": "_key",
            "value.fields-include": "EXCEPT_KEY",
        }
        if spans := (self.spans or {}).get(f"{record.kind}_{reading}"):
            first, end = ({partition: span[at] for partition, span in spans.items()} for at in (0, 1))
            options |= {
                # Its progress is not the job's.
                "properties.group.id": f"{GROUP_ID}-again",
                "scan.startup.mode": "specific-offsets",
                "scan.startup.specific-offsets": _offsets(first),
                "scan.bounded.mode": "specific-offsets",
                "scan.bounded.specific-offsets": _offsets(end),
            }
        elif self.bounded:
            options["scan.bounded.mode"] = "latest-offset"
        return options


@dataclass(frozen=True)
class Sink:
    """Where the job writes, exactly once. One prefix names one running job: its transactions are its own."""

    bootstrap: str
    transaction_timeout_ms: int
    prefix: str = "tidemark-telemetry"

    def ddl(self, record: Record) -> str:
        """The table over a record's derived topic."""
        options = {
            "connector": "kafka",
            "topic": record.clean_topic,
            "properties.bootstrap.servers": self.bootstrap,
            "properties.max.request.size": str(DERIVED_LIMIT_BYTES),
            "properties.transaction.timeout.ms": str(self.transaction_timeout_ms),
            "properties.compression.type": "lz4",
            "key.format": "raw",
            "key.fields": record.key,
            "value.format": "json",
            "value.json.timestamp-format.standard": "ISO-8601",
            "sink.delivery-guarantee": "exactly-once",
            "sink.transactional-id-prefix": f"{self.prefix}-{record.kind}",
            # The default takes a new name a checkpoint, idle or not, and the broker keeps each for a week.
            "sink.transaction-naming-strategy": "POOLING",
        }
        # Flink's JSON writes BYTES as base64, which is what `payload` is.
        columns = flink_columns(record).replace("`payload` STRING", "`payload` BYTES")
        return (
            f"CREATE TEMPORARY TABLE {record.kind}_clean (\n  {columns}\n) WITH (\n  {_options(options)}\n)"
        )


def build(
    table_env: TableEnvironment, source: Source, sink: Sink, kinds: Collection[str] = tuple(RECORDS)
) -> StatementSet:
    """The job over any source and sink, as far as it writes these kinds of record; `execute()` starts it."""
    for record in INPUTS:
        for statement in source.ddl(record):
            table_env.execute_sql(statement)
        table_env.execute_sql(checked(record))
        table_env.execute_sql(unread(record))
    table_env.execute_sql(counted())
    for record in (*INPUTS, STATS, DEAD_LETTER):
        table_env.execute_sql(sink.ddl(record))
    job = table_env.create_statement_set()
    inserts = {record.kind: clean(record) for record in INPUTS} | {
        STATS.kind: stats(),
        # One sink, so that its transactions have one owner.
        DEAD_LETTER.kind: "\nUNION ALL\n".join(map(refused, INPUTS)),
    }
    for kind in kinds:
        job.add_insert_sql(f"INSERT INTO {kind}_clean {inserts[kind]}")
    return job


def checked(record: Record) -> str:
    """A view of the typed records with `reason`: why each is refused, or NULL.

    Two faults leave no trace in the typed reading and pass: `attributes` that are no object read as empty,
    and text after the object is not read. Our producers write neither.
    """
    cases = [case for field in record.fields for case in _field_cases(field)]
    if record.ordered:
        start, end = record.ordered
        cases.append((f"`{end}` < `{start}`", f"{end} is before {start}"))
    whens = "\n    ".join(f"WHEN {condition} THEN '{reason}'" for condition, reason in cases)
    return (
        f"CREATE TEMPORARY VIEW {record.kind}_checked AS SELECT *, CASE\n    {whens}\n  END AS `reason` "
        f"FROM {record.kind}_typed"
    )


def clean(record: Record) -> str:
    """The accepted records with their proper types and defaults."""
    columns = ", ".join(_clean_column(field) for field in record.fields)
    return f"SELECT {columns} FROM {record.kind}_checked WHERE `reason` IS NULL"


def refused(record: Record) -> str:
    """The dead letters of one input: what is no JSON object with its bytes, what breaks a rule by position.

    The typed reading has no bytes; the loader fetches them by position (`streaming.deadletters`).
    """
    position = (
        f"'{record.topic}', CAST(`_partition` AS BIGINT), `_offset`, `reason`, "
        "COALESCE(`_key`, ''), {payload}, CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(6))"
    )
    return (
        f"SELECT {position.format(payload='`payload`')} FROM {record.kind}_unread "
        f"WHERE `reason` IS NOT NULL\nUNION ALL\nSELECT {position.format(payload='CAST(NULL AS BYTES)')} "
        f"FROM {record.kind}_checked WHERE `reason` IS NOT NULL"
    )


def unread(record: Record) -> str:
    """A view of the raw records with `reason`: why the typed reading has no row of it, or NULL if it has.

    The two readings must agree, or a record is lost or counted twice: the JSON reader detects UTF-16 and
    UTF-32 by the first bytes, skips a byte order mark, takes control characters inside strings and
    is lax about UTF-8.
    """
    utf8 = "DECODE(`payload`, 'UTF-8')"
    # Legal in a string and nowhere else, so that a control character between tokens still refuses.
    lenient = f"REGEXP_REPLACE(REGEXP_REPLACE({utf8}, '^\\uFEFF|[\\t\\r\\n]', ' '), '[\\x00-\\x1F]', 'x')"
    head = "SUBSTRING(DECODE(`payload`, 'ISO-8859-1'), 1, 4)"
    wide = "\n    ".join(
        f"WHEN REGEXP({head}, '{pattern}') THEN DECODE(`payload`, '{charset}') IS JSON OBJECT"
        for pattern, charset in _WIDE_ENCODINGS
    )
    return (
        f"CREATE TEMPORARY VIEW {record.kind}_unread AS SELECT *, CASE\n"
        "    WHEN `payload` IS NULL THEN 'empty record'\n"
        # Bytes that are no UTF-8 do not come back the same; almost every record ends here.
        f"    WHEN ENCODE({utf8}, 'UTF-8') = `payload` AND {utf8} IS JSON OBJECT THEN NULL\n"
        f"    WHEN CASE {wide} ELSE FALSE END THEN NULL\n"
        f"    WHEN REGEXP(DECODE(`payload`, 'ISO-8859-1'), '{_BROKEN_UTF8}') THEN 'not UTF-8'\n"
        f"    WHEN {lenient} IS JSON OBJECT THEN NULL\n"
        f"    ELSE 'not a JSON object' END AS `reason` FROM {record.kind}_raw"
    )


def counted() -> str:
    """A view of the accepted executions with what the statistics need of them."""
    millis = (
        "TIMESTAMPDIFF(SECOND, FLOOR(`started_at` TO SECOND), FLOOR(`ended_at` TO SECOND)) * 1000.0e0 + "
        "EXTRACT(MILLISECOND FROM `ended_at`) - EXTRACT(MILLISECOND FROM `started_at`)"
    )
    names = ("agent", "operation", "model", "tool", "status", "input_tokens", "output_tokens", "cost_usd")
    columns = ", ".join(_clean_column(EXECUTION.field(name)) for name in names)
    return (
        f"CREATE TEMPORARY VIEW {EXECUTION.kind}_counted AS SELECT FLOOR(`ended_at` TO MINUTE) AS `minute`, "
        f"{columns}, {millis} AS `millis`, `arrived` FROM {EXECUTION.kind}_checked WHERE `reason` IS NULL"
    )


def stats() -> str:
    """Each event-time minute's executions by agent, operation, model and tool.

    Rows of one minute add up: every `STATS_SECONDS` what has arrived since is counted to the minute in
    which it ended, however late it comes. No watermark decides, so no record is too late to be counted,
    one wild clock harms only its own row, and the last minute needs no later record to come out.
    """
    return (
        "SELECT CAST(`minute` AS TIMESTAMP_LTZ(6)), "
        "CAST(`minute` + INTERVAL '1' MINUTE AS TIMESTAMP_LTZ(6)), `agent`, `operation`, `model`, `tool`, "
        "COUNT(*), SUM(CASE WHEN `status` = 'error' THEN 1 ELSE 0 END), "
        "SUM(COALESCE(`input_tokens`, 0)), SUM(COALESCE(`output_tokens`, 0)), SUM(COALESCE(`cost_usd`, 0)), "
        f"SUM(`millis`), MAX(`millis`) FROM TABLE(TUMBLE(TABLE {EXECUTION.kind}_counted, "
        f"DESCRIPTOR(`arrived`), INTERVAL '{STATS_SECONDS}' SECOND)) "
        "GROUP BY `window_start`, `window_end`, `minute`, `agent`, `operation`, `model`, `tool`"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the job until it is told to stop; 1 after one clear line when it cannot."""
    parser = argparse.ArgumentParser(prog="streaming.jobs.telemetry", description=__doc__)
    parser.add_argument("--bounded", action="store_true", help="process what is there now, then end")
    bounded = parser.parse_args(arguments).bounded
    settings = StreamingSettings()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        cluster.prepare(settings)
        create_topics(settings)
        source = Source(settings.kafka_bootstrap, bounded)
        sink = Sink(settings.kafka_bootstrap, longest_transaction_ms(settings))

        def again(table_env: TableEnvironment, kind: str, spans: Spans) -> StatementSet:
            return build(
                table_env, replace(source, spans=spans), replace(sink, prefix=f"{sink.prefix}-again"), [kind]
            )

        job = cluster.Job(GROUP_ID, sink.prefix, lambda table_env: build(table_env, source, sink), again)
        return cluster.run(settings, job)
    except TidemarkError as error:
        print(f"stream job: {error}", file=sys.stderr)
        return 1


def _lenient_columns(record: Record) -> str:
    # Numbers are read as text: as numbers a wrong one would be NULL like a missing one, and lost in silence.
    texts = tuple(Field(f.name, "text") if f.type in ("bigint", "double") else f for f in record.fields)
    return flink_columns(Record(**{**record.__dict__, "fields": texts}))


def _number(field: Field) -> str:
    return f"TRY_CAST(`{field.name}` AS {field.type.upper()})"


def _field_cases(field: Field) -> list[tuple[str, str]]:
    name = f"`{field.name}`"
    cases = []
    if field.required:
        empty = f" OR {name} = ''" if field.type == "text" else ""
        cases.append((f"{name} IS NULL{empty}", missing_reason(field)))
    if field.type == "time":
        outside = " OR ".join(
            f"{name} {sign} TO_TIMESTAMP_LTZ({int(limit.timestamp())}, 0)"
            for sign, limit in (("<", EARLIEST), (">=", LATEST))
        )
        cases.append((outside, f"{field.name} is outside the years 2000 to 2199"))
    if field.type == "bigint":
        # TRY_CAST cuts 1.5 to 1 without a word.
        real = f"TRY_CAST({name} AS DOUBLE)"
        broken = f"{name} IS NOT NULL AND ({_number(field)} IS NULL OR {real} <> FLOOR({real}))"
        cases.append((broken, f"{field.name} is not a whole number"))
    if field.type == "double":
        finite = f"COALESCE(ABS({_number(field)}) <= 1.7e308, FALSE)"
        cases.append((f"{name} IS NOT NULL AND NOT {finite}", f"{field.name} is not a number"))
    if field.values:
        listed = ", ".join(f"'{value}'" for value in field.values)
        cases.append((f"{name} NOT IN ({listed})", f"{field.name} is not one of {', '.join(field.values)}"))
    elif field.limit:
        cases.append(
            (f"CHAR_LENGTH({name}) > {field.limit}", f"{field.name} is longer than {field.limit} characters")
        )
    return cases


def _clean_column(field: Field) -> str:
    if field.type == "text":
        return f"COALESCE(`{field.name}`, '') AS `{field.name}`"
    if field.type in ("bigint", "double"):
        return f"{_number(field)} AS `{field.name}`"
    return f"`{field.name}`"


def _offsets(offsets: dict[int, int]) -> str:
    return ";".join(f"partition:{partition},offset:{offset}" for partition, offset in offsets.items())


def _options(options: dict[str, str]) -> str:
    return ",\n  ".join(f"'{key}' = '{value}'" for key, value in options.items())


if __name__ == "__main__":
    sys.exit(main())
