"""What was refused and why: the bytes behind a dead letter, and the latest ones for a person to read."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlglot import exp

from streaming.ddl import ODS_DATABASE
from streaming.records import DEAD_LETTER
from warehouse import TransientError, Warehouse

Position = tuple[str, int, int]
# Ends the reason of a letter whose bytes Kafka no longer had when it was loaded.
GONE = "; its bytes are gone: Kafka had deleted them before they were loaded"
# Seeking costs a request; reading on over a short gap does not.
_NEAR = 1_000
_FETCH_SECONDS = 10.0
_NO_SUCH_PARTITION = {
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}


@dataclass(frozen=True)
class DeadLetter:
    """One refused record. `payload` is its bytes as text, undecodable ones replaced; None if gone."""

    source_topic: str
    source_partition: int
    source_offset: int
    reason: str
    key: str
    payload: str | None
    refused_at: datetime


def recent(warehouse: Warehouse, limit: int = 20, topic: str = "") -> list[DeadLetter]:
    """The newest dead letters in the warehouse, newest first, of one source topic or of all."""
    fields = ["source_topic", "source_partition", "source_offset", "reason", "key", "payload", "refused_at"]
    letters = exp.select(*fields).from_(f"{ODS_DATABASE}.{DEAD_LETTER.table}")
    if topic:
        letters = letters.where(exp.column("source_topic").eq(topic))
    rows = warehouse.query(letters.order_by("refused_at DESC", "source_offset DESC").limit(limit)).rows
    return [
        DeadLetter(
            source_topic=row[0],
            source_partition=row[1],
            source_offset=row[2],
            reason=row[3],
            key=row[4],
            payload=None if row[3].endswith(GONE) else base64.b64decode(row[5]).decode("utf-8", "replace"),
            refused_at=row[6],
        )
        for row in rows
    ]


def originals(bootstrap: str, positions: Iterable[Position]) -> dict[Position, bytes]:
    """The bytes of the records at these positions (a tombstone has none); what Kafka has deleted is left out.

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
        ends = {part: _ends(consumer, part) for part in {p[:2] for p in wanted}}
        for position in wanted:
            topic, partition, offset = position
            low, high = ends[topic, partition]
            if not low <= offset < high:
                continue
            if at is None or at[:2] != position[:2] or not at[2] <= offset <= at[2] + _NEAR:
                consumer.assign([TopicPartition(topic, partition, offset)])
            message = _read_to(consumer, offset)
            if message.offset() == offset:
                found[position] = message.value() or b""
            at = (topic, partition, offset + 1)
    except KafkaException as error:
        raise TransientError(f"Kafka at {bootstrap} did not give back refused records: {error}") from error
    finally:
        consumer.close()
    return found


def _ends(consumer: Consumer, part: tuple[str, int]) -> tuple[int, int]:
    try:
        return consumer.get_watermark_offsets(TopicPartition(*part), 5.0)
    except KafkaException as error:
        if error.args[0].code() in _NO_SUCH_PARTITION:
            return 0, 0
        raise


def _read_to(consumer: Consumer, offset: int) -> Message:
    """The message at the offset, or the first one after it."""
    deadline = time.monotonic() + _FETCH_SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        if (message.offset() or 0) >= offset:
            return message
    raise TransientError(f"offset {offset} could not be read within {_FETCH_SECONDS:.0f} s")
