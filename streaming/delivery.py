"""Brings messages to Kafka in the order in which they came, by way of the disk while it is away.

One thread owns a delivery. What is newer is never sent before what is older:

1. Messages go to the client library, which keeps each partition's order through its own retries.
2. Kafka counts as away when the library says so or a message has waited `_LATE_SECONDS`. Then everything
   without an answer is copied to the spool at once, and what comes is written behind it.
3. The library goes on trying. Only when it has an answer for each message is the next, oldest segment of
   the spool handed over; with the last one, new messages go straight again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from streaming.errors import SpoolFull
from streaming.losses import Losses
from streaming.messages import dead_letter
from streaming.quiet import OncePer
from streaming.settings import StreamingSettings
from streaming.spool import Message, Segment, Spool
from streaming.topics import DERIVED_LIMIT_BYTES

log = logging.getLogger(__name__)
log.addFilter(OncePer(10.0))

# An answer takes milliseconds; half a second is rare even on a busy machine, and being wrong costs a file.
_LATE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
# Answers that concern the record itself. After any other the same record may pass later.
_REFUSALS = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.INVALID_RECORD,
    KafkaError.POLICY_VIOLATION,
}


class Delivery:
    """At least once and in order. Messages are lost only to a full disk, and that is counted in `losses`.

    `spooling` says, as of the last turn, whether messages go to disk, as Kafka is away or older ones wait;
    `refused` counts what Kafka would not have and became a dead letter.
    """

    def __init__(self, settings: StreamingSettings, losses: Losses) -> None:
        self._settings = settings
        self._losses = losses
        self._spool = Spool(settings.spool_dir, settings.spool_limit_bytes)
        self._client = self._connect()
        # Handed to the library and not acknowledged, oldest first; failed ones stay until all are answered.
        self._sent: dict[int, tuple[Message, float]] = {}
        self._failed: set[int] = set()
        self._numbers = count()
        # The segment that holds the messages up to number `_copied`.
        self._segment: Segment | None = None
        self._copied = -1
        # What a former process left behind goes first.
        self.spooling = self._behind = self._spool.is_waiting()
        self._down = self._dead = self._closed = False
        self._letters: list[Message] = []
        self.refused = 0
        self._retry_at = 0.0

    @property
    def settled(self) -> bool:
        """Whether everything is in Kafka."""
        return not (self._behind or self._sent)

    def send(self, messages: Sequence[Message]) -> None:
        """Hand messages to Kafka or, behind what waits there, to the disk."""
        for index, message in enumerate(messages):
            if self._closed or self._behind or self._is_away():
                self._keep(messages[index:])
                return
            self._hand_over(message)

    def turn(self, seconds: float) -> None:
        """Take in what Kafka answers, for at most this long, and do what follows from it."""
        try:
            self._client.poll(seconds)
        except KafkaException as error:
            # The library does not call back with what ends it for good; it raises.
            self._error(error.args[0])
        if self._dead:
            self._take_back()
            self._client, self._dead = self._connect(), False
        if self._is_away():
            self._copy()
        self._conclude()
        if self._behind and not self._sent and time.monotonic() >= self._retry_at:
            self._hand_over_oldest()
        self.spooling = self._behind or self._is_away()
        letters, self._letters = self._letters, []
        # On a full spool the account of what was dropped would itself be dropped.
        self.send(letters if self.spooling else letters + self._losses.letters())

    def close(self) -> None:
        """What has no answer yet goes to disk, for the next process; so does what is sent after this."""
        if not self._closed:
            self._closed = True
            self._take_back()
            self._conclude()
        try:
            self._spool.append(self._letters + self._losses.letters(), over_limit=True)
            self._letters = []
        except SpoolFull as full:
            log.error("%d records were dropped, which could not even be noted: %s", self._losses.total, full)
        self._spool.release()

    def _is_away(self) -> bool:
        if self._down or self._failed:
            return True
        oldest = next(iter(self._sent.values()), None)
        return oldest is not None and time.monotonic() - oldest[1] > _LATE_SECONDS

    def _hand_over(self, message: Message) -> None:
        number = next(self._numbers)
        self._sent[number] = (message, time.monotonic())
        if self._failed:
            # It may not pass what it came behind.
            self._failed.add(number)
            return
        try:
            self._client.produce(
                message.topic, message.value, message.key, on_delivery=partial(self._answered, number)
            )
        except KafkaException as error:
            self._answered(number, error.args[0], None)
        except BufferError:
            self._failed.add(number)

    def _answered(self, number: int, error: KafkaError | None, _: Any) -> None:
        if error is None:
            self._sent.pop(number, None)
            self._down = False
        elif error.code() in _REFUSALS:
            self._refused(self._sent.pop(number)[0], error)
        else:
            if not self._closed:
                log.warning("Kafka at %s did not take a record: %s", self._settings.kafka_bootstrap, error)
            self._failed.add(number)

    def _refused(self, message: Message, error: KafkaError) -> None:
        log.error("Kafka refused a record of %d bytes for %s: %s", len(message.value), message.topic, error)
        self.refused += 1
        letter = dead_letter(message.topic, f"Kafka refused it: {error.str()}", message.key, message.value)
        if message.topic == letter.topic:
            self._losses.add(message.topic, 1, f"Kafka refused it: {error.str()}")
        else:
            self._letters.append(letter)

    def _copy(self) -> None:
        """Put what has no answer on disk, unless it is there: a killed process loses nothing more of it."""
        if not self._sent or next(reversed(self._sent)) <= self._copied:
            return
        log.warning(
            "Kafka at %s does not answer; spooling to %s",
            self._settings.kafka_bootstrap,
            self._settings.spool_dir,
        )
        try:
            segment = self._spool.put_aside([message for message, _ in self._sent.values()])
        except SpoolFull as full:
            # They stay in memory: only a kill loses them.
            log.error("%s", full)
            return
        if self._segment is not None:
            self._segment.release(remove=True)
        self._segment, self._copied = segment, next(reversed(self._sent))

    def _keep(self, messages: Sequence[Message]) -> None:
        self._copy()
        kept = len(messages)
        try:
            self._spool.append(messages)
        except SpoolFull as full:
            log.error("records are dropped: %s", full)
            kept = full.kept
            for message in messages[kept:]:
                self._losses.add(message.topic, 1, str(full))
        self._behind = self._behind or kept > 0

    def _conclude(self) -> None:
        """Let go of the segment whose messages are all in Kafka, or put back those that are not."""
        if self._failed:
            if len(self._failed) < len(self._sent):
                return
            rest = [message for message, _ in self._sent.values()]
            self._sent.clear()
            self._failed.clear()
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            segment, self._segment = self._segment, None
            if segment is None:
                self._keep(rest)
            else:
                self._spool.give_back(segment, rest)
                self._behind = True
        elif self._segment is not None and next(iter(self._sent), self._copied + 1) > self._copied:
            self._segment.release(remove=True)
            self._segment = None

    def _hand_over_oldest(self) -> None:
        segment = self._spool.take()
        if segment is None:
            self._behind = False
            return
        messages, damaged = segment.read()
        for message in messages:
            self._hand_over(message)
        self._segment, self._copied = segment, next(reversed(self._sent), -1)
        self._behind = self._spool.is_waiting()
        if damaged:
            log.error("%s: %d bytes cannot be read", segment.path, len(damaged))
            reason = (
                f"{len(damaged)} bytes of a spool file cannot be read: its writer was killed in the middle"
            )
            self._letters.append(dead_letter("spool", reason, payload=damaged))

    def _take_back(self) -> None:
        with suppress(KafkaException):
            self._client.purge()
            self._client.flush(1.0)
        self._failed = set(self._sent)

    def _error(self, error: KafkaError) -> None:
        self._down = self._down or error.code() == KafkaError._ALL_BROKERS_DOWN
        self._dead = self._dead or error.fatal()

    def _connect(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._settings.kafka_bootstrap,
                "enable.idempotence": True,
                "linger.ms": 20,
                "compression.type": "lz4",
                "message.max.bytes": DERIVED_LIMIT_BYTES + 65_536,
                # For ever: a retry keeps order and number, sending anew keeps neither.
                "message.timeout.ms": 0,
                "queue.buffering.max.kbytes": 65_536,
                "reconnect.backoff.max.ms": 1000,
                "error_cb": self._error,
                # The spool is this process's memory of an outage; librdkafka's own lines only repeat it.
                "log_level": 2,
                "logger": log,
            }
        )
