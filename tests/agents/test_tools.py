"""The registry: any LangChain tool as it is, what it is given, what becomes of its result, its errors and of
one that hangs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Annotated, Any

import pytest
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, ToolException, tool
from pydantic import BaseModel, Field

from agents.runtime import eventloops
from agents.runtime.door import run_sync
from agents.runtime.errors import ToolError, TransientError
from agents.runtime.tools import Registered, Result, ToolContext, ToolRegistry, shown
from agents.runtime.work import ToolCall, Work


class Notes(Work):
    lines: tuple[str, ...] = ()


class Deps(BaseModel):
    suffix: str


Context = Annotated[ToolContext[Notes, Deps], InjectedToolArg]
CONTEXT = ToolContext(Notes(lines=("first",)), Deps(suffix="!"), "talk", "run-1")


class Counted(Result):
    lines: int
    text: str

    def shown(self) -> str:
        return f"{self.lines} lines"


@tool
def count(text: Annotated[str, Field(min_length=1)], context: Context) -> Counted:
    """Count the notes."""
    return Counted(lines=len(context.work.lines), text=f"{text}{context.deps.suffix}")


@tool
async def look(context: Context) -> list[str]:
    """Without arguments of its own."""
    return [*context.work.lines, context.session_id, context.run_id]


def called(given: BaseTool, context: Any = CONTEXT, arguments: Any = None, **properties: Any) -> Any:
    one = Registered(given, **properties)
    return run_sync(one.call(ToolCall(given.name, arguments or {}, "c1"), context))


def test_a_tool_gets_its_context_and_no_model_sees_or_forges_it() -> None:
    schema = Registered(count).schema["function"]
    assert schema["name"] == "count"
    assert set(schema["parameters"]["properties"]) == {"text"}
    forged = {"text": "a", "context": "something else"}
    assert called(count, arguments=forged) == Counted(lines=1, text="a!")
    assert called(look) == ["first", "talk", "run-1"]


def test_a_result_is_typed_shown_in_its_own_way_and_kept() -> None:
    one, result = Registered(count), Counted(lines=1, text="a")
    assert shown(result) == "1 lines"
    assert one.restored(one.kept(result)) == result
    # Elsewhere too: LangChain shows a model what it is as a text.
    message = count.invoke(
        {"name": "count", "args": {"text": "a", "context": CONTEXT}, "id": "1", "type": "tool_call"}
    )
    assert message.content == "1 lines"


@pytest.mark.parametrize("arguments", [{}, {"text": ""}, {"text": 5}])
def test_wrong_arguments_are_the_models_to_mend(arguments: Any) -> None:
    with pytest.raises(ToolError, match="count: text"):
        called(count, arguments=arguments)


@tool
def plain(numbers: list[int]) -> int:
    """Any LangChain tool."""
    return sum(numbers)


async def remote(**arguments: Any) -> tuple[list[dict[str, str]], dict[str, Any] | None]:
    """As MCP's adapters make them: async alone, a JSON schema, content and an artifact."""
    if arguments["place"] == "nowhere":
        raise ToolException("there is no such place")
    content = [{"type": "text", "text": "sunny"}, {"type": "text", "text": arguments["place"]}]
    return content, {"sky": "clear"} if arguments["place"] == "Lyon" else None


