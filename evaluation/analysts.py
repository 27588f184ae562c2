"""Who is asked: one way in for each reader of questions, a question in and rows or a refusal out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from opentelemetry.trace import NoOpTracerProvider

from agents.analyst import Analyst
from agents.analyst.answering import Answered, Answering
from agents.analyst.grammar.confidence import confidence, signals
from agents.analyst.grammar.reader import NotUnderstood, Reading, Unsure
from agents.analyst.grammar.text import language
from agents.analyst.grammar.when import Calendar
from agents.analyst.graph import SQL, Asked, result
from agents.analyst.intent import Intent
from agents.analyst.vocabulary import Vocabulary
from agents.runtime.agent import Agent, sequence
from agents.runtime.door import run_sync
from agents.runtime.graph import run_agent
from agents.runtime.settings import AgentSettings
from evaluation.asking import Asker
from evaluation.grading import Given, Rows
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


class Read:
    """The reader of questions, asked directly: text to intent, intent to SQL, SQL to rows."""

    def __init__(self, settings: WarehouseSettings, state: Path | None = None) -> None:
        self._warehouse = connect(settings, read_only=True)
        self._semantic = SemanticLayer.load(settings.semantic_manifest_path, self._warehouse.dialect)
        self._answering = Answering(Vocabulary.load(self._semantic, self._warehouse), self._warehouse)
        self._reader = self._answering.reader

    def ask(self, question: str, now: datetime) -> Given:
        began, calendar = time.perf_counter(), Calendar(now)
        found = self._answering.answer(question, calendar)
        if isinstance(found, NotUnderstood):
            said = " ".join((found.reason, *found.values, *found.unknown))
            reason = f"{found.reason} {len(found.unknown) or ''}".strip()
            suggestions = self._answering.suggested(question, calendar, language(question) or "en")
            seconds = time.perf_counter() - began
            return Given("declined", text=said, seconds=seconds, reason=reason, suggestions=suggestions)
        if isinstance(found, Unsure):
            readings = [shown(reading.intent) for reading in found.readings]
            return Given("ask_back", readings=readings, seconds=time.perf_counter() - began)
        seconds = time.perf_counter() - began
        margin = ahead(self._reader.readings(question, calendar))
        return Given(
            "answered",
            rows=found.rows,
            labels=[column.name for column in found.statement.columns],
            text=shown(found.reading.intent),
            sql=found.statement.sql,
            seconds=seconds,
            confidence=confidence(signals(found.reading.features, margin)),
        )

    def readings(self, question: str, now: datetime) -> Sequence[Reading]:
        """All complete readings of a question, the best first."""
        return self._reader.readings(question, Calendar(now))

    def answers(self, question: str, now: datetime) -> bool:
        """Whether a question is not asked back."""
        return isinstance(self._answering.answer(question, Calendar(now)), Answered)

    def rows_of(self, intent: Intent, now: datetime) -> Rows:
        return self._answering.rows(intent, Calendar(now))[1]


def ahead(readings: Sequence[Reading]) -> float:
    """By how much the best reading stands over the next."""
    first, *others = (reading.score for reading in readings)
    return first - others[0] if others else float("inf")


def shown(intent: Intent) -> str:
    """An intent in one line, without what it does not say."""
    return intent.model_dump_json(exclude_defaults=True)


ASKERS: dict[str, Callable[[WarehouseSettings, Path], Asker]] = {"old": Linked, "new": Read}
