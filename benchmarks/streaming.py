"""What the stream costs: the job over a raw consumer, the loader over chDB's own insert, in one run.

    python -m benchmarks streaming

An own broker and warehouse on free ports. The job is the production plan: unbounded, exactly once, with its
checkpoints. It is timed between two of its commits, from when a part of the records is through to the last.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks import Ratio, free_ports
from embedded import jars, kafka
from embedded.settings import EmbeddedSettings
from streaming.ddl import ODS_DATABASE
from streaming.loader import Loader
from streaming.records import EXECUTION
from streaming.settings import StreamingSettings
from streaming.topics import create_topics
from wiring.settings import Settings
from wiring.warehouse import Warehouse, open_warehouse

ROWS = 600_000
# Read by the job before its time is taken: it starts, and compiles what it runs often.
WARM_UP = 200_000
# Loaded, once from the topic and once directly.
LOADED = 200_000
TABLE = f"{ODS_DATABASE}.{EXECUTION.table}"


def record(number: int) -> bytes:
    """An execution of about 600 bytes."""
    return orjson.dumps(
        {
            "trace_id": f"{number // 10:032x}",
            "span_id": f"{number:016x}",
            "parent_span_id": "",
            "session_id": f"session-{number // 100}",
            "agent": "analyst",
            "stage": "sql",
            "step": "act",
            "name": "execute_tool run_sql",
            "operation": "execute_tool",
            "model": "",
            "tool": "run_sql",
            "started_at": f"2026-11-21T10:{number % 60:02d}:00.000001Z",
            "ended_at": f"2026-11-21T10:{number % 60:02d}:01.5Z",
            "status": "ok",
            "error": "",
            "input_tokens": number % 1000,
            "output_tokens": 20,
            "cost_usd": 0.001,
            "attributes": {"rows": "12"},
            "input": "select 1 " * 10,
            "output": "x" * 60,
        }
    )


def measure() -> list[Ratio]:
    """Job rows/s over raw consumption, loader rows/s over chDB's own insert of the same lines."""
    lines = [record(number) for number in range(ROWS)]
    with (
        tempfile.TemporaryDirectory() as home,
        broker(Path(home)) as settings,
        warehouse(Path(home)) as served,
    ):
        create_topics(settings)
        produce(settings, EXECUTION.topic, lines)
        raw = ROWS / seconds(lambda: consume(settings, EXECUTION.topic))
        steady = job(settings)
        loaded = LOADED / seconds(lambda: load(settings, served))
        create = str(served.query(f"SHOW CREATE TABLE {TABLE}").rows[0][0])
        direct = LOADED / seconds_direct(Path(home), lines[:LOADED], create)
    return [
        Ratio("stream job: check, pass on, count", steady, "rows/s", raw, "raw consumer"),
        Ratio("loader: Kafka to ODS", loaded, "rows/s", direct, "chDB's own JSONEachRow insert"),
    ]


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def job(settings: StreamingSettings) -> float:
    """Rows/s that the running stream job commits after its warm-up."""
    environment = os.environ | {
        "TIDEMARK_HOME": str(settings.home),
        "TIDEMARK_STATE_DIR": str(settings.state_dir),
        "TIDEMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "TIDEMARK_FLINK_PORT": str(settings.flink_port),
    }
    command = [sys.executable, "-W", "ignore", "-P", "-m", "streaming.jobs.telemetry"]
    consumer = reader(settings)
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            began, warm = _committed(consumer, process, WARM_UP)
            ended, through = _committed(consumer, process, ROWS)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            consumer.close()
    return (through - warm) / (ended - began)


def _committed(consumer: Consumer, process: subprocess.Popen[bytes], enough: int) -> tuple[float, int]:
    """When the clean topic holds `enough` committed rows, and how many it holds by then (the markers that end
    transactions, one a checkpoint and partition, count as rows)."""
    topic = EXECUTION.clean_topic
    parts = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    while process.poll() is None:
        held = sum(consumer.get_watermark_offsets(TopicPartition(topic, part), 10)[1] for part in parts)
        if held >= enough:
            return time.perf_counter(), held
        time.sleep(0.02)
    raise SystemExit("the stream job ended by itself; what it said stands above")


