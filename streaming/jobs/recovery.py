"""What a job that was away finds when it is back: transactions that Kafka gave up, records that it deleted.

A checkpoint is complete before its transactions are committed. A job killed in between commits them when it
is back, unless Kafka has aborted them by then; Flink goes on all the same, and says what it says after a
harmless restart. So the state's transactions are looked up before the job starts, and what is lost is read
again from the inputs, into the topics that miss it and no others. What cannot be had again is said in the log
and in the dead letters: records that retention deleted unread, and statistics, whose windows are gone.
"""

from __future__ import annotations

import json
import logging
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaProducer, TopicPartition
from kafka.admin import (
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    OffsetSpec,
    TransactionDescription,
    TransactionState,
)
from kafka.errors import (
    ClusterAuthorizationFailedError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    TransactionalIdNotFoundError,
)

from streaming.records import DEAD_LETTER, INPUTS, RECORDS, STATS, iso
from streaming.settings import StreamingSettings
from warehouse.errors import TransientError

log = logging.getLogger("streaming.job")

# By source table of the job (`execution_typed`) and partition: the offsets [first, end).
Spans = dict[str, dict[int, tuple[int, int]]]
READINGS = ("typed", "raw")
_STATES = ("SourceReaderState", "streaming_committer_raw_states")
_SOURCE = re.compile(r"^Source: .*\.(\w+)$")
_WEEK_MS = 7 * 24 * 3600 * 1000
# A job needs less to start and commit what its predecessor prepared.
_SOON_MS = 60_000
_LOST = "Kafka gave up the transaction {} before the stream job was back; the statistics in it are missing"
_UNKNOWN = "Kafka knows no more whether the transaction {} was committed; the rows in it may be missing"


class Transaction(NamedTuple):
    """A transaction as a committer's state names it."""

    id: str
    producer: int
    epoch: int


@dataclass
class State:
    """A checkpoint or savepoint: each source table's next offsets, and the transactions still to be
    committed. A partition of which nothing was read has no offset.
    """

    offsets: dict[str, dict[int, int]] = field(default_factory=dict)
    pending: set[Transaction] = field(default_factory=set)


@dataclass(frozen=True)
class Findings:
    """What to read again, by the kind of record that misses it, and dead letters of what cannot be."""

    again: dict[str, Spans]
    letters: list[dict[str, Any]]


def longest_transaction_ms(settings: StreamingSettings) -> int:
    """What the broker allows, up to a week: inputs are kept no longer."""
    with _admin(settings) as admin:
        broker = str(admin.describe_cluster()["brokers"][0]["broker_id"])
        name = "transaction.max.timeout.ms"
        asked = ConfigResource(ConfigResourceType.BROKER, broker, {name: None})
        try:
            known = admin.describe_configs([asked], config_filter="all")["broker"][broker][name]
        except ClusterAuthorizationFailedError:
            # Not ours to ask: the default of every broker.
            return 900_000
    return min(int(known["value"]), _WEEK_MS)


def read(path: Path, prefix: str) -> State:
    """A snapshot, by Flink's own reader of its metadata in the Java that the job is to run in."""
    from pyflink.java_gateway import get_gateway

    jvm = get_gateway().jvm
    file = jvm.java.io.DataInputStream(jvm.java.io.FileInputStream(str(path / "_metadata")))
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    checkpoints = jvm.org.apache.flink.runtime.checkpoint.Checkpoints
    state = State()
    for operator in checkpoints.loadCheckpointMetadata(file, loader, path.as_uri()).getOperatorStates():
        source = _SOURCE.match(operator.getOperatorName().orElse(""))
        for name, element in _elements(operator):
            if source and name == _STATES[0]:
                partition, offset = _split(element)
                if offset >= 0:
                    state.offsets.setdefault(source[1], {})[partition] = offset
            elif name == _STATES[1]:
                state.pending |= set(_transactions(element, prefix))
    file.close()
    return state


