"""Loads the derived topics into ODS exactly once: `python -m streaming.loader`.

The offsets lie with the rows, in the same atomic insert; a loader starts after the last offset that the
tables hold, once nothing of a former loader is still running. So it may be killed anywhere. One loader
runs a state folder (a lock sees to it); a cluster runs one replica.
"""

from __future__ import annotations

import base64
import fcntl
import logging
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from typing import IO, Any

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlglot import exp

from streaming.ddl import ODS_DATABASE, ods_tables
from streaming.deadletters import GONE, originals
from streaming.records import DEAD_LETTER, RECORDS, iso
from streaming.settings import StreamingSettings
from streaming.topics import create_topics
from warehouse import PermanentError, TidemarkError, TransientError, Warehouse, WarehouseSettings, connect
from warehouse.client import LineWarehouse
from warehouse.errors import RowsRefusedError

log = logging.getLogger("streaming.loader")

_TABLES = {record.clean_topic: f"{ODS_DATABASE}.{record.table}" for record in RECORDS.values()}
_BATCH_ROWS = 20_000
_BATCH_BYTES = 16 * 2**20
_BATCH_SECONDS = 0.5
_CHECK_SECONDS = 5.0
_BACK_OFF = (0.5, 1.0, 2.0, 5.0)


@dataclass
class Row:
    """One record on its way: its position and its JSON line, or why it can be none."""

    topic: str
    partition: int
    offset: int
    value: bytes
    line: bytes = b""
    refusal: str = ""


@dataclass
class Batch:
    """Rows of one topic, in each partition's order."""

    rows: list[Row] = field(default_factory=list)
    size: int = 0
    since: float = 0.0

    def add(self, row: Row) -> None:
        if not self.rows:
            self.since = time.monotonic()
        self.rows.append(row)
        self.size += len(row.value)

    def due(self) -> bool:
        """Whether it is full or its first row has waited long enough."""
        if len(self.rows) >= _BATCH_ROWS or self.size >= _BATCH_BYTES:
            return True
        return bool(self.rows) and time.monotonic() - self.since >= _BATCH_SECONDS


class Loader:
    """One loader of one warehouse. `run` returns when `stop` is set and everything read is loaded."""

    def __init__(self, settings: StreamingSettings, warehouse: LineWarehouse) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._heartbeat = settings.state_dir / "run" / "loader.heartbeat"
        self._checked = 0.0

    def run(self, stop: threading.Event) -> None:
        """Load until told to stop, waiting out whatever is away. Raises PermanentError."""
        failures = 0
        while not stop.is_set():
            try:
                self.prepare()
                consumer = self._consumer()
                try:
                    self._assign(consumer)
                    failures = 0
                    self._pump(consumer, stop)
                finally:
                    consumer.close()
            except (TransientError, KafkaException) as error:
                wait = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)]
                failures += 1
                log.warning("%s; trying again in %.1f s", error, wait)
                stop.wait(wait)

    def prepare(self) -> None:
        """Make the topics and tables that are not there yet."""
        create_topics(self._settings)
        for table in ods_tables(self._settings.ods_retention_days):
            self._warehouse.create(table)

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._settings.kafka_bootstrap,
                # Only a name: partitions are assigned here and offsets live in the warehouse.
                "group.id": "tidemark-loader",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 65_536,
                "log_level": 2,
                "logger": log,
            }
        )

    def _assign(self, consumer: Consumer) -> None:
        held = self._settled_positions()
        topics = consumer.list_topics(timeout=5.0).topics
        starts = []
        for topic in _TABLES:
            for partition in topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=5.0)
                start = held.get((topic, partition), -1) + 1
                if start > high:
                    raise PermanentError(
                        f"{topic}/{partition} ends at {high} but the warehouse holds its offset {start - 1}: "
                        "the topic was made anew; restore it, or rename the ODS tables to begin again"
                    )
                if start < low and (topic, partition) in held:
                    log.error(
                        "%s/%d: %d records were deleted before they were loaded",
                        topic,
                        partition,
                        low - start,
                    )
                starts.append(TopicPartition(topic, partition, max(start, low)))
        consumer.assign(starts)

    def _settled_positions(self) -> dict[tuple[str, int], int]:
        """What the tables hold once no insert of a dead loader or connection can change it."""
        before: dict[tuple[str, int], int] | None = None
        for _ in range(200):
            if self._warehouse.inserts_running() == 0:
                now = positions(self._warehouse)
                if now == before:
                    return now
                before = now
            time.sleep(0.3)
        raise TransientError("inserts of a former loader are still running in the warehouse")

    def _pump(self, consumer: Consumer, stop: threading.Event) -> None:
        batches = {topic: Batch() for topic in _TABLES}
        while not stop.is_set():
            for message in consumer.consume(5_000, timeout=0.1):
                error = message.error()
                if error is not None:
                    self._consumer_error(error)
                    continue
                batches[str(message.topic())].add(to_row(message))
            for topic, batch in batches.items():
                if batch.due():
                    batches[topic] = Batch()
                    self._load(batch.rows)
            self._beat(consumer)
        for batch in batches.values():
            self._load(batch.rows)

    def _consumer_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise TransientError(f"Kafka deleted records while they were being read ({error})")
        if error.fatal():
            raise KafkaException(error)

    def _load(self, rows: list[Row]) -> None:
        """Insert rows of one topic in order; a row that cannot be in its table goes to the dead letters.

        Order matters: positions are read back as a maximum.
        """
        for refused, group in groupby(rows, key=lambda row: bool(row.refusal)):
            members = list(group)
            if refused:
                self._bury(members)
            else:
                self._insert(members)

    def _insert(self, rows: list[Row]) -> None:
        if rows[0].topic == DEAD_LETTER.clean_topic:
            self._complete(rows)
        try:
            lines = b"\n".join(row.line for row in rows)
            self._warehouse.insert_json(_TABLES[rows[0].topic], lines, token=_token(rows))
        except RowsRefusedError as error:
            if len(rows) == 1:
                rows[0].refusal = f"the warehouse refused it: {error}"
                self._bury(rows)
            else:
                middle = len(rows) // 2
                self._insert(rows[:middle])
                self._insert(rows[middle:])

    def _bury(self, rows: list[Row]) -> None:
        """Dead letters of the loader's own; they hold the refused rows' positions, so it goes on after."""
        lines = b"\n".join(orjson.dumps(_dead_letter(row)) for row in rows)
        log.error("%d records of %s go to the dead letters: %s", len(rows), rows[0].topic, rows[0].refusal)
        try:
            self._warehouse.insert_json(_TABLES[DEAD_LETTER.clean_topic], lines, token=_token(rows))
        except RowsRefusedError as error:
            raise PermanentError(
                f"the warehouse refuses even a dead letter: {error}; is its table ours?"
            ) from error

    def _complete(self, rows: list[Row]) -> None:
        """Give dead letters that came by position the bytes that they speak of."""
        waiting: dict[tuple[str, int, int], tuple[Row, dict[str, Any]]] = {}
        for row in rows:
            letter = orjson.loads(row.value)
            if letter.get("payload") is None and letter.get("source_offset", -1) >= 0:
                position = (letter["source_topic"], letter["source_partition"], letter["source_offset"])
                waiting[position] = (row, letter)
        if not waiting:
            return
        found = originals(self._settings.kafka_bootstrap, waiting)
        for position, (row, letter) in waiting.items():
            if position not in found:
                log.error("the bytes of a refused record are gone: %s/%d at %d", *position)
                letter["reason"] += GONE
            letter["payload"] = base64.b64encode(found.get(position, b"")).decode()
            row.line = _line(row.topic, row.partition, row.offset, orjson.dumps(letter))

    def _beat(self, consumer: Consumer) -> None:
        now = time.monotonic()
        if now - self._checked > _CHECK_SECONDS:
            self._warehouse.ping()
            topics = consumer.list_topics(timeout=3.0).topics
            if sum(len(topics[topic].partitions) for topic in _TABLES) != len(consumer.assignment()):
                raise TransientError("the topics' partitions have changed")
            self._checked = now
        if time.time() - _modified(self._heartbeat) > 0.5:
            self._heartbeat.parent.mkdir(parents=True, exist_ok=True)
            self._heartbeat.touch()


