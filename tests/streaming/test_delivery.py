"""Outages of a real broker under load: in order, once, counted where it cannot be, and safe from a kill."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from kafka_broker import Broker, read_all
from streaming.producer import RecordProducer
from streaming.records import DEAD_LETTER, EVENT
from streaming.settings import StreamingSettings
from streaming.topics import create_topics

pytestmark = pytest.mark.integration
# Seconds that a busy machine may take for what a quiet one does in a few.
PATIENCE = 120


@pytest.fixture
def settings(broker: Broker, tmp_path: Path) -> StreamingSettings:
    create_topics(broker.settings)
    return broker.settings.model_copy(update={"state_dir": tmp_path})


def _received(settings: StreamingSettings, run: str) -> dict[str, list[int]]:
    """The numbers of each key's events of a run, as they lie in the topic."""
    numbers = defaultdict(list)
    for message in read_all(settings, EVENT.topic):
        event = json.loads(message.value())
        if event.get("agent") == run:
            numbers[event["session_id"]].append(event["iteration"])
    return numbers


class Load:
    """Threads that send about 2,000 events a second, each thread one key in order, until told to stop."""

    def __init__(self, producer: RecordProducer, keys: int = 8) -> None:
        self.run = uuid4().hex
        self.sent = dict.fromkeys([f"{self.run}-{key}" for key in range(keys)], 0)
        self._producer, self._stop = producer, threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(key,)) for key in self.sent]
        for thread in self._threads:
            thread.start()

    def _send(self, key: str) -> None:
        while not self._stop.wait(0.004):
            event = {"kind": "k", "agent": self.run, "session_id": key, "iteration": self.sent[key]}
            self._producer.send("event", event)
            self.sent[key] += 1

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s"
        time.sleep(0.05)


def test_each_keys_events_come_once_and_in_order_over_a_kill_and_a_standstill(
    broker: Broker, settings: StreamingSettings
) -> None:
    with RecordProducer(settings) as producer:
        load = Load(producer)
        time.sleep(1)
        broker.kill()
        _until(lambda: producer.spooling)
        time.sleep(1)
        broker.start()
        _until(lambda: not producer.spooling)
        os.kill(broker.pid, signal.SIGSTOP)
        _until(lambda: producer.spooling)
        time.sleep(1)
        os.kill(broker.pid, signal.SIGCONT)
        _until(lambda: not producer.spooling)
        load.stop()
        assert producer.flush(PATIENCE)
    assert _received(settings, load.run) == {key: list(range(n)) for key, n in load.sent.items()}
    assert list(settings.spool_dir.iterdir()) == []
    assert producer.counts == {"mended": 0, "refused": 0, "dropped": 0}


def test_the_spools_bound_is_free_again_with_kafka_and_what_was_dropped_is_said_there(
    broker: Broker, settings: StreamingSettings
) -> None:
    small = settings.model_copy(update={"spool_limit_bytes": 200_000})
    letters = len(read_all(settings, DEAD_LETTER.topic))
    with RecordProducer(small) as producer:
        load = Load(producer)
        os.kill(broker.pid, signal.SIGSTOP)
        _until(lambda: producer.counts["dropped"] > 100)
        os.kill(broker.pid, signal.SIGCONT)
        _until(lambda: not producer.spooling)
        dropped = producer.counts["dropped"]
        load.stop()
        assert producer.flush(PATIENCE)
        assert producer.counts["dropped"] == dropped, "dropped although Kafka is back"
    received = _received(settings, load.run)
    assert sum(map(len, received.values())) + dropped == sum(load.sent.values())
    assert all(numbers == sorted(set(numbers)) for numbers in received.values())
    reasons = [json.loads(m.value())["reason"] for m in read_all(settings, DEAD_LETTER.topic)[letters:]]
    assert sum(int(reason.split()[0]) for reason in reasons if "records dropped between" in reason) == dropped


def test_what_kafka_refuses_is_a_dead_letter_and_a_broker_made_anew_is_no_end(
    own_broker: Broker, tmp_path: Path
) -> None:
    create_topics(own_broker.settings)
    # Two that write as the same to a broker which has forgotten the first: the library gives one of them up.
    names = ("first", "second")
    before, after = (
        RecordProducer(own_broker.settings.model_copy(update={"state_dir": tmp_path / name}))
        for name in names
    )
    with before, after:
        for number in range(20):
            before.send("event", {"kind": "k", "agent": "old", "session_id": "old", "iteration": number})
        assert before.flush(PATIENCE)
        own_broker.kill()
        own_broker.forget()
        own_broker.start()
        create_topics(own_broker.settings)
        _limit(own_broker.settings, EVENT.topic, 3_000)
        for number in range(20):
            for producer, name in zip((after, before), names, strict=True):
                event = {"kind": "k", "agent": "new", "session_id": name, "iteration": number}
                producer.send("event", event | ({"detail": os.urandom(4_000).hex()} if number == 5 else {}))
                assert producer.flush(PATIENCE)
    numbers = [number for number in range(20) if number != 5]
    assert _received(own_broker.settings, "new") == dict.fromkeys(names, numbers)
    letters = [json.loads(m.value()) for m in read_all(own_broker.settings, DEAD_LETTER.topic)]
    assert ["too large" in letter["reason"] for letter in letters] == [True, True]
    assert all(b'"iteration":5' in base64.b64decode(letter["payload"]) for letter in letters)
    assert before.counts == after.counts == {"mended": 0, "refused": 1, "dropped": 0}


def _limit(settings: StreamingSettings, topic: str, largest: int) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    entry = ConfigEntry("max.message.bytes", str(largest), incremental_operation=AlterConfigOpType.SET)
    (done,) = admin.incremental_alter_configs(
        [ConfigResource("topic", topic, incremental_configs=[entry])]
    ).values()
    done.result(PATIENCE)


_CHILD = """
import sys, time
from streaming.producer import RecordProducer
from streaming.settings import StreamingSettings
producer, number = RecordProducer(StreamingSettings()), 0
while True:
    event = {"kind": "k", "agent": sys.argv[1], "session_id": "s", "iteration": number}
    producer.send("event", event)
    print(number, int(producer.spooling), flush=True)
    number += 1
    time.sleep(0.002)
"""


@pytest.mark.parametrize("outage", ["killed", "standing still"])
def test_a_producer_killed_in_an_outage_loses_nothing_from_before_its_last_moment(
    outage: str, broker: Broker, settings: StreamingSettings
) -> None:
    run = uuid4().hex
    environment = os.environ | {
        "TIDEMARK_STATE_DIR": str(settings.state_dir),
        "TIDEMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
    }
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, run], env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = (tuple(map(int, line.split())) for line in child.stdout)
        next(line for line in lines if line[0] == 200)
        if outage == "killed":
            broker.kill()
        else:
            os.kill(broker.pid, signal.SIGSTOP)
        noticed, _ = next(line for line in lines if line[1])
        last, _ = next(line for line in lines if line[0] == noticed + 500)
        child.kill()
        last = max([last, *(line[0] for line in lines if len(line) == 2)])
    if outage == "killed":
        broker.start()
    else:
        os.kill(broker.pid, signal.SIGCONT)
    with RecordProducer(settings) as producer:
        assert producer.flush(PATIENCE)
    numbers = list(dict.fromkeys(_received(settings, run)["s"]))
    assert numbers == list(range(len(numbers))), "in order, and nothing is missing but the end"
    assert len(numbers) > noticed + 250
    print(f"{last + 1 - len(numbers)} records of the last moment were lost")
