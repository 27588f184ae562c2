"""Times as people say them, alone and inside a question: one reading, and it is the one in the table."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from agents.analyst.grammar.chart import Grammar, derive
from agents.analyst.grammar.fragment import EMPTY, Fragment, merge
from agents.analyst.grammar.reader import CLOSE, shipped_weights
from agents.analyst.grammar.rules import RULES
from agents.analyst.grammar.timing import timing
from agents.analyst.grammar.when import Calendar, NoTime
from agents.analyst.grammar.words import Lexicon, lattice, shipped
from agents.analyst.intent import AtPart, Every, PartOf, Period

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
CARRIERS = {
    "en": ("revenue {}", "how many orders by country {}?"),
    "zh": ("{}的销售额", "按国家，{}的订单数"),
}
TABLES = Path(__file__).parent
GRAMMAR = Grammar(RULES)


@cache
def project() -> Lexicon:
    lexicon = Lexicon()
    for metric in ("revenue", "orders", "销售额", "订单数"):
        lexicon.add(metric, "metric", metric)
    for country in ("country", "国家"):
        lexicon.add(country, "dimension", "country")
    return lexicon


def cases() -> list[tuple[str, str, str]]:
    found = []
    for language in CARRIERS:
        for line in (TABLES / f"times_{language}.tsv").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                said, expected = line.split("\t")
                found.append((language, said, expected))
    return found


def readings(question: str, calendar: Calendar = NOW) -> list[tuple[float, str]]:
    """What the times of a question come to in each derivation, the best first; else the refusals."""
    text, words = lattice(question, shipped(), project())
    found: dict[str, float] = {}
    refused: dict[str, float] = {}
    for derivation in derive(words, len(text), GRAMMAR, merge, shipped_weights(), EMPTY, 12):
        try:
            found.setdefault(said(derivation.value, calendar), derivation.score)
        except NoTime as reason:
            told = " ".join(["!" + reason.key, *map(printed, reason.readings)])
            refused.setdefault(told, derivation.score)
    return sorted(((score, text) for text, score in (found or refused).items()), reverse=True)


def said(fragment: Fragment, calendar: Calendar) -> str:
    times = timing(
        fragment.times,
        calendar,
        compared=fragment.compared or bool(fragment.against),
        against=fragment.against,
    )
    parts = [one for one in (*fragment.where, times.where) if isinstance(one, AtPart)]
    if len({one.part for one in parts}) < len(parts):
        raise NoTime("several")
    found = [printed(times.window)] if times.window else []
    found += [f"vs {printed(times.against)}"] if times.against else []
    found += ["+".join(map(printed, times.several))] if times.several else []
    found += [f"@{one.part} {','.join(map(str, one.values))}" for one in parts]
    for group in (*fragment.groups, *fragment.each):
        found += [f"by {group.part}"] if isinstance(group, PartOf) else []
        found += [f"by {group.grain}"] if isinstance(group, Every) else []
    return " ".join(found)


def printed(period: Period) -> str:
    edges = ("" if edge is None else f"{edge:%Y-%m-%dT%H:%M}" for edge in (period.start, period.end))
    return "..".join(edges).replace("T00:00", "")


@pytest.mark.parametrize(("language", "said", "expected"), cases())
def test_a_time_is_read_as_it_is_meant(language: str, said: str, expected: str) -> None:
    for sentence in ("{}", *CARRIERS[language]):
        question = sentence.format(said)
        found = readings(question)
        assert found, f"{question}: no reading"
        close = [text for score, text in found if found[0][0] - score < CLOSE]
        assert close == [expected], f"{question}: {found[:3]}"
