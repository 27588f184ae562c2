"""The intents that a canonical sentence says: one, or the sentence is no proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.chart import Grammar, Rule, derive
from agents.analyst.grammar.rules.canonical import CLAUSE, RULES, Clauses, words
from agents.analyst.grammar.text import fold, units
from agents.analyst.grammar.words import numbers
from agents.analyst.intent import By, Compares, CountOf, Intent, Is, MetricOf, Missing
from agents.analyst.saying.names import Names


def read(text: str, names: Names) -> list[Intent]:
    """All that a sentence says by the canonical constructions."""
    said = units(fold(text))
    spots = range(len(said))
    own = [one for start in spots for one in words().match(said, start)]
    named = [one for start in spots for one in names.lexicon.match(said, start)]
    # An entity is said with its key, `user ID`: what is also a label of something else is that.
    labels = {(one.start, one.end) for one in named if one.category in ("metric", "dimension")}
    named = [one for one in named if one.category != "entity" or (one.start, one.end) not in labels]
    derivations = derive([*own, *named, *numbers(said)], len(said), _grammar(), Clauses.and_, {}, Clauses())
    intents = (intent for one in derivations if (intent := one.value.intent()))
    # A sentence says which of several metrics it means.
    plain = (one for one in intents if not any("|" in name for name in _metrics(one)))
    return list(dict.fromkeys(resolved(intent, names) for intent in plain))


@cache
def _grammar() -> Grammar:
    return Grammar([*RULES, Rule("canonical", "fragment", CLAUSE, lambda clause: Clauses((clause,)))])


def resolved(intent: Intent, names: Names) -> Intent:
    """With each name and value that may be one of several taken as the nearest that its metrics have."""
    metrics = tuple(dict.fromkeys(_metrics(intent)))
    found: Intent = _resolved(intent, metrics, names)
    return found


def _resolved(node: Any, metrics: Sequence[str], names: Names) -> Any:
    if isinstance(node, tuple):
        return tuple(_resolved(one, metrics, names) for one in node)
    if not isinstance(node, BaseModel):
        return node
    update = {name: _resolved(value, metrics, names) for name, value in node}
    match node:
        case By() | Missing():
            update["dimension"] = _one(node.dimension, metrics, names)
        case CountOf():
            update["of"] = _one(node.of, (node.among,) if node.among else metrics, names)
        case Is():
            update["dimension"] = name = _one(node.dimension, metrics, names)
            update["values"] = tuple(_value(name, value, names) for value in node.values)
        case Compares():
            update["dimension"] = name = _one(node.dimension, metrics, names)
            update["value"] = _value(name, node.value, names)
    return node.model_copy(update=update)


def _one(candidates: str, metrics: Sequence[str], names: Names) -> str:
    if "|" not in candidates:
        return candidates
    found = names.resolve(candidates, metrics)
    return str(found[0].name) if found else candidates


def _value(dimension: str, said: Any, names: Names) -> Any:
    """As the warehouse spells it; a number is a text where the dimension's values are texts."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return said
    known = names.value(dimension, str(said))
    return said if known is None else known


def _metrics(node: Any) -> Iterator[str]:
    if isinstance(node, MetricOf):
        yield node.name
    elif isinstance(node, CountOf) and node.among:
        yield node.among
    for child in node if isinstance(node, tuple) else ():
        yield from _metrics(child)
    if isinstance(node, BaseModel):
        for _, child in node:
            yield from _metrics(child)