def look(settings: StreamingSettings, group: str, prefix: str, snapshots: list[Path]) -> Findings:
    """Compare the newest of the snapshots (newest first; none: the group's offsets) with what Kafka has."""
    newest = read(snapshots[0], prefix) if snapshots else State()
    with _admin(settings) as admin:
        earliest = {record.kind: _earliest(admin, record.topic) for record in INPUTS}
        groups = _group_offsets(admin, [f"{group}-{reading}" for reading in READINGS])
        fates = {transaction: _fate(admin, transaction) for transaction in newest.pending}
    newest = _with_group_offsets(newest, groups, group)
    older = [read(path, prefix) for path in snapshots[1:]] if "lost" in fates.values() else []
    letters = list(_deleted(newest, earliest))
    again: dict[str, Spans] = {}
    for transaction in sorted(transaction for transaction, fate in fates.items() if fate != "there"):
        kind = transaction.id.removeprefix(f"{prefix}-").split("-")[0]
        if fates[transaction] == "unknown":
            letters.append(_letter(RECORDS[kind].clean_topic, -1, -1, _UNKNOWN.format(transaction.id)))
        elif kind == STATS.kind:
            letters.append(_letter(STATS.topic, -1, -1, _LOST.format(transaction.id)))
        else:
            before = next((state for state in older if transaction not in state.pending), State())
            again[kind], deleted = _spans(kind, before, newest, earliest)
            letters += deleted
            log.error("Kafka gave up the transaction %s; read again: %s", transaction.id, again[kind])
    return Findings(again, letters)


def report(settings: StreamingSettings, letters: list[dict[str, Any]]) -> None:
    """Say what is lost for good, in the log and in the dead letters."""
    if not letters:
        return
    for letter in letters:
        log.error("%s/%d: %s", letter["source_topic"], letter["source_partition"], letter["reason"])
    try:
        producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
        sent = [
            producer.send(DEAD_LETTER.topic, json.dumps(letter).encode(), letter["source_topic"].encode())
            for letter in letters
        ]
        producer.close()
        for one in sent:
            one.get()  # raises what it was refused for
    except KafkaError as error:
        raise TransientError(f"Kafka at {settings.kafka_bootstrap} took no dead letters: {error}") from error


@contextmanager
def _admin(settings: StreamingSettings) -> Iterator[KafkaAdminClient]:
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, request_timeout_ms=10_000)
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise TransientError(
            f"Kafka at {settings.kafka_bootstrap} does not say what it holds: {error}"
        ) from error


def _elements(operator: Any) -> Iterator[tuple[str, bytes]]:
    """The lists in an operator's state, element by element: a length, then so many bytes."""
    for subtask in operator.getSubtaskStates().values():
        for handle in subtask.getManagedOperatorState().stream().toList():
            lists = handle.getStateNameToPartitionOffsets()
            wanted = [name for name in lists if name in _STATES]
            data = handle.openInputStream().readAllBytes() if wanted else b""
            for name in wanted:
                for at in lists[name].getOffsets():
                    (length,) = struct.unpack_from(">i", data, at)
                    yield name, data[at + 4 : at + 4 + length]


def _split(element: bytes) -> tuple[int, int]:
    # Version and length, then the topic with its length, partition, next offset (negative: not yet known).
    (topic,) = struct.unpack_from(">h", element, 8)
    partition, offset = struct.unpack_from(">iq", element, 10 + topic)
    return partition, offset


def _transactions(element: bytes, prefix: str) -> Iterator[Transaction]:
    # Epoch, producer, the id with its length; around it lie the counts of a nested collection.
    for found in re.finditer(re.escape(f"{prefix}-".encode()), element):
        epoch, producer, length = struct.unpack_from(">hqh", element, found.start() - 12)
        yield Transaction(element[found.start() : found.start() + length].decode(), producer, epoch)


def _group_offsets(admin: KafkaAdminClient, groups: list[str]) -> dict[str, Any]:
    # A broker that has just started makes the topic of the offsets when it is first asked for one.
    for _ in range(100):
        try:
            return dict(admin.list_group_offsets(dict.fromkeys(groups)))
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            time.sleep(0.1)
    return dict(admin.list_group_offsets(dict.fromkeys(groups)))


def _earliest(admin: KafkaAdminClient, topic: str) -> dict[int, int]:
    (known,) = admin.describe_topics([topic])
    parts = [TopicPartition(topic, partition["partition_index"]) for partition in known["partitions"]]
    found = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
    return {part.partition: at.offset for part, at in found.items()}


