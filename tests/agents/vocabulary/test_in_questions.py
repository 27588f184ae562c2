"""Each name of a project in each everyday shape of a question: read as what it says, or not read; never as
anything else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.analyst.grammar.reader import Reader, Understood, Unsure
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    By,
    Every,
    Intent,
    Is,
    Mean,
    MetricOf,
    Not,
    Order,
    PartOf,
    Period,
    Share,
    Threshold,
)
from agents.analyst.vocabulary import Vocabulary
from notation import noted

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))


def period(first: tuple[int, int, int], end: tuple[int, int, int]) -> Period:
    return Period(start=datetime(*first, tzinfo=UTC), end=datetime(*end, tzinfo=UTC))


SEPTEMBER, OCTOBER = period((2026, 9, 1), (2026, 10, 1)), period((2026, 10, 1), (2026, 11, 1))
SUMMER, LAST_YEAR = period((2026, 7, 1), (2026, 10, 1)), period((2025, 1, 1), (2026, 1, 1))
THIS_YEAR, WEEK = period((2026, 1, 1), (2026, 11, 22)), period((2026, 11, 15), (2026, 11, 22))
DAY, MONTH, WEEKDAY = Every(grain="day"), Every(grain="month"), PartOf(part="weekday")


@dataclass(frozen=True)
class Drawn:
    """Two metrics, two things they are asked by, and a condition on the first."""

    m: MetricOf
    n: MetricOf
    d: By
    e: By
    v: Is


def asked(*measures: Any, by: Sequence[Any] = (), **parts: Any) -> Intent:
    return Intent(measures=measures, groups=tuple(by), **parts)


def ranked(one: Drawn, direction: Any, limit: int, **parts: Any) -> Intent:
    return asked(one.m, by=[one.d], order=Order(by=one.m, direction=direction), limit=limit, **parts)


def first_of_each(one: Drawn) -> Intent:
    return asked(one.m, by=[one.e, one.d], order=Order(by=one.m), limit=3, partition=(one.e,))


def over(one: Drawn) -> Intent:
    return asked(one.m, by=[one.d], having=(Threshold(measure=one.m, op=">", value=1000),))


def per_day(one: Drawn) -> Intent:
    return asked(Mean(of=one.m, per=DAY), window=OCTOBER)


SHAPES: tuple[tuple[str, str, Callable[[Drawn], Intent]], ...] = (
    ("{m} in October 2026", "2026年10月的{m}", lambda one: asked(one.m, window=OCTOBER)),
    ("{m} by {d} last month", "上个月各{d}的{m}", lambda one: asked(one.m, by=[one.d], window=OCTOBER)),
    (
        "What was {m} for each {d} in 2025?",
        "2025年每个{d}的{m}是多少？",
        lambda one: asked(one.m, by=[one.d], window=LAST_YEAR),
    ),
    (
        "top 5 {d} by {m} this year",
        "今年{m}最高的5个{d}",
        lambda one: ranked(one, "desc", 5, window=THIS_YEAR),
    ),
    (
        "which {d} had the lowest {m} in Q3 2026",
        "2026年第三季度哪个{d}的{m}最低",
        lambda one: ranked(one, "asc", 1, window=SUMMER),
    ),
    ("{m} by month this year", "今年每月{m}", lambda one: asked(one.m, by=[MONTH], window=THIS_YEAR)),
    ("daily {m} in the last 7 days", "最近7天每天的{m}", lambda one: asked(one.m, by=[DAY], window=WEEK)),
    ("{m} and {n} by {d}", "按{d}看{m}和{n}", lambda one: asked(one.m, one.n, by=[one.d])),
    (
        "{m} in October 2026 compared with September 2026",
        "2026年10月的{m}与9月相比",
        lambda one: asked(one.m, window=OCTOBER, against=SEPTEMBER),
    ),
    ("share of {m} by {d}", "各{d}{m}占比", lambda one: asked(Share(of=one.m), by=[one.d])),
    ("{m} by {d} and {e}", "按{d}和{e}统计{m}", lambda one: asked(one.m, by=[one.d, one.e])),
    ("{m} for {v} last month", "上个月{v}的{m}", lambda one: asked(one.m, where=one.v, window=OCTOBER)),
    ("{m} excluding {v}", "除{v}以外的{m}", lambda one: asked(one.m, where=Not(of=one.v))),
    ("{d} with {m} over 1000", "{m}超过1000的{d}", over),
    ("top 3 {d} by {m} in each {e}", "每个{e}{m}最高的3个{d}", first_of_each),
    ("average {m} per day in October 2026", "2026年10月平均每天的{m}", per_day),
    ("{m} by weekday", "按星期几看{m}", lambda one: asked(one.m, by=[WEEKDAY])),
)


def names(vocabulary: Vocabulary, metric: str, language: str) -> list[str]:
    """What a metric is called here and no other metric is."""
    known = vocabulary.semantic.metrics
    own = (vocabulary.phrase(metric, language), *getattr(known[metric], f"synonyms_{language}"))
    others = {
        said.casefold()
        for name, other in known.items()
        if name != metric
        for said in (name, other.label, other.label_zh, *other.synonyms_en, *other.synonyms_zh)
    }
    ours = [said for said in own if others.isdisjoint({said.casefold(), f"average {said}".casefold()})]
    return ours or [own[0]]


def questions(
    vocabulary: Vocabulary, values: Mapping[str, Sequence[str]], count: int, seed: int
) -> Iterator[tuple[str, Intent]]:
    """`count` of each shape in each language, and what each must mean."""
    chance = random.Random(seed)
    semantic = vocabulary.semantic
    known = sorted(semantic.metrics)

    def things(*metrics: str) -> list[str]:
        common = semantic.common_dimensions(list(metrics))
        choices = vocabulary.resolve("|".join(common), metrics) if common else []
        # A flag is no thing: `is paid` says which rows.
        return [
            one.name
            for one in choices
            if not one.fans_out
            and semantic.dimensions[one.name].type != "time"
            and not one.name.split("__")[-1].startswith("is_")
        ]

    for english, chinese, shape in SHAPES:
        for language, text in (("en", english), ("zh", chinese)):
            for _ in range(count):
                m, n = chance.sample(known, 2)
                of = things(m, n) if "{n}" in text else things(m)
                # Values that tell what they are a value of.
                held = Counter(value for name in of for value in set(values.get(name, ())))
                told = [(name, one) for name in of for one in values.get(name, ()) if held[one] == 1]
                if len(of) < 2 or ("{v}" in text and not told):
                    continue
                d, e = chance.sample(of, 2)
                of_value, value = chance.choice(told) if told else (d, "")
                v = Is(dimension=of_value, values=(value,))
                said = {
                    "m": chance.choice(names(vocabulary, m, language)),
                    "n": vocabulary.phrase(n, language),
                    "d": vocabulary.phrase(d, language),
                    "e": vocabulary.phrase(e, language),
                    "v": value,
                }
                drawn = Drawn(MetricOf(name=m), MetricOf(name=n), By(dimension=d), By(dimension=e), v)
                yield _spaced(text, said), shape(drawn)


def _spaced(text: str, said: Mapping[str, Any]) -> str:
    """With a space between two words that are not Chinese, as people write them."""
    done = ""
    for part in text.replace("{", "\0{").replace("}", "}\0").split("\0"):
        more = part.format(**said)
        gap = " " if done and more and all(c.isascii() and c.isalnum() for c in (done[-1], more[0])) else ""
        done += gap + more
    return done


def alike(vocabulary: Vocabulary, intent: Intent) -> tuple[Any, ...]:
    """A meaning in which one thing is one, whichever way joins lead to it, and an average a day of what is an
    average is that of each day. How a value is written is the warehouse's.
    """
    measures, groups = intent.measures, intent.groups
    mean = measures[0]
    if isinstance(mean, Mean) and isinstance(mean.of, MetricOf) and vocabulary.averaged(mean.of.name):
        measures, groups = (mean.of,), (*groups, mean.per)
    whole = intent.model_copy(update={"measures": measures, "groups": ()})
    return _near(repr(whole)).casefold(), Counter(_near(repr(one)) for one in groups)


def _near(text: str) -> str:
    return " ".join("__".join(word.split("__")[-2:]).strip("'") for word in text.split("'"))


@pytest.mark.parametrize("project", ["shop", "school", "freight"])
def test_a_name_in_a_shape_is_read_as_what_it_says_or_not_at_all(
    project: str, request: pytest.FixtureRequest, values: Mapping[str, Mapping[str, Sequence[str]]]
) -> None:
    vocabulary: Vocabulary = request.getfixturevalue(project)
    reader = Reader(vocabulary)
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for question, meant in questions(vocabulary, values[project], 6, seed=8):
        found = reader.read(question, NOW)
        if isinstance(found, Understood):
            read = found.reading.intent
            right = alike(vocabulary, read) == alike(vocabulary, meant)
            outcomes["right" if right else "wrong"] += 1
            if not right:
                wrong.append(f"{question}\n  meant {noted(meant)}\n  read  {noted(read)}")
        else:
            outcomes["asked" if isinstance(found, Unsure) else "declined"] += 1
    assert not wrong, "\n".join(wrong)
    assert outcomes["declined"] <= 0.1 * outcomes.total(), outcomes
    assert outcomes["right"] >= 0.55 * outcomes.total(), outcomes


def test_what_is_all_of_one_status_has_none_of_another(school: Vocabulary) -> None:
    """Its own figure of no rows would be a 0 that says nothing."""
    assert school.semantic.metrics["lessons_cancelled"].only == (("lesson__status", "cancelled"),)
    held = Is(dimension="lesson__status", values=("held",))
    readings = Reader(school).readings("lessons cancelled where lesson status is held", NOW)
    said = {(one.intent.measures, one.intent.where) for one in readings}
    assert ((MetricOf(name="lessons_cancelled"),), held) not in said
    assert isinstance(Reader(school).read("lessons cancelled in October", NOW), Understood)
