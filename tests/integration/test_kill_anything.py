"""Kill broker, job, loader and warehouse while records flow: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from embedded.stack import Stack as Supervised
from streaming.producer import RecordProducer
from streaming.settings import StreamingSettings
from warehouse import TransientError, Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

RATE, SECONDS = 2_000, 30
RECORDS = RATE * SECONDS
VICTIMS = ("loader", "stream-job", "warehouse", "kafka")


def execution(number: int, session: str) -> dict[str, object]:
    started = datetime.now(UTC)
    return {
        "trace_id": f"{number // 10:032x}", "span_id": f"{number:016x}", "parent_span_id": "",
        "session_id": session, "agent": "killed", "stage": "", "step": "act", "name": "execute_tool t",
        "operation": "execute_tool", "model": "", "tool": "t", "started_at": started,
        "ended_at": started + timedelta(milliseconds=3), "status": "ok", "error": "", "input_tokens": 1,
        "output_tokens": 1, "cost_usd": 0.0, "attributes": {"n": str(number)}, "input": "", "output": "",
    }  # fmt: skip


@pytest.fixture
def supervised(stack) -> Supervised:
    assert stack.tidemark("up").returncode == 0
    return Supervised(stack.settings)


def pid_of(supervised: Supervised, service: str) -> int:
    return next(found.pid for found in supervised.status() if found.name == service)


def landed(warehouse: Warehouse, session: str) -> tuple[int, int]:
    """(spans, rows) of a session in ODS; zeros while the warehouse is away."""
    sql = f"select uniqExact(span_id), count() from ods.agent_executions where session_id = '{session}'"
    try:
        return tuple(warehouse.query(sql).rows[0])
    except TransientError:
        return 0, 0


def test_counts_are_equal_after_every_one_of_them_was_killed(stack, supervised) -> None:
    session = uuid4().hex
    settings = StreamingSettings(
        kafka_bootstrap=supervised.settings.kafka_bootstrap, home=stack.home, state_dir=stack.home
    )

    def produce() -> None:
        with RecordProducer(settings) as producer:
            began = time.monotonic()
            for number in range(RECORDS):
                producer.send("execution", execution(number, session))
                if number % 20 == 0:
                    time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            producer.flush(120)
            counts.update(producer.counts)

    counts: dict[str, int] = {}
    flow = threading.Thread(target=produce)
    flow.start()
    for victim in VICTIMS:
        time.sleep(SECONDS / (len(VICTIMS) + 1))
        os.kill(pid_of(supervised, victim), signal.SIGKILL)
    flow.join()

    warehouse = stack.warehouse(read_only=False)
    deadline = time.monotonic() + 400
    while (found := landed(warehouse, session))[0] < RECORDS and time.monotonic() < deadline:
        time.sleep(1)
    assert counts == {"mended": 0, "refused": 0, "dropped": 0}
    # Each record that was sent is one row, whether producer, job or loader had reason to do it again.
    assert found == (RECORDS, RECORDS)
    letters = warehouse.query("select count() from ods.agent_dead_letters").rows[0][0]
    assert letters == 0
