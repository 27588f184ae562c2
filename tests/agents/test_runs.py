"""A run's budget, deadline, events and end: over budget is a fair end with its reason, a cancel reaches every
wait, and what was kept goes on.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.runtime.budget import Budget, Spent
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError
from agents.runtime.events import Event, EventStream
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run, RunCancelledError, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.steps import open_steps
from agents.runtime.testing import FakeClock, Say, ScriptedModel
from agents.runtime.tools import Registered, ToolRegistry
from agents.runtime.work import ToolCall, Work


class Steps(Work):
    made: int = 0

    def reduce(self, call: ToolCall, result: Any) -> Steps:
        return self.having(made=self.made + 1)


def stage(goal: int = 5, calls: int = 1, **more: Any) -> Stage[Steps]:
    """So many steps, some of them at once, each worth the same."""
    named = {"policy": lambda work: Move("step", (("step", {"number": work.made}),) * calls), **more}
    return Stage(
        "steps", "go", Steps(), ("step",), "Go.", 1.0, 10,
        lambda work: Score(min(1.0, work.made / goal), () if work.made >= goal else (f"{work.made} made",)),
        **named,
    )  # fmt: skip


def run_of(step: Callable[..., Any] | None = None, model: ScriptedModel | None = None, **more: Any) -> Run:
    async def nothing(number: int) -> int:
        return number

    made = tool("step", description="One step.")(step or nothing)
    models = Models(AgentSettings(model="", model_timeout_s=20.0), model)
    given = {"registry": ToolRegistry([Registered(made)]), **more}
    return Run("tester", Session("talk"), "run-1", models, **given)


def outcome_of(given: Stage[Steps], asked: Run) -> Outcome[Steps]:
    return run_sync(run_stage(given, asked), timeout_s=60)


@pytest.mark.parametrize(
    ("budget", "made", "why"),
    [
        (Budget(iterations=2), 2, "2 of 2 iterations"),
        (Budget(tool_calls=3), 3, "3 of 3 tool calls"),
        (Budget(tool_calls=0), 0, "0 of 0 tool calls"),
        (Budget(tokens=100), 0, ""),
    ],
)
@pytest.mark.parametrize("whose", ["run", "stage"])
def test_over_budget_is_a_fair_end_with_the_best_so_far_and_the_reason(
    budget: Budget, made: int, why: str, whose: str
) -> None:
    events: list[Event] = []
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    asked = run_of(
        stream=EventStream(events.append),
        tracer_provider=provider,
        **({"budget": budget} if whose == "run" else {}),
    )
    outcome = outcome_of(stage(**({"budget": budget} if whose == "stage" else {})), asked)
    if not why:
        # The rules use no tokens.
        assert (outcome.passed, outcome.over) == (True, "")
        return
    over = f"the {whose}'s budget is used up: {why}"
    assert (outcome.over, outcome.passed, outcome.work.made) == (over, False, made)
    assert outcome.reasons == (f"{made} made", over)
    assert (outcome.spent.tool_calls, outcome.spent.iterations) == (made, made)
    [span] = [one for one in exporter.get_finished_spans() if one.name == "invoke_agent steps"]
    assert span.attributes
    assert (span.attributes["tidemark.over"], span.attributes["tidemark.spent.tool_calls"]) == (over, made)
    assert over in json.loads(events[-1].detail)["reasons"]


def test_calls_beyond_the_budget_are_refused_and_the_others_made() -> None:
    outcome = outcome_of(stage(goal=9, calls=3), run_of(budget=Budget(tool_calls=5)))
    assert (outcome.work.made, outcome.spent.tool_calls) == (5, 5)


def scripted(tokens: tuple[int, int] | None = (100, 20)) -> ScriptedModel:
    return ScriptedModel(lambda asked: Say(calls=(("step", {"number": len(asked.messages)}),), tokens=tokens))


def test_tokens_and_cost_are_counted_and_what_has_no_price_cannot_be_budgeted() -> None:
    outcome = outcome_of(stage(), run_of(model=scripted(), budget=Budget(tokens=300)))
    assert (outcome.work.made, outcome.spent.tokens) == (3, 360)
    assert "360 of 300 tokens" in outcome.over
    unknown = outcome_of(stage(), run_of(model=scripted(), budget=Budget(cost_usd=5.0)))
    assert (unknown.work.made, unknown.spent.unpriced) == (1, 1)
    assert "give the model's price in the models table" in unknown.over


def test_seconds_end_a_run_by_its_own_clock_and_a_later_stage_begins_nothing() -> None:
    clock = FakeClock()

    async def slow(number: int) -> int:
        clock.advance(40)
        return number

    asked = run_of(slow, budget=Budget(seconds=100), clock=clock)

    async def both() -> list[Outcome[Steps]]:
        async with asked.scope():
            return [await run_stage(one, asked) for one in (stage(), replace(stage(), name="later"))]

    first, later = run_sync(both())
    assert (first.work.made, first.spent.seconds) == (3, 120)
    assert "120 of 100 seconds" in first.over
    assert (later.work.made, later.iterations) == (0, 0)
    assert asked.spent.seconds == 120


@pytest.mark.parametrize("limit", ["seconds", "deadline", "stage"])
def test_time_reaches_a_tool_that_hangs_and_a_model_that_does(limit: str) -> None:
    ends = threading.Event()

    async def hang(number: int) -> int:
        await asyncio.sleep(3600)
        return number

    async def block(number: int) -> int:
        ends.wait()
        return number

    def blocking(asked: Any) -> Say:
        ends.wait()
        return Say()

    models = [ScriptedModel(lambda asked: Say(delay_s=3600)), ScriptedModel(blocking)]
    for asked in (run_of(hang), run_of(block), *(run_of(model=model) for model in models)):
        if limit == "deadline":
            asked = replace(asked, deadline=asked.clock() + 0.05)
        elif limit == "seconds":
            asked = replace(asked, budget=Budget(seconds=0.05))
        outcome = outcome_of(stage(budget=Budget(seconds=0.05) if limit == "stage" else Budget()), asked)
        assert (outcome.work.made, outcome.passed) == (0, False)
        assert "seconds" in outcome.over or "deadline" in outcome.over
    ends.set()


def test_what_was_spent_before_a_process_ended_is_not_given_again(tmp_path: Path) -> None:
    async def fail_third(number: int) -> int:
        if number == 2:
            raise ConnectionError("the process ends")
        return number

    with open_steps(tmp_path, "r") as kept, pytest.raises(ConnectionError):
        outcome_of(stage(), run_of(fail_third, scripted(), checkpoints=kept.checkpoints))
    with open_steps(tmp_path, "r") as kept:
        asked = run_of(model=scripted(), checkpoints=kept.checkpoints, budget=Budget(tokens=400))
        outcome = outcome_of(stage(), asked)
        # The third step of this budget was the third chat of all, and it had been made.
        assert (outcome.work.made, outcome.spent.tokens, asked.spent.tokens) == (4, 480, 480)
        again = run_of(checkpoints=kept.checkpoints)
        assert outcome_of(stage(), again) == outcome
        assert again.spent.tokens == 480


def test_without_rules_and_without_a_model_the_reason_is_said() -> None:
    with pytest.raises(PermanentError, match="'steps' has no rules and no model is set"):
        outcome_of(stage(policy=None), run_of())
    assert outcome_of(stage(policy=None), run_of(model=scripted())).passed


async def kinds(asked: Run) -> list[str]:
    return [event.kind async for event in asked.events()]


def test_followers_see_every_event_whenever_they_come_and_the_end() -> None:
    async def main() -> list[list[str]]:
        asked = run_of()
        early = asyncio.create_task(kinds(asked))
        await run_stage(stage(goal=2), asked)
        return [await early, await kinds(asked)]

    expected = ["thought_generated", "tool_called", "iteration_completed"] * 2
    assert run_sync(main(), timeout_s=60) == [expected, expected]


def test_a_run_that_goes_on_has_followers_again() -> None:
    async def main() -> list[str]:
        asked = run_of()
        await run_stage(stage(goal=1), asked)
        going = asyncio.create_task(run_stage(replace(stage(goal=1), name="more"), asked))
        await asyncio.sleep(0)
        seen = await kinds(asked)
        await going
        return seen

    assert len(run_sync(main(), timeout_s=60)) == 6


def test_a_follower_cancels_the_run_in_any_wait_and_it_goes_on_later(tmp_path: Path) -> None:
    ended: list[str] = []
    under_way = threading.Event()

    async def second_hangs(number: int) -> int:
        if number == 1:
            try:
                under_way.set()
                await asyncio.sleep(3600)
            finally:
                ended.append("cancelled")
        return number

    async def main() -> list[str]:
        with open_steps(tmp_path, "r") as kept:
            asked = run_of(second_hangs, checkpoints=kept.checkpoints)
            working = asyncio.create_task(run_stage(stage(goal=2), asked))
            seen = []
            async for event in asked.events():
                seen.append(event.kind)
                if seen.count("thought_generated") == 2:
                    await asyncio.to_thread(under_way.wait)
                    asked.cancel("the page was closed")
            with pytest.raises(RunCancelledError, match="the page was closed"):
                await working
            return seen

    seen = run_sync(main(), timeout_s=60)
    assert seen[-2:] == ["thought_generated", "execution_completed"]
    assert ended == ["cancelled"]
    with open_steps(tmp_path, "r") as kept:
        heard: list[Event] = []
        asked = run_of(checkpoints=kept.checkpoints, stream=EventStream(heard.append))
        outcome = outcome_of(stage(goal=2), asked)
    assert (outcome.passed, outcome.iterations) == (True, 2)
    assert [event.kind for event in heard] == ["tool_called", "iteration_completed"]


def test_a_follower_cancels_while_a_tool_blocks_and_is_not_held() -> None:
    under_way, ends = threading.Event(), threading.Event()

    async def block(number: int) -> int:
        under_way.set()
        ends.wait()
        return number

    async def main() -> None:
        asked = run_of(block)
        working = asyncio.create_task(run_stage(stage(), asked))
        async for _ in asked.events():
            await asyncio.to_thread(under_way.wait)
            asked.cancel("enough")
        with pytest.raises(RunCancelledError, match="enough"):
            await working

    try:
        run_sync(main(), timeout_s=60)
    finally:
        ends.set()


def test_a_run_that_was_cancelled_before_it_began_does_nothing() -> None:
    asked = run_of()
    asked.cancel("not wanted any more")
    with pytest.raises(RunCancelledError, match="not wanted"):
        outcome_of(stage(), asked)
    assert asked.spent == Spent(seconds=asked.spent.seconds)


def test_who_cancels_the_callers_own_task_is_not_told_that_the_run_was() -> None:
    async def main() -> None:
        async def hang(number: int) -> int:
            await asyncio.sleep(3600)
            return number

        working = asyncio.create_task(run_stage(stage(), run_of(hang)))
        await asyncio.sleep(0.01)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    run_sync(main(), timeout_s=60)


def test_two_runs_of_one_session_at_once_do_not_meet(tmp_path: Path) -> None:
    meeting = asyncio.Barrier(2)

    async def meet(number: int) -> int:
        await meeting.wait()
        return number

    async def one(name: str, goal: int) -> tuple[Outcome[Steps], list[Event]]:
        heard: list[Event] = []
        with open_steps(tmp_path, name) as kept:
            asked = replace(
                run_of(meet, checkpoints=kept.checkpoints, stream=EventStream(heard.append)), run_id=name
            )
            return await run_stage(stage(goal=goal), asked), heard

    async def main() -> Any:
        return await asyncio.gather(one("first", 3), one("second", 3))

    for outcome, heard in run_sync(main(), timeout_s=60):
        assert (outcome.passed, outcome.iterations, len(heard)) == (True, 3, 9)
        assert {event.session_id for event in heard} == {"talk"}