WEATHER = StructuredTool(
    name="weather",
    description="The weather.",
    args_schema={"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    coroutine=remote,
    response_format="content_and_artifact",
)


def test_tools_of_others_work_as_they_are() -> None:
    assert called(plain, arguments={"numbers": [1, 2]}) == 3
    assert called(WEATHER, arguments={"place": "Lyon"}) == {"sky": "clear"}
    told = called(WEATHER, arguments={"place": "Oslo"})
    assert shown(told) == "sunny\nOslo"
    assert Registered(WEATHER).schema["function"]["parameters"]["required"] == ["place"]
    with pytest.raises(ToolError, match="no such place"):
        called(WEATHER, arguments={"place": "nowhere"})


def test_a_tool_whose_annotations_name_what_is_not_there_works_all_the_same() -> None:
    async def odd(text: str) -> str:
        return f"{text} \ud83d"

    one = StructuredTool.from_function(coroutine=odd, name="odd", description="Odd.")
    odd.__annotations__["return"] = "Elsewhere"
    # Half a character, which no record can hold, is a question mark.
    assert called(one, arguments={"text": "cut"}) == "cut ?"


def test_what_only_may_work_later_is_tried_again_as_often_as_the_tool_says() -> None:
    tries: list[int] = []

    @tool
    def away() -> str:
        """Is away twice."""
        tries.append(1)
        if len(tries) < 3:
            raise TransientError("away")
        return "here"

    assert called(away, retries=2) == "here"
    tries.clear()
    with pytest.raises(TransientError, match="away"):
        called(away, retries=1)
    assert len(tries) == 2


def test_a_tool_that_hangs_is_given_up_counted_and_bounded() -> None:
    ends = threading.Event()

    @tool
    def hang() -> str:
        """Blocks a thread."""
        ends.wait()
        return "late"

    one = Registered(hang, timeout_s=0.02)
    threads = threading.active_count()

    async def call() -> str:
        with pytest.raises((ToolError, TransientError)) as given_up:
            await one.call(ToolCall("hang", {}), CONTEXT)
        return str(given_up.value)

    said = [run_sync(call()) for _ in range(10)]
    assert "gave no result within 0.02 s" in said[0]
    assert "8 earlier calls of hang were given up" in said[-1]
    assert (one.given_up, threading.active_count() - threads) == (8, 8)
    ends.set()
    while one.given_up:
        time.sleep(0.001)


@pytest.mark.parametrize("block", ["sleeps", "computes"])
def test_a_coroutine_that_blocks_is_given_up_and_holds_neither_the_run_nor_another_tool(
    block: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(eventloops, "PATIENCE_S", 0.02)
    ends = threading.Event()

    @tool
    async def crunch() -> str:
        """Never lets its loop go on."""
        while not ends.wait(60 if block == "sleeps" else 0):
            pass
        return "late"

    one, other = Registered(crunch, timeout_s=0.2), Registered(look)

    async def both() -> tuple[str, Any]:
        with pytest.raises(ToolError) as given_up:
            await one.call(ToolCall("crunch", {}), CONTEXT)
        return str(given_up.value), await other.call(ToolCall("look", {}), CONTEXT)

    try:
        said, seen = run_sync(both(), timeout_s=30)
        assert "gave no result within 0.2 s" in said
        assert seen == ["first", "talk", "run-1"]
        assert "crunch blocks the event loop for tools" in caplog.text
        assert one.given_up == 1
        while block == "sleeps" and one.given_up < 8:
            with pytest.raises(ToolError):
                run_sync(one.call(ToolCall("crunch", {}), CONTEXT))
        if block == "sleeps":
            with pytest.raises(TransientError, match="8 earlier calls of crunch were given up"):
                run_sync(one.call(ToolCall("crunch", {}), CONTEXT))
    finally:
        ends.set()
    while one.given_up or sum(thread.name == "tools" for thread in threading.enumerate()) > 1:
        time.sleep(0.001)
    assert called(look) == seen


def test_what_a_tool_opened_on_its_loop_works_in_its_next_call_and_in_the_next_run() -> None:
    """As a client's connections do, which are kept from one call to the next."""
    lock: list[asyncio.Queue[str]] = []

    @tool
    async def keep() -> str:
        """Uses what belongs to one event loop."""
        if not lock:
            lock.append(asyncio.Queue())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(lock[0].get(), 0.001)
        asyncio.get_running_loop().call_soon(lock[0].put_nowait, "kept")
        return await lock[0].get()

    assert [called(keep) for _ in range(3)] == ["kept"] * 3


def test_a_coroutine_that_does_not_heed_its_cancel_is_left_behind() -> None:
    @tool
    async def deaf() -> str:
        """Goes on whatever it is told."""
        for _ in range(1000):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        return "never"

    one = Registered(deaf, timeout_s=0.02)
    with pytest.raises(ToolError, match="gave no result"):
        run_sync(one.call(ToolCall("deaf", {}), CONTEXT))
    assert one.given_up == 1
    with pytest.raises(ToolError, match="what it changes may have happened"):
        called(deaf, timeout_s=0.02, effects={"writes"})


def test_one_name_is_one_tool() -> None:
    registry = ToolRegistry()
    registry.register(count, version="2", effects={"reads"})
    assert registry.register(count) is count
    with pytest.raises(ValueError, match="a tool 'count' already"):
        registry.register(StructuredTool.from_function(len, name="count", description="Other."))
    with pytest.raises(ValueError, match="no tool is registered as counted; known: count"):
        registry.named(["counted"])


@pytest.mark.parametrize(
    ("properties", "approval", "alone"),
    [
        ({}, False, False),
        ({"effects": {"reads", "costs_money"}}, False, False),
        ({"effects": {"writes"}}, True, True),
        ({"effects": {"runs_code"}, "approval": False}, False, True),
        ({"effects": {"reads"}, "approval": True}, True, False),
    ],
)
def test_what_changes_something_waits_for_a_person_unless_it_is_said(
    properties: Any, approval: bool, alone: bool
) -> None:
    one = Registered(plain, **properties)
    assert (one.needs_approval, one.changes) == (approval, alone)
