"""What HTTP costs: rows/s of JSONEachRow into the warehouse server over chDB's own insert, in one run.

    python -m benchmarks warehouse_server

Both write the same 20 columns in batches of 20,000 rows, in turns, each into a fresh folder; the ratio
travels between machines, the rows/s do not.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import Ratio, free_ports

ROWS, COLUMNS, ROUNDS = 20_000, 20, 12
NAMES = ", ".join(f"c{n} {'Int64' if n % 2 else 'String'}" for n in range(COLUMNS))
TABLE = f"({NAMES}) ENGINE = MergeTree ORDER BY c1"
SELECTS = 200


def batch() -> bytes:
    row = {f"c{n}": n * 1001 if n % 2 else f"value {n}" for n in range(COLUMNS)}
    return b"".join(json.dumps(row | {"c1": number}).encode() + b"\n" for number in range(ROWS))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure() -> list[Ratio]:
    """Both ratios, on a server of this run."""
    with tempfile.TemporaryDirectory() as home:
        (port,) = free_ports(1)
        command = [
            sys.executable,
            "-P",
            "-m",
            "embedded.warehouse_server",
            "--data",
            f"{home}/http",
            "--port",
            str(port),
        ]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            return compare(Path(home), port)
        finally:
            server.terminate()
            server.wait()


def compare(home: Path, port: int) -> list[Ratio]:
    from chdb import _chdb

    direct = _chdb.connect(str(home / "direct"))
    login = f"tidemark:{os.environ['TIDEMARK_WAREHOUSE_PASSWORD']}"
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.connect()
            break
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)

    def ask(sql: str, body: bytes = b"") -> None:
        connection.request("POST", "/", f"{sql}\n".encode() + body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(text.decode())

    rows = batch()
    direct.query(f"CREATE DATABASE ods; CREATE TABLE ods.bench {TABLE}")
    ask(f"CREATE TABLE ods.bench {TABLE}")

    def insert_directly() -> None:
        stream = direct.send_insert("INSERT INTO ods.bench", "JSONEachRow")
        direct.insert_append(stream, rows)
        direct.insert_done(stream)

    times: dict[str, list[float]] = {"http": [], "direct": []}
    for _ in range(ROUNDS):
        times["direct"].append(seconds(insert_directly))
        times["http"].append(seconds(lambda: ask("INSERT INTO ods.bench FORMAT JSONEachRow", rows)))
    selects = seconds(lambda: [ask("SELECT 1") for _ in range(SELECTS)]) / SELECTS
    alone = seconds(lambda: [direct.query("SELECT 1") for _ in range(SELECTS)]) / SELECTS
    direct.close()
    http_rate, direct_rate = ROWS / median(times["http"]), ROWS / median(times["direct"])
    return [
        Ratio("JSONEachRow over HTTP", http_rate, "rows/s", direct_rate, "chDB's own insert"),
        Ratio("SELECT 1 over HTTP", selects * 1e3, "ms", alone * 1e3, "chDB's own query"),
    ]
