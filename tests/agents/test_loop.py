"""The loop: threshold, limit, best result so far, a tool's error, and going on where a run stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolArg, StructuredTool
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.runtime import loop
from agents.runtime.acting import CALLS_AT_ONCE
from agents.runtime.door import run_sync
from agents.runtime.errors import ToolError
from agents.runtime.events import Event, EventSink, EventStream
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.steps import open_steps
from agents.runtime.testing import Say, ScriptedModel
from agents.runtime.tools import Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work
from warehouse.labels import current_labels


class Tried(Result):
    value: float


class Guesses(Work):
    """The value that was found last, and how many were tried."""

    value: float = 0.0
    tried: int = 0

    def reduce(self, call: ToolCall, result: Any) -> Guesses:
        return self.having(value=result.value, tried=self.tried + 1)


Context = Annotated[ToolContext[Guesses, None], InjectedToolArg]


async def attempt(value: float) -> Tried:
    """Try a value."""
    return Tried(value=value)


def registry(function: Callable[..., Any] = attempt, **properties: Any) -> ToolRegistry:
    """A registry with one tool, `attempt`."""
    kind = "coroutine" if iscoroutinefunction(function) else "func"
    tool = StructuredTool.from_function(**{kind: function}, name="attempt", description="Try a value.")
    made = ToolRegistry()
    made.register(tool, **properties)
    return made


def stage(values: Sequence[float], threshold: float = 0.9, limit: int = 10) -> Stage[Guesses]:
    """A stage that tries one value after another; its score is the value."""

    def policy(work: Guesses) -> Move:
        made = work.tried + len(work.refused)
        return Move(f"try number {made}", (("attempt", {"value": values[made]}),))

    def scorer(work: Guesses) -> Score:
        return Score(work.value, () if work.value >= threshold else (f"{work.value} is too low",))

    return Stage("guess", "guess", Guesses(), ("attempt",), "Guess.", threshold, limit, scorer, policy)


def run_of(function: Callable[..., Any] = attempt, *sinks: EventSink, **more: Any) -> Run:
    given = {"registry": registry(function), "stream": EventStream(*sinks), **more}
    return Run("tester", Session("talk"), "run-1", Models(AgentSettings(model="")), **given)


def run_stage(stage: Stage[Guesses], run: Run) -> Outcome[Guesses]:
    return run_sync(loop.run_stage(stage, run))


def test_ends_at_the_threshold() -> None:
    outcome = run_stage(stage([0.2, 0.95, 1.0]), run_of())
    assert (outcome.score, outcome.iterations, outcome.passed) == (0.95, 2, True)


def test_what_a_tool_asks_of_the_warehouse_is_labelled_with_agent_run_and_stage() -> None:
    seen: list[dict[str, str]] = []

    def blocking(value: float) -> Tried:
        seen.append(dict(current_labels()))
        return Tried(value=value)

    async def awaited(value: float) -> Tried:
        return blocking(value)

    for tool in (blocking, awaited):
        run_stage(stage([1.0]), run_of(tool))
    assert seen == [{"agent": "tester", "run": "run-1", "stage": "guess"}] * 2
    assert not current_labels()


def test_limit_ends_with_the_best_so_far_and_its_reasons() -> None:
    outcome = run_stage(stage([0.3, 0.6, 0.1], limit=3), run_of())
    assert (outcome.score, outcome.iterations, outcome.passed) == (0.6, 3, False)
    assert outcome.work == Guesses(value=0.6, tried=2)
    assert outcome.spent.iterations == outcome.spent.tool_calls == 3
    assert outcome.reasons == ("0.6 is too low",)


def test_tool_error_is_told_to_the_model_and_never_becomes_content() -> None:
    def refuse_low(value: float) -> Tried:
        if value < 0.5:
            raise ToolError("too low, take more")
        return Tried(value=value)

    events: list[Event] = []
    outcome = run_stage(stage([0.1, 0.92]), run_of(refuse_low, events.append))
    assert outcome.passed
    assert outcome.work.value == 0.92
    assert outcome.work.refusal("attempt", {"value": 0.1}) == "too low, take more"
    failed = [
        event for event in events if event.kind == "tool_called" and '"status": "error"' in event.detail
    ]
    assert len(failed) == 1


def test_any_other_error_fails_the_task() -> None:
    def broken(value: float) -> Tried:
        raise ConnectionError("the warehouse is away")

    with pytest.raises(ConnectionError, match="away"):
        run_stage(stage([0.5]), run_of(broken))


def test_unknown_tool_and_wrong_arguments_are_the_models_to_mend() -> None:
    def policy(work: Guesses) -> Move:
        calls: list[tuple[str, Any]] = [
            ("nothing", {}),
            ("attempt", {"value": "x"}),
            ("attempt", {"value": 1}),
        ]
        return Move("", (calls[len(work.refused)],))

    outcome = run_stage(replace(stage([0.95]), policy=policy), run_of())
    assert (outcome.passed, outcome.iterations) == (True, 3)


def test_stopped_run_goes_on_where_it_stopped_and_a_passed_one_is_not_run_again(tmp_path: Path) -> None:
    calls: list[float] = []
    broken = [True]

    def fragile(value: float) -> Tried:
        calls.append(value)
        if value == 0.4 and broken:
            broken.clear()
            raise ConnectionError("away")
        return Tried(value=value)

    def run() -> Outcome[Guesses]:
        with open_steps(tmp_path, "r") as kept:
            return run_stage(stage([0.1, 0.4, 0.99]), run_of(fragile, checkpoints=kept.checkpoints))

    with pytest.raises(ConnectionError):
        run()
    outcome = run()
    assert (outcome.passed, outcome.iterations) == (True, 3)
    assert calls == [0.1, 0.4, 0.4, 0.99]
    assert run() == outcome
    assert len(calls) == 4


def test_events_arrive_while_the_run_goes_on_and_name_the_session() -> None:
    events: list[Event] = []
    seen: list[int] = []

    def watch(value: float) -> Tried:
        seen.append(len(events))
        return Tried(value=value)

    run_stage(stage([0.5, 0.95]), run_of(watch, events.append))
    assert seen == [1, 4]
    kinds = [event.kind for event in events]
    assert kinds == ["thought_generated", "tool_called", "iteration_completed"] * 2
    assert {event.session_id for event in events} == {"talk"}
    assert events[-1].score == 0.95


def test_spans_follow_the_genai_conventions() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    run_stage(stage([0.95]), run_of(tracer_provider=provider))
    spans = {span.name: dict(span.attributes or {}) for span in exporter.get_finished_spans()}
    assert set(spans) == {"invoke_agent guess", "chat rules", "execute_tool attempt", "judge guess"}
    for attributes in spans.values():
        assert attributes["gen_ai.conversation.id"] == "talk"
        assert attributes["tidemark.run_id"] == "run-1"
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


def test_a_span_processor_that_fails_costs_its_spans_and_not_the_run() -> None:
    class Failing(SpanProcessor):
        def on_end(self, span: Any) -> None:
            raise OSError("the spool is full")

    provider = TracerProvider()
    provider.add_span_processor(Failing())
    assert run_stage(stage([0.95]), run_of(tracer_provider=provider)).passed


def test_no_more_calls_than_a_few_are_made_of_one_answer() -> None:
    calls = tuple(("attempt", {"value": 0.001 * number}) for number in range(1000))
    outcome = run_stage(replace(stage([], limit=1), policy=lambda work: Move("all", calls)), run_of())
    assert outcome.work.tried == CALLS_AT_ONCE


def test_the_last_iterations_are_the_rules_whatever_a_model_has_come_to() -> None:
    low = [Say(calls=(("attempt", {"value": 0.1}),))] * 2
    model = ScriptedModel(low)
    models = Models(AgentSettings(model=""), model)
    run = Run("tester", Session("talk"), "run-1", models, registry=registry(), stream=EventStream())
    outcome = run_sync(loop.run_stage(replace(stage([0.5] * 9, limit=4), rules_last=2), run))
    assert (outcome.score, outcome.iterations, len(model.asked)) == (0.5, 4, 2)
    assert "came to nothing in 3 chats" in outcome.fallback


def test_a_refusal_of_any_length_is_told_in_so_much() -> None:
    def attempt(value: float) -> Tried:
        raise ToolError("x" * 1_000_000)

    outcome = run_sync(loop.run_stage(stage([1.0, 2.0], limit=2), run_of(attempt)))
    assert all(len(one) < 4_000 for one in outcome.work.refused.values())
    assert outcome.work.refused
