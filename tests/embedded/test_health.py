"""What a service answers, and whether that is health."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from embedded import health


@pytest.fixture
def flink() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a job manager, and the jobs that it tells of."""
    jobs: list[dict[str, Any]] = []

    class Overview(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"jobs": jobs}).encode())

        def log_message(self, format: str, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Overview) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", jobs
        server.shutdown()


@pytest.mark.parametrize(
    ("state", "running", "why"),
    [
        ("RUNNING", 3, ""),
        ("RUNNING", 2, "job state: RUNNING, 2 of 3 tasks run"),
        ("RUNNING", 0, "job state: RUNNING, 0 of 3 tasks run"),
        ("RESTARTING", 0, "job state: RESTARTING, 0 of 3 tasks run"),
    ],
)
def test_a_job_is_healthy_when_each_of_its_tasks_runs(
    flink: tuple[str, list[dict[str, Any]]], state: str, running: int, why: str
) -> None:
    url, jobs = flink
    assert health.flink(url) == health.Health(False, "job state: no job yet")
    jobs.append({"state": state, "tasks": {"running": running, "total": 3}})
    assert health.flink(url) == health.Health(not why, why)
