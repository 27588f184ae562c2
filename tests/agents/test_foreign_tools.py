"""Tools of others in a stage of ours, as they are; and one of ours in an agent that is none of ours."""

from __future__ import annotations

from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolArg, StructuredTool, ToolException, tool

from agents.runtime.door import run_sync
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.testing import Say, ScriptedModel
from agents.runtime.tools import Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work


class Seen(Work):
    results: tuple[Any, ...] = ()

    def reduce(self, call: ToolCall, result: Any) -> Seen:
        return self.having(results=(*self.results, result))


@tool
def add(numbers: list[int]) -> int:
    """A plain LangChain tool."""
    return sum(numbers)


async def _remote(**arguments: Any) -> tuple[list[dict[str, str]], dict[str, Any] | None]:
    if arguments["place"] == "nowhere":
        raise ToolException("there is no such place")
    return [{"type": "text", "text": f"sunny in {arguments['place']}"}], None


# As the adapter of MCP's tools makes them: async alone, a JSON schema, content and an artifact.
WEATHER = StructuredTool(
    name="weather",
    description="The weather.",
    args_schema={"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    coroutine=_remote,
    response_format="content_and_artifact",
)


def outcome_of(model: ScriptedModel) -> Outcome[Seen]:
    registry = ToolRegistry()
    registry.register(add)
    registry.register(WEATHER, effects={"reads"}, timeout_s=30)
    stage = Stage(
        "foreign", "go", Seen(), ("add", "weather"), "Go.", 1.0, 3,
        lambda work: Score(min(1.0, len(work.results) / 2)),
    )  # fmt: skip
    run = Run("tester", Session("talk"), "r", Models(AgentSettings(model=""), model), registry=registry)
    return run_sync(run_stage(stage, run), timeout_s=60)


def test_a_langchain_tool_and_one_of_mcp_run_in_a_stage_unchanged() -> None:
    calls = (("add", {"numbers": [1, 2]}), ("weather", {"place": "nowhere"}), ("weather", {"place": "Oslo"}))
    model = ScriptedModel([Say(calls=calls)])
    outcome = outcome_of(model)
    assert outcome.passed
    assert outcome.work.results == (3, [{"type": "text", "text": "sunny in Oslo"}])
    assert "there is no such place" in outcome.work.refusal("weather", {"place": "nowhere"})
    assert model.asked[0].tools == ("add", "weather")


class Counted(Result):
    words: int
    text: str

    def shown(self) -> str:
        return f"{self.words} words"


@tool
def count_words(
    text: str, context: Annotated[ToolContext[Any, Any] | None, InjectedToolArg] = None
) -> Counted:
    """Count words; without a stage around it, it has no context."""
    return Counted(words=len(text.split()), text=text if context is None else "in a stage")


def test_one_of_ours_runs_in_a_plain_langchain_agent() -> None:
    model = ScriptedModel([Say(calls=(("count_words", {"text": "a b c"}),)), Say("There are three.")])
    ended = create_agent(model, tools=[count_words]).invoke({"messages": [("user", "how many?")]})
    [told] = [message for message in ended["messages"] if isinstance(message, ToolMessage)]
    assert told.content == "3 words"
    assert ended["messages"][-1].content == "There are three."
    assert model.asked[0].tools == ("count_words",)
