"""Spans of a run by OpenTelemetry's GenAI conventions; the caller installs the SDK and its exporter."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

CONTENT_LIMIT = 16_000
_log = logging.getLogger(__name__)


class Spans:
    """The spans of one run of one agent; without a provider the process's own is used, if it has one."""

    def __init__(
        self, agent: str, session_id: str, run_id: str, provider: TracerProvider | None = None
    ) -> None:
        self._base = {
            "gen_ai.agent.name": agent,
            "gen_ai.conversation.id": session_id,
            "tidemark.run_id": run_id,
        }
        self._agent = agent
        self._tracer = trace.get_tracer("tidemark.agents", tracer_provider=provider)

    def run(self, question: str) -> AbstractContextManager[Span]:
        """The root span of a run."""
        message = [{"role": "user", "parts": [{"type": "text", "content": question}]}]
        return self._open(
            f"invoke_agent {self._agent}",
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": capped(message)},
        )

    def stage(self, stage: str) -> AbstractContextManager[Span]:
        return self._open(
            f"invoke_agent {stage}", {"gen_ai.operation.name": "invoke_agent", "tidemark.stage": stage}
        )

    def chat(self, stage: str, step: str) -> AbstractContextManager[Span]:
        attributes = {"gen_ai.operation.name": "chat", "tidemark.stage": stage, "tidemark.step": step}
        return self._open("chat", attributes, SpanKind.CLIENT)

    def tool(self, stage: str, tool: str, arguments: Mapping[str, Any]) -> AbstractContextManager[Span]:
        return self._open(
            f"execute_tool {tool}",
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": tool,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.arguments": capped(arguments),
                "tidemark.stage": stage,
                "tidemark.step": "act",
            },
        )

    def judge(self, stage: str) -> AbstractContextManager[Span]:
        """The observe step: the scorer measures what the tools did. No GenAI operation has a name for it."""
        return self._open(f"judge {stage}", {"tidemark.stage": stage, "tidemark.step": "observe"})

    def approval(self, name: str) -> AbstractContextManager[Span]:
        """A person's decision. It takes no time of the run's: who decided and when is in its attributes."""
        return self._open(f"approval {name}", {})

    @contextmanager
    def _open(
        self, name: str, attributes: Mapping[str, str], kind: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes={**self._base, **attributes},
            record_exception=False,
            set_status_on_exception=False,
            end_on_exit=False,
        ) as current:
            try:
                yield current
            except (Exception, asyncio.CancelledError) as error:
                failed(current, error)
                raise
            finally:
                _end(current)


def _end(current: Span) -> None:
    """End a span: what an exporter raises then is not the run's fault, and must not become its end."""
    try:
        current.end()
    except Exception as error:
        _log.warning("a span is lost, for its processor failed: %r", error)


def describe_chat(
    current: Span, model: str, messages: Sequence[BaseMessage], answer: AIMessage, cost_usd: float | None
) -> None:
    """Put the model, its messages, its token counts and, where it is known, its cost on a chat span."""
    usage = answer.usage_metadata
    current.update_name(f"chat {model}")
    if cost_usd is not None:
        current.set_attribute("tidemark.cost_usd", cost_usd)
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
