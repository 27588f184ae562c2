"""Real parts for the tests of this room: a broker, a warehouse server, settings that lead to them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from embedded import jars, kafka
from embedded.settings import EmbeddedSettings
from streaming.settings import StreamingSettings

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A one-node broker that can be killed and started again on its own data."""

    def __init__(self, home: Path, **properties: object) -> None:
        # The jars are downloads, not state: those of the checkout serve.
        shared = EmbeddedSettings(home=Path(os.environ.get("TIDEMARK_HOME", ROOT / ".tidemark")))
        jars.ensure(shared)
        (home / "jars").symlink_to(shared.jars_dir)
        self._embedded = EmbeddedSettings(
            home=home, kafka_port=free_port(), kafka_controller_port=free_port()
        )
        self._process: subprocess.Popen[bytes] | None = None
        kafka.prepare(self._embedded)
        with (home / "kafka" / "server.properties").open("a") as file:
            file.writelines(f"{name.replace('_', '.')}={value}\n" for name, value in properties.items())
        self.settings = StreamingSettings(
            home=home, state_dir=home, kafka_bootstrap=self._embedded.kafka_bootstrap, flink_port=free_port()
        )

    def start(self) -> None:
        log = (self._embedded.home / "broker.log").open("ab")
        self._process = subprocess.Popen(kafka.command(self._embedded), stdout=log, stderr=log)
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_bootstrap, "log_level": 0})
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


class Job:
    """The job as the supervisor keeps it: one process group, started anew when it has ended."""

    def __init__(self, settings: StreamingSettings) -> None:
        self.url = f"http://127.0.0.1:{settings.flink_port}/jobs/overview"
        self._environment = os.environ | {
            "TIDEMARK_HOME": str(settings.home),
            "TIDEMARK_STATE_DIR": str(settings.state_dir),
            "TIDEMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "TIDEMARK_FLINK_PORT": str(settings.flink_port),
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", "streaming.jobs.telemetry"]
        return subprocess.Popen(command, env=self._environment, start_new_session=True)

    def tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def wait_until_running(self) -> None:
        deadline = time.monotonic() + 240
        while not self._running():
            assert time.monotonic() < deadline, "the job did not come up"
            if self.process.poll() is not None:
                self.process = self._start()
            time.sleep(0.2)

    def _running(self) -> bool:
        try:
            jobs = httpx.get(self.url).json()["jobs"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return any(job["tasks"]["running"] == job["tasks"]["total"] for job in jobs)

    def start(self) -> None:
        """Start it again after its end."""
        self.process = self._start()

    def end(self, number: signal.Signals = signal.SIGKILL, *, only_parent: bool = False) -> int:
        (os.kill if only_parent else os.killpg)(self.process.pid, number)
        return self.process.wait()


@pytest.fixture
def start_job() -> Iterator[Callable[[StreamingSettings], Job]]:
    """Starts a job of these settings; whatever runs at the end is killed."""
    jobs: list[Job] = []

    def start(settings: StreamingSettings) -> Job:
        jobs.append(Job(settings))
        return jobs[-1]

    yield start
    for job in jobs:
        if job.process.poll() is None:
            job.end()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """For a test that leaves checkpoints, offsets and open transactions behind."""
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def impatient_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that gives up a transaction after seconds."""
    properties = {
        "transaction_max_timeout_ms": 10_000,
        "transaction_abort_timed_out_transaction_cleanup_interval_ms": 500,
    }
    running = Broker(tmp_path_factory.mktemp("broker"), **properties)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def warehouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("warehouse")
    command = [sys.executable, "-m", "embedded.warehouse_server", "--data", str(folder), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        for _ in range(150):
            try:
                if httpx.get(f"{url}/ping").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
        server.terminate()


@pytest.fixture
def nowhere(tmp_path: Path) -> StreamingSettings:
    """Settings of a machine whose Kafka is away."""
    return StreamingSettings(
        home=tmp_path, state_dir=tmp_path, kafka_bootstrap=f"127.0.0.1:{free_port()}", flush_seconds=0.2
    )


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


@pytest.fixture(scope="session")
def read() -> object:
    """`read_all`, for tests that cannot import a conftest."""
    return read_all


@pytest.fixture
def free_ports() -> int:
    """A free port whose successor is free too."""
    while True:
        first = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", first + 1))
            except (OSError, OverflowError):
                continue
        return first
