"""The loop: threshold, limit, best result so far, the fate of a tool's error, and going on where a run
stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from agents.runtime.errors import ToolError
from agents.runtime.events import Event
from agents.runtime.loop import Run, run_stage
from agents.runtime.models import ModelChoice
from agents.runtime.rules import Move
from agents.runtime.scoring import Score
from agents.runtime.sessions import file_name, session
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.tools import Tool, ToolResult


class Try(BaseModel):
    value: float


def stage(values: Sequence[float], run: Any = None, threshold: float = 0.9, limit: int = 10) -> Stage:
    """A stage that tries one value after another; its score is the value."""

    def attempt(arguments: Try) -> ToolResult:
        return ToolResult({"tried": arguments.value}, {"value": arguments.value})

    def policy(messages: Sequence[BaseMessage]) -> Move:
        tried = sum(isinstance(message, AIMessage) for message in messages)
        return Move(f"try number {tried}", (("attempt", {"value": values[tried]}),))

    def scorer(work: Mapping[str, Any]) -> Score:
        value = float(work.get("value", 0.0))
        return Score(value, () if value >= threshold else (f"{value} is too low",))

    tool = Tool("attempt", "Try a value.", Try, run or attempt)
    return Stage("guess", "guess", (tool,), "Guess.", threshold, limit, scorer, policy)


def run_of(events: list[Event] | None = None, **more: Any) -> Run:
    sink = events.append if events is not None else None
    return Run("tester", "run-1", ModelChoice(AgentSettings(model="")), sink, **more)


def test_ends_at_the_threshold() -> None:
    outcome = run_stage(stage([0.2, 0.95, 1.0]), run_of())
    assert (outcome.score, outcome.iterations, outcome.passed) == (0.95, 2, True)


def test_limit_ends_with_the_best_so_far_and_its_reasons() -> None:
    outcome = run_stage(stage([0.3, 0.6, 0.1], limit=3), run_of())
    assert (outcome.score, outcome.iterations, outcome.passed) == (0.6, 3, False)
    assert outcome.work == {"value": 0.6}
    assert outcome.reasons == ("0.6 is too low",)


def test_tool_error_is_told_to_the_model_and_never_becomes_content() -> None:
    def refuse_low(arguments: Try) -> ToolResult:
        if arguments.value < 0.5:
            raise ToolError("too low, take more")
        return ToolResult("fine", {"value": arguments.value})

    events: list[Event] = []
    outcome = run_stage(stage([0.1, 0.92], run=refuse_low), run_of(events))
    assert outcome.passed
    assert "too low" not in str(outcome.work)
    failed = [
        event for event in events if event.kind == "tool_called" and '"status": "error"' in event.detail
    ]
    assert len(failed) == 1


def test_any_other_error_fails_the_task() -> None:
    def broken(arguments: Try) -> ToolResult:
        raise ConnectionError("the warehouse is away")

    with pytest.raises(ConnectionError, match="away"):
        run_stage(stage([0.5], run=broken), run_of())


def test_unknown_tool_and_wrong_arguments_are_the_models_to_mend() -> None:
    good = stage([0.95])

    def policy(messages: Sequence[BaseMessage]) -> Move:
        tried = sum(isinstance(message, AIMessage) for message in messages)
        calls = [("nothing", {}), ("attempt", {"value": "x"}), ("attempt", {"value": 1})]
        return Move("", (calls[tried],))

    changed = Stage(**{**good.__dict__, "policy": policy})
    outcome = run_stage(changed, run_of())
    assert (outcome.passed, outcome.iterations) == (True, 3)


def test_stopped_run_goes_on_where_it_stopped_and_a_passed_one_is_not_run_again(tmp_path: Path) -> None:
    calls: list[float] = []
    broken = [True]

    def fragile(arguments: Try) -> ToolResult:
        calls.append(arguments.value)
        if arguments.value == 0.4 and broken:
            broken.clear()
            raise ConnectionError("away")
        return ToolResult("ok", {"value": arguments.value})

    with session(tmp_path, "r") as checkpoints, pytest.raises(ConnectionError):
        run_stage(stage([0.1, 0.4, 0.99], run=fragile), run_of(checkpoints=checkpoints))
    with session(tmp_path, "r") as checkpoints:
        outcome = run_stage(stage([0.1, 0.4, 0.99], run=fragile), run_of(checkpoints=checkpoints))
    assert outcome.passed
    assert calls == [0.1, 0.4, 0.4, 0.99]
    with session(tmp_path, "r") as checkpoints:
        run_stage(stage([0.1, 0.4, 0.99], run=fragile), run_of(checkpoints=checkpoints))
    assert len(calls) == 4


def test_events_arrive_while_the_run_goes_on_and_name_the_run() -> None:
    events: list[Event] = []
    seen: list[int] = []

    def attempt(arguments: Try) -> ToolResult:
        seen.append(len(events))
        return ToolResult("ok", {"value": arguments.value})

    run_stage(stage([0.5, 0.95], run=attempt), run_of(events))
    assert seen == [1, 4]
    kinds = [event.kind for event in events]
    assert kinds == ["thought_generated", "tool_called", "iteration_completed"] * 2
    assert {event.session_id for event in events} == {"run-1"}
    assert events[-1].score == 0.95


def test_spans_follow_the_genai_conventions() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    run_stage(stage([0.95]), run_of(tracer_provider=provider))
    spans = {span.name: dict(span.attributes or {}) for span in exporter.get_finished_spans()}
    assert set(spans) == {"invoke_agent guess", "chat rules", "execute_tool attempt", "judge guess"}
    for attributes in spans.values():
        assert attributes["gen_ai.conversation.id"] == "run-1"
        assert attributes["gen_ai.agent.name"] == "tester"
        assert attributes["tidemark.stage"] == "guess"
    assert "tidemark.step" not in spans["invoke_agent guess"]
    assert spans["chat rules"]["gen_ai.usage.input_tokens"] == 0
    assert [
        spans[name]["tidemark.step"] for name in ("chat rules", "execute_tool attempt", "judge guess")
    ] == [
        "think",
        "act",
        "observe",
    ]


class Down(BaseChatModel):
    """A provider that is down."""

    asked: int = 0

    @property
    def _llm_type(self) -> str:
        return "down"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        self.asked += 1
        raise ConnectionError("connection refused")


def test_rules_take_over_from_a_provider_that_fails_and_say_why() -> None:
    model = Down()
    events: list[Event] = []
    run = Run("tester", "run-1", ModelChoice(AgentSettings(model=""), model), events.append)
    outcome = run_stage(stage([0.5, 0.95]), run)
    assert outcome.passed
    assert "connection refused" in outcome.fallback
    assert model.asked == 1
    assert "connection refused" in events[0].detail


@pytest.mark.parametrize(
    "run_id", ["../../etc/passwd", "a/b", "", "x" * 400, "manual__2026-11-21T10:00:00+00:00"]
)
def test_run_ids_are_safe_file_names(run_id: str) -> None:
    name = file_name(run_id)
    assert "/" not in name
    assert ".." not in name
    assert 0 < len(name) < 200
