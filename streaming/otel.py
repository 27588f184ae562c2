"""Turns finished OpenTelemetry spans into execution records and sends them to Kafka."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from streaming.errors import StreamingError
from streaming.producer import RecordProducer, truncate
from streaming.records import EVENT
from streaming.settings import StreamingSettings

log = logging.getLogger(__name__)

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
_NUMBERS: dict[str, tuple[str, type[int] | type[float]]] = {
    "input_tokens": ("gen_ai.usage.input_tokens", int),
    "output_tokens": ("gen_ai.usage.output_tokens", int),
    "cost_usd": ("tidemark.cost_usd", float),
}
_CONTENT = {
    "input": ("gen_ai.input.messages", "gen_ai.tool.call.arguments"),
    "output": ("gen_ai.output.messages", "gen_ai.tool.call.result"),
}
_ERROR_LIMIT = 8_192
_MAPPED = {
    *_TEXTS.values(),
    *(name for name, _ in _NUMBERS.values()),
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
        record[field] = _text(attributes.get(name, ""))
    for field, (name, type_) in _NUMBERS.items():
        record[field] = _number(attributes.get(name), type_)
    for field, names in _CONTENT.items():
        text = next((_text(attributes[name]) for name in names if name in attributes), "")
        record[field] = truncate(text, settings.content_limit) if settings.capture_content else ""
    record["attributes"] = {k: _text(v) for k, v in attributes.items() if k not in _MAPPED}
    return record


class RecordExporter(SpanExporter):
    """Sends each finished span as one execution record; never raises into the traced code."""

    def __init__(self, producer: RecordProducer, settings: StreamingSettings) -> None:
        self._producer = producer
        self._settings = settings

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            for span in spans:
                self._producer.send("execution", execution(span, self._settings))
        except StreamingError as error:
            log.error("spans were not recorded: %s", error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._producer.flush(timeout_millis / 1000)


def setup_tracing(settings: StreamingSettings, producer: RecordProducer) -> TracerProvider:
    """A tracer provider whose spans become execution records; shut it down before closing the producer.

    It is not made the process's global provider: the caller hands it on.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "tidemark"}))
    exporter = RecordExporter(producer, settings)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=500, max_queue_size=16_384)
    )
    return provider


def event_sink(producer: RecordProducer, settings: StreamingSettings | None = None) -> EventSink:
    """A callable that sends a run's event (the event record's fields, as a mapping) on its way.

    A missing `event_id` or `occurred_at` is filled in; a `detail` that is no text becomes JSON.
    """
    chosen = settings or StreamingSettings()

    def send(event: Mapping[str, Any]) -> None:
        detail = event.get("detail", "")
        text = detail if isinstance(detail, str) else orjson.dumps(detail, default=str).decode()
        record = {field.name: event.get(field.name) for field in EVENT.fields}
        record["event_id"] = event.get("event_id") or uuid.uuid4().hex
        record["occurred_at"] = event.get("occurred_at") or datetime.now(UTC)
        record["detail"] = truncate(text, chosen.content_limit) if chosen.capture_content else ""
        producer.send("event", record)

    return send


@contextmanager
def telemetry(settings: StreamingSettings | None = None) -> Iterator[tuple[TracerProvider, EventSink]]:
    """Everything that a run needs to be recorded: `with telemetry() as (provider, events): ...`.

    On leaving, spans and events are in Kafka or, after `flush_seconds`, on disk.
    """
    chosen = settings or StreamingSettings()
    with RecordProducer(chosen) as producer:
        provider = setup_tracing(chosen, producer)
        try:
            yield provider, event_sink(producer, chosen)
        finally:
            provider.shutdown()


def _moment(nanoseconds: int | None) -> datetime:
    seconds, rest = divmod(nanoseconds or 0, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000)


def _error(span: ReadableSpan) -> str:
    kind = str((span.attributes or {}).get("error.type", ""))
    return ": ".join(part for part in (kind, span.status.description or "") if part)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value, default=str).decode()


def _number(value: Any, type_: type[int] | type[float]) -> int | float | None:
    try:
        return None if value is None else type_(value)
    except (TypeError, ValueError):
        return None
