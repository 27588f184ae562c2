"""Telemetry by hand: recorded traces in, refused records out, and what waits for Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streaming.deadletters import DeadLetter, recent
from streaming.producer import RecordProducer
from streaming.replay import replay
from streaming.spool import Spool
from wiring.settings import Settings
from wiring.warehouse import open_warehouse


@dataclass(frozen=True)
class Sent:
    """What became of a file's records. `delivered`: Kafka has them; else they wait in the spool."""

    records: int
    dropped: int
    delivered: bool


def send_recording(settings: Settings, file: Path) -> Sent:
    """Send a recorded trace file as if its agents ran now. Raises `SourceFileError` for what is none."""
    with RecordProducer(settings.streaming) as producer:
        records = replay(file, producer)
        delivered = producer.flush(settings.streaming.flush_seconds)
    return Sent(records, producer.counts["dropped"], delivered)


def spooled_bytes(settings: Settings) -> int:
    """What waits on this machine for Kafka, of at most `settings.streaming.spool_limit_bytes`."""
    return Spool(settings.streaming.spool_dir, settings.streaming.spool_limit_bytes).size()


def refused_records(settings: Settings, limit: int) -> Sequence[DeadLetter]:
    """The newest refused records with their reasons and bytes."""
    with open_warehouse(settings) as warehouse:
        return recent(warehouse, limit)
