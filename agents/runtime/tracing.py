"""Spans of a run by OpenTelemetry's GenAI conventions; the SDK and its exporter are the caller's to install."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

CONTENT_LIMIT = 16_000


@contextmanager
def span(
    name: str, attributes: Mapping[str, str | int | float], kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """A current span; an exception that passes through marks it as failed, with type and message."""
    tracer = trace.get_tracer("tidemark.agents")
    with tracer.start_as_current_span(
        name, kind=kind, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            failed(current, error)
            raise


def agent_span(agent: str, session_id: str, **attributes: str) -> Any:
    """The root span of a run."""
    return span(f"invoke_agent {agent}", _base("invoke_agent", agent, session_id) | attributes)


def stage_span(agent: str, session_id: str, stage: str) -> Any:
    return span(f"invoke_agent {stage}", _base("invoke_agent", agent, session_id, stage))


def chat_span(agent: str, session_id: str, stage: str, step: str) -> Any:
    return span("chat", _base("chat", agent, session_id, stage, step), SpanKind.CLIENT)


def tool_span(agent: str, session_id: str, stage: str, tool: str, arguments: Mapping[str, Any]) -> Any:
    attributes = _base("execute_tool", agent, session_id, stage, "act") | {
        "gen_ai.tool.name": tool,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.arguments": capped(arguments),
    }
    return span(f"execute_tool {tool}", attributes)


def judge_span(agent: str, session_id: str, stage: str) -> Any:
    """The observe step: the scorer measures what the tools did. No GenAI operation has a name for it."""
    return span(f"judge {stage}", _base("", agent, session_id, stage, "observe"))


def describe_chat(current: Span, model: str, messages: Sequence[BaseMessage], answer: AIMessage) -> None:
    """Put the model, its messages and its token counts on a chat span."""
    usage = answer.usage_metadata
    current.update_name(f"chat {model}")
    current.set_attributes(
        {
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": usage["input_tokens"] if usage else 0,
            "gen_ai.usage.output_tokens": usage["output_tokens"] if usage else 0,
            "gen_ai.input.messages": capped([_message(message) for message in messages[-4:]]),
            "gen_ai.output.messages": capped([_message(answer)]),
        }
    )


def failed(current: Span, error: BaseException) -> None:
    current.set_attribute("error.type", type(error).__name__)
    current.set_status(Status(StatusCode.ERROR, str(error)))


def trace_id(current: Span) -> str:
    """The trace as 32 hex digits, empty when no tracer is installed."""
    context = current.get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def capped(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
    return text if len(text) <= CONTENT_LIMIT else text[:CONTENT_LIMIT] + " …(cut)"


def _base(operation: str, agent: str, session_id: str, stage: str = "", step: str = "") -> dict[str, str]:
    attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": session_id,
        "tidemark.stage": stage,
        "tidemark.step": step,
    }
    return {key: value for key, value in attributes.items() if value}


def _message(message: BaseMessage) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if isinstance(message, ToolMessage):
        parts.append({"type": "tool_call_response", "id": message.tool_call_id, "response": message.content})
        return {"role": "tool", "parts": parts}
    if message.content:
        parts.append({"type": "text", "content": message.content})
    if isinstance(message, AIMessage):
        parts += [
            {"type": "tool_call", "id": call["id"], "name": call["name"], "arguments": call["args"]}
            for call in message.tool_calls
        ]
    roles = {"human": "user", "ai": "assistant"}
    return {"role": roles.get(message.type, message.type), "parts": parts}