def reader(settings: StreamingSettings) -> Consumer:
    """A consumer of what is committed."""
    return Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": "bench",
            "isolation.level": "read_committed",
        }
    )


def produce(settings: StreamingSettings, topic: str, lines: list[bytes]) -> None:
    """Put the lines into a topic."""
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 20, "compression.type": "lz4"}
    )
    for number, line in enumerate(lines):
        while True:
            try:
                producer.produce(topic, line, str(number // 10))
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def consume(settings: StreamingSettings, topic: str) -> None:
    """Read `ROWS` messages and do nothing with them."""
    consumer = reader(settings)
    parts = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, part, 0) for part in parts])
    left = ROWS
    while left > 0:
        left -= len(consumer.consume(10_000, timeout=1.0))
    consumer.close()


def load(settings: StreamingSettings, warehouse: Warehouse) -> None:
    """Run the loader until the clean topic is in its table."""
    stop = threading.Event()
    thread = threading.Thread(target=Loader(settings, warehouse).run, args=(stop,))
    thread.start()
    while not _loaded(warehouse):
        time.sleep(0.05)
    stop.set()
    thread.join()


def _loaded(warehouse: Warehouse) -> bool:
    return any((table.rows or 0) >= LOADED for table in warehouse.tables([TABLE]))


def seconds_direct(home: Path, lines: list[bytes], create: str) -> float:
    """chDB's own insert of the same lines into the same table, in the loader's batch size."""
    from chdb import _chdb

    direct = _chdb.connect(str(home / "direct"))
    direct.query("CREATE DATABASE ods ENGINE = Atomic")
    direct.query(create)
    direct.query("SET date_time_input_format = 'best_effort'")
    batches = [b"\n".join(lines[at : at + 20_000]) for at in range(0, len(lines), 20_000)]

    def insert() -> None:
        for batch in batches:
            stream = direct.send_insert(f"INSERT INTO {TABLE}", "JSONEachRow")
            direct.insert_append(stream, batch)
            direct.insert_done(stream)

    took = seconds(insert)
    direct.close()
    return took


@contextmanager
def broker(home: Path) -> Iterator[StreamingSettings]:
    """A broker of this run; the jars of the checkout serve."""
    shared = EmbeddedSettings()
    jars.ensure(shared)
    (home / "jars").symlink_to(shared.jars_dir)
    ports = free_ports(3)
    embedded = EmbeddedSettings(home=home, kafka_port=ports[0], kafka_controller_port=ports[1])
    kafka.prepare(embedded)
    process = subprocess.Popen(kafka.command(embedded), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    admin = AdminClient({"bootstrap.servers": embedded.kafka_bootstrap, "log_level": 0})
    try:
        _until(lambda: admin.list_topics(timeout=1.0), KafkaException)
        yield StreamingSettings(
            home=home, state_dir=home, kafka_bootstrap=embedded.kafka_bootstrap, flink_port=ports[2]
        )
    finally:
        process.kill()
        process.wait()


@contextmanager
def warehouse(home: Path) -> Iterator[Warehouse]:
    """A warehouse server of this run."""
    (port,) = free_ports(1)
    command = [
        sys.executable,
        "-P",
        "-m",
        "embedded.warehouse_server",
        "--data",
        str(home / "wh"),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: httpx.get(f"{url}/ping").raise_for_status(), httpx.HTTPError)
        settings = Settings.read()
        here = settings.warehouse.model_copy(update={"warehouse_url": url})
        with open_warehouse(replace(settings, warehouse=here)) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


def _until(attempt: Callable[[], object], failure: type[Exception]) -> None:
    for _ in range(100):
        try:
            attempt()
            return
        except failure:
            time.sleep(0.3)
    raise SystemExit("a server did not come up in time")
