"""A small fixed set of telemetry, 1 to 21 November 2026 11:00 UTC, as the loader leaves it in ODS."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
SEED = 20261121
FIRST, LAST = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 21, 11, 0, tzinfo=UTC)

# agent: (share of runs, stages in order, tools of each stage, error share of a run's root beyond its stages')
AGENTS = {
    "analyst": (0.46, ("sql", "chart", "document"), 0.04),
    "steward": (0.20, ("examine", "propose"), 0.06),
    "concierge": (0.22, ("intake", "reply"), 0.09),
    "copywriter": (0.12, ("draft", "review"), 0.02),
}
TOOLS = {
    "sql": ("run_sql", "list_tables", "search_docs"),
    "chart": ("draw_chart",),
    "document": ("draw_chart", "search_docs"),
    "examine": ("run_sql", "list_tables"),
    "propose": ("search_docs",),
    "intake": ("search_docs", "lookup_order"),
    "reply": ("lookup_order", "send_mail"),
    "draft": ("fetch_page", "search_docs"),
    "review": ("fetch_page",),
}
# tool: (mean ms, failure share, errors)
TOOL = {
    "run_sql": (820, 0.11, ("timeout after 30 s", "syntax error", "memory limit exceeded")),
    "list_tables": (60, 0.01, ("connection refused",)),
    "search_docs": (240, 0.03, ("timeout after 30 s",)),
    "draw_chart": (410, 0.06, ("invalid chart spec", "no rows to draw")),
    "lookup_order": (130, 0.05, ("order not found", "connection refused")),
    "send_mail": (350, 0.17, ("mailbox full", "rate limited")),
    "fetch_page": (1500, 0.22, ("timeout after 30 s", "HTTP 404", "HTTP 503")),
}
# model: (share, USD a million input tokens, output tokens, mean ms, failure share); None: no price is known
MODEL = {
    "claude-sonnet-4-5": (0.34, 3.0, 15.0, 2600, 0.02),
    "gpt-5-mini": (0.26, 0.25, 2.0, 1400, 0.03),
    "qwen3-max": (0.18, 1.2, 6.0, 1900, 0.05),
    "llama-3.3-local": (0.10, None, None, 3900, 0.08),
    "rules": (0.12, None, None, 12, 0.0),
}
TEAM = {
    "analyst": ("bi", "bi", "finance", "marketing", ""),
    "steward": ("platform", "platform", ""),
    "concierge": ("support", "support", "support", ""),
    "copywriter": ("marketing",),
}
SCORES = (0.0, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0, 1.0, 1.0, 1.0)
REFUSED = {
    "agent.executions": (
        "not a JSON object",
        "status is missing",
        "ended_at is before started_at",
        "trace_id is missing",
    ),
    "agent.events": ("kind is missing", "not a JSON object", "score is not a number"),
    "agent.metrics": ("value is missing", "name is longer than 1024 characters"),
}


def tables() -> dict[str, list[Row]]:
    """Rows by table of ODS."""
    dice = random.Random(SEED)
    spans: list[Row] = []
    events: list[Row] = []
    letters: list[Row] = []
    number = 0
    day = FIRST
    while day <= LAST:
        busy = (0.9, 1.0, 1.1, 1.0, 0.9, 0.4, 0.3)[day.weekday()] * (1 + 0.02 * (day - FIRST).days)
        wanted = int(44 * busy)
        session = dict.fromkeys(AGENTS, "")
        moments = sorted(
            day + timedelta(seconds=min(86_000, max(0, dice.gauss(43_000, 15_000) % 86_400)))
            for _ in range(wanted)
        )
        for at in moments:
            number += 1
            agent = dice.choices(list(AGENTS), [a[0] for a in AGENTS.values()])[0]
            if not session[agent] or dice.random() < 0.45:
                session[agent] = f"{agent[:3]}-{number:04d}"
            if agent == "steward" and dice.random() < 0.3:
                session[agent] = ""
            _run(dice, number, at, agent, session[agent], spans, events)
        for _ in range(dice.choice((0, 1, 2, 3, 5)) + (9 if day.day == 12 else 0)):
            topic = dice.choices(list(REFUSED), (6, 3, 1))[0]
            letters.append(
                {
                    "source_topic": topic,
                    "source_partition": dice.randrange(2),
                    "source_offset": 1000 + len(letters),
                    "reason": dice.choice(REFUSED[topic]),
                    "key": "",
                    "payload": "e30=",
                    "refused_at": day + timedelta(seconds=dice.uniform(0, 86_000)),
                }
            )
        day += timedelta(days=1)
    ended: dict[str, datetime] = {}
    for span in spans:
        ended[span["trace_id"]] = max(ended.get(span["trace_id"], FIRST), span["ended_at"])
    kept = {trace for trace, end in ended.items() if end <= LAST}
    spans = [s for s in spans if s["trace_id"] in kept]
    events = [e for e in events if e["trace_id"] in kept]
    letters = [one for one in letters if one["refused_at"] <= LAST]
    # What comes twice: every fortieth span and event, a second later.
    made: dict[str, list[Row]] = {
        "agent_executions": spans + spans[::40],
        "agent_events": events + events[::40],
        "agent_metrics": [],
        "agent_stats": [],
        "agent_dead_letters": letters,
    }
    for table, rows in made.items():
        seen: set[int] = set()
        made[table] = []
        for offset, row in enumerate(rows):
            moment: datetime = row.get("ended_at") or row.get("occurred_at") or row["refused_at"]
            again = id(row) in seen
            seen.add(id(row))
            made[table].append(
                row
                | {
                    "_topic": table.replace("_", ".", 1),
                    "_topic_partition": offset % 2,
                    "_offset": offset,
                    "_ingested_at": moment + timedelta(seconds=3 if again else 2),
                }
            )
    return made


def _run(
    dice: random.Random,
    number: int,
    at: datetime,
    agent: str,
    session: str,
    spans: list[Row],
    events: list[Row],
) -> None:
    """One run: its stages, in each iterations of a model's call and of tools."""
    trace = f"trace-{number:05d}"
    team = dice.choice(TEAM[agent])
    attributes = {"tidemark.team": team} if team else {}
    shared = {"trace_id": trace, "session_id": session, "agent": agent}
    _, known, root_errors = AGENTS[agent]
    # The document is not always wanted.
    stages = [stage for stage in known if stage != "document" or dice.random() < 0.45]
    moment, failed_stage, stage_error = at + timedelta(milliseconds=dice.randrange(5, 40)), False, ""
    for order, stage in enumerate(stages):
        if failed_stage:
            break
        began, span_id = moment, f"{trace}/{order}"
        iterations = dice.choices((1, 2, 3, 4), (60, 24, 10, 6))[0]
        score = 0.0
        for iteration in range(1, iterations + 1):
            model = dice.choices(list(MODEL), [m[0] for m in MODEL.values()])[0]
            _, price_in, price_out, ms, failures = MODEL[model]
            tokens_in, tokens_out = dice.randrange(300, 6000), dice.randrange(20, 900)
            bad = dice.random() < failures
            end = moment + timedelta(microseconds=int(ms * 1000 * dice.lognormvariate(0, 0.45)))
            spans.append(
                shared
                | {
                    "span_id": f"{span_id}/{iteration}/chat",
                    "parent_span_id": span_id,
                    "stage": stage,
                    "step": "think",
                    "name": f"chat {model}",
                    "operation": "chat",
                    "model": model,
                    "tool": "",
                    "started_at": moment,
                    "ended_at": end,
                    "status": "error" if bad else "ok",
                    "error": "rate limited" if bad else "",
                    "input_tokens": None if model == "rules" else tokens_in,
                    "output_tokens": None if model == "rules" or bad else tokens_out,
                    "cost_usd": None
                    if price_in is None or price_out is None
                    else (tokens_in * price_in + (0 if bad else tokens_out) * price_out) / 1e6,
                    "attributes": attributes,
                    "input": "",
                    "output": "",
                }
            )
            moment = end + timedelta(milliseconds=dice.randrange(1, 9))
            events.append(
                shared
                | {
                    "event_id": f"{span_id}/{iteration}/thought",
                    "stage": stage,
                    "kind": "thought_generated",
                    "iteration": iteration,
                    "score": None,
                    "detail": "{}",
                    "occurred_at": moment,
                }
            )
            for call in range(dice.choices((0, 1, 2), (15, 65, 20))[0]):
                tool = dice.choice(TOOLS[stage])
                ms, failures, errors = TOOL[tool]
                bad = dice.random() < failures
                end = moment + timedelta(microseconds=int(ms * 1000 * dice.lognormvariate(0, 0.6)))
                spans.append(
                    shared
                    | {
                        "span_id": f"{span_id}/{iteration}/tool{call}",
                        "parent_span_id": span_id,
                        "stage": stage,
                        "step": "act",
                        "name": f"execute_tool {tool}",
                        "operation": "execute_tool",
                        "model": "",
                        "tool": tool,
                        "started_at": moment,
                        "ended_at": end,
                        "status": "error" if bad else "ok",
                        "error": dice.choice(errors) if bad else "",
                        "input_tokens": None,
                        "output_tokens": None,
                        "cost_usd": None,
                        "attributes": attributes,
                        "input": "",
                        "output": "",
                    }
                )
                events.append(
                    shared
                    | {
                        "event_id": f"{span_id}/{iteration}/tool{call}",
                        "stage": stage,
                        "kind": "tool_called",
                        "iteration": iteration,
                        "score": None,
                        "detail": "{}",
                        "occurred_at": end,
                    }
                )
                moment = end + timedelta(milliseconds=dice.randrange(1, 9))
            score = dice.choice(SCORES)
            events.append(
                shared
                | {
                    "event_id": f"{span_id}/{iteration}/end",
                    "stage": stage,
                    "kind": "iteration_completed",
                    "iteration": iteration,
                    "score": score,
                    "detail": "{}",
                    "occurred_at": moment,
                }
            )
            moment += timedelta(milliseconds=2)
        failed_stage = score < 0.25 or dice.random() < 0.03
        stage_error = dice.choice(("budget exceeded", "checks not passed")) if failed_stage else ""
        spans.append(
            shared
            | {
                "span_id": span_id,
                "parent_span_id": f"{trace}/root",
                "stage": stage,
                "step": "",
                "name": f"invoke_agent {stage}",
                "operation": "invoke_agent",
                "model": "",
                "tool": "",
                "started_at": began,
                "ended_at": moment,
                "status": "error" if failed_stage else "ok",
                "error": stage_error,
                "input_tokens": None,
                "output_tokens": None,
                "cost_usd": None,
                "attributes": attributes,
                "input": "",
                "output": "",
            }
        )
        moment += timedelta(milliseconds=dice.randrange(2, 30))
    failed = failed_stage or dice.random() < root_errors
    outcome = "failed" if failed else "declined" if dice.random() < 0.12 else "answered"
    spans.append(
        shared
        | {
            "span_id": f"{trace}/root",
            "parent_span_id": "",
            "stage": "",
            "step": "",
            "name": f"invoke_agent {agent}",
            "operation": "invoke_agent",
            "model": "",
            "tool": "",
            "started_at": at,
            "ended_at": moment,
            "status": "error" if failed else "ok",
            "error": stage_error if failed else "",
            "input_tokens": None,
            "output_tokens": None,
            "cost_usd": None,
            "attributes": attributes | {"tidemark.run_id": f"task-{number:05d}", "tidemark.status": outcome},
            "input": "",
            "output": "",
        }
    )
