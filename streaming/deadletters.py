"""What was refused and why: the bytes behind a dead letter, and the latest ones for a person to read."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streaming.ddl import ODS_DATABASE
from streaming.errors import TransientError
from streaming.ods import Ods
from streaming.records import DEAD_LETTER

Position = tuple[str, int, int]
# Seeking costs a request; reading on over a short gap does not.
_NEAR = 1_000
_FETCH_SECONDS = 10.0


@dataclass(frozen=True)
class DeadLetter:
    """One refused record. `payload` is its original bytes as text, undecodable ones replaced."""

    source_topic: str
    source_partition: int
    source_offset: int
    reason: str
    key: str
    payload: str
    refused_at: datetime


def recent(ods: Ods, limit: int = 20, topic: str = "") -> list[DeadLetter]:
    """The newest dead letters in the warehouse, newest first, of one source topic or of all."""
    rows = ods.query(
        "SELECT source_topic, source_partition, source_offset, reason, key, payload, "
        "formatDateTime(refused_at, '%Y-%m-%dT%H:%i:%S.%fZ') "
        f"FROM {ODS_DATABASE}.{DEAD_LETTER.table} WHERE {{topic:String}} IN ('', source_topic) "
        "ORDER BY refused_at DESC, source_offset DESC LIMIT {limit:UInt32}",
        limit=str(limit),
        topic=topic,
    )
    return [
        DeadLetter(
            source_topic=row[0],
            source_partition=row[1],
            source_offset=row[2],
            reason=row[3],
            key=row[4],
            payload=base64.b64decode(row[5]).decode("utf-8", "replace"),
            refused_at=datetime.fromisoformat(row[6]),
        )
        for row in rows
    ]


def originals(bootstrap: str, positions: Iterable[Position]) -> dict[Position, bytes]:
    """The bytes of the records at these positions; those that retention has deleted are left out.

    Raises TransientError while Kafka does not answer.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "tidemark-dead-letters",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    wanted = sorted(positions)
    found: dict[Position, bytes] = {}
    at: Position | None = None
    try:
        # All before the first fetch: a question waits behind a fetch on the same connection.
        ends = {
            part: consumer.get_watermark_offsets(TopicPartition(*part), 5.0)
            for part in {p[:2] for p in wanted}
        }
        for position in wanted:
            topic, partition, offset = position
            low, high = ends[topic, partition]
            if not low <= offset < high:
                continue
            if at is None or at[:2] != position[:2] or not at[2] <= offset <= at[2] + _NEAR:
                consumer.assign([TopicPartition(topic, partition, offset)])
            value = _read_to(consumer, offset)
            if value is not None:
                found[position] = value
            at = (topic, partition, offset + 1)
    except KafkaException as error:
        raise TransientError(f"Kafka at {bootstrap} did not give back refused records: {error}") from error
    finally:
        consumer.close()
    return found


def _read_to(consumer: Consumer, offset: int) -> bytes | None:
    deadline = time.monotonic() + _FETCH_SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        if (message.offset() or 0) >= offset:
            return message.value() if message.offset() == offset else None
    raise TransientError(f"offset {offset} could not be read within {_FETCH_SECONDS:.0f} s")
