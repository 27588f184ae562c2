"""Real parts for the tests of this room: a broker, a warehouse server, settings that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from free_ports import free_port
from kafka_broker import Broker, kafka_broker
from stream_job import Job
from streaming.settings import StreamingSettings
from warehouse_process import warehouse_server


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
    with kafka_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """For a test that leaves checkpoints, offsets and open transactions behind."""
    with kafka_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def warehouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warehouse_server(tmp_path_factory.mktemp("warehouse")) as server:
        yield server.url


@pytest.fixture
def nowhere(tmp_path: Path) -> StreamingSettings:
    """Settings of a machine whose Kafka is away."""
    return StreamingSettings(
        home=tmp_path, state_dir=tmp_path, kafka_bootstrap=f"127.0.0.1:{free_port()}", flush_seconds=0.2
    )
