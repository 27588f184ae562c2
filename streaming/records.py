"""The one definition of every telemetry record: `ddl` derives each system's schema from it.

Times are UTC with microseconds, as ISO-8601 text ending in `Z`. A missing text is `''`, a missing
number is null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Type = Literal["text", "bigint", "double", "time", "map"]

# The warehouse's DateTime64 ends in 2299; a clock outside these years is broken, not early or late.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

_NAME_LIMIT = 1024
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@dataclass(frozen=True)
class Field:
    """One column. `limit` is in characters; `few` marks a text with few distinct values."""

    name: str
    type: Type
    required: bool = False
    limit: int | None = None
    values: tuple[str, ...] = ()
    few: bool = False


@dataclass(frozen=True)
class Record:
    """One kind of record. `ordered` names a (start, end) pair of times; `sort` is the order in ODS, of fields
    and (grain, field).
    """

    kind: str
    topic: str
    clean_topic: str
    table: str
    key: str
    fields: tuple[Field, ...]
    sort: tuple[str | tuple[str, str], ...]
    lookups: tuple[str, ...] = ()
    ordered: tuple[str, str] | None = None

    def field(self, name: str) -> Field:
        """The field of that name; KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.kind} has no field {name!r}")


def _text(*names: str, required: bool = False, few: bool = False) -> tuple[Field, ...]:
    return tuple(Field(n, "text", required=required, limit=_NAME_LIMIT, few=few) for n in names)


def _content(*names: str) -> tuple[Field, ...]:
    return tuple(Field(n, "text") for n in names)


def _numbers(type_: Literal["bigint", "double"], *names: str, required: bool = False) -> tuple[Field, ...]:
    return tuple(Field(n, type_, required=required) for n in names)


def _times(*names: str) -> tuple[Field, ...]:
    return tuple(Field(n, "time", required=True) for n in names)


EXECUTION = Record(
    kind="execution",
    topic="agent.executions",
    clean_topic="agent.executions.clean",
    table="agent_executions",
    key="trace_id",
    fields=(
        *_text("trace_id", "span_id", required=True),
        *_text("parent_span_id", "session_id"),
        *_text("agent", "stage", "step", few=True),
        *_text("name"),
        *_text("operation", "model", "tool", few=True),
        *_times("started_at", "ended_at"),
        Field("status", "text", required=True, values=("ok", "error"), few=True),
        *_content("error"),
        *_numbers("bigint", "input_tokens", "output_tokens"),
        *_numbers("double", "cost_usd"),
        Field("attributes", "map"),
        *_content("input", "output"),
    ),
    # An hour first keeps a time range narrow, the trace within it keeps a trace in one place.
    sort=(("hour", "started_at"), "trace_id", "started_at"),
    lookups=("trace_id", "session_id"),
    ordered=("started_at", "ended_at"),
)

EVENT = Record(
    kind="event",
    topic="agent.events",
    clean_topic="agent.events.clean",
    table="agent_events",
    key="session_id",
    fields=(
        *_text("event_id", required=True),
        *_text("session_id", "trace_id"),
        *_text("agent", "stage", few=True),
        *_text("kind", required=True, few=True),
        *_numbers("bigint", "iteration"),
        *_numbers("double", "score"),
        *_content("detail"),
        *_times("occurred_at"),
    ),
    sort=(("hour", "occurred_at"), "session_id", "occurred_at"),
    lookups=("trace_id", "session_id"),
)

METRIC = Record(
    kind="metric",
    topic="agent.metrics",
    clean_topic="agent.metrics.clean",
    table="agent_metrics",
    key="resource",
    fields=(
        *_text("name", required=True, few=True),
        *_text("kind", "unit", few=True),
        *_text("resource"),
        *_numbers("double", "value", required=True),
        Field("attributes", "map"),
        *_times("observed_at"),
    ),
    sort=("name", ("hour", "observed_at"), "resource", "observed_at"),
)

STATS = Record(
    kind="stats",
    topic="agent.stats",
    clean_topic="agent.stats",
    table="agent_stats",
    key="agent",
    fields=(
        *_times("window_start", "window_end"),
        *_text("agent", "operation", "model", "tool", few=True),
        *_numbers("bigint", "executions", "errors", "input_tokens", "output_tokens", required=True),
        *_numbers("double", "cost_usd", "duration_ms_sum", "duration_ms_max", required=True),
    ),
    sort=("window_start", "agent", "operation", "model", "tool"),
)

DEAD_LETTER = Record(
    kind="dead_letter",
    topic="agent.dead_letters",
    clean_topic="agent.dead_letters",
    table="agent_dead_letters",
    key="source_topic",
    fields=(
        *_text("source_topic", required=True, few=True),
        *_numbers("bigint", "source_partition", "source_offset", required=True),
        *_content("reason"),
        *_content("key", "payload"),
        *_times("refused_at"),
    ),
    sort=("refused_at", "source_topic"),
)

RECORDS: dict[str, Record] = {r.kind: r for r in (EXECUTION, EVENT, METRIC, STATS, DEAD_LETTER)}
INPUTS: tuple[Record, ...] = (EXECUTION, EVENT, METRIC)


def iso(moment: datetime) -> str:
    """A moment as the records write it: UTC, microseconds, `Z`. A naive moment is taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def validate(kind: str, record: Any) -> str | None:
    """Why the stream job would refuse this record, or None. Same order and words as its SQL."""
    if not isinstance(record, Mapping):
        return "not a JSON object"
    contract = RECORDS[kind]
    for field in contract.fields:
        reason = _field_reason(field, record.get(field.name))
        if reason:
            return reason
    if contract.ordered:
        start, end = (_moment(record[name]) for name in contract.ordered)
        if start and end and end < start:
            return f"{contract.ordered[1]} is before {contract.ordered[0]}"
    return None


def missing_reason(field: Field) -> str:
    """What is said of a required field that is absent, empty or cannot be read."""
    return f"{field.name} is missing" + (" or not an ISO-8601 UTC time" if field.type == "time" else "")


def _field_reason(field: Field, value: Any) -> str | None:
    name = field.name
    if value is None or (value == "" and field.required and field.type == "text"):
        return missing_reason(field) if field.required else None
    if field.type == "time":
        moment = _moment(value)
        if moment is None:
            return missing_reason(field)
        return None if EARLIEST <= moment < LATEST else f"{name} is outside the years 2000 to 2199"
    if field.type == "bigint" and not _is_number(value, whole=True):
        return f"{name} is not a whole number"
    if field.type == "double" and not _is_number(value, whole=False):
        return f"{name} is not a number"
    if field.type == "map" and not isinstance(value, Mapping):
        return f"{name} is not an object"
    if field.values and value not in field.values:
        return f"{name} is not one of {', '.join(field.values)}"
    if field.limit and len(str(value)) > field.limit:
        return f"{name} is longer than {field.limit} characters"
    return None


def _is_number(value: Any, *, whole: bool) -> bool:
    # A number that came as text counts, as it does in the stream.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return False
    if whole:
        return number.is_integer() and -(2**63) <= number < 2**63
    return abs(number) < float("inf")


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
