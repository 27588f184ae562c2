"""A real broker and a real warehouse under the supervisor: start, survive, end without a trace."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from embedded.stack import Progress, Stack
from embedded.supervision import MARK
from embedded_home import embedded_home

pytestmark = pytest.mark.integration
SERVICES = ("kafka", "warehouse")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(embedded_home(tmp_path_factory.mktemp("stack")))
    try:
        stack.up(only=SERVICES)
        yield stack
    finally:
        stack.stop()


def pid_of(stack: Stack, name: str) -> int | None:
    return next(service.pid for service in stack.status() if service.name == name)


def healthy(stack: Stack, name: str) -> bool:
    return next(service.healthy for service in stack.status() if service.name == name)


def eventually(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_of(stack: Stack) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(stack.settings.home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_second_up_keeps_what_runs(stack: Stack) -> None:
    before = {name: pid_of(stack, name) for name in SERVICES}
    heard: list[Progress] = []
    stack.up(heard.append, only=SERVICES)
    assert {(step.service, step.state) for step in heard} == {(name, "running") for name in SERVICES}
    assert before == {name: pid_of(stack, name) for name in SERVICES}


def test_a_killed_broker_comes_back_with_its_records(stack: Stack) -> None:
    bootstrap = stack.settings.kafka_bootstrap
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
    large = b"x" * (2 * 1024 * 1024)
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.max.bytes": 4_000_000})
    producer.produce("kept", large)
    assert producer.flush(30) == 0

    killed = pid_of(stack, "kafka")
    assert killed
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: pid_of(stack, "kafka") not in (None, killed) and healthy(stack, "kafka"))

    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["kept"])
    message = consumer.poll(60)
    consumer.close()
    assert message is not None
    assert message.error() is None
    assert message.value() == large


def test_a_restarted_warehouse_is_another_process_with_the_same_rows(stack: Stack) -> None:
    warehouse = httpx.Client(
        base_url=stack.settings.warehouse_url, auth=("tidemark", "tidemark"), trust_env=False
    )
    for statement in (
        "CREATE TABLE ods.kept (n UInt64) ENGINE = MergeTree ORDER BY n",
        "INSERT INTO ods.kept SELECT number FROM numbers(1000)",
    ):
        warehouse.post("/", content=statement, timeout=60).raise_for_status()
    before = pid_of(stack, "warehouse")
    stack.restart("warehouse")
    assert pid_of(stack, "warehouse") not in (None, before)
    assert warehouse.post("/", content="SELECT sum(n) FROM ods.kept", timeout=60).text.strip() == "499500"


def test_logs_of_a_service_are_those_of_its_process(stack: Stack) -> None:
    assert any("Kafka Server started" in line for line in stack.logs("kafka", lines=500))


def test_changed_settings_start_the_stack_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pid_of(stack, "kafka")
    monkeypatch.setenv("TIDEMARK_MODEL", "some:model")
    heard: list[Progress] = []
    stack.up(heard.append, only=("kafka",))
    assert pid_of(stack, "kafka") != before
    assert any("settings changed" in step.state for step in heard)


def test_stop_leaves_no_process_even_when_the_supervisor_was_killed(stack: Stack) -> None:
    stack.up(only=SERVICES)
    assert len(processes_of(stack)) >= 3, "the supervisor, the broker, the warehouse"
    supervisor = int((stack.settings.run_dir / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not runs(supervisor))
    assert processes_of(stack), "the services outlive their supervisor"
    stack.stop()
    assert processes_of(stack) == []


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_after_a_stop_it_starts_again_from_its_state(stack: Stack) -> None:
    stack.up(only=("kafka",))
    metadata = AdminClient({"bootstrap.servers": stack.settings.kafka_bootstrap}).list_topics(timeout=30)
    assert "kept" in metadata.topics
    assert stack.stop() is True
    assert processes_of(stack) == []
    assert stack.stop() is False
