"""A model behind OpenAI's protocol that fails in every way: what is asked again, what the rules take over,
and when a provider is left alone.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.outputs import ChatResult
from langchain_core.tools import InjectedToolArg, tool

from agents.runtime.breaker import CALLS_AT_ONCE, Breaker
from agents.runtime.door import run_sync
from agents.runtime.errors import ModelError
from agents.runtime.events import Event, EventStream
from agents.runtime.failures import judge
from agents.runtime.loop import run_stage
from agents.runtime.models import Models, Thought
from agents.runtime.provider import ATTEMPTS
from agents.runtime.rules import RULES, Move
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.steps import open_steps
from agents.runtime.tools import Registered, Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work

Choose = Callable[..., Models]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
NAMES = count()


def think(choice: Models, said: str = "go on", purpose: str = "look", failed: int = 0) -> Thought:
    async def rules() -> Move:
        return Move("by the rules", (("look", {}),))

    asked = choice.think([HumanMessage(said)], [TOOL], rules, purpose=purpose, failed=failed)
    return asyncio.run(asked)


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Opens a choice of the server's model by a name that no other test's breaker knows."""

    def choose_(url: str, **more: Any) -> Models:
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        monkeypatch.setenv("OPENAI_API_BASE", url)
        patience = {"model_timeout_s": 20.0, "model_backoff_s": 0.001, "model_cooldown_s": 3600.0}
        return Models(AgentSettings(**{"model": f"openai:test-{next(NAMES)}", **patience, **more}))

    return choose_


def look(_: Any) -> list[Any]:
    return [("look", {})]


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 429, "headers": {"retry-after": "0"}},
        {"status": 429, "headers": {"retry-after": "soon"}},
        {"status": 408},
        {"status": 500},
        {"status": 529},
        {"body": b'{"choices": [{"mess'},
        {"cut": True},
    ],
)
def test_what_may_go_through_again_is_asked_again(
    model_server: Any, choose: Choose, failure: dict[str, Any]
) -> None:
    with model_server(look, failures=[failure, failure]) as server:
        choice = choose(server.url)
        thought = think(choice)
        assert (thought.fallback, thought.model, len(server.requests)) == ("", choice.name, 3)


@pytest.mark.parametrize(("status", "left_alone"), [(400, False), (422, False), (401, True), (404, True)])
def test_what_cannot_go_through_is_not_asked_again(
    model_server: Any, choose: Choose, status: int, left_alone: bool
) -> None:
    """A bad request is its own fault; a key that is not accepted is so for all."""
    with model_server(look, failures=[{"status": status}]) as server:
        choice = choose(server.url)
        first, second = think(choice), think(choice)
        assert first.model == RULES
        assert str(status) in first.fallback
        assert (second.model == RULES) is left_alone
        assert len(server.requests) == (1 if left_alone else 2)


def test_a_provider_asks_for_more_time_than_a_call_has(model_server: Any, choose: Choose) -> None:
    hold = {"status": 429, "headers": {"retry-after": "7200"}}
    with model_server(look, failures=[hold]) as server:
        choice = choose(server.url)
        assert think(choice).model == RULES
        assert "not asked for another 7" in think(choice).fallback
        assert len(server.requests) == 1


def test_a_refused_connection_and_a_late_answer_cost_one_deadline_a_cooldown(
    model_server: Any, choose: Choose
) -> None:
    refused = choose("http://127.0.0.1:1/v1")
    assert f"asked {ATTEMPTS} times" in think(refused).fallback
    assert "not asked for another 3" in think(refused).fallback
    with model_server(look, delay=1.0) as server:
        slow = choose(server.url, model_timeout_s=0.2)
        # The deadline is the client's too, and either may see it first.
        assert re.search(r"gave no answer within 0\.2 s|timed out", think(slow).fallback)
        for _ in range(5):
            assert "not asked for another" in think(slow).fallback
        assert len(server.requests) == 1


def test_all_runs_of_a_process_leave_a_provider_alone_and_find_it_again(
    model_server: Any, choose: Choose
) -> None:
    with model_server(look, failures=[{"status": 500}] * ATTEMPTS) as server:
        name = f"openai:shared-{next(NAMES)}"
        assert think(choose(server.url, model=name, model_cooldown_s=0.001)).model == RULES
        again = think(choose(server.url, model=name))
        assert (again.fallback, len(server.requests)) == ("", ATTEMPTS + 1)


def test_one_call_tries_a_provider_that_was_out_while_the_others_do_not() -> None:
    now = [0.0]
    breaker = Breaker(60.0, clock=lambda: now[0])
    with pytest.raises(ModelError, match="down"), breaker.call():
        raise ModelError("down", out=True)
    with pytest.raises(ModelError, match="another 60 s: down"), breaker.call():
        pytest.fail("it was asked in its cool-down")
    now[0] = 61.0
    with breaker.call(), pytest.raises(ModelError, match="another call tries it"), breaker.call():
        pytest.fail("it was asked by two")
    with pytest.raises(ModelError, match="down again"), breaker.call():
        raise ModelError("down again", out=True)
    now[0] = 122.0
    with pytest.raises(KeyboardInterrupt), breaker.call():
        raise KeyboardInterrupt
    with breaker.call():
        pass
    with breaker.call(), breaker.call():
        pass


class Deaf(BaseChatModel):
    """A provider whose calls do not end before they are let go."""

    ends: Any

    @property
    def _llm_type(self) -> str:
        return "deaf"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        self.ends.wait()
        raise ConnectionError("let go")


