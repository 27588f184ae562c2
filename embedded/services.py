"""The stack's services as data: command, needs, ports, and how its health is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embedded import health, kafka
from embedded.airflow_database import Migration
from embedded.health import Health
from embedded.settings import EmbeddedSettings


@dataclass(frozen=True)
class Port:
    """A port that a service listens on and the variable that moves it."""

    number: int
    variable: str


@dataclass(frozen=True)
class Service:
    """One supervised process (tree).

    `check` takes the process's start time (seconds since the epoch), so that a heartbeat left behind by
    an earlier process does not count.
    """

    name: str
    command: list[str]
    check: Callable[[float], Health]
    after: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    address: str = ""
    prepare: Callable[[], None] | None = None
    stop_seconds: int = 15


def services(settings: EmbeddedSettings) -> tuple[Service, ...]:
    """The stack, in the order in which a person reads it."""
    python = [sys.executable, "-P"]  # -P: the working directory stays off the import path
    airflow_command = str(Path(sys.executable).with_name("airflow"))
    migrate = Migration(settings)
    heartbeat = settings.run_dir / "loader.heartbeat"
    return (
        Service(
            "kafka",
            kafka.command(settings),
            lambda _: health.kafka(settings.kafka_bootstrap),
            ports=(
                Port(settings.kafka_port, "TIDEMARK_KAFKA_PORT"),
                Port(settings.kafka_controller_port, "TIDEMARK_KAFKA_CONTROLLER_PORT"),
            ),
            address=settings.kafka_bootstrap,
            prepare=lambda: kafka.prepare(settings),
        ),
        Service(
            "warehouse",
            [
                *python,
                "-m",
                "embedded.warehouse_server",
                "--data",
                str(settings.home / "warehouse"),
                "--port",
                str(settings.warehouse_port),
            ],
            lambda _: health.warehouse(settings.warehouse_url),
            ports=(Port(settings.warehouse_port, "TIDEMARK_WAREHOUSE_PORT"),),
            address=settings.warehouse_url,
            stop_seconds=30,
        ),
        Service(
            "stream-job",
            [*python, "-m", "streaming.jobs.telemetry"],
            lambda _: health.flink(settings.flink_url),
            after=("kafka",),
            ports=(Port(settings.flink_port, "TIDEMARK_FLINK_PORT"),),
            address=settings.flink_url,
        ),
        Service(
            "loader",
            [*python, "-m", "streaming.loader"],
            lambda since: health.heartbeat_file(heartbeat, since),
            after=("kafka", "warehouse"),
        ),
        Service(
            "airflow-api-server",
            [airflow_command, "api-server"],
            lambda _: health.airflow(settings.airflow_url, "metadatabase"),
            ports=(Port(settings.airflow_port, "TIDEMARK_AIRFLOW_PORT"),),
            address=settings.airflow_url,
            prepare=migrate.run,
        ),
        Service(
            "airflow-scheduler",
            # Without the log server, which listens on every interface: the pages read the same files.
            [airflow_command, "scheduler", "--skip-serve-logs"],
            lambda since: health.airflow(settings.airflow_url, "scheduler", since),
            prepare=migrate.run,
        ),
        Service(
            "airflow-dag-processor",
            [airflow_command, "dag-processor"],
            lambda since: health.airflow(settings.airflow_url, "dag_processor", since),
            prepare=migrate.run,
        ),
    )
