"""What a newcomer waits for, and what being watched costs: passes, warm questions, telemetry a step.

    python -m benchmarks first_pass

An own stack on free ports; environment and jars are there already.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from benchmarks import Ratio
from embedded.settings import EmbeddedSettings

TIDEMARK = str(Path(sys.executable).with_name("tidemark"))
QUESTIONS = (
    "What was revenue by month this year?",
    "上个月销售额最高的五个品类是什么？",
    "Return rate by country in the last 30 days",
    "本季度与上季度相比，收入变化最大的三个国家",
)
ROUNDS = 5


def measure() -> list[Ratio]:
    """A pass again over the first, a warm question over its SQL, a traced step over an untraced."""
    with tempfile.TemporaryDirectory() as home, stack(Path(home)) as settings:
        first = seconds("run")
        # Now it has passwords too.
        os.environ.update(settings.client_environment())
        seconds("stop")
        again = seconds("run")
        return [
            Ratio("make run again, after make stop", again, "s", first, "the first pass"),
            *questions(),
        ]


def questions() -> list[Ratio]:
    """Warm questions in this process, in turns: their SQL alone, without telemetry, with telemetry."""
    from opentelemetry.trace import NoOpTracerProvider

    from agents.analyst import Analyst
    from agents.runtime.settings import AgentSettings
    from tidemark_airflow.analyst import SpanCount, open_analyst
    from warehouse import Catalogue, WarehouseSettings, connect
    from warehouse.semantic import SemanticLayer

    where = WarehouseSettings()
    alone: list[float] = []
    silent: list[float] = []
    traced: list[float] = []
    spans = SpanCount()
    with closing(connect(where, read_only=True)) as warehouse, open_analyst(spans=spans) as watched:
        catalogue = Catalogue.load(where.manifest_path, warehouse)
        semantic = SemanticLayer.load(where.semantic_manifest_path)
        plain = Analyst(
            warehouse,
            semantic,
            catalogue,
            AgentSettings(),
            tracer_provider=NoOpTracerProvider(),  # type: ignore[arg-type]
        )
        for question in QUESTIONS:
            plain.ask(question)
        counted = sum(spans.by_trace.values())
        for question in QUESTIONS * ROUNDS:
            began = time.perf_counter()
            answer = watched.ask(question)
            traced.append(time.perf_counter() - began)
            began = time.perf_counter()
            plain.ask(question)
            silent.append(time.perf_counter() - began)
            began = time.perf_counter()
            warehouse.query(answer.sql)
            alone.append(time.perf_counter() - began)
        steps = (sum(spans.by_trace.values()) - counted) / len(traced)
    return [
        Ratio("question to report, warm", median(traced), "s", median(alone), "its SQL alone"),
        Ratio(
            "an agent's step with telemetry", sum(traced) / len(traced) / steps * 1e3, "ms",
            sum(silent) / len(silent) / steps * 1e3, "the same step without",
        ),
    ]  # fmt: skip


@contextmanager
def stack(home: Path) -> Iterator[EmbeddedSettings]:
    """Addresses of a stack of this run in the environment; stopped at the end."""
    (home / "jars").symlink_to(EmbeddedSettings().jars_dir)
    names = [name for name in EmbeddedSettings.model_fields if name.endswith("_port")]
    sockets = [socket.socket() for _ in names]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    ports = {name: held.getsockname()[1] for name, held in zip(names, sockets, strict=True)}
    for held in sockets:
        held.close()
    settings = EmbeddedSettings(home=home, **ports)
    os.environ.update(settings.client_environment())
    try:
        yield settings
    finally:
        seconds("stop")


def seconds(command: str) -> float:
    """How long a command of ours takes; its output is shown only when it fails."""
    began = time.perf_counter()
    done = subprocess.run([TIDEMARK, command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began
