"""Derivations of a lattice of words by typed rules, best first: each word in exactly one place, or none.

Rules compose phrases of neighbouring parts; the phrases of a whole question are *fragments* of its meaning
and stand in any order, as long as they go together. Only words of the category `filler` may be passed over.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

FILLER, FRAGMENT = "filler", "fragment"
# A word that is passed over within a phrase.
GAP = "gap"
_KEPT_PHRASES = 8
_KEPT_STATES = 60


@dataclass(frozen=True)
class Phrase:
    """What the words from `start` to `end` are: its category, its meaning, the features of how it came about
    and, for each word that has a part in it, (position, role).
    """

    category: str
    start: int
    end: int
    value: Hashable
    features: tuple[str, ...] = ()
    roles: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Rule:
    """Phrases side by side that make another. Of the parts, written `which? groups most/top measure`, one
    with a question mark may be missing and one with a slash is any of these. `build` gets a meaning for each
    part, None for a missing one, and gives the whole's: one, several in a list, or None where they do not go
    together.
    """

    name: str
    makes: str
    of: str
    build: Callable[..., Any]

    def forms(self) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        """Each way to write it out: categories, and the place of each among the parts."""
        parts = [
            (("",) if part.endswith("?") else ()) + tuple(part.rstrip("?").split("/"))
            for part in self.of.split()
        ]
        for chosen in product(*parts):
            places = tuple(place for place, category in enumerate(chosen) if category)
            if places:
                yield tuple(chosen[place] for place in places), places


@dataclass(frozen=True)
class Derivation:
    """A meaning of all the words, its score, the features that it is the sum of, and each word's role."""

    value: Any
    score: float
    features: Mapping[str, int]
    roles: Mapping[int, str]


def derive(
    words: Sequence[Phrase],
    length: int,
    grammar: Grammar,
    merge: Callable[[Any, Any], Any],
    weights: Mapping[str, float],
    empty: Any,
    kept: int = 5,
) -> list[Derivation]:
    """The `kept` best complete derivations of `length` positions over which `words` lie, overlapping or not.

    `merge` puts two fragments together, or gives None; `empty` is the fragment that nothing has been said of.
    """
    worth = _Worth(weights)
    chart = _Chart(words, length, grammar, worth)
    return _questions(chart, length, merge, worth, empty, kept)


def fragments(
    words: Sequence[Phrase], length: int, grammar: Grammar, weights: Mapping[str, float]
) -> list[Phrase]:
    """Every fragment of a text, of whatever part of it."""
    chart = _Chart(words, length, grammar, _Worth(weights))
    return [phrase for start in range(length) for phrase in chart.from_(start, FRAGMENT)]


class _Worth(dict[str, float]):
    """What each feature is worth, looked up once: the part before a colon stands for all that begin so."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights

    def __missing__(self, feature: str) -> float:
        known = self._weights
        self[feature] = found = known.get(feature, known.get(feature.partition(":")[0], 0.0))
        return found

    def of(self, features: Iterable[str]) -> float:
        return sum(map(self.__getitem__, features))


@dataclass(frozen=True)
class _Form:
    """One way to write a rule out."""

    rule: Rule
    of: tuple[str, ...]
    places: tuple[int, ...]
    arity: int

    def build(self, parts: Sequence[Phrase]) -> Any:
        given: list[Any] = [None] * self.arity
        for place, part in zip(self.places, parts, strict=True):
            given[place] = part.value
        return self.rule.build(*given)


class Grammar:
    """Rules, written out and by what they begin with."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.alone: dict[str, list[_Form]] = defaultdict(list)
        self.first: dict[str, list[_Form]] = defaultdict(list)
        for rule in rules:
            for of, places in rule.forms():
                form = _Form(rule, of, places, len(rule.of.split()))
                (self.alone if len(of) == 1 else self.first)[of[0]].append(form)


@dataclass(frozen=True)
class _Begun:
    """A form whose first parts have been found, and the features of the fillers between them."""

    form: _Form
    end: int
    parts: tuple[Phrase, ...]
    passed: tuple[str, ...] = ()


_Waiting = dict[str, list[tuple[_Begun, tuple[str, ...]]]]


