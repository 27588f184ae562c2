"""No record is lost: not a large one, not while Kafka is away, not when the process ends meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import Status, StatusCode

from streaming.errors import SpoolFull
from streaming.otel import telemetry
from streaming.producer import RecordProducer, to_message, truncate
from streaming.records import EVENT, EXECUTION, validate
from streaming.settings import StreamingSettings
from streaming.spool import Message, Spool
from streaming.topics import RECORD_LIMIT_BYTES, create_topics


def _spooled(settings: StreamingSettings) -> list[Message]:
    spool = Spool(settings.spool_dir, settings.spool_limit_bytes)
    return [message for segment in spool.take() for message in segment.messages()]


def _values(messages: list[Message], topic: str) -> list[dict[str, Any]]:
    return [json.loads(m.value) for m in messages if m.topic == topic]


@given(st.text(), st.integers(0, 50))
def test_truncation_keeps_whole_characters_and_says_the_size(text: str, limit: int) -> None:
    short = truncate(text, limit)
    size = len(text.encode("utf-8", "replace"))
    if size <= limit:
        assert short == text
    else:
        kept, _, said = short.rpartition("… ")
        assert text.startswith(kept)
        assert said == f"[{size} bytes]"


def test_a_large_record_loses_the_tail_of_its_content_only() -> None:
    message = to_message("execution", {"trace_id": "t", "input": "é" * 2**20, "output": "short"})
    record = json.loads(message.value)
    assert message.topic == EXECUTION.topic
    assert len(message.value) <= RECORD_LIMIT_BYTES
    assert record["input"].endswith("[2097152 bytes]")
    assert record["output"] == "short"


def test_a_record_that_is_large_elsewhere_becomes_a_dead_letter_with_reason_and_head() -> None:
    message = to_message("execution", {"trace_id": "t", "attributes": {"a": "x" * 2**21}})
    letter = json.loads(message.value)
    assert message.topic == "agent.dead_letters"
    assert validate("dead_letter", letter) is None
    assert "2097" in letter["reason"]
    assert base64.b64decode(letter["payload"]).startswith(b'{"trace_id":"t"')


def test_records_of_a_process_that_ends_without_kafka_are_on_disk_in_order(
    nowhere: StreamingSettings,
) -> None:
    with RecordProducer(nowhere) as producer:
        for number in range(500):
            producer.send("event", {"event_id": str(number)})
    assert [v["event_id"] for v in _values(_spooled(nowhere), EVENT.topic)] == [str(n) for n in range(500)]


def test_a_full_spool_is_an_error_not_a_loss_in_silence(nowhere: StreamingSettings) -> None:
    small = nowhere.model_copy(update={"spool_limit_bytes": 2_000})
    producer = RecordProducer(small)
    for number in range(50):
        producer.send("event", {"event_id": str(number), "detail": "x" * 100})
    with pytest.raises(SpoolFull, match="limit of 2000 bytes"):
        producer.close()


def test_spans_and_events_become_records(nowhere: StreamingSettings) -> None:
    with telemetry(nowhere) as (provider, events):
        tracer = provider.get_tracer("test")
        run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "analyst"}
        with tracer.start_as_current_span("invoke_agent", attributes=run):
            call = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "run_sql",
                "gen_ai.conversation.id": "session",
                "gen_ai.usage.input_tokens": 7,
                "tidemark.cost_usd": 0.5,
                "tidemark.stage": "sql",
                "tidemark.step": "act",
                "gen_ai.tool.call.arguments": '{"sql": "select 1"}',
                "error.type": "QueryError",
                "rows": 3,
            }
            with tracer.start_as_current_span("execute_tool run_sql", attributes=call) as span:
                span.set_status(Status(StatusCode.ERROR, "no such table"))
        events({"kind": "tool_called", "session_id": "session", "detail": {"tool": "run_sql"}})
    spooled = _spooled(nowhere)
    tool, root = _values(spooled, EXECUTION.topic)
    (event,) = _values(spooled, EVENT.topic)
    assert [validate("execution", tool), validate("execution", root), validate("event", event)] == [None] * 3
    assert (tool["parent_span_id"], tool["trace_id"]) == (root["span_id"], root["trace_id"])
    assert (tool["tool"], tool["stage"], tool["step"], tool["session_id"]) == (
        "run_sql",
        "sql",
        "act",
        "session",
    )
    assert (tool["status"], tool["error"]) == ("error", "QueryError: no such table")
    assert (tool["input_tokens"], tool["output_tokens"], tool["cost_usd"]) == (7, None, 0.5)
    assert (tool["input"], tool["attributes"]) == ('{"sql": "select 1"}', {"rows": "3"})
    assert (root["agent"], root["status"]) == ("analyst", "ok")
    assert json.loads(event["detail"]) == {"tool": "run_sql"}


def test_content_is_kept_out_when_asked(nowhere: StreamingSettings) -> None:
    with telemetry(nowhere.model_copy(update={"capture_content": False})) as (provider, events):
        with provider.get_tracer("test").start_as_current_span(
            "chat", attributes={"gen_ai.input.messages": "secret"}
        ):
            pass
        events({"kind": "thought_generated", "detail": "secret"})
    assert all(b"secret" not in message.value for message in _spooled(nowhere))


@pytest.mark.integration
def test_an_outage_in_the_middle_loses_and_doubles_nothing(broker: Any, read: Callable[..., Any]) -> None:
    settings = broker.settings
    create_topics(settings)
    sent = [f"outage-{n}" for n in range(600)]
    with RecordProducer(settings) as producer:
        for event in sent[:200]:
            producer.send("event", {"event_id": event, "session_id": "s"})
        assert producer.flush(20)
        broker.kill()
        for event in sent[200:400]:
            producer.send("event", {"event_id": event, "session_id": "s"})
    # The second process finds the first one's spool; Kafka comes back while it runs.
    with RecordProducer(settings) as producer:
        for event in sent[400:]:
            producer.send("event", {"event_id": event, "session_id": "s"})
        assert producer.spooling
        broker.start()
        assert producer.flush(30)
    received = [json.loads(m.value())["event_id"] for m in read(settings, EVENT.topic)]
    assert received == sent
    assert _spooled(settings) == []
