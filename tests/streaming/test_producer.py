"""No record is lost: not a large one, not while Kafka is away, not when the process ends meanwhile."""

from __future__ import annotations

import base64
import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.trace import Status, StatusCode

from streaming.ddl import json_schema
from streaming.messages import to_message, truncate
from streaming.otel import telemetry
from streaming.producer import RecordProducer
from streaming.records import DEAD_LETTER, EVENT, EXECUTION, validate
from streaming.settings import StreamingSettings
from streaming.spool import Message, Spool
from streaming.topics import RECORD_LIMIT_BYTES

_TIME = "2026-11-21T10:00:00.000001Z"
_text = st.text(st.characters(codec=None, categories=None))
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), _text,
        st.datetimes(timezones=st.just(UTC)), st.just(object()), st.integers().map(lambda n: 2**62 * n),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(_text, st.integers()), inner)),
    max_leaves=8,
)  # fmt: skip


def _spooled(settings: StreamingSettings) -> list[Message]:
    spool = Spool(settings.spool_dir, settings.spool_limit_bytes)
    segments = list(iter(spool.take, None))
    messages = [message for segment in segments for message in segment.read()[0]]
    for segment in segments:
        segment.release()
    return messages


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
    message, _ = to_message("execution", {"trace_id": "t", "input": "é" * 2**20, "output": "short"})
    record = json.loads(message.value)
    assert message.topic == EXECUTION.topic
    assert len(message.value) <= RECORD_LIMIT_BYTES
    assert record["input"].endswith("[2097152 bytes]")
    assert record["output"] == "short"


def test_a_record_that_is_large_elsewhere_becomes_a_dead_letter_with_reason_and_head() -> None:
    message, _ = to_message("execution", {"trace_id": "t", "attributes": {"a": "x" * 2**21}})
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


def test_a_caller_in_a_loop_waits_for_the_disk_and_loses_nothing(nowhere: StreamingSettings) -> None:
    with RecordProducer(nowhere) as producer:
        for number in range(40_000):
            producer.send("event", {"event_id": str(number)})
    assert producer.counts["dropped"] == 0
    assert [v["event_id"] for v in _values(_spooled(nowhere), EVENT.topic)] == [str(n) for n in range(40_000)]


def test_a_full_spool_raises_into_nobody_and_says_how_much_it_dropped(nowhere: StreamingSettings) -> None:
    small = nowhere.model_copy(update={"spool_limit_bytes": 20_000})
    with telemetry(small) as (provider, events):
        for number in range(100):
            with provider.get_tracer("test").start_as_current_span("x" * 100):
                events({"event_id": str(number), "kind": "k", "detail": "x" * 100})
    spooled = _spooled(small)
    kept = Counter(m.topic for m in spooled)
    letters = _values(spooled, DEAD_LETTER.topic)
    said = {letter["source_topic"]: int(letter["reason"].split()[0]) for letter in letters}
    assert said == {topic: 100 - kept[topic] for topic in (EXECUTION.topic, EVENT.topic)}
    assert all(validate("dead_letter", letter) is None for letter in letters)
    assert all("dropped between 20" in letter["reason"] for letter in letters)
    assert all("TIDEMARK_SPOOL_LIMIT_BYTES" in letter["reason"] for letter in letters)


def test_a_spool_that_cannot_be_written_raises_into_nobody(nowhere: StreamingSettings) -> None:
    nowhere.spool_dir.write_text("a file where the folder should be")
    with telemetry(nowhere) as (provider, events), provider.get_tracer("test").start_as_current_span("run"):
        events({"kind": "k"})
    with RecordProducer(nowhere) as producer:
        producer.send("event", {"kind": "k"})
    assert producer.counts["dropped"] == 1


class _Spiteful:
    def __str__(self) -> str:
        raise SystemExit("no text for you")


_CYCLE: list[object] = []
_CYCLE += [_CYCLE, _CYCLE]
_BAD: tuple[Any, ...] = (
    "cut \ud83d", 2**70, float("inf"), float("nan"), b"\xff\xfe", _CYCLE, _Spiteful(),
    {1: {(): {object()}}}, datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))), 10**5000,
)  # fmt: skip


