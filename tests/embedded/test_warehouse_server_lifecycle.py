"""Start, stop, crash: one owner of a folder, clear refusals, nothing acknowledged is lost."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from warehouse_process import WarehouseProcess, run_server

pytestmark = pytest.mark.integration


def refused(process: Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith("warehouse server: ")
    assert output.count("\n") == 1, output
    return output


def test_a_folder_has_one_owner(warehouse: WarehouseProcess) -> None:
    said = refused(run_server(warehouse.folder, 1))
    assert f"{warehouse.folder} is already owned by process {warehouse.process.pid}" in said
    assert warehouse.sql("select 1") == "1"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(run_server(tmp_path, port))
    assert f"port {port}" in said
    assert "TIDEMARK_WAREHOUSE_PORT" in said


def test_a_folder_that_cannot_be_written_is_named() -> None:
    assert "/proc/nowhere" in refused(run_server(Path("/proc/nowhere"), 1))


def test_no_password_has_a_default(tmp_path: Path) -> None:
    said = refused(run_server(tmp_path, 1, TIDEMARK_WAREHOUSE_READER_PASSWORD=""))
    assert "TIDEMARK_WAREHOUSE_READER_PASSWORD must be set" in said


def test_a_running_request_ends_before_the_server_does(
    tmp_path: Path, start_warehouse: Callable[[Path], WarehouseProcess]
) -> None:
    server = start_warehouse(tmp_path)
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(server.sql("select sleep(3)")))
    slow.start()
    running = "select count() from system.processes where query ilike 'select sleep(3)%'"
    while server.sql(running) == "0":
        assert slow.is_alive()
        time.sleep(0.02)
    assert server.stop().endswith("stopped, 0 requests cut off\n")
    slow.join()
    assert answers == ["0"]
    assert server.process.returncode == 0


def test_nothing_acknowledged_is_lost_by_kill_9(
    tmp_path: Path, start_warehouse: Callable[[Path], WarehouseProcess]
) -> None:
    """Three writers, three murders: every acknowledged batch is whole, and no other is there in part."""
    server = start_warehouse(tmp_path)
    server.sql(
        "create table ods.kept (writer UInt8, batch UInt32, row UInt32) engine = MergeTree order by batch"
    )
    server.sql("create table default.empty (a Int8) engine = MergeTree order by a")
    acknowledged: set[tuple[int, int]] = set()
    next_batch = [0, 0, 0]

    def write(writer: int) -> None:
        try:
            while True:
                batch = next_batch[writer]
                next_batch[writer] += 1
                rows = "".join(f"{writer}\t{batch}\t{row}\n" for row in range(500))
                if server.ask(rows, query="insert into ods.kept format TSV").status != 200:
                    return
                acknowledged.add((writer, batch))
        except OSError:
            return

    for _ in range(3):
        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
        enough = len(acknowledged) + 30
        for writer in writers:
            writer.start()
        while len(acknowledged) < enough:
            time.sleep(0.01)
        server.stop(signal.SIGKILL)
        for writer in writers:
            writer.join()
        server = start_warehouse(tmp_path)
    found = server.sql("select writer, batch, count(), uniqExact(row) from ods.kept group by 1, 2")
    batches = {}
    for line in found.splitlines():
        writer, batch, rows, distinct = map(int, line.split("\t"))
        batches[writer, batch] = (rows, distinct)
    assert acknowledged <= batches.keys()
    assert set(batches.values()) == {(500, 500)}


def test_readers_and_writers_at_once(warehouse: WarehouseProcess) -> None:
    warehouse.sql("create or replace table ods.busy (a UInt64) engine = MergeTree order by a")
    failures: list[str] = []

    def write() -> None:
        for _ in range(20):
            reply = warehouse.ask("insert into ods.busy select number from numbers(1000)")
            failures.extend([reply.text] if reply.status != 200 else [])

    def read() -> None:
        for _ in range(20):
            reply = warehouse.ask("select count() % 1000, sum(a) from ods.busy", user="reader")
            failures.extend([reply.text] if reply.status != 200 or not reply.text.startswith("0\t") else [])

    threads = [threading.Thread(target=work) for work in (write, write, read, read, read, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warehouse.sql("select count() from ods.busy") == "40000"


def test_a_large_answer_costs_little_memory(warehouse: WarehouseProcess) -> None:
    def resident() -> int:
        status = Path(f"/proc/{warehouse.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) >> 10

    warehouse.ask("select number from numbers(1000000) format JSON")
    before = resident()
    with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
        sql = b"select number, repeat('x', 200) from numbers(4000000) format JSON"
        client.sendall(
            b"POST /?user=tidemark&password=tidemark HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        received, most = 0, 0
        while piece := client.recv(1 << 20):
            received += len(piece)
            most = max(most, resident())
    assert received > 900 << 20
    assert most - before < 400
