"""The rule-based chat model: a LangChain chat model that makes a policy's moves instead of guessing them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

RULES = "rules"


@dataclass(frozen=True)
class Move:
    """What to do next: a thought, and the tool calls that follow from it as (tool, arguments)."""

    thought: str
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=())


Policy = Callable[[Sequence[BaseMessage]], Move]


class RuleModel(BaseChatModel):
    """Deterministic: the same messages give the same move, and it uses no tokens."""

    policy: Policy

    @property
    def _llm_type(self) -> str:
        return RULES

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        move = self.policy(messages)
        message = AIMessage(
            content=move.thought,
            tool_calls=[
                {"name": name, "args": dict(arguments), "id": f"call_{len(messages)}_{index}"}
                for index, (name, arguments) in enumerate(move.calls)
            ],
            usage_metadata={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
            response_metadata={"model_name": RULES},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def last_result(messages: Sequence[BaseMessage], tool: str) -> Any | None:
    """What the tool answered last (JSON decoded), or None when it has not answered or refused."""
    for message in reversed(messages):
        if isinstance(message, ToolMessage) and message.name == tool:
            return None if message.status == "error" else json.loads(str(message.content))
    return None


def last_error(messages: Sequence[BaseMessage], tool: str) -> str:
    """The error that the tool's newest message reports, or an empty string."""
    for message in reversed(messages):
        if isinstance(message, ToolMessage) and message.name == tool:
            return str(message.content) if message.status == "error" else ""
    return ""


def after(messages: Sequence[BaseMessage], tool: str) -> Sequence[BaseMessage]:
    """The messages that follow the tool's newest one."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, ToolMessage) and message.name == tool:
            return messages[index + 1 :]
    return messages