def test_a_bad_value_costs_itself_and_no_other_span(nowhere: StreamingSettings) -> None:
    names = ("gen_ai.usage.input_tokens", "tidemark.cost_usd", "gen_ai.output.messages", "team", "error.type")
    with telemetry(nowhere) as (provider, _):
        for number in range(100):
            with provider.get_tracer("test").start_as_current_span(str(number)) as span:
                if number % 10 == 5:
                    # A span takes plain values only.
                    value = _BAD[number // 10]
                    span._start_time = 2**80 if number > 90 else span._start_time
                    span.set_attributes(dict.fromkeys(names, value if number < 50 else [1, "\ud83d"]))
    spooled = _spooled(nowhere)
    records = {r["name"]: r for r in _values(spooled, EXECUTION.topic)}
    assert len(spooled) == len(records) == 100
    wild = records.pop("95")
    assert validate("execution", wild) == "started_at is missing or not an ISO-8601 UTC time"
    assert all(validate("execution", record) is None for record in records.values())
    assert records["5"]["output"] == records["5"]["attributes"]["team"] == "cut \ufffd"
    assert records["15"]["input_tokens"] is None
    assert "1180591620717411303424 is beyond 64 bits" in records["15"]["attributes"]["tidemark.mended"]
    assert "tidemark.mended" not in records["0"]["attributes"]


def test_a_bad_value_in_an_event_raises_into_nobody(nowhere: StreamingSettings) -> None:
    with telemetry(nowhere.model_copy(update={"content_limit": 10**6})) as (_, events):
        for value in _BAD:
            events({"kind": "k", "session_id": "s", "score": value, "detail": {"a": value, "b": 1}})
            events({"kind": "k", "session_id": "s", "detail": value})
    sent = _values(_spooled(nowhere), EVENT.topic)
    assert [validate("event", record) for record in sent] == [None] * 2 * len(_BAD)
    details = [json.loads(record["detail"]) for record in sent[::2] if record["detail"].startswith('{"')]
    assert [detail.get("b", 1) for detail in details] == [1] * len(_BAD)
    assert details[2]["tidemark.mended"] == "score inf is not finite: null"


def test_a_mended_event_says_so_without_a_detail_of_its_own(nowhere: StreamingSettings) -> None:
    with telemetry(nowhere) as (_, events):
        events({"kind": "k", "session_id": "s", "score": float("inf"), "detail": {}})
        events({"kind": "k", "session_id": "s", "score": float("inf"), "detail": ""})
    for record in _values(_spooled(nowhere), EVENT.topic):
        assert json.loads(record["detail"]) == {"tidemark.mended": "score inf is not finite: null"}


@pytest.mark.parametrize("event", [None, 5, "x", [1]])
def test_what_is_no_event_raises_into_nobody_and_is_a_dead_letter(
    nowhere: StreamingSettings, event: Any
) -> None:
    with telemetry(nowhere) as (_, events):
        events(event)
    (letter,) = (json.loads(message.value) for message in _spooled(nowhere))
    assert letter["source_topic"] == EVENT.topic
    assert "AttributeError" in letter["reason"]


def test_what_cannot_even_be_built_is_a_dead_letter_with_its_reason(nowhere: StreamingSettings) -> None:
    def build() -> dict[str, Any]:
        raise SystemExit("not today")

    with RecordProducer(nowhere) as producer:
        producer.send_built("execution", build)
        producer.send("event", {"kind": "k"})
    assert producer.counts == {"mended": 0, "refused": 1, "dropped": 0}
    letter, event = (json.loads(message.value) for message in _spooled(nowhere))
    assert (letter["source_topic"], event["kind"]) == (EXECUTION.topic, "k")
    assert "SystemExit: not today" in letter["reason"]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([f.name for f in EXECUTION.fields]), anything))
def test_any_record_becomes_a_message(record: dict[str, Any]) -> None:
    message, notes = to_message("execution", record)
    value = json.loads(message.value)
    assert message.topic == EXECUTION.topic
    assert list(value) == [field.name for field in EXECUTION.fields]
    assert bool(notes) == ("tidemark.mended" in (value["attributes"] or {}))
    # What is refused after this is refused for what it says, not for what it is made of.
    required = {"trace_id": "t", "span_id": "s", "status": "ok", "started_at": _TIME, "ended_at": _TIME}
    assert validate("execution", value | required) is None
    jsonschema.validate(value | required, json_schema(EXECUTION))


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
