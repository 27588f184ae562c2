"""A few words after an answer, read as what they change in its question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml

from agents.analyst.following.merge import FollowUp, Part, Way, merge
from agents.analyst.grammar.chart import Derivation, Grammar, derive
from agents.analyst.grammar.complete import complete
from agents.analyst.grammar.fragment import EMPTY, Fragment, Refused
from agents.analyst.grammar.fragment import merge as together
from agents.analyst.grammar.reader import CLOSE, Reading, Understood, Unsure, settled
from agents.analyst.grammar.rules import RULES
from agents.analyst.grammar.text import fold
from agents.analyst.grammar.when import Calendar, Fixed
from agents.analyst.grammar.words import lattice, shipped
from agents.analyst.intent import Intent, MetricOf

_GRAMMAR = Grammar(RULES)
_KEPT = 8
_FIGURES = ("metric", "verb")
_ENDS = " ,.?!;:，。？！；：、"
_CLAUSES = re.compile(r"[,;，；。]")


def followed(
    question: str, previous: Intent, vocabulary: Any, calendar: Calendar, weights: Mapping[str, float]
) -> Understood | Unsure | None:
    """The question that a few words after `previous` ask. None where they are no follow-up: a question of
    its own, words that nothing is known of, or nothing that can be said of what was asked before.
    """
    # `Without Germany, by month`: what is to go is said in words of its own.
    clauses = [one for one in _CLAUSES.split(question) if one.strip(_ENDS)]
    if len(clauses) < 2 or not any("drop" in marked(one)[1] for one in clauses):
        clauses = [question]
    found: Understood | Unsure | None = None
    for clause in clauses:
        readings = _readings(clause, previous, vocabulary, calendar, weights)
        if not readings:
            return None
        found = settled(readings)
        if isinstance(found, Unsure):
            return found if clause is clauses[-1] else None
        previous = found.reading.intent
    return found


def _readings(
    question: str, previous: Intent, vocabulary: Any, calendar: Calendar, weights: Mapping[str, float]
) -> list[Reading]:
    """What it changes in the question before, the best first."""
    rest, ways = marked(question)
    text, words = lattice(rest, shipped(), vocabulary.lexicon)
    words += vocabulary.spelt(text, words)
    known = {at for phrase in words for at in range(phrase.start, phrase.end)}
    if not text or len(known) < len(text):
        return []
    found = derive(words, len(text), _GRAMMAR, together, weights, EMPTY, _KEPT)
    found = [one for one in found if one.value != EMPTY]
    if not ways and _is_whole(found, len(text)):
        return []
    readings: dict[Intent, Reading] = {}
    for one in found:
        roles = [(text[at].text, role) for at, role in sorted(one.roles.items())]
        try:
            follow_ups = _follow_ups(one.value, previous, vocabulary, calendar, ways)
        except Refused:
            continue
        for follow, more in follow_ups:
            merged = merge(previous, follow)
            # What changes nothing was not understood.
            if merged is not None and merged != previous:
                score = one.score + sum(weights.get(name, 0.0) for name in more)
                features = Counter(one.features) + Counter(more)
                if merged not in readings or readings[merged].score < score:
                    readings[merged] = Reading(merged, score, features, roles)
    return sorted(readings.values(), key=lambda one: -one.score)


def marked(question: str) -> tuple[str, frozenset[Way]]:
    """A question without the words that only say that it goes on from the last, and how it does."""
    text, ways = fold(question).strip(_ENDS), set()
    # What is to go is said once: 去掉取消的 is about what is cancelled.
    while found := next(
        (
            (left, way)
            for one, way in _markers()
            if not way == "drop" in ways and (left := _without(text, one))
        ),
        None,
    ):
        text = found[0]
        ways.add(found[1])
    return text, frozenset(ways)


def _without(text: str, marker: str) -> str:
    """What is left beside a marker at one end; empty where it is at none, or is all."""
    gap = " " if marker.isascii() else ""
    if text.startswith(marker + gap):
        return text[len(marker) :].strip(_ENDS)
    return text[: -len(marker)].strip(_ENDS) if text.endswith(gap + marker) else ""


@cache
def _markers() -> tuple[tuple[str, Way], ...]:
    """The longest first."""
    table = yaml.safe_load(Path(__file__).with_name("markers.yml").read_text(encoding="utf-8"))
    found = [(phrase, way) for way in get_args(Way) for said in table[way].values() for phrase in said]
    return tuple(sorted(found, key=lambda one: -len(one[0])))


def _is_whole(found: Sequence[Derivation], length: int) -> bool:
    """Whether it is a question of its own: a figure with what of it is asked, or with more words than its
    name (how many orders were there).
    """
    # The slowest depot has a figure of its own, by which it is the slowest.
    figures = [
        one
        for one in found
        if one.value.measures or one.value.verbs or (one.value.by and (one.value.groups or one.value.each))
    ]
    if figures and found[0].score - figures[0].score > CLOSE:
        return False
    said = [one.value for one in figures]
    if any(one.groups or one.each or one.where or one.times or one.limit for one in said):
        return True
    named = (sum(role in _FIGURES for role in one.roles.values()) for one in figures)
    return bool(figures) and max(named) < length


def _follow_ups(
    said: Fragment, previous: Intent, vocabulary: Any, calendar: Calendar, ways: frozenset[Way]
) -> list[tuple[FollowUp, tuple[str, ...]]]:
    """What it may be, each with what had to be chosen for it. Raises `Refused`."""
    parts = _parts(said)
    if not parts:
        if not (said.together and previous.groups):
            raise Refused("not_put_together")
        # In total: no split at all.
        return [(FollowUp(previous, frozenset({"groups"}), "drop"), ())]
    filled = said
    if not (said.measures or said.verbs):
        filled = replace(filled, measures=_plain(previous))
    if not (said.groups or said.each):
        filled = replace(filled, groups=tuple(one for one in previous.groups if one.kind != "periods"))
    window = previous.window
    if window and window.start and window.end and (not said.times or parts == {"against"}):
        filled = replace(filled, times=(Fixed(window.start, window.end), *said.times))
    way: Way = "drop" if "drop" in ways else "add" if "add" in ways else "change"
    return [
        (FollowUp(one.intent, _along_series(parts, one.intent), way), one.features)
        for one in complete(filled, vocabulary, calendar)
    ]


def _along_series(parts: frozenset[Part], intent: Intent) -> frozenset[Part]:
    """Along a series what is compared with the period before is a figure of its own."""
    if "against" in parts and intent.against is None:
        return parts - {"against"} | {"measures"}
    return parts


def _parts(said: Fragment) -> frozenset[Part]:
    """What a fragment speaks of."""
    averaged = {"mean", "median"} & set(said.wraps)
    spoken: dict[Part, Any] = {
        "measures": said.measures or said.verbs or said.wraps or said.part or said.per,
        "groups": said.groups or (said.each and not averaged),
        "where": said.where,
        "window": said.times and not said.compared,
        "against": said.compared or said.against,
        "having": said.having,
        "order": said.direction or said.ranked or said.by,
        "limit": said.limit,
    }
    return frozenset(part for part, value in spoken.items() if value)


def _plain(previous: Intent) -> tuple[MetricOf, ...]:
    """The metrics of the question before, without what was made of them."""
    found: list[MetricOf] = []
    left: list[Any] = [*previous.measures]
    while left:
        node = left.pop(0)
        if isinstance(node, MetricOf):
            found.append(node)
            continue
        inner = (getattr(node, name, None) for name in ("of", "numerator", "denominator", "left", "right"))
        left += [one for one in inner if one is not None and not isinstance(one, str)]
    return tuple(dict.fromkeys(found))