def _with_group_offsets(state: State, groups: dict[str, Any], group: str) -> State:
    """The state, and where it has no offset what the group has committed, which is where the job goes on."""
    kinds = {record.topic: record.kind for record in INPUTS}
    offsets: dict[str, dict[int, int]] = {}
    for reading in READINGS:
        for part, committed in groups[f"{group}-{reading}"].items():
            if part.topic in kinds and committed.offset >= 0:
                offsets.setdefault(f"{kinds[part.topic]}_{reading}", {})[part.partition] = committed.offset
    for table, known in state.offsets.items():
        offsets[table] = offsets.get(table, {}) | known
    return State(offsets, state.pending)


def _fate(admin: KafkaAdminClient, transaction: Transaction) -> str:
    """Whether what the transaction wrote is there, lost, or unknown.

    An epoch later by more than the one that its end may add means that the name was taken again, which the
    job does only after its commit was answered.
    """
    try:
        known = admin.describe_transactions([transaction.id])[transaction.id]
        deadline = time.monotonic() + 1.5 * _SOON_MS / 1000
        while known.state is TransactionState.ONGOING and _ends_soon(known) and time.monotonic() < deadline:
            time.sleep(0.5)
            known = admin.describe_transactions([transaction.id])[transaction.id]
    except TransactionalIdNotFoundError:
        return "unknown"
    aborted = known.state in (
        TransactionState.PREPARE_ABORT,
        TransactionState.COMPLETE_ABORT,
        TransactionState.PREPARE_EPOCH_FENCE,
    )
    own = known.producer_id == transaction.producer and known.producer_epoch <= transaction.epoch + 1
    return "lost" if aborted and own else "there"


def _ends_soon(known: TransactionDescription) -> bool:
    # It could be gone before the job is there to commit it: wait it out.
    left = known.transaction_start_time_ms + known.transaction_timeout_ms - time.time() * 1000
    return bool(left < _SOON_MS)


def _deleted(state: State, earliest: dict[str, dict[int, int]]) -> Iterator[dict[str, Any]]:
    for record in INPUTS:
        read = [state.offsets.get(f"{record.kind}_{reading}") for reading in READINGS]
        tables = [offsets for offsets in read if offsets]
        for partition, low in earliest[record.kind].items() if tables else ():
            first = min(table.get(partition, 0) for table in tables)
            if first < low:
                reason = (
                    f"{low - first} records, offsets {first} to {low - 1}, were deleted by retention before "
                    "the stream job, which was away, had processed them"
                )
                yield _letter(record.topic, partition, first, reason)


def _spans(
    kind: str, before: State, newest: State, earliest: dict[str, dict[int, int]]
) -> tuple[Spans, list[dict[str, Any]]]:
    """What lies between two states, of the tables that records of this kind come from; letters of what of it
    Kafka no longer has."""
    kinds = [record.kind for record in INPUTS] if kind == DEAD_LETTER.kind else [kind]
    readings = READINGS if kind == DEAD_LETTER.kind else READINGS[:1]
    spans: Spans = {}
    letters = []
    for source, reading in product(kinds, readings):
        table = f"{source}_{reading}"
        spans[table] = {}
        for partition, low in earliest[source].items():
            first = before.offsets.get(table, {}).get(partition, 0)
            end = newest.offsets.get(table, {}).get(partition, 0)
            spans[table][partition] = (min(max(first, low), end), end)
            gone = min(low, end) - first
            if gone > 0 and reading == readings[-1]:
                reason = (
                    f"{gone} records, offsets {first} to {first + gone - 1}, were deleted by retention; what "
                    f"the stream job made of them for {RECORDS[kind].clean_topic}, Kafka had given up"
                )
                letters.append(_letter(RECORDS[source].topic, partition, first, reason))
    return spans, letters


def _letter(topic: str, partition: int, offset: int, reason: str) -> dict[str, Any]:
    return {
        "source_topic": topic,
        "source_partition": partition,
        "source_offset": offset,
        "reason": reason,
        "key": "",
        "payload": "",
        "refused_at": iso(datetime.now(UTC)),
    }
