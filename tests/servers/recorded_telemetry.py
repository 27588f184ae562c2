"""Telemetry as the loader leaves it in ODS, from a seed: with repeats, nulls, roots that are missing."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from warehouse.client import TableSpec

Row = dict[str, Any]
_TOOLS = ("run_sql", "search", "draw_chart")
_MODELS = ("small-1", "large-2")
_ARROW = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "time": pa.timestamp("us", tz="UTC"),
    "map": pa.string(),
}


def telemetry(days: int, until: datetime, seed: int) -> dict[str, list[Row]]:
    """Rows by ODS table, of a dozen runs a day over the `days` before `until`; the last of them are new."""
    dice = random.Random(seed)
    spans: list[Row] = []
    events: list[Row] = []
    for number in range(days * 12):
        at = until - timedelta(seconds=dice.uniform(60, days * 86_400) if number else 90)
        _run(dice, f"{seed}-{number}", at, spans, events)
    tables = {
        "agent_executions": spans + dice.sample(spans, len(spans) // 20),
        "agent_events": events + dice.sample(events, len(events) // 20),
        "agent_metrics": [],
        "agent_stats": [],
        "agent_dead_letters": [
            {
                "source_topic": "agent.executions",
                "source_partition": number % 2,
                # Every third is a producer's own, which has no position.
                "source_offset": -1 if number % 3 == 0 else number // 2,
                "reason": dice.choice(["not a JSON object", "status is missing"]),
                "payload": "e30=",
                "refused_at": until - timedelta(seconds=dice.uniform(60, days * 86_400)),
            }
            for number in range(days * 4)
        ],
    }
    for table, rows in tables.items():
        tables[table] = [
            row | {"_topic": f"{table}/{seed}", "_topic_partition": offset % 2, "_offset": offset,
                   "_ingested_at": until + timedelta(milliseconds=offset)}
            for offset, row in enumerate(rows)
        ]  # fmt: skip
    return tables


def as_arrow(table: TableSpec, rows: list[Row], *, maps_as_json: bool) -> pa.Table:
    """The rows as an engine takes them: a map as pairs, or as JSON."""

    def value(kind: str, given: Any) -> Any:
        if kind == "map":
            return json.dumps(given or {}) if maps_as_json else list((given or {}).items())
        return "" if kind == "text" and given is None else given

    return pa.table(
        {
            column.name: pa.array(
                [value(column.type, row.get(column.name)) for row in rows],
                pa.map_(pa.string(), pa.string())
                if column.type == "map" and not maps_as_json
                else _ARROW[column.type],
            )
            for column in table.columns
        }
    )


def _run(dice: random.Random, name: str, at: datetime, spans: list[Row], events: list[Row]) -> None:
    shared = {
        "trace_id": f"trace-{name}",
        "session_id": f"session-{int(name.split('-')[1]) // 3}",
        "agent": dice.choice(["analyst", "steward"]),
    }
    attributes = dice.choice([{"tidemark.team": "bi"}, {"tidemark.team": "ops"}, {}])
    moment = at
    for stage in dice.sample(["sql", "chart", "answer"], dice.randrange(1, 4)):
        began, stage_id = moment, f"{name}/{stage}"
        for iteration in range(dice.randrange(1, 4)):
            for operation in ("chat", "execute_tool"):
                moment += timedelta(microseconds=dice.randrange(1, 5_000_000))
                ended = moment + timedelta(microseconds=dice.randrange(3_000_000))
                failed, call = dice.random() < 0.2, operation == "chat"
                spans.append(
                    shared
                    | {
                        "span_id": f"{stage_id}/{iteration}/{operation}",
                        "parent_span_id": stage_id,
                        "stage": stage,
                        "step": "think" if call else "act",
                        "operation": operation,
                        "model": dice.choice(_MODELS) if call else "",
                        "tool": "" if call else dice.choice(_TOOLS),
                        "started_at": moment,
                        "ended_at": ended,
                        "status": "error" if failed else "ok",
                        "error": "it broke" if failed else "",
                        "input_tokens": dice.randrange(5_000) if call else None,
                        "output_tokens": dice.choice([None, 17]) if call else None,
                        "cost_usd": dice.random() / 7 if call else None,
                        "attributes": attributes,
                    }
                )
                moment = ended
            events.append(
                shared
                | {
                    "event_id": f"{stage_id}/{iteration}",
                    "stage": stage,
                    "kind": "iteration_completed",
                    "iteration": iteration + 1,
                    "score": dice.choice([None, 0.25, 0.5, 1.0]),
                    "detail": "{}",
                    "occurred_at": moment,
                }
            )
        enclosing = {"operation": "invoke_agent", "status": "ok", "started_at": began, "ended_at": moment}
        spans.append(
            shared | enclosing | {"span_id": stage_id, "parent_span_id": f"{name}/root", "stage": stage}
        )
    if dice.random() < 0.9:
        spans.append(
            shared
            | {
                "span_id": f"{name}/root",
                "operation": "invoke_agent",
                "status": dice.choice(["ok", "ok", "error"]),
                "started_at": at,
                "ended_at": moment,
                "attributes": {"note": 'it\'s "quoted" \\ 引用'},
            }
        )
