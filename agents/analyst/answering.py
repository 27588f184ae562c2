"""From a question to the one meaning that it has over the data, to several that it may have, or to none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from pydantic import BaseModel

from agents.analyst.fidelity import added, left_out
from agents.analyst.following import followed
from agents.analyst.grammar.confidence import confidence, signals
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.reader import NotUnderstood, Reader, Reading, Understood, Unsure
from agents.analyst.grammar.text import fold
from agents.analyst.grammar.text import language as script
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Intent, Period
from agents.analyst.saying import read, sentence
from agents.analyst.sql import Statement, compiled
from agents.analyst.sql.days import Days
from agents.analyst.suggesting import Suggesting
from agents.analyst.vocabulary import Vocabulary
from warehouse import Warehouse
from warehouse.errors import PermanentError

Rows = list[tuple[Any, ...]]
_LONGEST = 2_000
# Readings that are run to see whether they come to the same rows.
_COMPARED = 4


@dataclass(frozen=True)
class Answered:
    """One reading, its statement and the rows asked for, without the one more that tells of a tie."""

    understood: Understood
    statement: Statement
    rows: Rows


class Answering:
    """Understands questions over one project and its data; safe between threads."""

    def __init__(self, vocabulary: Vocabulary, warehouse: Warehouse) -> None:
        self.vocabulary, self.warehouse = vocabulary, warehouse
        self.days = Days(vocabulary.semantic, warehouse)
        self.reader = Reader(vocabulary)
        self._suggesting = Suggesting(self.reader, vocabulary, self.days, warehouse)

    def answer(self, question: str, calendar: Calendar) -> Answered | Unsure | NotUnderstood:
        """A question of its own, with its rows."""
        found = self.understood(question, calendar)
        if not isinstance(found, Understood):
            return found
        return Answered(found, *self.rows(found.reading.intent, calendar))

    def understood(
        self, question: str, calendar: Calendar, previous: Intent | None = None, domain: str = "auto"
    ) -> Understood | Unsure | NotUnderstood:
        """The meaning that the data can answer: of several, those that come to the same rows are one.

        `previous` is what was asked before in the conversation; `domain` are the metrics to look through.
        """
        found = self._within(self._read(question, calendar, previous), domain)
        if isinstance(found, NotUnderstood):
            return found
        if isinstance(found, Understood):
            return self._refusal(found.reading.intent, calendar) or found
        if found.asked or len(found.readings) > _COMPARED:
            return found
        return self._of_several(found.readings, calendar)

    def sentence(self, intent: Intent, language: str) -> tuple[str, bool]:
        """What an intent asks for, in words, and whether they are read back as exactly it."""
        try:
            said = sentence(intent, self.vocabulary, language)
        except LookupError:
            return "", False
        return said, read(said, self.vocabulary) == [intent]

    def left_out(self, question: str, intent: Intent, calendar: Calendar) -> list[str]:
        """The project's names and values, and the time, that a question has and an intent has not."""
        return left_out(question, intent, self.vocabulary, calendar, self.reader.weights)

    def added(self, question: str, intent: Intent, previous: Intent | None, calendar: Calendar) -> list[str]:
        """What an intent leaves rows out by that neither the question says nor the one before it did."""
        return added(question, intent, previous, self.vocabulary, calendar, self.reader.weights)

    def suggested(self, question: str, calendar: Calendar, language: str) -> list[str]:
        """What can be asked instead."""
        return self._suggesting.near(question, calendar, language)

    def metrics_near(self, text: str) -> list[str]:
        """The metrics that a text may mean, the nearest first."""
        return self._suggesting.metrics_near(text)

    def without_data(self, intent: Intent) -> NotUnderstood | None:
        """Why a figure would be of days that nothing is known of."""
        periods = list(dict.fromkeys(_periods(intent)))
        for metric in dict.fromkeys(metrics_in(intent.measures)):
            for period in periods:
                if self.days.outside(metric, period):
                    days = self.days.of(metric) or ()
                    return NotUnderstood("no_data", (metric, *(day.isoformat() for day in days)))
        return None

    def compiled(self, intent: Intent, calendar: Calendar) -> Statement:
        """Raises `PermanentError` for what cannot be computed so."""
        return compiled(intent, self.vocabulary.semantic, self.warehouse, calendar)

    def rows(self, intent: Intent, calendar: Calendar) -> tuple[Statement, Rows]:
        """Raises `PermanentError` for what cannot be computed so."""
        statement = self.compiled(intent, calendar)
        found = self.warehouse.query(statement.sql).rows
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

    def _read(
        self, question: str, calendar: Calendar, previous: Intent | None
    ) -> Understood | Unsure | NotUnderstood:
        if not question.strip():
            return NotUnderstood("empty")
        if len(question) > _LONGEST:
            return NotUnderstood("long", (f"{len(question):,}", f"{_LONGEST:,}"))
        if previous is not None:
            after = followed(question, previous, self.vocabulary, calendar, self.reader.weights)
            if after is not None:
                return after
        found = self.reader.read(question, calendar)
        if isinstance(found, Understood):
            return found
        if isinstance(found, NotUnderstood) and not script(question):
            return NotUnderstood("language")
        # A reading that was shown, and is now asked for in its own words: in these alone, as what reads
        # sentences knows nothing of what else the words of a question may mean.
        said = read(question, self.vocabulary)
        shown = (fold(self.sentence(intent, language)[0]) for intent in said for language in ("en", "zh"))
        if len(said) == 1 and fold(question) in shown:
            return Understood(Reading(said[0], 0.0, {}, ()), inf)
        return found

    def _within(
        self, found: Understood | Unsure | NotUnderstood, domain: str
    ) -> Understood | Unsure | NotUnderstood:
        if domain == "auto" or isinstance(found, NotUnderstood):
            return found
        readings = [one for one in _readings(found) if self._is_of(one.intent, domain)]
        if not readings:
            return NotUnderstood("not_in_domain", (domain,))
        if isinstance(found, Understood):
            return found
        asked = found.asked and readings[0] is found.readings[0]
        return Unsure(tuple(readings), asked) if asked or len(readings) > 1 else Understood(readings[0], 0.0)

    def _is_of(self, intent: Intent, domain: str) -> bool:
        known = self.vocabulary.semantic.metrics
        return all(known[name].domain == domain for name in metrics_in(intent.measures))

    def _refusal(self, intent: Intent, calendar: Calendar) -> NotUnderstood | None:
        if reason := self.without_data(intent):
            return reason
        try:
            self.compiled(intent, calendar)
        except PermanentError as error:
            return NotUnderstood("no_sql", (str(error),))
        return None

    def _of_several(
        self, readings: Sequence[Reading], calendar: Calendar
    ) -> Understood | Unsure | NotUnderstood:
        found: list[tuple[Reading, Counter[tuple[Any, ...]]]] = []
        refused: list[NotUnderstood] = []
        unknown: list[tuple[Reading, NotUnderstood]] = []
        for reading in readings:
            if reason := self.without_data(reading.intent):
                unknown.append((reading, reason))
                continue
            try:
                found.append((reading, Counter(map(_plain, self.rows(reading.intent, calendar)[1]))))
            except PermanentError as error:
                refused.append(NotUnderstood("no_sql", (str(error),)))
        if not found:
            return unknown[0][1] if unknown else refused[0]
        (first, rows), *others = found
        if refused or unknown or any(other != rows for _, other in others):
            return Unsure((*(one for one, _ in found), *(one for one, _ in unknown)))
        return Understood(first, 0.0)


def how_sure(found: Understood) -> float | None:
    """The chance, 0 to 1, that it is what was asked, as docs/calibration.md measures it; None of what was not
    read by the grammar of questions: a few words after another, a reading's own sentence.
    """
    if not found.reading.features:
        return None
    return confidence(signals(found.reading.features, found.margin))


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row as far as it is the same each time: the last digits of a sum depend on the order of its rows."""
    return tuple(float(f"{value:.10g}") if isinstance(value, float) else value for value in row)


def _readings(found: Understood | Unsure) -> tuple[Reading, ...]:
    return (found.reading,) if isinstance(found, Understood) else found.readings


def _periods(node: Any) -> Iterator[Period]:
    """All that an intent speaks of."""
    if isinstance(node, Period):
        yield node
    elif isinstance(node, BaseModel):
        for _, value in node:
            yield from _periods(value)
    elif isinstance(node, tuple):
        for one in node:
            yield from _periods(one)
