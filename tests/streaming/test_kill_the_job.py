"""The embedded job, killed again and again while records flow: each comes out once, nothing stays behind."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from signal import SIGKILL as KILL
from signal import SIGTERM
from typing import Any

import psutil
import pytest

from kafka_broker import Broker, open_transactions, read_all
from stream_job import Job, flow
from streaming.records import DEAD_LETTER, EXECUTION
from streaming.topics import create_topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
AGENT = "kill-the-job"


def test_every_record_comes_out_once(
    own_broker: Broker, start_job: Callable[..., Job], capfd: pytest.CaptureFixture[str]
) -> None:
    settings = own_broker.settings
    create_topics(settings)
    assert not _open_to_others(psutil.Process(own_broker.pid))

    def records(topic: str) -> list[dict[str, Any]]:
        return [json.loads(message.value()) for message in read_all(settings, topic)]

    def spans() -> list[str]:
        return [row["span_id"] for row in records(EXECUTION.clean_topic) if row["agent"] == AGENT]

    def counted() -> int:
        return sum(row["executions"] for row in records("agent.stats") if row["agent"] == AGENT)

    job = start_job(settings)
    with flow(settings, AGENT) as sent:
        for number, only_parent in ((KILL, False), (SIGTERM, False), (KILL, True)):
            job.wait_until_running()
            time.sleep(random.uniform(0.5, 2))
            tree = job.tree()
            assert not [each for process in tree for each in _open_to_others(process)]
            status = job.end(number, only_parent=only_parent)
            _, alive = psutil.wait_procs(tree, timeout=60)
            assert not alive, "Java outlives its Python"
            if number == SIGTERM:
                # As its supervisor stops it, Java included: all that it has read is committed.
                assert status == 0
                assert not open_transactions(settings)
        job.wait_until_running()
    deadline = time.monotonic() + 180
    while (len(spans()) < sent["records"] or counted() < sent["records"]) and time.monotonic() < deadline:
        time.sleep(0.5)

    assert Counter(spans()) == {str(number): 1 for number in range(1, sent["records"] + 1)}
    assert counted() == sent["records"]
    letters = [letter for letter in records(DEAD_LETTER.topic) if letter["key"] == "bad"]
    positions = {(letter["source_partition"], letter["source_offset"]) for letter in letters}
    assert len(letters) == len(positions) == sent["bad"]

    # Flink refuses at once, and the job says what it refused, not how long it waited.
    savepoints = settings.flink_dir / "savepoints"
    shutil.rmtree(savepoints)
    savepoints.touch()
    capfd.readouterr()
    assert job.end(SIGTERM) == 0
    said = capfd.readouterr().err
    assert "stopped without a savepoint" in said
    assert str(savepoints) in said
    assert "within" not in said


def _open_to_others(process: psutil.Process) -> list[str]:
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    return [address for address in listening if address.removeprefix("::ffff:") != "127.0.0.1"]
