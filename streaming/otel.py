"""Turns finished OpenTelemetry spans and a run's events into records and sends them to Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from streaming.messages import truncate
from streaming.producer import RecordProducer
from streaming.records import EVENT
from streaming.settings import StreamingSettings
from streaming.values import as_text

EventSink = Callable[[Mapping[str, Any]], None]

_TEXTS = {
    "agent": "gen_ai.agent.name",
    "session_id": "gen_ai.conversation.id",
    "operation": "gen_ai.operation.name",
    "model": "gen_ai.request.model",
    "tool": "gen_ai.tool.name",
    "stage": "tidemark.stage",
    "step": "tidemark.step",
}
_NUMBERS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cost_usd": "tidemark.cost_usd",
}
_CONTENT = {
    "input": ("gen_ai.input.messages", "gen_ai.tool.call.arguments"),
    "output": ("gen_ai.output.messages", "gen_ai.tool.call.result"),
}
_ERROR_LIMIT = 8_192
_MAPPED = {
    *_TEXTS.values(),
    *_NUMBERS.values(),
    *(name for names in _CONTENT.values() for name in names),
    "error.type",
}


def execution(span: ReadableSpan, settings: StreamingSettings) -> dict[str, Any]:
    """The execution record of a finished span: unmapped attributes go to `attributes`."""
    attributes = dict(span.attributes or {})
    context = span.get_span_context()
    record: dict[str, Any] = {
        "trace_id": format_trace_id(context.trace_id) if context else "",
        "span_id": format_span_id(context.span_id) if context else "",
        "parent_span_id": format_span_id(span.parent.span_id) if span.parent else "",
        "name": span.name,
        "started_at": _moment(span.start_time),
        "ended_at": _moment(span.end_time),
        "status": "error" if span.status.status_code is StatusCode.ERROR else "ok",
        "error": truncate(_error(span), _ERROR_LIMIT),
    }
    for field, name in _TEXTS.items():
        record[field] = attributes.get(name, "")
    for field, name in _NUMBERS.items():
        record[field] = attributes.get(name)
    for field, names in _CONTENT.items():
        content = next((attributes[name] for name in names if name in attributes), "")
        record[field] = _content(content, settings)
    record["attributes"] = {name: value for name, value in attributes.items() if name not in _MAPPED}
    return record


class RecordProcessor(SpanProcessor):
    """Sends each finished span as one execution record; what the traced code waits for is one append."""

    def __init__(self, producer: RecordProducer, settings: StreamingSettings) -> None:
        self._producer = producer
        self._settings = settings

    def on_end(self, span: ReadableSpan) -> None:
        if span.context and span.context.trace_flags.sampled:
            self._producer.send_built("execution", partial(execution, span, self._settings))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._producer.flush(timeout_millis / 1000)


def setup_tracing(settings: StreamingSettings, producer: RecordProducer) -> TracerProvider:
    """A tracer provider whose spans become execution records; shut it down before closing the producer.

    It is not made the process's global provider: the caller hands it on.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "tidemark"}))
    provider.add_span_processor(RecordProcessor(producer, settings))
    return provider


def event_sink(producer: RecordProducer, settings: StreamingSettings) -> EventSink:
    """A callable that sends a run's event (the event record's fields, as a mapping) on its way.

    A missing `event_id` or `occurred_at` is filled in; a `detail` that is no text becomes JSON. The sink
    keeps the mapping, which is not to be changed afterwards; what is none becomes a dead letter.
    """

    def send(event: Mapping[str, Any]) -> None:
        producer.send_built("event", partial(_event, event, datetime.now(UTC), settings))

    return send


@contextmanager
def telemetry(settings: StreamingSettings) -> Iterator[tuple[TracerProvider, EventSink]]:
    """Everything that a run needs to be recorded: `with telemetry(settings) as (provider, events): ...`.

    On leaving, spans and events are in Kafka or, after `flush_seconds`, on disk.
    """
    with RecordProducer(settings) as producer:
        provider = setup_tracing(settings, producer)
        try:
            yield provider, event_sink(producer, settings)
        finally:
            provider.shutdown()


def _event(event: Mapping[str, Any], now: datetime, settings: StreamingSettings) -> dict[str, Any]:
    record = {field.name: event.get(field.name) for field in EVENT.fields}
    record["event_id"] = record["event_id"] or uuid.uuid4().hex
    record["occurred_at"] = record["occurred_at"] or now
    return record | {"detail": _content(record["detail"], settings)}


def _content(value: Any, settings: StreamingSettings) -> str:
    if not settings.capture_content:
        return ""
    return truncate(value if isinstance(value, str) else as_text(value), settings.content_limit)


def _moment(nanoseconds: int | None) -> datetime | None:
    try:
        seconds, rest = divmod(nanoseconds or 0, 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000)
    except (OverflowError, ValueError, OSError):
        return None  # no clock says this; the stream refuses the record for it, with all its bytes


def _error(span: ReadableSpan) -> str:
    kind = as_text((span.attributes or {}).get("error.type"))
    return ": ".join(part for part in (kind, span.status.description or "") if part)
