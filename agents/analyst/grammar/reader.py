"""From a question's text to its meaning, to several that it may have, or to the reason why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import yaml

from agents.analyst.grammar.asides import leading
from agents.analyst.grammar.chart import Derivation, Grammar, Phrase, derive
from agents.analyst.grammar.complete import OWN, SETTLED, UNKEPT, complete
from agents.analyst.grammar.fragment import EMPTY, Refused, merge
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.rules import RULES
from agents.analyst.grammar.text import Unit
from agents.analyst.grammar.timing import UNTIMED, Timing
from agents.analyst.grammar.when import Calendar
from agents.analyst.grammar.words import INSIDE, NAMES, lattice, shipped
from agents.analyst.intent import AllOf, By, Compares, Condition, Intent

_KEPT = 12
# Readings whose scores are closer than this may both be meant.
CLOSE = 0.5
# So much, where the other takes a word for a value that the best takes for none: `for chart`, 上个月ok的.
_AS_VALUE = 2.5
_CHOICE = 3
# A reading that rests on one of these is asked back, even if there is no other.
ASKED = (
    "name:derived",
    "name:head",
    "name:dimension",
    "value:part",
    "metric filled in",
    "time:other",
    "far behind",
    UNKEPT,
    "vague",
    "rule:percentage",
    "flat ranking",
    "best of each period",
    "thing counted",
    "median over periods",
    "rule:most counted",
)
_SETTLED = {"name:head": SETTLED, "name:dimension": OWN}
# Reasons that are given of the best that the words can mean.
_CERTAIN = {"only_these", "both_or_either", "none_of_it", "of_those_not"}
# By so much it is behind what the words rather say, which the project cannot answer.
_FAR_BEHIND = 2.3
GRAMMAR = Grammar(RULES)


@dataclass(frozen=True)
class Reading:
    """A meaning of the whole question: its score, what that is the sum of, each word's role in it, and how
    its times were read.
    """

    intent: Intent
    score: float
    features: Mapping[str, int]
    roles: Sequence[tuple[str, str]]
    times: Timing = UNTIMED


@dataclass(frozen=True)
class Understood:
    """The best reading, and by how much its score is over the next one's of another meaning."""

    reading: Reading
    margin: float


@dataclass(frozen=True)
class Unsure:
    """Several readings, the best first, that are too close to choose from. `asked`: the best rests on what is
    always asked back.
    """

    readings: tuple[Reading, ...]
    asked: bool = False


@dataclass(frozen=True)
class NotUnderstood:
    """Why there is no reading: the words that nothing is known of, or a reason and what it is about."""

    reason: str
    values: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """Reads questions in a project's words."""

    vocabulary: Any
    weights: Mapping[str, float] = field(default_factory=lambda: shipped_weights())

    def read(self, question: str, calendar: Calendar) -> Understood | Unsure | NotUnderstood:
        readings, refused = self._readings(question, calendar)
        if refused:
            return refused
        return settled(readings)

    def readings(self, question: str, calendar: Calendar) -> list[Reading]:
        """All complete readings, the best first."""
        return self._readings(question, calendar)[0]

    def _readings(self, question: str, calendar: Calendar) -> tuple[list[Reading], NotUnderstood | None]:
        text, words = lattice(question, shipped(), self.vocabulary.lexicon)
        words = leading(question, text, words)
        words += self.vocabulary.spelt(text, words)
        beyond = _beyond(words)
        if unknown := unknown_words(text, words):
            return [], NotUnderstood(f"asks_{beyond}" if beyond else "unknown_words", unknown=unknown)
        found = derive(words, len(text), GRAMMAR, merge, self.weights, EMPTY, _KEPT)
        readings, refusals = self._completed(found, text, calendar)
        if not readings:
            best = refusals[0] if refusals else Refused("not_put_together")
            if beyond:
                best = Refused(f"asks_{beyond}")
            return [], NotUnderstood(best.key, best.values)
        return readings, None

    def _completed(
        self, found: Sequence[Derivation], text: Sequence[Unit], calendar: Calendar
    ) -> tuple[list[Reading], list[Refused]]:
        """Readings of different meaning, the best first, and why derivations came to none."""
        readings: dict[Intent, Reading] = {}
        refusals: list[Refused] = []
        refused = certain = -inf
        for derivation in found:
            if derivation.score < certain:
                break
            try:
                completed = complete(derivation.value, self.vocabulary, calendar)
            except Refused as refusal:
                refusals.append(refusal)
                refused = max(refused, derivation.score)
                if refusal.key in _CERTAIN and not readings:
                    # It was understood, and cannot be had: no lesser meaning is offered in its place.
                    refusals.insert(0, refusal)
                    certain = max(certain, derivation.score - CLOSE)
                continue
            roles = [(text[at].text, role) for at, role in sorted(derivation.roles.items())]
            for one in completed:
                features = {**derivation.features}
                if refused - derivation.score > _FAR_BEHIND:
                    features["far behind"] = 1
                if one.intent.partition and "rule:grained" in features:
                    # The highest daily revenue per country: of each country, or of each day?
                    features["best of each period"] = 1
                if {"rule:of thing", "rule:kind"} <= features.keys():
                    # How many German customers ordered: so many customers, and not orders.
                    features["thing counted"] = 1
                for name in one.features:
                    features[name] = features.get(name, 0) + 1
                score = derivation.score + sum(self.weights.get(name, 0.0) for name in one.features)
                intents = [one.intent, *self._at_other_times(one.intent, text, derivation.roles)]
                if len(intents) > 1:
                    features["time:other"] = 1
                for intent in intents:
                    if intent not in readings or readings[intent].score < score:
                        readings[intent] = Reading(intent, score, features, roles, one.times)
        return sorted(readings.values(), key=lambda one: -one.score), refusals

    def _at_other_times(self, intent: Intent, text: Sequence[Unit], roles: Mapping[int, str]) -> list[Intent]:
        """The same by the other times that it speaks of: sent in October, or delivered then."""
        window = intent.window
        if window is None or intent.against or any(not isinstance(one, By) for one in intent.groups):
            return []
        found = []
        for name in self.vocabulary.other_times(text, roles, metrics_in(intent.measures)):
            ends: list[Condition] = []
            if window.start:
                ends.append(Compares(dimension=name, op=">=", value=window.start))
            if window.end:
                ends.append(Compares(dimension=name, op="<", value=window.end))
            conditions = ([intent.where] if intent.where else []) + ends
            where = AllOf(of=tuple(conditions)) if len(conditions) > 1 else conditions[0]
            found.append(intent.model_copy(update={"where": where, "window": None}))
        return found


