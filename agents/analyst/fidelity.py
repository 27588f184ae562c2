"""What a question says that an intent does not: names and values of the project, and the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.chart import Phrase, fragments
from agents.analyst.grammar.fragment import BETWEEN, Fragment
from agents.analyst.grammar.reader import GRAMMAR
from agents.analyst.grammar.text import Unit, fold, units
from agents.analyst.grammar.timing import timing
from agents.analyst.grammar.when import Calendar, NoTime
from agents.analyst.grammar.words import INSIDE, lattice, shipped
from agents.analyst.intent import By, Compares, CountOf, Intent, Is, MetricOf, Missing, Period
from agents.analyst.vocabulary import Vocabulary

# What is written as the project writes it. Softer words are for who reads the question to judge.
_FIRM = {"name:label", "name:name", "name:synonym", "value:exact"}
# What may be a word of the language, or is a part of a longer name, is not surely a name.
_SOFT = {INSIDE, "name:word", "value:word", "value:number", "value:letter"}
_NAMED = ("metric", "dimension", "value")


def left_out(
    question: str, intent: Intent, vocabulary: Vocabulary, calendar: Calendar, weights: Mapping[str, float]
) -> list[str]:
    """Each of them as the question writes it, with what it is: `Germany (country)`."""
    text, words = lattice(question, shipped(), vocabulary.lexicon)
    said = _Said(intent, text, words, vocabulary)
    found = []
    for (start, end), phrases in sorted(_named(words).items()):
        if not any(said.has(one) for one in phrases):
            kinds = dict.fromkeys(_kind(one, vocabulary) for one in phrases if one.category in _NAMED)
            found.append(f"{question[text[start].start : text[end - 1].end]} ({' or '.join(kinds)})")
    period = named_period(text, words, calendar, weights)
    if period and not any(_same(period, one, calendar.now) for one in _of(intent, Period)):
        found.append(f"the time from {_shown(period.start)} to {_shown(period.end)}")
    return found


def named_period(
    text: Sequence[Unit], words: Sequence[Phrase], calendar: Calendar, weights: Mapping[str, float]
) -> Period | None:
    """The time that a question names, where it is one."""
    found = fragments(words, len(text), GRAMMAR, weights)
    said = [(one.end - one.start, one.value) for one in found if isinstance(one.value, Fragment)]
    for _, fragment in sorted(said, key=lambda one: -one[0]):
        if fragment.times and fragment == Fragment(times=fragment.times):
            try:
                return timing(fragment.times, calendar).window
            except NoTime:
                continue
    return None


def _named(words: Sequence[Phrase]) -> dict[tuple[int, int], list[Phrase]]:
    """The spans that are surely names, each with all that it may be."""
    spans: dict[tuple[int, int], list[Phrase]] = defaultdict(list)
    for one in words:
        spans[one.start, one.end].append(one)
    return {
        span: phrases
        for span, phrases in spans.items()
        if any(
            one.category in _NAMED and _FIRM & set(one.features) and not _SOFT & set(one.features)
            for one in phrases
        )
    }


class _Said:
    """What an intent speaks of."""

    def __init__(
        self, intent: Intent, text: Sequence[Unit], words: Sequence[Phrase], vocabulary: Vocabulary
    ) -> None:
        self._vocabulary, self._text = vocabulary, text
        self._conditions = [*_of(intent, Is), *_of(intent, Compares)]
        self._counted = [one.of for one in _of(intent, CountOf)]
        self._metrics = {
            *(one.name for one in _of(intent, MetricOf)),
            *(one.among for one in _of(intent, CountOf) if one.among),
        }
        grouped = [one.dimension for one in (*_of(intent, By), *_of(intent, Missing), *self._conditions)]
        self._things = {_thing(name) for name in (*grouped, *self._counted)}
        self._listed = {at for one in words if one.category == "and" for at in (one.start, one.end)}
        self._asked = {str(name) for one in words if one.category == "metric" for name in _names(one)}
        self._whole = self._names_said({unit.key for unit in text})

    def has(self, one: Phrase) -> bool:
        keys = {unit.key for unit in self._text[one.start : one.end]}
        if any(keys <= name for name in self._whole):
            return True
        match one.category:
            case "metric" | "verb":
                return bool(self._metrics & set(_names(one))) or any(map(self._made_of_asked, self._metrics))
            case "dimension" | "entity":
                return bool(self._things & {_thing(name) for name in _names(one)})
            case "mention" if not self._listed & {one.start, one.end}:
                # The orders of `the average value of orders` are whose figure it is.
                return bool(self._metrics & set(_names(one)))
            case "value":
                return any(self._asks_for(condition, one.value) for condition in self._conditions)
        return False

    def _asks_for(self, condition: Is | Compares, value: Any) -> bool:
        dimensions, said = value
        things = {_thing(name) for name in dimensions.split(BETWEEN)}
        values = condition.values if isinstance(condition, Is) else (condition.value,)
        spelt = {said, *self._vocabulary.spellings(condition.dimension, said)}
        return _thing(condition.dimension) in things and any(str(one) in spelt for one in values)

    def _made_of_asked(self, metric: str) -> bool:
        """Whether a question names each figure that a metric is made of: revenue per order."""
        known = self._vocabulary.semantic.metrics.get(metric)
        return bool(known and known.inputs) and set(known.inputs if known else ()) <= self._asked

    def _names_said(self, keys: set[str]) -> list[set[str]]:
        """The names of its metrics that the question has all words of, wherever they stand."""
        semantic = self._vocabulary.semantic
        known = [semantic.metrics[name] for name in self._metrics if name in semantic.metrics]
        names = [
            {unit.key for unit in units(fold(name))}
            for one in known
            for name in (
                one.label,
                one.label_zh,
                one.name.replace("_", " "),
                *one.synonyms_en,
                *one.synonyms_zh,
            )
        ]
        return [name for name in names if name and name <= keys]


def _of(node: Any, kind: Any) -> Iterator[Any]:
    """All of a kind that an intent has."""
    if isinstance(node, kind):
        yield node
    if isinstance(node, BaseModel):
        for _, value in node:
            yield from _of(value, kind)
    elif isinstance(node, tuple):
        for one in node:
            yield from _of(one, kind)


def _thing(name: str) -> str:
    """A dimension by whose it is, whichever way leads there."""
    return "__".join(name.split("__")[-2:])


def _names(phrase: Phrase) -> list[str]:
    names = phrase.value[-1] if isinstance(phrase.value, tuple) else phrase.value
    return str(names).split(BETWEEN)


def _kind(phrase: Phrase, vocabulary: Vocabulary) -> str:
    """What a name is the name of: `metric revenue`, `a value of user__country`."""
    if phrase.category == "value":
        return f"a value of {phrase.value[0].replace(BETWEEN, ' or of ')}"  # type: ignore[index]
    return f"{phrase.category} {' or '.join(_names(phrase))}"


def _same(one: Period, other: Period, now: datetime) -> bool:
    """Whether two periods have the same data: what is running ends with it, or at its own end."""

    def open_(end: datetime | None) -> bool:
        return end is None or end.date() >= now.date()

    return one.start == other.start and (one.end == other.end or (open_(one.end) and open_(other.end)))


def _shown(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "any time"
