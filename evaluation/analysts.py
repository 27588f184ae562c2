"""Who is asked: one way in for each reader of questions, a question in and rows or a refusal out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from opentelemetry.trace import NoOpTracerProvider

from agents.analyst import Analyst
from agents.analyst.grammar.text import language
from agents.analyst.graph import SQL, Asked, result
from agents.runtime.agent import Agent, sequence
from agents.runtime.door import run_sync
from agents.runtime.graph import run_agent
from agents.runtime.settings import AgentSettings
from evaluation.asking import Asker
from evaluation.grading import Given
from warehouse import Catalogue, WarehouseSettings, connect
from warehouse.semantic import SemanticLayer


class Linked:
    """The analyst's first stage, from the question to rows; no model, no chart, no report."""

    _ROWS = Agent("analyst", Asked, sequence(SQL))

    def __init__(self, settings: WarehouseSettings, state: Path) -> None:
        warehouse = connect(settings, read_only=True)
        semantic = SemanticLayer.load(settings.semantic_manifest_path, warehouse.dialect)
        catalogue = Catalogue.load(settings.manifest_path, warehouse, words=semantic.table_words())
        self._analyst = Analyst(
            warehouse,
            semantic,
            catalogue,
            AgentSettings(state_dir=state),
            tracer_provider=NoOpTracerProvider(),
        )

    def ask(self, question: str, now: datetime) -> Given:
        run = self._analyst.run()
        asked = Asked(question=question, language=language(question) or "en", domain="auto", now=now)
        began = time.perf_counter()
        done = run_sync(run_agent(self._ROWS, asked, run), run.ends_within(60))
        seconds = time.perf_counter() - began
        work = done[SQL].work
        if work.declined:
            return Given(
                "failed" if work.declined.failed else "declined",
                text=work.declined.reason,
                sql=work.sql,
                seconds=seconds,
                suggestions=[item.example for item in work.declined.nearest],
            )
        if not done[SQL].passed or work.found is None:
            return Given("failed", text="; ".join(done[SQL].reasons), sql=work.sql, seconds=seconds)
        table = result(done)
        return Given(
            "answered",
            rows=work.found.rows[: len(table.rows)],
            labels=[column.label for column in table.columns],
            sql=work.sql,
            seconds=seconds,
        )


ASKERS: dict[str, Callable[[WarehouseSettings, Path], Asker]] = {"old": Linked}