def settled(readings: Sequence[Reading]) -> Understood | Unsure:
    """The best of some readings, the best first, or those that are too close to it."""
    best = readings[0]
    close = tuple(
        one
        for one in readings
        if best.score - one.score < (_AS_VALUE if _has_more_values(one, best) else CLOSE)
    )
    asked = _is_asked(close[0].features)
    if asked and len(close) == 1:
        # Who is asked back has a choice, where there is one.
        close = tuple(one for one in readings[:_CHOICE] if best.score - one.score < _AS_VALUE)
    if len(close) > 1 or asked:
        return Unsure(close, asked)
    return Understood(best, best.score - readings[1].score if len(readings) > 1 else inf)


def _beyond(words: Sequence[Phrase]) -> str:
    """What is asked that figures do not answer; not where the word is in a longer one, or a name."""
    named = {(one.start, one.end) for one in words if one.category in NAMES}
    for one in words:
        if one.category == "beyond" and INSIDE not in one.features and (one.start, one.end) not in named:
            return str(one.value)
    return ""


def _has_more_values(one: Reading, other: Reading) -> bool:
    """Whether a whole word is a value to one reading that is none to the other."""
    more = {
        name: one.features.get(name, 0) - other.features.get(name, 0) for name in ("value:exact", "inside")
    }
    return more["value:exact"] > 0 and more["inside"] <= 0


def _is_asked(features: Mapping[str, int]) -> bool:
    """Whether a reading rests on what is asked back; the head of several names is settled where one alone
    goes with what else is said.
    """
    settled = {name for name, by in _SETTLED.items() if by in features}
    return any(name in features for name in ASKED if name not in settled)


def unknown_words(text: Sequence[Unit], words: Sequence[Phrase]) -> tuple[str, ...]:
    """Runs of words that can be read as nothing."""
    known = {at for phrase in words for at in range(phrase.start, phrase.end)}
    runs: list[str] = []
    last = -2
    for at, unit in enumerate(text):
        if at in known:
            continue
        joint = "" if unit.chinese else " "
        if at == last + 1 and runs:
            runs[-1] += joint + unit.text
        else:
            runs.append(unit.text)
        last = at
    return tuple(runs)


def shipped_weights() -> dict[str, float]:
    """What each feature of a derivation is worth; the part before a colon stands for all that begin so."""
    text = Path(__file__).with_name("weights.yml").read_text(encoding="utf-8")
    return {str(name): float(weight) for name, weight in yaml.safe_load(text).items()}
