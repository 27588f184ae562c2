"""The embedded job, killed again and again while records flow: each comes out once, nothing stays behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from confluent_kafka import Producer

from streaming.records import DEAD_LETTER, EXECUTION
from streaming.settings import StreamingSettings
from streaming.topics import create_topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
AGENT = "kill-the-job"


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

    def kill(self, *, only_parent: bool) -> None:
        (os.kill if only_parent else os.killpg)(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _send(settings: StreamingSettings, sent: Counter[str], stop: threading.Event) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    while not stop.wait(0.02):
        number = sent["records"] = sent["records"] + 1
        record = {"trace_id": str(number // 9), "span_id": str(number), "status": "ok", "agent": AGENT}
        times = {"started_at": "2026-11-21T10:00:00Z", "ended_at": "2026-11-21T10:00:01Z"}
        producer.produce(EXECUTION.topic, json.dumps(record | times).encode(), str(number // 9).encode())
        if number % 50 == 0:
            sent["bad"] += 1
            producer.produce(EXECUTION.topic, b"{", AGENT.encode())
    assert producer.flush(20) == 0


@contextmanager
def _flow(settings: StreamingSettings) -> Iterator[Counter[str]]:
    sent: Counter[str] = Counter()
    stop = threading.Event()
    thread = threading.Thread(target=_send, args=(settings, sent, stop))
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def test_every_record_comes_out_once(own_broker: Any, read: Callable[..., Any]) -> None:
    settings = own_broker.settings
    create_topics(settings)

    def records(topic: str) -> list[dict[str, Any]]:
        return [json.loads(message.value()) for message in read(settings, topic)]

    def spans() -> list[str]:
        return [row["span_id"] for row in records(EXECUTION.clean_topic) if row["agent"] == AGENT]

    def counted() -> int:
        return sum(row["executions"] for row in records("agent.stats") if row["agent"] == AGENT)

    job = Job(settings)
    try:
        with _flow(settings) as sent:
            for only_parent in (False, True, True):
                job.wait_until_running()
                time.sleep(random.uniform(0.5, 3))
                tree = job.tree()
                assert not [each for process in tree for each in _open_to_others(process)]
                job.kill(only_parent=only_parent)
                _, alive = psutil.wait_procs(tree, timeout=60)
                assert not alive, "Java outlives its Python"
            job.wait_until_running()
        deadline = time.monotonic() + 180
        while (len(spans()) < sent["records"] or counted() < sent["records"]) and time.monotonic() < deadline:
            time.sleep(0.5)
    finally:
        job.kill(only_parent=False)

    assert Counter(spans()) == {str(number): 1 for number in range(1, sent["records"] + 1)}
    assert counted() == sent["records"]
    letters = [letter for letter in records(DEAD_LETTER.topic) if letter["key"] == AGENT]
    positions = {(letter["source_partition"], letter["source_offset"]) for letter in letters}
    assert len(letters) == len(positions) == sent["bad"]


def test_the_broker_listens_on_this_machine_only(broker: Any) -> None:
    assert not _open_to_others(psutil.Process(broker.pid))


def _open_to_others(process: psutil.Process) -> list[str]:
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    return [address for address in listening if address.removeprefix("::ffff:") != "127.0.0.1"]
