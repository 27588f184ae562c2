"""A job killed at the wrong moment and away for too long: nothing is missing without a word."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from kafka_broker import Broker, kafka_broker, open_transactions, read_all
from stream_job import Job, flow
from streaming.records import DEAD_LETTER, EVENT, EXECUTION, STATS
from streaming.settings import StreamingSettings
from streaming.topics import create_topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
EVENTS = 300


@pytest.fixture
def impatient_broker(tmp_path: Path) -> Iterator[Broker]:
    """One that gives up a transaction after seconds."""
    properties = {
        "transaction_max_timeout_ms": 10_000,
        "transaction_abort_timed_out_transaction_cleanup_interval_ms": 500,
    }
    with kafka_broker(tmp_path, **properties) as running:
        yield running


def _events(settings: StreamingSettings) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for number in range(EVENTS):
        event = {"event_id": str(number), "kind": "k", "occurred_at": "2026-11-21T10:00:00Z"}
        producer.produce(EVENT.topic, json.dumps(event).encode(), partition=0)
    assert producer.flush(120) == 0


def _checkpoints(settings: StreamingSettings) -> set[Any]:
    return set(settings.flink_dir.glob("checkpoints/*/chk-*/_metadata"))


def _kill_before_its_commit(job: Job, settings: StreamingSettings, admin: KafkaAdminClient) -> None:
    """Kill the job when a checkpoint is complete and its executions are still in an open transaction."""
    job.wait_until_running()
    known = _checkpoints(settings)
    while True:
        while not (fresh := _checkpoints(settings) - known):
            time.sleep(0.0005)
        os.killpg(job.process.pid, signal.SIGSTOP)
        if _open_since_before(admin, max(path.stat().st_mtime for path in fresh)):
            job.end()
            return
        # Committed already: it goes on, and the next checkpoint comes a second later.
        known |= fresh
        os.killpg(job.process.pid, signal.SIGCONT)


def _open_since_before(admin: KafkaAdminClient, complete: float) -> bool:
    names = [known.transactional_id for found in admin.list_transactions().values() for known in found]
    states = admin.describe_transactions([name for name in names if "-execution-" in name]).values()
    # The next checkpoint's was begun a moment ago; its own is a second old.
    begun = (complete - 0.3) * 1000
    return any(known.state.name == "ONGOING" and known.transaction_start_time_ms < begun for known in states)


def test_what_a_transaction_or_retention_lost_is_read_again_or_said(
    impatient_broker: Broker, start_job: Callable[..., Job], request: pytest.FixtureRequest
) -> None:
    settings = impatient_broker.settings
    create_topics(settings)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    request.addfinalizer(admin.close)
    _events(settings)

    def records(topic: str) -> list[dict[str, Any]]:
        return [json.loads(message.value()) for message in read_all(settings, topic)]

    def spans() -> Counter[str]:
        return Counter(row["span_id"] for row in records(EXECUTION.clean_topic))

    job = start_job(settings)
    while len(records(EVENT.clean_topic)) < EVENTS:
        job.wait_until_running()
        time.sleep(0.5)
    with flow(settings, "away") as sent:
        _kill_before_its_commit(job, settings, admin)
    # Away for longer than the broker keeps a transaction, and than it keeps these events.
    _events(settings)
    admin.delete_records({TopicPartition(EVENT.topic, 0): EVENTS + 100})
    while open_transactions(settings):
        time.sleep(0.1)
    job.start()
    job.wait_until_running()

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (
        len(spans()) < sent["records"] or len(records(EVENT.clean_topic)) < 2 * EVENTS - 100
    ):
        time.sleep(0.5)
    assert spans() == {str(number): 1 for number in range(1, sent["records"] + 1)}
    letters = records(DEAD_LETTER.topic)
    assert len([letter for letter in letters if letter["key"] == "bad"]) == sent["bad"]
    (deleted,) = [letter for letter in letters if letter["source_topic"] == EVENT.topic]
    assert (deleted["source_partition"], deleted["source_offset"]) == (0, EVENTS)
    assert deleted["reason"].startswith(f"100 records, offsets {EVENTS} to {EVENTS + 99}, were deleted")
    # A window of statistics may have been in the lost transaction: it cannot be had again, and is said.
    while time.monotonic() < deadline:
        counted = sum(row["executions"] for row in records(STATS.topic))
        if counted == sent["records"] or any(row["source_topic"] == STATS.topic for row in letters):
            break
        time.sleep(0.5)
    else:
        raise AssertionError(f"{counted} of {sent['records']} executions are in the statistics")
