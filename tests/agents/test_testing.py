"""The scripted model as LangChain sees it, and the clock that is set by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from agents.runtime.testing import FakeClock, Say, ScriptedModel


@tool
def find(text: str) -> str:
    """Find a text."""
    return text


def test_it_answers_by_script_with_calls_and_usage_and_records_what_it_was_asked() -> None:
    model = ScriptedModel([Say(calls=(("find", {"text": "x"}),), tokens=(900, 40), cached=100), Say("done")])
    first = model.bind_tools([find]).invoke([HumanMessage("go on")])
    second = asyncio.run(model.ainvoke([HumanMessage("go on"), first]))
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [("find", {"text": "x"})]
    assert first.usage_metadata is not None
    assert (first.usage_metadata["input_tokens"], first.usage_metadata["output_tokens"]) == (900, 40)
    assert first.usage_metadata["input_token_details"]["cache_read"] == 100
    assert (second.content, second.tool_calls) == ("done", [])
    assert [(len(asked.messages), asked.tools) for asked in model.asked] == [(1, ("find",)), (2, ())]


def test_a_function_of_the_question_may_be_the_script_and_may_raise() -> None:
    model = ScriptedModel(
        lambda asked: Say(str(asked.messages[-1].content)[::-1]) if asked.messages[-1].content else Say(
            error=ConnectionError("away"), tokens=None
        )
    )  # fmt: skip
    assert model.invoke("abc").content == "cba"
    with pytest.raises(ConnectionError, match="away"):
        model.invoke("")
    assert len(model.asked) == 2


def test_the_end_of_the_script_is_said() -> None:
    model = ScriptedModel([Say("one")])
    model.invoke("x")
    with pytest.raises(AssertionError, match="has 1 answers, and this is question 2"):
        model.invoke("x")


def test_delays_pass_on_the_clock_that_is_set_by_hand() -> None:
    clock = FakeClock(datetime(2026, 11, 21, tzinfo=UTC))
    ScriptedModel([Say("late", delay_s=86_400)], clock=clock).invoke("x")
    clock.advance(60)
    assert (clock(), clock.now()) == (86_460.0, datetime(2026, 11, 22, 0, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="does not run back"):
        clock.advance(-1)
