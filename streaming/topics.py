"""Creates the telemetry topics, so that no client's first record decides how they are laid out."""

from __future__ import annotations

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streaming.records import EVENT, EXECUTION, INPUTS, RECORDS
from streaming.settings import StreamingSettings
from warehouse.errors import TransientError

RECORD_LIMIT_BYTES = 1_000_000
# A dead letter carries a whole refused record in base64, and a clean record may grow by defaults.
DERIVED_LIMIT_BYTES = 4_000_000
_RETENTION_DAYS = {"input": 7, "derived": 14}
# Sixteenths of the disk's bound, one for each other topic: most of what there is are spans and events, the
# clean ones for twice as long. A segment is deleted whole.
_SHARES = {EXECUTION.topic: 3, EXECUTION.clean_topic: 4, EVENT.topic: 2, EVENT.clean_topic: 3}
_SEGMENT_BYTES = 64 * 2**20


def topic_specs(settings: StreamingSettings) -> list[NewTopic]:
    """Every topic with its partitions and limits."""
    limits = {record.topic: ("input", RECORD_LIMIT_BYTES + 48_576) for record in INPUTS}
    limits |= {record.clean_topic: ("derived", DERIVED_LIMIT_BYTES) for record in RECORDS.values()}
    share = settings.kafka_disk_bytes // sum(_SHARES.get(name, 1) for name in limits)
    return [_spec(name, settings, *limits[name], share * _SHARES.get(name, 1)) for name in sorted(limits)]


def create_topics(settings: StreamingSettings) -> list[str]:
    """Create what is missing; returns the names created. TransientError while Kafka is away."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, request_timeout_ms=10_000)
    except KafkaError as error:
        raise TransientError(
            f"Kafka at {settings.kafka_bootstrap} does not answer ({error}); is it up?"
        ) from error
    try:
        present = set(admin.list_topics())
        missing = [spec for spec in topic_specs(settings) if spec.name not in present]
        if missing:
            admin.create_topics(missing)
        return [spec.name for spec in missing]
    except TopicAlreadyExistsError:
        # Another process was faster; the topics are what matters.
        return []
    except KafkaError as error:
        raise TransientError(
            f"Kafka at {settings.kafka_bootstrap} could not create topics: {error}"
        ) from error
    finally:
        admin.close()


def _spec(name: str, settings: StreamingSettings, role: str, limit: int, room: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        topic_configs={
            "retention.ms": str(_RETENTION_DAYS[role] * 86_400_000),
            "retention.bytes": str(max(room // settings.kafka_partitions - _SEGMENT_BYTES, _SEGMENT_BYTES)),
            "segment.bytes": str(_SEGMENT_BYTES),
            "max.message.bytes": str(limit),
        },
    )