def test_calls_that_never_end_do_not_pile_up() -> None:
    ends = threading.Event()
    before = threading.active_count()
    settings = AgentSettings(model="", model_timeout_s=0.01, model_cooldown_s=1e-9)
    choice = Models(settings, Deaf(ends=ends))
    try:
        said = [think(choice).fallback for _ in range(CALLS_AT_ONCE + 5)]
        assert threading.active_count() - before <= CALLS_AT_ONCE
        assert "too many earlier calls have not ended" in said[-1]
    finally:
        ends.set()


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("2.5", 2.5, 2.5),
        ("-1", 0, 0),
        ("nan", 0, 0),
        ("inf", 86_400, 86_400),
        ("", 0, 0),
        ("date", 3_000, 3_600),
    ],
)
def test_the_time_that_a_provider_names(header: str, least: float, most: float) -> None:
    if header == "date":
        header = format_datetime(datetime.now(UTC) + timedelta(hours=1))
    request = httpx.Request("POST", "http://127.0.0.1")
    answer = httpx.Response(429, headers={"retry-after": header}, request=request)
    error = httpx.HTTPStatusError("too many", request=request, response=answer)
    assert least <= judge(error).wait_s <= most


class Text(Result):
    text: str


class Notes(Work):
    found: str = ""
    written: str = ""

    def reduce(self, call: ToolCall, result: Any) -> Notes:
        return self.having(**{"found" if call.name == "find" else "written": result.text})


@tool
def find(text: str) -> Text:
    """Find."""
    return Text(text=text)


@tool
def write(text: str, context: Annotated[ToolContext[Notes, None], InjectedToolArg]) -> Text:
    """Write."""
    return Text(text=f"{text} of {context.work.found}")


TOOLS = ToolRegistry(Registered(one) for one in (find, write))


def stage() -> Stage[Notes]:
    """Find a text, then write it down: whoever makes a move, the next follows from the notes."""

    def move(work: Notes) -> Move:
        if not work.found:
            return Move("find", (("find", {"text": "by the rules"}),))
        return Move("write", (("write", {"text": work.found}),))

    score: Callable[[Notes], Score] = lambda work: Score(float(bool(work.written)))  # noqa: E731
    return Stage("notes", "note", Notes(), ("find", "write"), "Note.", 0.9, 6, score, move)


def by_model(messages: list[dict[str, Any]]) -> list[Any]:
    told = [message for message in messages if message["role"] == "tool"]
    return [("write", {"text": "said"})] if told else [("find", {"text": "by the model"})]


def run(choice: Models, kept: Any = None) -> tuple[Outcome[Notes], list[Event]]:
    events: list[Event] = []
    asked = Run(
        "tester", Session("talk"), "run-1", choice,
        registry=TOOLS, stream=EventStream(events.append), checkpoints=kept,
    )  # fmt: skip
    return run_sync(run_stage(stage(), asked)), events


@pytest.mark.parametrize(
    ("failures", "written", "fallback"),
    [
        ([], "said of by the model", ""),
        ([{"status": 400}], "said of by the rules", "rules for 1 of 2 chats"),
        ([None, {"status": 400}], "by the model of by the model", "rules for 1 of 2 chats"),
        ([{"body": b'"no completion"'}], "said of by the rules", "rules for 1 of 2 chats"),
    ],
)
def test_the_rules_make_the_call_that_fails_and_no_other(
    model_server: Any, choose: Choose, failures: list[Any], written: str, fallback: str
) -> None:
    with model_server(by_model, failures=failures) as server:
        outcome, events = run(choose(server.url))
    assert outcome.work.written == written
    assert outcome.fallback.startswith(fallback)
    assert len(server.requests) == 2
    said = [event.detail for event in events if event.kind == "thought_generated"]
    assert sum('"model": "rules"' in detail for detail in said) == len([f for f in failures if f])


@pytest.mark.parametrize("arguments", ['{"text": ', "", "null", "{}", '{"text": 5}', '{"other": "x"}'])
def test_arguments_that_cannot_be_read_are_the_models_to_mend(
    model_server: Any, choose: Choose, arguments: str
) -> None:
    def script(messages: list[dict[str, Any]]) -> list[Any]:
        told = [message for message in messages if message["role"] == "tool"]
        # As the provider itself would, the server refuses an answer to a call that was not made.
        made = [call["id"] for message in messages for call in message.get("tool_calls") or []]
        assert made == [message["tool_call_id"] for message in told]
        return by_model(messages[:2] + told[1:]) if told else [("find", arguments)]

    with model_server(script) as server:
        outcome, events = run(choose(server.url))
    assert (outcome.passed, outcome.fallback) == (True, ""), events
    assert outcome.work.written.startswith("said of ")


@pytest.mark.parametrize("text", [str(2**70), '"cut \\ud83d"'])
def test_values_that_no_checkpoint_can_hold_come_as_plain_ones(
    model_server: Any, choose: Choose, tmp_path: Path, text: str
) -> None:
    def script(messages: list[dict[str, Any]]) -> list[Any]:
        return [("find", f'{{"text": {text}}}'), *by_model(messages)]

    with model_server(script) as server, open_steps(tmp_path, "r") as kept:
        outcome, _ = run(choose(server.url), kept.checkpoints)
    assert (outcome.passed, outcome.fallback) == (True, "")


def test_a_model_that_calls_no_tool_is_asked_twice_and_then_replaced_for_one_call(
    model_server: Any, choose: Choose
) -> None:
    with model_server(lambda messages: [] if len(messages) < 7 else by_model(messages)) as server:
        outcome, _ = run(choose(server.url))
    assert outcome.work.written == "said of by the rules"
    assert "called no tool twice in a row" in outcome.fallback
    assert outcome.iterations == 4
