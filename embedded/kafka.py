"""The one-node broker: its configuration, its storage, its command."""

from __future__ import annotations

import subprocess
from base64 import urlsafe_b64encode
from pathlib import Path
from uuid import uuid4

from embedded import jars
from embedded.errors import ServiceFailed
from embedded.settings import LOOPBACK, EmbeddedSettings

# A refused record travels on as a dead letter in base64, a third larger than it came: 2 MB must fit as 2.7.
LARGEST_RECORD_BYTES = 4 * 1024 * 1024


def command(settings: EmbeddedSettings) -> list[str]:
    """The broker's command line."""
    return [
        *_java(settings),
        "-Xms128m",
        "-Xmx320m",
        "-XX:+UseSerialGC",
        # The second compiler pays off after minutes of load; without it the start costs a third less.
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "kafka.Kafka",
        str(_properties(settings)),
    ]


def prepare(settings: EmbeddedSettings) -> None:
    """Write the broker's configuration and format its storage if that was never done.

    Raises:
        ServiceFailed: the storage cannot be formatted.
    """
    folder = settings.home / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    _properties(settings).write_text(render_properties(settings), "utf-8")
    _logging(settings).write_text(LOGGING, "utf-8")
    if (folder / "data" / "meta.properties").exists():
        return
    cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [
            *_java(settings),
            "kafka.tools.StorageTool",
            "format",
            # In one word: an id may begin with a hyphen and would be read as an option.
            f"--cluster-id={cluster}",
            "-c",
            str(_properties(settings)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines() or ["nothing was said"]
        raise ServiceFailed(f"kafka: the storage in {folder} cannot be formatted: {said[-1]}")


def render_properties(settings: EmbeddedSettings) -> str:
    """server.properties of a broker that is its own controller and keeps one copy of everything."""
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{settings.kafka_controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"BROKER://{settings.kafka_bootstrap},CONTROLLER://{LOOPBACK}:{settings.kafka_controller_port}",
        "advertised.listeners": f"BROKER://{settings.kafka_bootstrap}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "log.dirs": settings.home / "kafka" / "data",
        "num.network.threads": 2,
        "num.io.threads": 4,
        # Topics are made on purpose, with the partitions they need; a misspelt name is an error.
        "auto.create.topics.enable": "false",
        "message.max.bytes": LARGEST_RECORD_BYTES,
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        # As long as inputs are kept: what a job has read and not yet committed waits for it all that time.
        "transaction.max.timeout.ms": 7 * 24 * 3600 * 1000,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # Each topic says when it is made how long and how much it keeps; this is for topics of other makers.
        "log.retention.hours": 168,
        "log.retention.bytes": 2 * 1024 * 1024 * 1024,
        "log.segment.bytes": 64 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def _java(settings: EmbeddedSettings) -> list[str]:
    return [
        str(jars.java_home() / "bin" / "java"),
        f"-Dlog4j2.configurationFile={_logging(settings)}",
        "-cp",
        str(settings.jars_dir / "kafka" / "*"),
    ]


def _properties(settings: EmbeddedSettings) -> Path:
    return settings.home / "kafka" / "server.properties"


def _logging(settings: EmbeddedSettings) -> Path:
    return settings.home / "kafka" / "log4j2.properties"
