"""Records on their way to Kafka: taken from any thread at once, made messages and delivered by one."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from streaming.delivery import Delivery
from streaming.losses import Losses
from streaming.messages import to_message, unmakeable
from streaming.quiet import OncePer
from streaming.records import DEAD_LETTER, RECORDS
from streaming.settings import StreamingSettings
from streaming.spool import Message

log = logging.getLogger(__name__)
log.addFilter(OncePer(10.0))

# What a killed process loses is what it handed over within this time, while Kafka answers.
_TURN_SECONDS = 0.05
_BATCH = 500
# More can only wait when the disk itself hangs, or when a caller in a loop leaves this thread no time.
_QUEUE_LIMIT = 16_384
_ROOM_SECONDS = 1.0

Build = Callable[[], Mapping[str, Any]]


class RecordProducer:
    """Thread-safe, and nothing that is handed over can raise or block. Close it, or use it as a context.

    Each process's records reach Kafka at least once and in order, by way of the spool while Kafka is away
    (`streaming.delivery`). Records sent twice, after a kill, carry ids: DWD keeps one of each. `counts`
    says how many were `mended`, `refused` to the dead letters and `dropped`.
    """

    def __init__(self, settings: StreamingSettings) -> None:
        self._flush_seconds = settings.flush_seconds
        self._queue: deque[tuple[str, Build] | threading.Event] = deque()
        self._counts: Counter[str] = Counter()
        self._losses = Losses()
        self._delivery = Delivery(settings, self._losses)
        self._waiting: list[threading.Event] = []
        self._stuck = False
        self._closing, self._ended = threading.Event(), threading.Event()
        # Held by the one thread that delivers; when that has ended, by whoever still comes with a record.
        self._delivering = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tidemark-producer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __enter__(self) -> RecordProducer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def spooling(self) -> bool:
        """Whether records are going to disk, because Kafka is away or older ones wait there."""
        return self._delivery.spooling

    @property
    def counts(self) -> dict[str, int]:
        """Records that were `mended` (a value was changed), `refused` or `dropped`."""
        return {
            "mended": self._counts["mended"],
            "refused": self._counts["refused"] + self._delivery.refused,
            "dropped": self._losses.total,
        }

    def send(self, kind: str, record: Mapping[str, Any]) -> None:
        """Take one record of a kind of `records.RECORDS`, which is not to be changed afterwards."""
        self.send_built(kind, partial(dict, record))

    def send_built(self, kind: str, build: Build) -> None:
        """Take a record that the delivering thread builds, so that the caller need not wait for that."""
        if len(self._queue) >= _QUEUE_LIMIT and not self._gets_room():
            self._losses.add(RECORDS[kind].topic, 1, f"{_QUEUE_LIMIT} records were waiting for the disk")
            return
        self._queue.append((kind, build))
        if self._ended.is_set():
            self._leave()

    def flush(self, seconds: float) -> bool:
        """Wait until everything sent before is in Kafka; False if something still waits after that time."""
        if self._ended.is_set():
            return self._delivery.settled
        done = threading.Event()
        self._queue.append(done)
        return done.wait(seconds)

    def close(self) -> None:
        """Flush for at most `flush_seconds`; what Kafka has not taken by then is on disk. Idempotent."""
        if self._ended.is_set():
            return
        atexit.unregister(self.close)
        self.flush(self._flush_seconds)
        self._closing.set()
        self._thread.join()
        said = ", ".join(f"{number} {name}" for name, number in self.counts.items() if number)
        if said:
            log.warning("telemetry of this process: %s", said)

    def _gets_room(self) -> bool:
        """Wait for room, but not again while nothing moves at all."""
        deadline = time.monotonic() + (0.0 if self._stuck else _ROOM_SECONDS)
        while len(self._queue) >= _QUEUE_LIMIT:
            if time.monotonic() >= deadline:
                self._stuck = True
                return False
            time.sleep(0.001)
        return True

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._delivering:
                    self._delivery.turn(0 if self._queue else _TURN_SECONDS)
                    self._work_off()
            except BaseException:  # nothing may end the one thread that delivers
                log.exception("telemetry could not be delivered; going on")
                time.sleep(_TURN_SECONDS)
        self._ended.set()
        self._leave()

    def _leave(self) -> None:
        with self._delivering:
            while self._queue:
                self._work_off()
            self._delivery.close()

    def _work_off(self) -> None:
        messages = []
        for _ in range(min(len(self._queue), _BATCH)):
            item = self._queue.popleft()
            if isinstance(item, threading.Event):
                self._waiting.append(item)
            else:
                messages.append(self._message(*item))
        self._delivery.send(messages)
        self._stuck = False
        if self._waiting and self._delivery.settled:
            while self._waiting:
                self._waiting.pop().set()

    def _message(self, kind: str, build: Build) -> Message:
        try:
            message, notes = to_message(kind, build())
        except BaseException as error:  # a record's own code may raise anything
            log.exception("a record of kind %s could not be made", kind)
            message, notes = unmakeable(kind, getattr(build, "args", build), error), []
        if notes:
            self._counts["mended"] += 1
            log.warning("values of a record of kind %s were changed to fit: %s", kind, "; ".join(notes))
        if message.topic == DEAD_LETTER.topic and kind != DEAD_LETTER.kind:
            self._counts["refused"] += 1
        return message
