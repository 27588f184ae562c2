"""Sends records to Kafka and loses none: what cannot be delivered waits in the spool, in order."""

from __future__ import annotations

import atexit
import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from confluent_kafka import KafkaError, KafkaException, Producer

from streaming.records import DEAD_LETTER, RECORDS, Record, iso
from streaming.settings import StreamingSettings
from streaming.spool import Message, Spool
from streaming.topics import DERIVED_LIMIT_BYTES, RECORD_LIMIT_BYTES

log = logging.getLogger(__name__)

# Caps that are tried in turn on a record's content before the record is refused as too large.
_CAPS = (65_536, 4_096)
_CONTENT = ("input", "output", "detail", "error")
_KEPT_OF_REFUSED = 65_536
_DELIVERY_MS = 8_000


def truncate(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, whole characters, with the original size said at the end."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    return f"{data[:limit].decode('utf-8', 'ignore')}… [{len(data)} bytes]"


def to_message(kind: str, record: Mapping[str, Any]) -> Message:
    """The Kafka message of a record.

    A record over 1 MB loses the tails of its content fields; if it is still over, the message is a dead
    letter with the reason, the size and the first 64 KiB, for the broker would refuse the whole.
    """
    contract = RECORDS[kind]
    key = str(record.get(contract.key) or "").encode("utf-8", "replace")
    limit = DERIVED_LIMIT_BYTES if contract is DEAD_LETTER else RECORD_LIMIT_BYTES
    value = _encode(record)
    for cap in _CAPS:
        if len(value) + len(key) <= limit:
            break
        value = _encode(_capped(record, cap))
    if len(value) + len(key) <= limit:
        return Message(contract.topic, key, value)
    return _too_large(contract, key, _encode(record))


class RecordProducer:
    """Thread-safe, idempotent, non-blocking. Close it, or use it as a context manager.

    While Kafka is away records go to the spool and are sent in order when it is back, by this process or
    the next one; only a killed process loses what it had not handed over yet. A crash between Kafka's
    acknowledgement and the spool's clean-up sends records twice: they carry ids, and DWD keeps one of each.
    """

    def __init__(self, settings: StreamingSettings) -> None:
        self._settings = settings
        self._spool = Spool(settings.spool_dir, settings.spool_limit_bytes)
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._producer = _kafka(settings)
        # What a former process left behind goes first.
        self._away = not self._spool.is_empty()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._serve, name="tidemark-producer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __enter__(self) -> RecordProducer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def spooling(self) -> bool:
        """Whether records are going to disk, because Kafka is away or older ones wait there."""
        return self._away

    def send(self, kind: str, record: Mapping[str, Any]) -> None:
        """Send one record of a kind of `records.RECORDS`; datetimes become UTC text.

        Returns before delivery. Raises SpoolFull, for this record or one sent before it, when neither
        Kafka nor the disk takes it.
        """
        message = to_message(kind, record)
        with self._lock:
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self._closed.is_set() or self._away:
                self._spool.append(message)
            else:
                self._produce(message)

    def flush(self, seconds: float) -> bool:
        """Wait until everything is in Kafka; False if something is still waiting after that time."""
        deadline = time.monotonic() + seconds
        while True:
            self._producer.flush(0.05)
            with self._lock:
                if not self._away and len(self._producer) == 0:
                    return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)

    def close(self) -> None:
        """Flush for at most `flush_seconds`; what Kafka has not taken by then is on disk. Idempotent."""
        if self._closed.is_set():
            return
        atexit.unregister(self.close)
        self.flush(self._settings.flush_seconds)
        self._closed.set()
        self._thread.join()
        with self._lock:
            self._away = True
            # Purged messages come back as failed deliveries, which spool them.
            self._producer.purge()
            self._producer.flush(1.0)
            self._spool.seal()
        if self._failure is not None:
            raise self._failure

    def _produce(self, message: Message) -> None:
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key,
                on_delivery=lambda error, _: self._delivered(error, message),
            )
        except (BufferError, KafkaException) as error:
            self._to_spool(message, error)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._to_spool(message, error)

    def _to_spool(self, message: Message, error: object) -> None:
        with self._lock:
            if not self._away:
                log.warning("Kafka at %s is away (%s); spooling", self._settings.kafka_bootstrap, error)
            self._away = True
            try:
                self._spool.append(message)
            except Exception as full:
                # A delivery report has no caller to raise to: the next `send` or `close` does.
                self._failure = full
                log.error("%s", full)

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(0.2)
            if self._away and not self._closed.wait(0.3):
                self._replay()

    def _replay(self) -> None:
        try:
            self._producer.list_topics(timeout=1.0)
        except KafkaException:
            return
        # What was in flight when Kafka went away comes back first, so that the spool is complete.
        if self._producer.flush(1.0) > 0:
            return
        with self._lock:
            for segment in self._spool.take():
                waiting = segment.messages()
                rest = self._send_all(waiting)
                segment.keep(rest)
                if rest:
                    return
            self._away = False

    def _send_all(self, messages: list[Message]) -> list[Message]:
        delivered: set[int] = set()

        def report(index: int, error: KafkaError | None, _: Any) -> None:
            if error is None:
                delivered.add(index)

        for index, message in enumerate(messages):
            self._produce_waiting(message, partial(report, index))
        deadline = time.monotonic() + _DELIVERY_MS / 1000
        while len(self._producer) and time.monotonic() < deadline and not self._closed.is_set():
            self._producer.flush(0.1)
        self._producer.purge()
        self._producer.flush(1.0)
        return [message for index, message in enumerate(messages) if index not in delivered]

    def _produce_waiting(self, message: Message, report: Callable[[KafkaError | None, Any], None]) -> None:
        while not self._closed.is_set():
            try:
                self._producer.produce(message.topic, message.value, message.key, on_delivery=report)
                return
            except BufferError:
                self._producer.flush(0.1)
            except KafkaException:
                return


def _kafka(settings: StreamingSettings) -> Producer:
    return Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "compression.type": "lz4",
            "message.max.bytes": DERIVED_LIMIT_BYTES + 65_536,
            "delivery.timeout.ms": _DELIVERY_MS,
            "reconnect.backoff.max.ms": 1000,
            # The spool is this process's memory of an outage; librdkafka's own lines only repeat it.
            "log_level": 2,
            "logger": log,
        }
    )


def _encode(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(record), default=_jsonable, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _jsonable(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else str(value)


def _capped(record: Mapping[str, Any], cap: int) -> dict[str, Any]:
    return {k: truncate(v, cap) if k in _CONTENT and isinstance(v, str) else v for k, v in record.items()}


def _too_large(contract: Record, key: bytes, value: bytes) -> Message:
    letter = {
        "source_topic": contract.topic,
        "source_partition": -1,
        "source_offset": -1,
        "reason": f"record of {len(value)} bytes is over {RECORD_LIMIT_BYTES}; the payload is its first "
        f"{_KEPT_OF_REFUSED} bytes",
        "key": key.decode("utf-8", "replace")[:1024],
        "payload": base64.b64encode(value[:_KEPT_OF_REFUSED]).decode(),
        "refused_at": datetime.now(UTC),
    }
    return Message(DEAD_LETTER.topic, contract.topic.encode(), _encode(letter))
