"""A chat model that answers by script and a clock that is set by hand: for tests of agents, ours and yours.

model = ScriptedModel([Say(calls=(("find", {"text": "x"}),)), Say("done", tokens=(900, 40))])
...
assert model.asked[1].tools == ("find", "write")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr


@dataclass(frozen=True)
class Say:
    """One answer: a text, tool calls as (tool, arguments), or an error that is raised in its place.

    `tokens` are what it says that it used, sent and received (None: it does not say); of those sent,
    `cached` were read from its cache. It comes after `delay_s`.
    """

    text: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    error: Exception | None = None
    delay_s: float = 0.0
    tokens: tuple[int, int] | None = (100, 20)
    cached: int = 0


@dataclass(frozen=True)
class Asked:
    """What the model was asked: the messages, and the names of the tools that it was offered."""

    messages: tuple[BaseMessage, ...]
    tools: tuple[str, ...]


Script = Sequence[Say] | Callable[[Asked], Say]


class ScriptedModel(BaseChatModel):
    """A LangChain chat model: one `Say` after another, or what a function of the question says."""

    name: str | None = "scripted"
    _script: Script = PrivateAttr()
    _asked: list[Asked] = PrivateAttr(default_factory=list)
    _clock: FakeClock | None = PrivateAttr(default=None)

    def __init__(self, script: Script, *, clock: FakeClock | None = None, **more: Any) -> None:
        """With a clock, delays pass on it and take no time."""
        super().__init__(**more)
        self._script = script
        self._clock = clock

    @property
    def asked(self) -> list[Asked]:
        """All questions so far, those that ended in an error or were given up too."""
        return self._asked

    @property
    def model_name(self) -> str:
        return self.name or "scripted"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        names = tuple(tool["function"]["name"] for tool in kwargs.get("tools", ()))
        asked = Asked(tuple(messages), names)
        self._asked.append(asked)
        turn = len(self._asked)
        said = self._next(asked, turn)
        if said.delay_s:
            await (self._clock.sleep if self._clock else asyncio.sleep)(said.delay_s)
        if said.error is not None:
            raise said.error
        calls = [
            {"name": name, "args": dict(arguments), "id": f"said_{turn}_{number}"}
            for number, (name, arguments) in enumerate(said.calls)
        ]
        answer = AIMessage(content=said.text, tool_calls=calls, usage_metadata=_usage(said))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _next(self, asked: Asked, turn: int) -> Say:
        if callable(self._script):
            return self._script(asked)
        if turn > len(self._script):
            raise AssertionError(f"the script has {len(self._script)} answers, and this is question {turn}")
        return self._script[turn - 1]


def _usage(said: Say) -> UsageMetadata | None:
    if said.tokens is None:
        return None
    sent, received = said.tokens
    return UsageMetadata(
        input_tokens=sent,
        output_tokens=received,
        total_tokens=sent + received,
        input_token_details=InputTokenDetails(cache_read=said.cached),
    )


class FakeClock:
    """A clock that stands until it is advanced: called, it is a monotonic one; `now` is the moment, UTC."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def __call__(self) -> float:
        return self._passed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"time does not run back: {seconds}")
        self._passed += seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep on this clock: it is later at once, and others get their turn."""
        self.advance(seconds)
        await asyncio.sleep(0)
