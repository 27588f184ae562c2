"""A new agent, with a stage and a tool of its own, is one folder: everything else comes through the door."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolArg, StructuredTool

from agents.runtime.door import run_sync
from agents.runtime.events import EventStream
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.tools import Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work
from streaming.settings import StreamingSettings
from streaming.spool import decode
from warehouse import Warehouse, WarehouseSettings
from wiring.opened import Opened, SpanCount, opened
from wiring.settings import Settings


class Counted(Result):
    rows: int


class Counting(Work):
    rows: int = 0

    def reduce(self, call: ToolCall, result: Any) -> Counting:
        return self.having(rows=result.rows)


def count_rows(table: str, context: Annotated[ToolContext[Counting, Warehouse], InjectedToolArg]) -> Counted:
    """Count the rows of a table."""
    return Counted(rows=context.deps.query(f"select count(*) from {table}").rows[0][0])


STAGE = Stage(
    "count",
    "How many orders are there?",
    Counting(),
    ("count_rows",),
    "Count.",
    threshold=1.0,
    max_iterations=2,
    scorer=lambda work: Score(float(work.rows > 0), ()),
    policy=lambda work: Move("count", (("count_rows", {"table": "dwd.dwd_orders"}),)),
)


def counter(parts: Opened, settings: AgentSettings) -> Run:
    registry = ToolRegistry()
    registry.register(StructuredTool.from_function(count_rows), effects={"reads"}, timeout_s=10)
    return Run(
        "counter",
        Session("talk"),
        "run-1",
        Models(settings),
        deps=parts.warehouse,
        registry=registry,
        stream=EventStream(parts.record),
        tracer_provider=parts.tracer_provider,
    )


@pytest.mark.integration
def test_an_agent_of_ones_own_reads_the_warehouse_and_is_recorded(
    commerce: WarehouseSettings, tmp_path: Path
) -> None:
    settings = Settings(
        commerce,
        StreamingSettings(kafka_bootstrap="127.0.0.1:1", home=tmp_path, flush_seconds=0.1),
        AgentSettings(state_dir=tmp_path),
    )
    spans, seen = SpanCount(), []
    with opened(settings, on_event=seen.append, spans=spans) as parts:
        outcome = run_sync(run_stage(STAGE, counter(parts, settings.agents)))
    assert outcome.passed
    assert outcome.work.rows > 0
    assert {event.agent for event in seen} == {"counter"}
    # Kafka is away: what was recorded waits in the spool, every span and every event of it.
    waiting = [
        message
        for file in settings.streaming.spool_dir.glob("*.spool")
        for message in decode(file.read_bytes())
    ]
    topics = [message.topic for message in waiting]
    assert topics.count("agent.events") == len(seen) > 0
    assert topics.count("agent.executions") == sum(spans.by_trace.values()) > 0
    assert all(b"counter" in message.value for message in waiting)
