"""A real broker: one node on free ports and a temporary folder."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka.admin import KafkaAdminClient

from embedded import kafka
from embedded_home import embedded_home
from streaming.settings import StreamingSettings


class Broker:
    """A one-node broker that can be killed and started again on its own data."""

    def __init__(self, home: Path, **properties: object) -> None:
        self._embedded = embedded_home(home)
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(_formatted(), home / "kafka" / "data")
        kafka.prepare(self._embedded)
        with (home / "kafka" / "server.properties").open("a") as file:
            file.writelines(f"{name.replace('_', '.')}={value}\n" for name, value in properties.items())
        self.settings = StreamingSettings(
            home=home,
            state_dir=home,
            kafka_bootstrap=self._embedded.kafka_bootstrap,
            flink_port=self._embedded.flink_port,
        )

    def start(self) -> None:
        with (self._embedded.home / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(kafka.command(self._embedded), stdout=log, stderr=log)
        quick = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50, "log_level": 0}
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_bootstrap, **quick})
        for _ in range(60):
            try:
                admin.list_topics(timeout=1.0)
                return
            except KafkaException:
                assert self._process.poll() is None, "the broker died"
        raise AssertionError("the broker did not come up in 60 s")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def forget(self) -> None:
        """Begin again with nothing, as after the disk was lost."""
        shutil.rmtree(self._embedded.home / "kafka" / "data")
        kafka.prepare(self._embedded)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@cache
def _formatted() -> Path:
    """A broker's storage before its first start: to format one takes half as long as a start."""
    home = Path(mkdtemp(prefix="tidemark-broker-"))
    atexit.register(shutil.rmtree, home)
    kafka.prepare(embedded_home(home))
    return home / "kafka" / "data"


@contextmanager
def kafka_broker(home: Path, **properties: object) -> Iterator[Broker]:
    """A broker for as long as the block lasts; `properties` have underscores for dots."""
    running = Broker(home, **properties)
    try:
        running.start()
        yield running
    finally:
        running.kill()


def read_all(settings: StreamingSettings, *topics: str) -> list[Message]:
    """Every committed message that the topics hold now, each partition in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": "tests",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(timeout=10).topics
    parts = [TopicPartition(topic, number, 0) for topic in topics for number in known[topic].partitions]
    consumer.assign(parts)
    # A partition that is written to meanwhile ends more than once.
    messages, unread = [], {(part.topic, part.partition) for part in parts}
    while unread:
        message = consumer.poll(60.0)
        assert message is not None, f"{topics} could not be read to the end"
        error = message.error()
        if error is None:
            messages.append(message)
        else:
            assert error.code() == KafkaError._PARTITION_EOF, error
            unread.discard((message.topic(), message.partition()))
    consumer.close()
    return messages


def open_transactions(settings: StreamingSettings) -> list[str]:
    """Ids of those that are neither committed nor given up."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    found = admin.list_transactions(state_filters=["Ongoing"])
    admin.close()
    return [known.transactional_id for listed in found.values() for known in listed]
