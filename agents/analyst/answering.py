"""From a question to its rows: read, checked against the data there is, compiled, run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.reader import NotUnderstood, Reader, Reading, Understood, Unsure
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Intent, Periods
from agents.analyst.sql import Statement, compiled
from agents.analyst.sql.days import Days
from agents.analyst.suggesting import Suggesting
from agents.analyst.vocabulary import Vocabulary
from warehouse import Warehouse
from warehouse.errors import PermanentError

Rows = list[tuple[Any, ...]]
# Readings that are run to see whether they come to the same rows.
_COMPARED = 4


@dataclass(frozen=True)
class Answered:
    """One reading, its statement and the rows asked for, without the one more that tells of a tie."""

    reading: Reading
    statement: Statement
    rows: Rows


class Answering:
    """Answers questions over one project; safe between threads."""

    def __init__(self, vocabulary: Vocabulary, warehouse: Warehouse) -> None:
        self._semantic, self._warehouse = vocabulary.semantic, warehouse
        self._days = Days(vocabulary.semantic, warehouse)
        self.reader = Reader(vocabulary)
        self._suggesting = Suggesting(self.reader, vocabulary, self._days, warehouse)

    def answer(self, question: str, calendar: Calendar) -> Answered | Unsure | NotUnderstood:
        """Readings that come to the same rows are one answer."""
        found = self.reader.read(question, calendar)
        if isinstance(found, NotUnderstood):
            return found
        readings = (found.reading,) if isinstance(found, Understood) else found.readings
        if isinstance(found, Unsure) and (found.asked or len(readings) > _COMPARED):
            return found
        answers: list[Answered] = []
        refused: list[NotUnderstood] = []
        unknown: list[tuple[Reading, NotUnderstood]] = []
        for reading in readings:
            if reason := self.without_data(reading.intent):
                unknown.append((reading, reason))
                continue
            try:
                statement, rows = self.rows(reading.intent, calendar)
            except PermanentError as error:
                refused.append(NotUnderstood("no_sql", (str(error),)))
                continue
            answers.append(Answered(reading, statement, rows))
        if not answers:
            return unknown[0][1] if unknown else refused[0]
        if unknown or any(Counter(one.rows) != Counter(answers[0].rows) for one in answers):
            return Unsure((*(one.reading for one in answers), *(reading for reading, _ in unknown)))
        return answers[0]

    def suggested(self, question: str, calendar: Calendar, language: str) -> list[str]:
        """What can be asked instead."""
        return self._suggesting.near(question, calendar, language)

    def without_data(self, intent: Intent) -> NotUnderstood | None:
        """Why a figure would be of days that nothing is known of."""
        periods = [period for period in (intent.window, intent.against) if period]
        periods += [
            period for group in intent.groups if isinstance(group, Periods) for period in group.periods
        ]
        for metric in dict.fromkeys(metrics_in(intent.measures)):
            for period in periods:
                if self._days.outside(metric, period):
                    days = self._days.of(metric) or ()
                    return NotUnderstood("no_data", (metric, *(day.isoformat() for day in days)))
        return None

    def rows(self, intent: Intent, calendar: Calendar) -> tuple[Statement, Rows]:
        """Raises `PermanentError` for what cannot be computed so."""
        statement = compiled(intent, self._semantic, self._warehouse, calendar)
        found = self._warehouse.query(statement.sql).rows
        parts = [
            at
            for at, column in enumerate(statement.columns)
            if column.role == "key" and column.meaning in intent.partition
        ]
        seen: Counter[tuple[Any, ...]] = Counter()
        kept: Rows = []
        for row in found:
            part = tuple(row[at] for at in parts)
            seen[part] += 1
            if statement.limit is None or seen[part] <= statement.limit:
                kept.append(tuple(row))
        return statement, kept
