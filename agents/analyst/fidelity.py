"""What a question says that an intent does not, names and values of the project and the time; and what an
intent leaves rows out by that the question does not say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.chart import Phrase, fragments
from agents.analyst.grammar.fragment import BETWEEN, Fragment
from agents.analyst.grammar.reader import GRAMMAR, unknown_words
from agents.analyst.grammar.text import Unit, fold, units
from agents.analyst.grammar.timing import timing
from agents.analyst.grammar.when import Calendar, NoTime, Weekdays, WeekdaysOf, When
from agents.analyst.grammar.words import INSIDE, lattice, shipped
from agents.analyst.intent import (
    AtPart,
    By,
    Compares,
    CountOf,
    Intent,
    Is,
    MetricOf,
    Missing,
    Not,
    Period,
)
from agents.analyst.vocabulary import Vocabulary

# What is written as the project writes it. Softer words are for who reads the question to judge.
_FIRM = {"name:label", "name:name", "name:synonym", "value:exact"}
# What may be a word of the language, or is a part of a longer name, is not surely a name.
_SOFT = {INSIDE, "name:word", "value:word", "value:number", "value:letter"}
_NAMED = ("metric", "dimension", "value")
_NEGATIONS = {"not", "not_after", "neither", "others"}


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


def added(
    question: str,
    intent: Intent,
    previous: Intent | None,
    vocabulary: Vocabulary,
    calendar: Calendar,
    weights: Mapping[str, float],
) -> list[str]:
    """Each value, bound and time that rows are left out by and that neither the question has a word for nor
    the one before it had. A word that nothing is known of may stand for a value, if for no figure.
    """
    text, words = lattice(question, shipped(), vocabulary.lexicon)
    words = [*words, *vocabulary.spelt(text, words)]
    said = _Said(intent, text, words, vocabulary)
    conditions = _conditions(intent, previous)
    dated = [one for one in conditions if _is_of_time(one, vocabulary)]
    values = [_told(one) for one in conditions if one not in dated and not said.asks_for(one, words)]
    may_be = len(unknown_words(text, words)) - said.unnamed_metrics()
    found = values if len(values) > may_be else []
    if _new(Not, intent, previous) and not any(one.category in _NEGATIONS for one in words):
        found.append("what it is not")
    times = list(_times(text, words, weights))
    if (dated or _new(Period, intent, previous)) and not times:
        found.append("a time")
    parts = [one for one in times if isinstance(one, AtPart | Weekdays | WeekdaysOf)]
    if _new(AtPart, intent, previous) and not parts:
        found.append("which days or hours")
    return found


def _new(kind: Any, intent: Intent, previous: Intent | None) -> bool:
    """Whether an intent has one that the intent before it had not."""
    return bool({*_of(intent, kind)} - {*_of(previous, kind)})


def _is_of_time(condition: Is | Compares | Missing, vocabulary: Vocabulary) -> bool:
    known = vocabulary.semantic.dimensions.get(condition.dimension)
    return isinstance(condition, Compares) and known is not None and known.type == "time"


def _conditions(intent: Intent, previous: Intent | None) -> list[Is | Compares | Missing]:
    """What an intent is filtered by, each value by itself, and the one before it was not."""
    found: list[Is | Compares | Missing] = [*_of(intent, Compares), *_of(intent, Missing)]
    found += [Is(dimension=one.dimension, values=(value,)) for one in _of(intent, Is) for value in one.values]
    before = {*_of(previous, Compares), *_of(previous, Missing)}
    before |= {
        Is(dimension=one.dimension, values=(value,)) for one in _of(previous, Is) for value in one.values
    }
    return [one for one in dict.fromkeys(found) if one not in before]


def _told(condition: Is | Compares | Missing) -> str:
    match condition:
        case Is(dimension=name, values=(value,)):
            return f"{value} ({name})"
        case Compares(dimension=name, op=op, value=value):
            return f"{name} {op} {value}"
    return f"no {condition.dimension}"


def _times(
    text: Sequence[Unit], words: Sequence[Phrase], weights: Mapping[str, float]
) -> Iterator[When | AtPart]:
    """All that any words may say of time."""
    for one in fragments(words, len(text), GRAMMAR, weights):
        if isinstance(one.value, Fragment):
            yield from one.value.times
            yield from (part for part in one.value.where if isinstance(part, AtPart))


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
        self._keys = {unit.key for unit in text}
        self._whole = self._names_said(self._metrics)

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

    def asks_for(self, condition: Is | Compares | Missing, words: Sequence[Phrase]) -> bool:
        """Whether any word may be what a condition says."""
        if isinstance(condition, Missing):
            named = (one for one in words if one.category in ("dimension", "entity"))
            return any(_thing(condition.dimension) in {_thing(name) for name in _names(one)} for one in named)
        value = condition.values[0] if isinstance(condition, Is) else condition.value
        written = {unit.key for unit in units(fold(str(value)))}
        return bool(written and written <= self._keys) or any(
            (one.category == "value" and self._asks_for(condition, one.value))
            or (one.category == "number" and one.value == value)
            for one in words
        )

    def unnamed_metrics(self) -> int:
        """How many of its metrics no word is the name of: what is done (came in) may be of many."""
        return sum(
            not (name in self._asked or self._made_of_asked(name) or self._names_said({name}))
            for name in self._metrics
        )

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

    def _names_said(self, metrics: set[str]) -> list[set[str]]:
        """The names of metrics that the question has all words of, wherever they stand."""
        semantic = self._vocabulary.semantic
        known = [semantic.metrics[name] for name in metrics if name in semantic.metrics]
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
        return [name for name in names if name and name <= self._keys]


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
