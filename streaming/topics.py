"""Creates the telemetry topics, so that no client's first record decides how they are laid out."""

from __future__ import annotations

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streaming.errors import TransientError
from streaming.records import INPUTS, RECORDS
from streaming.settings import StreamingSettings

RECORD_LIMIT_BYTES = 1_000_000
# A dead letter carries a whole refused record in base64, and a clean record may grow by defaults.
DERIVED_LIMIT_BYTES = 4_000_000
_RETENTION_DAYS = {"input": 7, "derived": 14}


def topic_specs(settings: StreamingSettings) -> list[NewTopic]:
    """Every topic with its partitions and limits."""
    inputs = {record.topic for record in INPUTS}
    derived = {record.clean_topic for record in RECORDS.values()}
    return [_spec(name, settings, "input", RECORD_LIMIT_BYTES + 48_576) for name in sorted(inputs)] + [
        _spec(name, settings, "derived", DERIVED_LIMIT_BYTES) for name in sorted(derived)
    ]


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


def _spec(name: str, settings: StreamingSettings, role: str, limit: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        topic_configs={
            "retention.ms": str(_RETENTION_DAYS[role] * 86_400_000),
            "max.message.bytes": str(limit),
        },
    )
