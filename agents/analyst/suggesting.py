"""What can be asked instead of a question that has no answer: near it, dated within the data, and tried."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Generic, TypeVar

from agents.analyst.fidelity import named_period
from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.fragment import BETWEEN
from agents.analyst.grammar.reader import Reader, Understood
from agents.analyst.grammar.text import fold, units
from agents.analyst.grammar.when import Calendar
from agents.analyst.grammar.words import lattice, shipped
from agents.analyst.intent import Intent, Period
from agents.analyst.saying.labels import shown_period
from agents.analyst.sql import compiled
from agents.analyst.sql.days import Days
from agents.analyst.vocabulary import Vocabulary
from warehouse import Warehouse
from warehouse.errors import PermanentError
from warehouse.semantic import Metric

SUGGESTED = 3
# How much a word of each kind says about which metric is near.
_NEAR = {"metric": 3.0, "counted": 2.0, "verb": 2.0, "mention": 0.2}
_TRIED = 8
# So long what is dated is read the same on one day, and a metric by a thing can be computed at any time.
_KEPT_SECONDS = 300.0
_KEPT = 10_000

Found = TypeVar("Found")


class _Kept(Generic[Found]):
    """What was found out, for a while and as long as there is room; safe between threads."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Found]] = {}

    def get(self, key: Hashable, find: Callable[[], Found]) -> Found:
        known = self._known.get(key)
        if known is None or time.monotonic() >= known[0]:
            found = find()
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = known = (time.monotonic() + _KEPT_SECONDS, found)
        return known[1]


class Suggesting:
    """Finds questions that are answered, over one project; safe between threads."""

    def __init__(self, reader: Reader, vocabulary: Vocabulary, days: Days, warehouse: Warehouse) -> None:
        self._reader, self._vocabulary = reader, vocabulary
        self._days, self._warehouse = days, warehouse
        self._intents: _Kept[Intent | None] = _Kept()
        self._computed: _Kept[bool] = _Kept()

    def near(self, question: str, calendar: Calendar, language: str) -> list[str]:
        """Up to `SUGGESTED` questions, each read, compiled and checked by the warehouse without a run."""
        text, words = lattice(question, shipped(), self._vocabulary.lexicon)
        period = named_period(text, words, calendar, self._reader.weights)
        found: list[str] = []
        for metric in self._metrics(question, words)[:_TRIED]:
            for said in self._said(metric, words, period, calendar, language):
                if said != question and said not in found and self._is_answered(said, calendar):
                    found.append(said)
                    break
            if len(found) == SUGGESTED:
                break
        return found

    def metrics_near(self, text: str) -> list[str]:
        """All metrics, those first that a text names or has words of."""
        _, words = lattice(text, shipped(), self._vocabulary.lexicon)
        return [metric.name for metric in self._metrics(text, words)]

    def _metrics(self, question: str, words: Sequence[Phrase]) -> list[Metric]:
        """The nearest first: those that words name, then those whose labels and descriptions share most."""
        known = self._vocabulary.semantic.metrics
        named: Counter[str] = Counter()
        for phrase in words:
            if phrase.category in _NEAR:
                names = str(phrase.value).split(BETWEEN)
                for name in names:
                    named[name] += _NEAR[phrase.category] / len(names)  # type: ignore[assignment]
        asked = _terms(question)
        for name, (own, described) in self._words_of_metrics.items():
            named[name] += len(asked & own) + 0.3 * len(asked & described)  # type: ignore[assignment]
        return sorted(known.values(), key=lambda one: (-named[one.name], one.kind != "simple", one.name))

    @cached_property
    def _words_of_metrics(self) -> dict[str, tuple[set[str], set[str]]]:
        """What each metric's names, and its description, have in common with a question."""
        return {
            name: (
                _terms(" / ".join((one.label, one.label_zh, *one.synonyms_en, *one.synonyms_zh))),
                _terms(one.description),
            )
            for name, one in self._vocabulary.semantic.metrics.items()
        }

    def _said(
        self,
        metric: Metric,
        words: Sequence[Phrase],
        period: Period | None,
        calendar: Calendar,
        language: str,
    ) -> Iterator[str]:
        """Ways to ask for a metric, the nearest to the question first."""
        names = self._vocabulary
        named = [phrase for phrase in words if phrase.category == "dimension"]
        splits = [
            one.name
            for phrase in named
            for one in names.resolve(str(phrase.value), (metric.name,))
            if not one.fans_out
        ]
        own = [name for name in metric.dimensions if names.semantic.dimensions[name].type == "categorical"]
        figure = names.phrase(metric.name, language)
        dated = period if period and not self._days.outside(metric.name, period) else None
        when = dated or self._newest(metric, calendar)
        time = shown_period(when, names, language) if when else ""
        for split in (*dict.fromkeys((*splits, *own[:3])), ""):
            by = names.phrase(split, language) if split else ""
            if language == "zh":
                yield f"{time}{f'各{by}的' if by else '的' if time else ''}{figure}"
            else:
                yield f"{figure}{f' by {by}' if by else ''}{f' in {time}' if time else ''}"

    def _newest(self, metric: Metric, calendar: Calendar) -> Period | None:
        """The newest whole month within the data, or all there is of it."""
        days = self._days.of(metric.name)
        if days is None:
            return None
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        end = calendar.floor(min(last + timedelta(days=1), calendar.now), "month")
        start = calendar.step(end, "month", -1)
        return Period(start=start, end=end) if start >= first else None

    def _is_answered(self, said: str, calendar: Calendar) -> bool:
        today = said, calendar.now.date(), calendar.week_start
        intent = self._intents.get(today, lambda: self._meant(said, calendar))
        if intent is None:
            return False
        timeless = intent.model_copy(update={"window": None})
        return self._computed.get(timeless, lambda: self._computes(intent, calendar))

    def _meant(self, said: str, calendar: Calendar) -> Intent | None:
        found = self._reader.read(said, calendar)
        return found.reading.intent if isinstance(found, Understood) else None

    def _computes(self, intent: Intent, calendar: Calendar) -> bool:
        try:
            statement = compiled(intent, self._vocabulary.semantic, self._warehouse, calendar)
            self._warehouse.dry_run(statement.sql)
        except PermanentError:
            return False
        return True


def _terms(text: str) -> set[str]:
    """What two texts are compared by: stems of English words, pairs of Chinese characters."""
    found = units(fold(text))
    language = {phrase.start for start in range(len(found)) for phrase in shipped().match(found, start)}
    stems = {one.key for at, one in enumerate(found) if not one.chinese and at not in language}
    pairs = {one.text + two.text for one, two in pairwise(found) if one.chinese and two.chinese}
    return stems | pairs
