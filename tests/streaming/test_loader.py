"""Loaded exactly once: killed at any moment, with records that the warehouse cannot take in between."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafka_broker import Broker
from stream_job import environment_of
from streaming.deadletters import recent
from streaming.errors import PermanentError, TransientError
from streaming.loader import Loader, to_row
from streaming.ods import Ods, RecordRefused
from streaming.records import DEAD_LETTER, EVENT, METRIC
from streaming.settings import StreamingSettings
from streaming.topics import create_topics
from warehouse.settings import WarehouseSettings

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
    row = to_row(_Message(b' {"event_id": "1"}\n'))  # type: ignore[arg-type]
    position = {"_topic": EVENT.clean_topic, "_partition": 1, "_offset": 7}
    assert orjson.loads(row.line) == position | {"event_id": "1"}


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[1]", b"{", b'{"a":1}{"a":2}', b'{"a":"\xff"}'])
def test_what_is_no_record_is_refused_by_itself(value: bytes | None) -> None:
    row = to_row(_Message(value))  # type: ignore[arg-type]
    assert row.refusal
    assert not row.line


def test_a_warehouse_that_is_away_is_transient(nowhere: StreamingSettings) -> None:
    with pytest.raises(TransientError, match="does not answer"):
        Ods(WarehouseSettings(warehouse_url="http://127.0.0.1:1")).query("SELECT 1")


@pytest.fixture
def ods(warehouse_url: str) -> Ods:
    return Ods(WarehouseSettings(warehouse_url=warehouse_url))


def _start(settings: StreamingSettings, url: str) -> subprocess.Popen[bytes]:
    environment = environment_of(settings) | {"TIDEMARK_WAREHOUSE_URL": url}
    log = (settings.home / "loader.log").open("ab")
    return subprocess.Popen([sys.executable, "-m", "streaming.loader"], env=environment, stderr=log)


def _count(ods: Ods, table: str) -> int:
    try:
        return int(ods.query(f"SELECT count() FROM ods.{table}")[0][0])
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
def test_kills_and_poison_lose_and_double_nothing(broker: Broker, warehouse_url: str, ods: Ods) -> None:
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
                held = _count(ods, EVENT.table)
            producer.produce(EVENT.clean_topic, poison.get(number, _event(number)), str(number % 7).encode())
            if number % 5_000 == 4_999:
                producer.flush()
                assert _wait_for(lambda held=held: _count(ods, EVENT.table) > held, 180), (
                    "the loader does not load"
                )
                time.sleep(chance.random() * 0.1)
                loader.kill()
                loader.wait()
                kills += 1
                loader = _start(settings, warehouse_url)
        producer.flush()
        good = total - len(poison)
        assert _wait_for(lambda: _count(ods, EVENT.table) >= good, 180)
        assert _wait_for(lambda: len(recent(ods, 100, EVENT.clean_topic)) >= len(poison), 180)
        time.sleep(1.5)
        assert kills == 6
        sums = "count(), uniqExact(event_id), uniqExact(_partition, _offset)"
        assert ods.query(f"SELECT {sums} FROM ods.{EVENT.table}") == [[good, good, good]]
        letters = recent(ods, 100, EVENT.clean_topic)
        assert sorted(letter.payload.encode() for letter in letters) == sorted(poison.values())
        second = _start(settings, warehouse_url)
        assert second.wait(60) == 1, "two loaders ran on one state folder"
        heartbeat = settings.home / "run" / "loader.heartbeat"
        assert time.time() - heartbeat.stat().st_mtime < 3
    finally:
        loader.terminate()
        assert loader.wait(30) == 0


@pytest.mark.integration
def test_a_schema_fault_stops_the_loader_instead_of_burying_everything(broker: Broker, ods: Ods) -> None:
    with pytest.raises(PermanentError, match="no_such_table"):
        ods.insert("no_such_table", b'{"a":1}', "token")


@pytest.mark.integration
def test_a_letter_whose_bytes_kafka_no_longer_has_says_so(broker: Broker, ods: Ods) -> None:
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
    stop = threading.Event()
    loader = threading.Thread(target=Loader(settings, ods).run, args=(stop,))
    loader.start()
    try:
        seen = Ods(ods.settings)
        assert _wait_for(lambda: _count(seen, DEAD_LETTER.table) > 0, 180)
        assert _wait_for(lambda: len(recent(seen, 9, topic) + recent(seen, 9, f"no-{topic}")) == 4, 180)
    finally:
        stop.set()
        loader.join()
    letters = recent(ods, 9, topic) + recent(ods, 9, f"no-{topic}")
    assert [letter.payload for letter in letters] == ["there", "", None, None]
    assert ["gone" in letter.reason for letter in letters] == [False, False, True, True]


@pytest.mark.integration
def test_one_token_is_one_insert_and_a_refused_insert_leaves_nothing(ods: Ods, broker: Broker) -> None:
    Loader(broker.settings, ods).prepare()
    line = orjson.dumps(
        {"name": "m", "value": 1, "observed_at": _TIME, "_topic": "test", "_partition": 0, "_offset": 1}
    )
    for _ in range(2):
        ods.insert(METRIC.table, line, "same")
    with pytest.raises(RecordRefused):
        ods.insert(METRIC.table, line + b'\n{"name":"m","value":"much"}', "other")
    assert ods.query(f"SELECT count() FROM ods.{METRIC.table} WHERE _topic = 'test'") == [[1]]
    assert ods.positions([METRIC.table])["test", 0] == 1
