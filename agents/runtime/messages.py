"""The messages of a stage's conversation, in forms that any provider takes and any checkpoint keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    InvalidToolCall,
    ToolCall,
    ToolMessage,
)

_INTEGERS = range(-(2**63), 2**63)


def kept(answer: AIMessage, turn: int) -> AIMessage:
    """A provider's answer as it can be kept: plain values, and every call with an id of its own."""
    return answer.model_copy(
        update={
            "content": plain(answer.content),
            "additional_kwargs": plain(answer.additional_kwargs),
            "response_metadata": plain(answer.response_metadata),
            "tool_calls": _named(plain(answer.tool_calls), f"call_{turn}"),
            "invalid_tool_calls": _named(plain(answer.invalid_tool_calls), f"bad_{turn}"),
        }
    )


def plain(value: Any) -> Any:
    """JSON values that every encoder takes: half a character (a cut emoji) becomes a question mark, an
    integer of more than 64 bits its digits.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int) and value not in _INTEGERS:
        return str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def calls(answer: AIMessage) -> list[ToolCall | InvalidToolCall]:
    """All that a model asked for; the calls whose arguments cannot be read come first."""
    return [*answer.invalid_tool_calls, *answer.tool_calls]


def newest(messages: Sequence[AnyMessage]) -> AIMessage:
    """The model's newest answer."""
    return next(message for message in reversed(messages) if isinstance(message, AIMessage))


def told(call: ToolCall | InvalidToolCall, content: str, *, refused: bool) -> ToolMessage:
    return ToolMessage(
        plain(content),
        tool_call_id=str(call["id"]),
        name=call["name"],
        status="error" if refused else "success",
    )


def idle(messages: Sequence[AnyMessage]) -> int:
    """How often in a row, to the end, a model was asked for a call and made none."""
    turns = 0
    for asked, answer in zip(reversed(messages), list(reversed(messages))[1:], strict=False):
        if isinstance(asked, HumanMessage) and isinstance(answer, AIMessage) and not calls(answer):
            turns += 1
        elif not isinstance(asked, AIMessage) or calls(asked):
            break
    return turns


def text(answer: AIMessage) -> str:
    return answer.content if isinstance(answer.content, str) else json.dumps(answer.content)


def _named(listed: Sequence[Any], prefix: str) -> list[Any]:
    """The calls, each with an id: some servers send none, or the same twice."""
    seen: set[str] = set()
    named = []
    for index, call in enumerate(listed):
        own = call["id"] if call["id"] and call["id"] not in seen else f"{prefix}_{index}"
        seen.add(own)
        named.append({**call, "id": own})
    return named