class _Chart:
    def __init__(self, words: Sequence[Phrase], length: int, grammar: Grammar, worth: _Worth) -> None:
        self._worth = worth
        self._alone, self._first = grammar.alone, grammar.first
        self.skips = _skips(words, length, worth)
        self._over: dict[tuple[int, int], list[Phrase]] = {}
        # Phrases by their end and beginning; begun forms by their beginning, by where they may go on and by
        # the category that they go on with.
        self._ending: list[dict[int, list[Phrase]]] = [{} for _ in range(length + 1)]
        self._begun: list[dict[int, _Waiting]] = [{} for _ in range(length + 1)]
        given: dict[tuple[int, int], list[Phrase]] = defaultdict(list)
        for word in words:
            if word.category != FILLER:
                given[word.start, word.end].append(word)
        for end in range(1, length + 1):
            for start in range(end - 1, -1, -1):
                self._fill(start, end, given[start, end])

    def from_(self, start: int, category: str) -> list[Phrase]:
        return [
            phrase
            for (begin, _), phrases in self._over.items()
            if begin == start
            for phrase in phrases
            if phrase.category == category
        ]

    def _fill(self, start: int, end: int, given: Sequence[Phrase]) -> None:
        """All phrases from `start` to `end`; those inside are there already."""
        found = list(given)
        begun: list[_Begun] = []
        waiting_at = self._begun[start]
        for middle, ending in self._ending[end].items() if waiting_at else ():
            if waiting := waiting_at.get(middle):
                for part in ending:
                    for one, passed in waiting.get(part.category, ()):
                        parts = (*one.parts, part)
                        gap = (*passed, GAP) if passed else ()
                        self._go_on(_Begun(one.form, end, parts, one.passed + gap), found, begun)
        if not (found or begun):
            return
        kept: dict[str, list[Phrase]] = {}
        while found:
            by_category: dict[str, list[Phrase]] = defaultdict(list)
            for phrase in found:
                by_category[phrase.category].append(phrase)
            found = []
            for category, phrases in by_category.items():
                for phrase in self._best([*kept.get(category, ()), *phrases]):
                    if phrase not in kept.get(category, ()):
                        for form in self._alone.get(category, ()):
                            self._go_on(_Begun(form, end, (phrase,)), found, begun)
                kept[category] = self._best([*kept.get(category, ()), *phrases])
        phrases = [phrase for of in kept.values() for phrase in of]
        if phrases:
            self._over[start, end] = self._ending[end][start] = phrases
        for phrase in phrases:
            begun += [_Begun(form, end, (phrase,)) for form in self._first.get(phrase.category, ())]
        for one in begun:
            for middle, passed in self.skips[end].items():
                waiting = self._begun[start].setdefault(middle, defaultdict(list))
                waiting[one.form.of[len(one.parts)]].append((one, passed))

    def _go_on(self, begun: _Begun, found: list[Phrase], more: list[_Begun]) -> None:
        form = begun.form
        if len(begun.parts) < len(form.of):
            more.append(begun)
            return
        made = form.build(begun.parts)
        rule = form.rule
        for value in () if made is None else made if isinstance(made, list) else (made,):
            own = (f"rule:{rule.name}", *begun.passed)
            features = (*own, *(one for part in begun.parts for one in part.features))
            roles = tuple(one for part in begun.parts for one in part.roles)
            found.append(
                Phrase(rule.makes, begun.parts[0].start, begun.end, value, tuple(sorted(features)), roles)
            )

    def _best(self, phrases: Iterable[Phrase]) -> list[Phrase]:
        """Of each meaning the best derivation, and of the meanings the best few."""
        best: dict[Hashable, tuple[float, Phrase]] = {}
        for phrase in phrases:
            scored = self._worth.of(phrase.features)
            if phrase.value not in best or scored > best[phrase.value][0]:
                best[phrase.value] = (scored, phrase)
        ranked = sorted(best.values(), key=lambda item: -item[0])
        return [phrase for _, phrase in ranked[:_KEPT_PHRASES]]


def _skips(words: Sequence[Phrase], length: int, worth: _Worth) -> list[dict[int, tuple[str, ...]]]:
    """From each position those that only fillers lie before, itself too, and the features of the best way."""
    over: dict[int, list[Phrase]] = defaultdict(list)
    for word in words:
        if word.category == FILLER:
            over[word.start].append(word)
    found: list[dict[int, tuple[str, ...]]] = [{} for _ in range(length + 1)]
    for start in range(length, -1, -1):
        found[start] = {start: ()}
        for word in over[start]:
            for end, features in found[word.end].items():
                passed = (*word.features, *features)
                if end not in found[start] or worth.of(passed) > worth.of(found[start][end]):
                    found[start][end] = passed
    return found


def _questions(
    chart: _Chart,
    length: int,
    merge: Callable[[Any, Any], Any],
    worth: _Worth,
    empty: Any,
    kept: int,
) -> list[Derivation]:
    """The best ways to cover all positions with fragments that go together."""
    states: list[dict[Hashable, tuple[float, tuple[str, ...], tuple[tuple[int, str], ...]]]] = [
        {} for _ in range(length + 1)
    ]
    states[0][empty] = (0.0, (), ())
    fragments = [chart.from_(start, FRAGMENT) for start in range(length)]
    for position in range(length):
        best = heapq.nlargest(_KEPT_STATES, states[position].items(), key=lambda item: item[1][0])
        for value, (reached, features, roles) in best:
            for end, passed in chart.skips[position].items():
                if end > position:
                    _keep(states[end], value, reached + worth.of(passed), (*features, *passed), roles)
            for phrase in fragments[position]:
                merged = merge(value, phrase.value)
                if merged is None:
                    continue
                more = worth.of(phrase.features)
                _keep(
                    states[phrase.end],
                    merged,
                    reached + more,
                    (*features, *phrase.features),
                    (*roles, *phrase.roles),
                )
    best = heapq.nlargest(kept, states[length].items(), key=lambda item: item[1][0])
    return [
        Derivation(value, reached, Counter(features), dict(roles))
        for value, (reached, features, roles) in best
    ]


def _keep(
    states: dict[Hashable, tuple[float, tuple[str, ...], tuple[tuple[int, str], ...]]],
    value: Hashable,
    reached: float,
    features: tuple[str, ...],
    roles: tuple[tuple[int, str], ...],
) -> None:
    if value not in states or reached > states[value][0]:
        states[value] = (reached, features, roles)
