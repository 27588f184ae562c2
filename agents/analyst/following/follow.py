"""A few words after an answer, read as what they change in its question."""

from __future__ import annotations

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
from agents.analyst.grammar.rules import RULES
from agents.analyst.grammar.text import fold
from agents.analyst.grammar.when import Calendar, Fixed
from agents.analyst.grammar.words import lattice, shipped
from agents.analyst.intent import Intent, MetricOf

_GRAMMAR = Grammar(RULES)
_KEPT = 8
_FIGURES = ("metric", "verb")
_ENDS = " ,.?!;:，。？！；：、"


def followed(
    question: str, previous: Intent, vocabulary: Any, calendar: Calendar, weights: Mapping[str, float]
) -> Intent | None:
    """The question that a few words after `previous` ask. None where they are no follow-up: a question of
    its own, words that nothing is known of, or nothing that can be said of what was asked before.
    """
    rest, ways = marked(question)
    text, words = lattice(rest, shipped(), vocabulary.lexicon)
    words += vocabulary.spelt(text, words)
    known = {at for phrase in words for at in range(phrase.start, phrase.end)}
    if not text or len(known) < len(text):
        return None
    found = derive(words, len(text), _GRAMMAR, together, weights, EMPTY, _KEPT)
    found = [one for one in found if one.value != EMPTY]
    if not ways and _is_whole(found, len(text)):
        return None
    for one in found:
        try:
            return merge(previous, _follow_up(one.value, previous, vocabulary, calendar, ways))
        except Refused:
            continue
    return None


def marked(question: str) -> tuple[str, frozenset[Way]]:
    """A question without the words that only say that it goes on from the last, and how it does."""
    text, ways = fold(question).strip(_ENDS), set()
    while found := next(((left, way) for one, way in _markers() if (left := _without(text, one))), None):
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
    figures = [one for one in found if one.value.measures or one.value.verbs]
    said = [one.value for one in figures]
    if any(one.groups or one.each or one.where or one.times or one.limit for one in said):
        return True
    named = (sum(role in _FIGURES for role in one.roles.values()) for one in figures)
    return bool(figures) and max(named) < length


def _follow_up(
    said: Fragment, previous: Intent, vocabulary: Any, calendar: Calendar, ways: frozenset[Way]
) -> FollowUp:
    parts = _parts(said)
    if not parts and not (said.together and previous.groups):
        raise Refused("not_put_together")
    filled = said
    if not (said.measures or said.verbs):
        filled = replace(filled, measures=_plain(previous))
    if not (said.groups or said.each):
        filled = replace(filled, groups=tuple(one for one in previous.groups if one.kind != "periods"))
    window = previous.window
    if window and window.start and window.end and (not said.times or parts == {"against"}):
        filled = replace(filled, times=(Fixed(window.start, window.end), *said.times))
    intent = complete(filled, vocabulary, calendar)[0].intent
    if not parts:
        # In total: no split at all.
        return FollowUp(previous, frozenset({"groups"}), "drop")
    way: Way = "drop" if "drop" in ways else "add" if "add" in ways else "change"
    return FollowUp(intent, parts, way)


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
