"""Every record that goes in comes out once: clean, or refused with its reason and position."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from confluent_kafka import Producer

from kafka_broker import Broker, read_all
from stream_job import environment_of
from streaming.jobs import cluster
from streaming.producer import RecordProducer
from streaming.records import DEAD_LETTER, EXECUTION, METRIC, RECORDS, validate
from streaming.settings import StreamingSettings
from streaming.topics import create_topics
from warehouse.errors import PermanentError

_START = "2026-11-21T10:00:00.000001Z"
_GOOD = {
    "trace_id": "t",
    "span_id": "s",
    "started_at": _START,
    "ended_at": "2026-11-21T10:00:01.5Z",
    "status": "ok",
    "input_tokens": 5,
    "cost_usd": 0.25,
    "attributes": {"a": "b"},
    "output": "é",
}


def _with(**changes: Any) -> bytes:
    return json.dumps(_GOOD | changes, ensure_ascii=False).encode()


_TEXT = _with(output="zz")
CLEAN: dict[str, bytes] = {
    "good": _with(),
    "unknown field": _with(extra=1),
    "no attributes": _with(attributes=None),
    "white space": b" \n" + _with() + b"\r\n",
    "number as text": _with(input_tokens="12"),
    "replacement character": _with(output="\ufffd"),
    "byte order mark": b"\xef\xbb\xbf" + _with(),
    "utf-16": _with().decode().encode("utf-16"),
    "utf-16le": _with().decode().encode("utf-16-le"),
    "utf-32": _with().decode().encode("utf-32"),
    "raw control characters": _TEXT.replace(b"zz", b"\x00\x01\n"),
    "overlong utf-8": _TEXT.replace(b"zz", b"\xc0\x80"),
    "surrogate in utf-8": _TEXT.replace(b"zz", b"\xed\xa0\x80"),
}
REFUSED: dict[str, tuple[bytes | None, str]] = {
    "tombstone": (None, "empty record"),
    "empty": (b"", "not a JSON object"),
    "text": (b"hello", "not a JSON object"),
    "array": (b"[]", "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "cut off": (_with()[:-5], "not a JSON object"),
    "trailing comma": (_with()[:-1] + b",}", "not a JSON object"),
    "nan": (_with()[:-1] + b',"cost_usd":NaN}', "not a JSON object"),
    "too deep": (_with()[:-1] + b',"d":' + b"[" * 2000 + b"]" * 2000 + b"}", "not a JSON object"),
    "control character between tokens": (_with()[:-1] + b",\x01}", "not a JSON object"),
    "control character in a literal": (_with()[:-1] + b',"x":tr\x01ue}', "not a JSON object"),
    "latin-1": (_TEXT.replace(b"zz", b"\xe9"), "not UTF-8"),
    "binary": (b"\xff\xfehello", "not UTF-8"),
    "no field": (b"{}", "trace_id is missing"),
    "empty id": (_with(trace_id=""), "trace_id is missing"),
    "long id": (_with(trace_id="x" * 2000), "trace_id is longer than 1024 characters"),
    "bad time": (_with(started_at="yesterday"), "started_at is missing or not an ISO-8601 UTC time"),
    "number as time": (_with(started_at=1.7e9), "started_at is missing or not an ISO-8601 UTC time"),
    "year 1": (_with(started_at="0001-01-01T00:00:00Z"), "started_at is outside the years 2000 to 2199"),
    "year 9999": (_with(ended_at="9999-01-01T00:00:00Z"), "ended_at is outside the years 2000 to 2199"),
    "ends first": (_with(ended_at="2026-11-21T09:00:00Z"), "ended_at is before started_at"),
    "odd status": (_with(status="maybe"), "status is not one of ok, error"),
    "words for tokens": (_with(input_tokens="many"), "input_tokens is not a whole number"),
    "half a token": (_with(input_tokens=1.5), "input_tokens is not a whole number"),
    "truth for tokens": (_with(input_tokens=True), "input_tokens is not a whole number"),
    "too many tokens": (_with(output_tokens=10**20), "output_tokens is not a whole number"),
    "words for cost": (_with(cost_usd="free"), "cost_usd is not a number"),
    "endless cost": (_with()[:-1] + b',"cost_usd":1e999}', "cost_usd is not a number"),
}


def _produce(settings: StreamingSettings, topic: str, values: dict[str, bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for name, value in values.items():
        producer.produce(topic, value, name.encode())
    assert producer.flush(120) == 0


def _job(settings: StreamingSettings, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "streaming.jobs.telemetry", *arguments],
        env=environment_of(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_missing_connector_is_one_line_with_the_remedy(nowhere: StreamingSettings) -> None:
    with pytest.raises(PermanentError, match="TIDEMARK_FLINK_JARS"):
        cluster.prepare(nowhere)


@pytest.mark.parametrize("name", ["good", "unknown field", "no attributes", "number as text"])
def test_python_and_the_stream_agree_on_what_passes(name: str) -> None:
    assert validate("execution", json.loads(CLEAN[name])) is None


@pytest.mark.parametrize(
    "name", [n for n, (v, r) in REFUSED.items() if r not in ("not a JSON object", "not UTF-8") and v]
)
def test_python_and_the_stream_agree_on_what_does_not(name: str) -> None:
    value, reason = REFUSED[name]
    assert validate("execution", json.loads(value or b"")) == reason


_PLAN = """
from streaming.jobs import cluster, telemetry
from streaming.settings import StreamingSettings
settings = StreamingSettings()
cluster.prepare(settings)
table_env = cluster.environment(settings)
job = telemetry.build(table_env, telemetry.Source("nowhere:1"), telemetry.Sink("nowhere:1", 1000))
print(job.explain())
"""


@pytest.mark.integration
def test_each_rule_is_evaluated_once(broker: Broker) -> None:
    home = {f"TIDEMARK_{name}": str(broker.settings.home) for name in ("HOME", "STATE_DIR")}
    command = [sys.executable, "-W", "ignore", "-c", _PLAN]
    plan = subprocess.run(command, env=os.environ | home, capture_output=True, text=True, check=True).stdout
    _, _, executed = plan.partition("== Optimized Execution Plan ==")
    for rule in ("trace_id is missing", "ended_at is before started_at", "event_id is missing"):
        assert executed.count(f"'{rule}'") == 1


@pytest.mark.integration
def test_good_and_bad_records_add_up(broker: Broker) -> None:
    settings = broker.settings
    create_topics(settings)
    before = {topic: len(read_all(settings, topic)) for topic in (EXECUTION.clean_topic, "agent.stats")}
    _produce(settings, EXECUTION.topic, CLEAN | {name: value for name, (value, _) in REFUSED.items()})
    _produce(
        settings, METRIC.topic, {"m": json.dumps({"name": "m", "value": 1e5, "observed_at": _START}).encode()}
    )
    with RecordProducer(settings) as producer:
        producer.send("execution", _GOOD | {"attributes": {"a": "x" * 2**21}})
        producer.send("execution", _GOOD | {"output": "x" * 2**21})
    job = _job(settings, "--bounded")
    output, _ = job.communicate(timeout=500)
    assert job.returncode == 0, output

    names = {(m.partition(), m.offset()): m.key().decode() for m in read_all(settings, EXECUTION.topic)}
    # Other tests share the broker: only this topic's letters are this test's.
    letters = [json.loads(m.value()) for m in read_all(settings, DEAD_LETTER.topic)]
    letters = [letter for letter in letters if letter["source_topic"] == EXECUTION.topic]
    refused = {
        names[letter["source_partition"], letter["source_offset"]]: letter["reason"]
        for letter in letters
        if letter["source_topic"] == EXECUTION.topic and letter["source_offset"] >= 0
    }
    assert refused == {name: reason for name, (_, reason) in REFUSED.items()}
    # The record of 2 MB came as a dead letter of its producer.
    assert len(letters) == len(REFUSED) + 1
    clean = [json.loads(m.value()) for m in read_all(settings, EXECUTION.clean_topic)]
    assert len(clean) - before[EXECUTION.clean_topic] == len(CLEAN) + 1
    fields = [field.name for field in EXECUTION.fields]
    assert all(list(record) == fields for record in clean)
    stats = [json.loads(m.value()) for m in read_all(settings, "agent.stats")][before["agent.stats"] :]
    assert sum(row["executions"] for row in stats) == len(CLEAN) + 1
    assert {(row["window_start"], row["window_end"]) for row in stats} == {
        ("2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z")
    }
    assert sum(row["cost_usd"] for row in stats) == pytest.approx(0.25 * (len(CLEAN) + 1))
    assert max(row["duration_ms_max"] for row in stats) == pytest.approx(1500, abs=1)
    assert Counter(validate("stats", row) for row in stats) == {None: len(stats)}
    assert {record.clean_topic for record in RECORDS.values()} >= {
        m.topic() for m in read_all(settings, METRIC.clean_topic)
    }
