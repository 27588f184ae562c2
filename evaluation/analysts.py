"""Who is asked: one way in for each reader of questions, a question in and rows or a refusal out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from agents.analyst.answering import Answered, Answering, how_sure
from agents.analyst.grammar.reader import NotUnderstood, Reading, Unsure
from agents.analyst.grammar.text import language
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Intent
from agents.analyst.vocabulary import Vocabulary
from evaluation.grading import Given, Rows
from warehouse import WarehouseSettings, connect
from warehouse.semantic import SemanticLayer


class Read:
    """The reader of questions, asked directly: text to intent, intent to SQL, SQL to rows."""

    def __init__(self, settings: WarehouseSettings) -> None:
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
        intent = found.understood.reading.intent
        return Given(
            "answered",
            rows=found.rows,
            labels=[column.name for column in found.statement.columns],
            text=shown(intent),
            sql=found.statement.sql,
            seconds=seconds,
            confidence=how_sure(found.understood),
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
