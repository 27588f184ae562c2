"""Loaded exactly once: killed at any moment, with records that the warehouse cannot take in between."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka_broker import Broker
from stream_job import environment_of
from streaming.deadletters import DeadLetter, recent
from streaming.loader import Loader, positions, to_row
from streaming.records import DEAD_LETTER, EVENT, METRIC
from streaming.settings import StreamingSettings
from streaming.topics import create_topics
from warehouse import PermanentError, Warehouse, WarehouseSettings, connect
from warehouse.errors import RowsRefusedError

_TIME = "2026-11-21T10:00:00.000001Z"


def _event(number: int) -> bytes:
    return orjson.dumps(
        {"event_id": str(number), "session_id": "s", "kind": "k", "occurred_at": _TIME, "score": None}
    )


class _Message:
    """As much of a Kafka message as a row is made of."""

    def __init__(self, value: bytes | None) -> None:
        self._value = value

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return EVENT.clean_topic

    def partition(self) -> int:
        return 1

    def offset(self) -> int:
        return 7


def test_a_row_is_the_record_with_its_position() -> None:
    row = to_row(_Message(b' {"event_id": "1"}\n'))
    position = {"_topic": EVENT.clean_topic, "_topic_partition": 1, "_offset": 7}
    assert orjson.loads(row.line) == position | {"event_id": "1"}


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[1]", b"{", b'{"a":1}{"a":2}', b'{"a":"\xff"}'])
def test_what_is_no_record_is_refused_by_itself(value: bytes | None) -> None:
    row = to_row(_Message(value))
    assert row.refusal
    assert not row.line


def test_an_engine_that_takes_no_lines_is_refused_in_one_line(tmp_path: Path) -> None:
    environment = os.environ | {
        "TIDEMARK_STATE_DIR": str(tmp_path),
        "TIDEMARK_WAREHOUSE_URL": "bigquery://demo",
    }
    command = [sys.executable, "-m", "streaming.loader"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].startswith("loader: bigquery takes no JSON lines")


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    return connect(WarehouseSettings(warehouse_url=warehouse_url))


def _start(settings: StreamingSettings, url: str) -> subprocess.Popen[bytes]:
    environment = environment_of(settings) | {"TIDEMARK_WAREHOUSE_URL": url}
    log = (settings.home / "loader.log").open("ab")
    return subprocess.Popen([sys.executable, "-m", "streaming.loader"], env=environment, stderr=log)


def _count(warehouse: Warehouse, table: str) -> int:
    try:
        return int(warehouse.query(f"SELECT count() FROM ods.{table}").rows[0][0])
    except PermanentError:
        return 0  # not there yet


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.integration
def test_kills_and_poison_lose_and_double_nothing(
    broker: Broker, warehouse_url: str, warehouse: Warehouse
) -> None:
    settings = broker.settings
    create_topics(settings)
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 5})
    total, poison = 30_000, {5_000: b"no JSON", 11_111: b'{"event_id":"x","iteration":"many"}', 22_222: b"{}"}
    chance = random.Random(7)
    kills = 0
    loader = _start(settings, warehouse_url)
    try:
        for number in range(total):
            if number % 5_000 == 0:
                # Before any of the next ones is sent: all that have been sent may be loaded already.
                held = _count(warehouse, EVENT.table)
            producer.produce(EVENT.clean_topic, poison.get(number, _event(number)), str(number % 7).encode())
            if number % 5_000 == 4_999:
                producer.flush()
                assert _wait_for(lambda held=held: _count(warehouse, EVENT.table) > held, 180), (
                    "the loader does not load"
                )
                time.sleep(chance.random() * 0.1)
                loader.kill()
                loader.wait()
                kills += 1
                loader = _start(settings, warehouse_url)
        producer.flush()
        good = total - len(poison)
        assert _wait_for(lambda: _count(warehouse, EVENT.table) >= good, 180)
        assert _wait_for(lambda: len(recent(warehouse, 100, EVENT.clean_topic)) >= len(poison), 180)
        time.sleep(1.5)
        assert kills == 6
        sums = "count(), uniqExact(event_id), uniqExact(_topic_partition, _offset)"
        assert warehouse.query(f"SELECT {sums} FROM ods.{EVENT.table}").rows == [(good, good, good)]
        letters = recent(warehouse, 100, EVENT.clean_topic)
        assert sorted(letter.payload.encode() for letter in letters) == sorted(poison.values())
        second = _start(settings, warehouse_url)
        assert second.wait(180) == 1, "two loaders ran on one state folder"
        heartbeat, now = settings.home / "run" / "loader.heartbeat", time.time()
        assert _wait_for(lambda: heartbeat.stat().st_mtime > now, 180), "the first one has no heartbeat"
    finally:
        loader.terminate()
        assert loader.wait(180) == 0


@pytest.mark.integration
def test_a_letter_whose_bytes_kafka_no_longer_has_says_so(broker: Broker, warehouse: Warehouse) -> None:
    settings, topic = broker.settings, uuid4().hex
    create_topics(settings)
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for value in (b"deleted", None, b"there"):
        producer.produce(topic, value)
    assert producer.flush(30) == 0
    for deleted in admin.delete_records([TopicPartition(topic, 0, 1)]).values():
        deleted.result(30)
    for name, offset in ((topic, 0), (topic, 1), (topic, 2), (f"no-{topic}", 0)):
        position = {"source_topic": name, "source_partition": 0, "source_offset": offset}
        letter = position | {"reason": "why", "payload": None, "refused_at": _TIME}
        producer.produce(DEAD_LETTER.topic, orjson.dumps(letter))
    assert producer.flush(30) == 0

    def letters() -> list[DeadLetter]:
        return recent(warehouse, 9, topic) + recent(warehouse, 9, f"no-{topic}")

    stop = threading.Event()
    loader = threading.Thread(target=Loader(settings, warehouse).run, args=(stop,))
    loader.start()
    try:
        assert _wait_for(lambda: _count(warehouse, DEAD_LETTER.table) > 0, 180)
        assert _wait_for(
            lambda: len(recent(warehouse, 9, topic) + recent(warehouse, 9, f"no-{topic}")) == 4, 180
        )
    finally:
        stop.set()
        loader.join()
    assert [letter.payload for letter in letters()] == ["there", "", None, None]
    assert ["gone" in letter.reason for letter in letters()] == [False, False, True, True]


@pytest.mark.integration
def test_one_token_is_one_insert_and_a_refused_insert_leaves_nothing(
    warehouse: Warehouse, broker: Broker
) -> None:
    Loader(broker.settings, warehouse).prepare()
    line = orjson.dumps(
        {"name": "m", "value": 1, "observed_at": _TIME, "_topic": "test", "_topic_partition": 0, "_offset": 1}
    )
    table = f"ods.{METRIC.table}"
    for _ in range(2):
        warehouse.insert_json(table, line, token="same")
    with pytest.raises(RowsRefusedError):
        warehouse.insert_json(table, line + b'\n{"name":"m","value":"much"}', token="other")
    assert warehouse.query(f"SELECT count() FROM ods.{METRIC.table} WHERE _topic = 'test'").rows == [(1,)]
    assert positions(warehouse)["test", 0] == 1
