"""The calls of one answer: side by side or in their order, reduced in their order, and none made twice when
the process is killed among them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import BaseTool, InjectedToolArg, tool

from agents.runtime.approval import granted
from agents.runtime.door import run_sync
from agents.runtime.errors import TransientError
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.steps import open_steps
from agents.runtime.tools import Effect, Registered, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work


class Seen(Work):
    """What the calls gave, in the order of the calls."""

    names: tuple[str, ...] = ()
    last: str = ""

    def reduce(self, call: ToolCall, result: Any) -> Seen:
        return self.having(names=(*self.names, result), last=call.name)


def stage(*calls: str) -> Stage[Seen]:
    """One answer with these calls, each of one letter."""
    moves = tuple((name, {"letter": letter}) for name, letter in (call.split() for call in calls))
    return Stage(
        "letters", " ".join(calls), Seen(), ("ask", "put"), "Letters.", 0.9, 1,
        lambda work: Score(min(1.0, len(work.names) / len(calls))), lambda work: Move("all", moves),
    )  # fmt: skip


def run(given: Stage[Seen], *tools: BaseTool, **more: Any) -> Outcome[Seen]:
    effects: dict[str, tuple[Effect, ...]] = {"ask": ("reads",), "put": ("writes",)}
    registry = ToolRegistry(Registered(one, effects=effects[one.name], approval=False) for one in tools)
    asked = Run("tester", Session("talk"), "r", Models(AgentSettings(model="")), registry=registry, **more)
    return run_sync(run_stage(given, asked))


@tool
async def put(letter: str, context: Annotated[ToolContext[Seen, None], InjectedToolArg]) -> str:
    """Changes something: it needs what those before it left."""
    return f"{letter} after {len(context.work.names)}"


def test_calls_that_change_nothing_go_side_by_side_and_are_reduced_in_their_order() -> None:
    met = asyncio.Barrier(3)

    @tool
    async def ask(letter: str) -> str:
        """Ends when three are under way, the first last."""
        await met.wait()
        for _ in range({"a": 20, "b": 10}.get(letter, 0)):
            await asyncio.sleep(0)
        return letter

    outcome = run(stage("ask a", "ask b", "ask c"), ask, put)
    assert outcome.work == Seen(names=("a", "b", "c"), last="ask")
    assert outcome.spent.tool_calls == 3


def test_one_that_changes_something_is_made_alone_on_what_those_before_it_left() -> None:
    under_way: list[str] = []

    @tool
    async def ask(letter: str) -> str:
        """Says who is under way besides it."""
        under_way.append(letter)
        await asyncio.sleep(0.001)
        found = "".join(sorted(under_way))
        under_way.remove(letter)
        return found

    outcome = run(stage("ask a", "put x", "put y", "ask b"), ask, put)
    assert outcome.work.names == ("a", "x after 1", "y after 2", "b")


def test_when_one_fails_the_others_end_and_are_kept(tmp_path: Path) -> None:
    made: list[str] = []
    broken = ["b"]

    @tool
    async def ask(letter: str) -> str:
        """Fails once, before the others have ended."""
        made.append(letter)
        if letter in broken:
            broken.clear()
            raise TransientError("away")
        await asyncio.sleep(0.02)
        return letter

    with open_steps(tmp_path, "r") as kept, pytest.raises(TransientError, match="away"):
        run(stage("ask a", "ask b", "ask c"), ask, put, checkpoints=kept.checkpoints)
    with open_steps(tmp_path, "r") as kept:
        outcome = run(stage("ask a", "ask b", "ask c"), ask, put, checkpoints=kept.checkpoints)
    assert outcome.work.names == ("a", "b", "c")
    assert made == ["a", "b", "c", "b"]


@pytest.mark.parametrize("calls", [("ask a", "ask b", "ask c"), ("ask a", "put b", "ask c")])
def test_killed_when_two_of_three_have_ended_only_the_third_is_made_again(
    tmp_path: Path, calls: tuple[str, ...]
) -> None:
    log = tmp_path / "made"

    def tools(*, mortal: bool) -> tuple[BaseTool, BaseTool]:
        async def made(letter: str) -> str:
            if letter == "c":
                # When what ended before has been kept.
                await asyncio.sleep(0.2 if mortal else 0)
                if mortal:
                    os.kill(os.getpid(), signal.SIGKILL)
            with log.open("a") as file:
                file.write(letter)
            return letter

        @tool
        async def ask(letter: str) -> str:
            """Reads."""
            return await made(letter)

        @tool
        async def put(letter: str) -> str:
            """Writes."""
            return await made(letter)

        return ask, put

    child = os.fork()
    if not child:
        with open_steps(tmp_path, "r") as kept:
            run(stage(*calls), *tools(mortal=True), checkpoints=kept.checkpoints)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert sorted(log.read_text()) == ["a", "b"]
    with open_steps(tmp_path, "r") as kept:
        outcome = run(stage(*calls), *tools(mortal=False), checkpoints=kept.checkpoints)
    assert outcome.work.names == ("a", "b", "c")
    assert sorted(log.read_text()) == ["a", "b", "c"]


def test_a_call_that_needs_a_person_is_refused_until_one_allowed_it_and_then_made_once() -> None:
    made: list[str] = []

    @tool
    async def put(letter: str) -> str:
        """Writes."""
        made.append(letter)
        return letter

    calls = stage("put a", "put b", "put a")
    registry = ToolRegistry([Registered(put, effects={"writes"}), Registered(ask_nothing)])
    allowed = frozenset({granted("ask", ToolCall("put", {"letter": "a"}).key)})
    asked = Run(
        "tester", Session("talk"), "r", Models(AgentSettings(model="")), registry=registry, approved=allowed
    )
    outcome = run_sync(run_stage(calls, asked))
    assert made == ["a"]
    assert "needs a person's approval" in outcome.work.refusal("put", {"letter": "b"})
    # Side by side too: an approval is for one call.
    side_by_side = ToolRegistry([Registered(put, approval=True), Registered(ask_nothing)])
    made.clear()
    run_sync(run_stage(calls, replace(asked, registry=side_by_side)))
    assert made == ["a"]


@tool("ask")
async def ask_nothing(letter: str) -> str:
    """Is not asked."""
    raise AssertionError
