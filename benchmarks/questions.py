"""What a question costs over its SQL, and what being watched costs: warm questions, telemetry a step.

    python -m benchmarks questions

Asked of an own stack on free ports, after one pass.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import Ratio
from benchmarks.first_pass import seconds, stack

QUESTIONS = (
    "What was revenue by month this year?",
    "上个月销售额最高的五个品类是什么？",
    "Return rate by country in the last 30 days",
    "本季度与上季度相比，收入变化最大的三个国家",
)
ROUNDS = 5


def measure() -> list[Ratio]:
    """A warm question over its SQL alone, a step with telemetry over one without."""
    with tempfile.TemporaryDirectory() as home, stack(Path(home)) as where:
        seconds("run")
        return asked(where.client_environment())


def asked(told: Mapping[str, str]) -> list[Ratio]:
    """Warm questions in this process, in turns: their SQL alone, without telemetry, with telemetry."""
    from opentelemetry.trace import NoOpTracerProvider

    from wiring.analyst import Analyst
    from wiring.opened import SpanCount, opened
    from wiring.settings import Settings

    settings = Settings.read(told)
    alone: list[float] = []
    silent: list[float] = []
    traced: list[float] = []
    spans = SpanCount()
    with opened(settings, spans=spans) as parts:
        watched, plain = (
            Analyst(
                parts.warehouse,
                parts.semantic,
                parts.catalogue,
                settings.agents,
                on_event=on_event,
                tracer_provider=provider,
            )
            for on_event, provider in ((parts.record, parts.tracer_provider), (None, NoOpTracerProvider()))
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
            parts.warehouse.query(answer.sql)
            alone.append(time.perf_counter() - began)
        steps = (sum(spans.by_trace.values()) - counted) / len(traced)
    return [
        Ratio("question to report, warm", median(traced), "s", median(alone), "its SQL alone"),
        Ratio(
            "an agent's step with telemetry", sum(traced) / len(traced) / steps * 1e3, "ms",
            sum(silent) / len(silent) / steps * 1e3, "the same step without",
        ),
    ]  # fmt: skip
