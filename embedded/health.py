"""Is a service doing its work? One question each, answered within two seconds, never an exception."""

from __future__ import annotations

import logging
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 2.0
# The loader touches its file every few seconds; Airflow's own threshold is 30 s as well.
STALE_SECONDS = 30.0


@dataclass(frozen=True)
class Health:
    """The answer, and when it is no, the reason."""

    ok: bool
    why: str = ""


def kafka(bootstrap: str) -> Health:
    """Healthy when the broker answers a metadata request with itself in it."""
    host, port = bootstrap.rsplit(":", 1)
    try:
        # Where nobody listens the client would wait out its whole patience.
        socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS).close()
    except OSError as error:
        return Health(False, f"{bootstrap}: {error.strerror or error}")
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    silent = logging.getLogger("embedded.health.kafka")
    silent.setLevel(logging.CRITICAL)
    try:
        client = AdminClient({"bootstrap.servers": bootstrap}, logger=silent)
        brokers = client.list_topics(timeout=PATIENCE_SECONDS).brokers
    except KafkaException as error:
        return Health(False, f"{bootstrap}: {error.args[0].str()}")
    return Health(True) if brokers else Health(False, f"{bootstrap}: no broker in the metadata yet")


def warehouse(url: str) -> Health:
    """Healthy when `/ping` answers."""
    answer = _get(f"{url}/ping")
    return answer if isinstance(answer, Health) else Health(True)


def flink(url: str) -> Health:
    """Healthy when each task of the job runs: not when it restarts, has failed or only begins."""
    answer = _get(f"{url}/jobs/overview")
    if isinstance(answer, Health):
        return answer
    # Flink calls a job running as soon as it has been scheduled: its tasks may wait for a place or for Java.
    told = answer.json().get("jobs", [])
    jobs = [(job["state"], job["tasks"]["running"], job["tasks"]["total"]) for job in told]
    if any(state == "RUNNING" and 0 < running == total for state, running, total in jobs):
        return Health(True)
    states = "; ".join(f"{state}, {running} of {total} tasks run" for state, running, total in jobs)
    return Health(False, f"job state: {states or 'no job yet'}")


def heartbeat_file(path: Path, since: float) -> Health:
    """Healthy when the file was touched after the process started and not long ago."""
    try:
        touched = path.stat().st_mtime
    except FileNotFoundError:
        return Health(False, "no heartbeat yet")
    if touched < since:
        return Health(False, "no heartbeat yet")
    age = time.time() - touched
    return Health(True) if age < STALE_SECONDS else Health(False, f"the last heartbeat is {age:.0f} s old")


def airflow(url: str, component: str, since: float = 0.0) -> Health:
    """Healthy when Airflow says so of the component and its heartbeat is younger than the process."""
    answer = _get(f"{url}/api/v2/monitor/health")
    if isinstance(answer, Health):
        return answer
    said: dict[str, Any] = answer.json().get(component) or {}
    if said.get("status") != "healthy":
        return Health(False, f"{component}: {said.get('status') or 'unknown'}")
    beat = said.get(f"latest_{component}_heartbeat")
    if beat and datetime.fromisoformat(beat).timestamp() < since:
        return Health(False, f"{component}: no heartbeat yet")
    return Health(True)


@cache
def _client() -> httpx.Client:
    # To make one reads all certificates, some 35 ms of CPU: while the stack starts, a core was busy with it.
    return httpx.Client(
        timeout=PATIENCE_SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
    )


def _get(url: str) -> httpx.Response | Health:
    try:
        return _client().get(url).raise_for_status()
    except (httpx.HTTPError, OSError) as error:
        return Health(False, f"{url}: {error or type(error).__name__}")
