"""The embedded stream job as its supervisor keeps it, and records that flow meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from confluent_kafka import Producer

from embedded import health
from streaming.records import EXECUTION
from streaming.settings import StreamingSettings

# Seconds that a busy machine may take for what a quiet one does in a few.
PATIENCE = 240


def environment_of(settings: StreamingSettings) -> dict[str, str]:
    """The environment of a process that is to have these settings."""
    return os.environ | {
        "TIDEMARK_HOME": str(settings.home),
        "TIDEMARK_STATE_DIR": str(settings.state_dir),
        "TIDEMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "TIDEMARK_FLINK_PORT": str(settings.flink_port),
    }


class Job:
    """One process group, started anew when it has ended."""

    def __init__(self, settings: StreamingSettings) -> None:
        self.url = f"http://127.0.0.1:{settings.flink_port}"
        self._environment = environment_of(settings)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "streaming.jobs.telemetry"]
        self.process = subprocess.Popen(command, env=self._environment, start_new_session=True)

    def tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def wait_until_running(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not health.flink(self.url).ok:
            assert time.monotonic() < deadline, "the job did not come up"
            if self.process.poll() is not None:
                self.start()
            time.sleep(0.1)

    def end(self, number: signal.Signals = signal.SIGKILL, *, only_parent: bool = False) -> int:
        (os.kill if only_parent else os.killpg)(self.process.pid, number)
        return self.process.wait()


def execution(number: int, agent: str) -> bytes:
    """A span, nine of which are a trace."""
    record = {"trace_id": str(number // 9), "span_id": str(number), "status": "ok", "agent": agent}
    times = {"started_at": "2026-11-21T10:00:00Z", "ended_at": "2026-11-21T10:00:01Z"}
    return json.dumps(record | times).encode()


@contextmanager
def flow(settings: StreamingSettings, agent: str) -> Iterator[Counter[str]]:
    """Fifty executions a second, numbered from 1, and after each fiftieth one that is `bad`, as its key says;
    yields how many there were."""
    sent: Counter[str] = Counter()
    stop = threading.Event()

    def send() -> None:
        producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
        while not stop.wait(0.02):
            number = sent["records"] = sent["records"] + 1
            producer.produce(EXECUTION.topic, execution(number, agent), str(number // 9).encode())
            if number % 50 == 0:
                sent["bad"] += 1
                producer.produce(EXECUTION.topic, b"{", b"bad")
        assert producer.flush(PATIENCE) == 0

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()