def positions(warehouse: Warehouse) -> dict[tuple[str, int], int]:
    """The last offset of each (topic, partition) that the tables hold."""
    parts = [exp.select("_topic", "_topic_partition", "_offset").from_(table) for table in _TABLES.values()]
    held = (
        exp.select("_topic", "_topic_partition", "max(_offset)")
        .from_(exp.union(*parts, distinct=False).subquery("held"))
        .where("_topic <> ''")
        .group_by("_topic", "_topic_partition")
    )
    return {(topic, partition): offset for topic, partition, offset in warehouse.query(held).rows}


def to_row(message: Message) -> Row:
    """A Kafka message as a row; one that is no JSON object carries its refusal."""
    value = message.value() or b""
    row = Row(str(message.topic()), message.partition() or 0, message.offset() or 0, value)
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        row.refusal = f"not JSON: {error}"
        return row
    if isinstance(parsed, dict) and parsed:
        row.line = _line(row.topic, row.partition, row.offset, value)
    else:
        row.refusal = "not a JSON object with fields"
    return row


def main() -> int:
    """Run the loader until SIGTERM; 1 after one clear line when it cannot go on."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = StreamingSettings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        lock = _only_one(settings)
        warehouse = connect(WarehouseSettings())
        if not isinstance(warehouse, LineWarehouse):
            raise PermanentError(
                f"{warehouse.dialect.name} takes no JSON lines as they come. "
                "Point TIDEMARK_WAREHOUSE_URL of the loader at a ClickHouse server."
            )
        try:
            Loader(settings, warehouse).run(stop)
        finally:
            warehouse.close()
            lock.close()
    except TidemarkError as error:
        print(f"loader: {error}", file=sys.stderr)
        return 1
    return 0


def _only_one(settings: StreamingSettings) -> IO[str]:
    path = settings.state_dir / "run" / "loader.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise PermanentError(f"another loader holds {path}; stop it first") from error
    return handle


def _line(topic: str, partition: int, offset: int, value: bytes) -> bytes:
    position = f'{{"_topic":"{topic}","_topic_partition":{partition},"_offset":{offset},'
    return position.encode() + value.strip()[1:]


def _token(rows: list[Row]) -> str:
    spans = {(row.topic, row.partition): (row.offset, row.offset) for row in reversed(rows)}
    for row in rows:
        first, _ = spans[(row.topic, row.partition)]
        spans[(row.topic, row.partition)] = (first, row.offset)
    return blake2b(repr(sorted(spans.items())).encode(), digest_size=16).hexdigest()


def _dead_letter(row: Row) -> dict[str, Any]:
    return {
        "_topic": row.topic,
        "_topic_partition": row.partition,
        "_offset": row.offset,
        "source_topic": row.topic,
        "source_partition": row.partition,
        "source_offset": row.offset,
        "reason": row.refusal,
        "key": "",
        "payload": base64.b64encode(row.value).decode(),
        "refused_at": iso(datetime.now(UTC)),
    }


def _modified(path: Any) -> float:
    try:
        return float(path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0


if __name__ == "__main__":
    sys.exit(main())
