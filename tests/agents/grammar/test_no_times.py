"""What only looks like a time is none, and nothing reaches past today unless it is said to lie ahead."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.analyst.grammar.chart import Grammar, derive
from agents.analyst.grammar.fragment import EMPTY, Fragment, merge
from agents.analyst.grammar.reader import shipped_weights
from agents.analyst.grammar.rules import RULES
from agents.analyst.grammar.timing import Timing, timing
from agents.analyst.grammar.when import Calendar, NoTime
from agents.analyst.grammar.words import Lexicon, lattice, shipped
from agents.analyst.intent import Period

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
GRAMMAR = Grammar(RULES)
PROJECT = Lexicon()
for metric in ("revenue", "orders", "销售额", "订单数", "margin", "visits"):
    PROJECT.add(metric, "metric", metric)
for dimension in ("brand", "country", "国家", "品类", "product", "status"):
    PROJECT.add(dimension, "dimension", dimension)
for value in ("levi's 501", "iphone 15", "may & co", "sunday best", "warehouse 12", "第一医院"):
    PROJECT.add(value, "value", ("brand", value))


def best(question: str) -> Fragment | None:
    text, words = lattice(question, shipped(), PROJECT)
    found = derive(words, len(text), GRAMMAR, merge, shipped_weights(), EMPTY, 3)
    return found[0].value if found else None


@pytest.mark.parametrize(
    "question",
    [
        "may I see revenue by country",
        "you may show orders by country",
        "revenue of the second best brand",
        "top 10 brands by revenue",
        "revenue of Levi's 501",
        "orders of iPhone 15",
        "revenue of May & Co",
        "orders of Sunday Best by country",
        "orders of Warehouse 12",
        "countries with more than 20 orders",
        "brands with revenue over 2000",
        "orders between 5 and 10",
        "first 3 brands by revenue",
        "前三个国家的销售额",
        "销售额前10的品类",
        "销售额超过2000的国家",
        "第一医院的销售额",
        "销售额最高的3个品类",
        "orders shipped within 24 hours",
        "revenue of all time by country",
        "有史以来的销售额",
    ],
)
def test_what_only_looks_like_a_time_is_none(question: str) -> None:
    found = best(question)
    assert found is None or not found.times, f"{question}: {found}"


@pytest.mark.parametrize(
    ("question", "limit", "window"),
    [
        ("top 10 brands in 2025", 10, ("2025-01-01", "2026-01-01")),
        ("top 3 countries by revenue in 2025", 3, ("2025-01-01", "2026-01-01")),
        ("2025年销售额前10的品类", 10, ("2025-01-01", "2026-01-01")),
        ("10月销售额前三的国家", 3, ("2026-10-01", "2026-11-01")),
    ],
)
def test_a_number_of_things_beside_a_year_stays_one(
    question: str, limit: int, window: tuple[str, str]
) -> None:
    found = best(question)
    assert found is not None
    period = timing(found.times, NOW).window
    assert (found.limit, period) == (limit, Period(start=_utc(window[0]), end=_utc(window[1])))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3月的订单数", "近3个月的订单数"),
        ("10月前的订单数", "10个月前的订单数"),
        ("5号的订单数", "近5天的订单数"),
    ],
)
def test_months_of_the_year_are_not_numbers_of_months(one: str, other: str) -> None:
    windows = [timing(found.times, NOW).window for said in (one, other) if (found := best(said))]
    assert len(windows) == 2
    assert windows[0] != windows[1]


@pytest.mark.parametrize("question", ["上周一共的订单数", "上周日均订单数", "订单数，上周一共"])
def test_a_weekday_does_not_end_inside_another_word(question: str) -> None:
    text, words = lattice(question, shipped(), PROJECT)
    for derivation in derive(words, len(text), GRAMMAR, merge, shipped_weights(), EMPTY, 3):
        window = timing(derivation.value.times, NOW).window
        assert window == Period(start=_utc("2026-11-09"), end=_utc("2026-11-16")), question


# Every range of days as it is printed, and what the words of time come to in any order.

days = st.dates(min_value=datetime(2019, 1, 1).date(), max_value=datetime(2026, 11, 21).date())


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _printed(first: datetime, last: datetime) -> Iterator[str]:
    english = [f"{one.day} {month_name[one.month]} {one.year}" for one in (first, last)]
    chinese = [f"{one.year}年{one.month}月{one.day}日" for one in (first, last)]
    iso = [f"{one:%Y-%m-%d}" for one in (first, last)]
    yield from (f"from {english[0]} to {english[1]}", f"between {english[0]} and {english[1]}")
    yield from (f"{english[0]} – {english[1]}", f"{iso[0]} to {iso[1]}", f"{iso[0]} - {iso[1]}")
    yield from (f"{chinese[0]}至{chinese[1]}", f"从{chinese[0]}到{chinese[1]}", f"{iso[0]}到{iso[1]}")
    if first.year == last.year:
        yield f"{first.day} {month_name[first.month]} to {english[1]}"
        yield f"{chinese[0]}到{last.month}月{last.day}日"
        if first.month == last.month:
            yield f"{first.day} to {english[1]}"
            yield f"{chinese[0]}至{last.day}日"


@settings(max_examples=60, deadline=None)
@given(days, days)
def test_each_range_of_days_is_read_as_it_is_printed(one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    if first == last:
        return
    expected = Period(start=_utc(first.isoformat()), end=_utc((last + timedelta(days=1)).isoformat()))
    for text in _printed(first, last):
        found = best(f"revenue {text}")
        assert found is not None, text
        assert timing(found.times, NOW).window == expected, text


WORDS = {
    "en": """last this next first second the of in October May Q3 2025 2026 H1 week month quarter year days 3
        10 since until before from to and Friday today yesterday ago early end weekends night Christmas""",
    "zh": """上 本 下 个 月 周 年 季度 10月 5月 第三 去年 今年 2025年 上旬 底 前 后 三天 至今 以来 到 和
        从 截至 周五 周末 今天 昨天 双十一 国庆 最近 近 7天 半年 凌晨 8点 前年""",
}
REASONS = {"impossible", "ahead", "ambiguous", "vague", "fiscal", "empty", "several", "minutes"}
said = st.sampled_from(("en", "zh")).flatmap(
    lambda one: st.tuples(st.just(one), st.lists(st.sampled_from(WORDS[one].split()), min_size=1, max_size=6))
)


@settings(max_examples=150, deadline=None)
@given(said)
def test_no_words_of_time_reach_past_today(said: tuple[str, list[str]]) -> None:
    language, words = said
    question = f"{''.join(words)}的销售额" if language == "zh" else " ".join(("revenue", *words))
    found = best(question)
    times = found and _timing(found)
    for period in _all(times) if times else ():
        assert period.end is None or period.end <= NOW.tomorrow, question
        assert period.start is None or period.start <= NOW.now, question


def _timing(found: Fragment) -> Timing | None:
    try:
        return timing(found.times, NOW, compared=bool(found.against), against=found.against)
    except NoTime as reason:
        return None if reason.key in REASONS else pytest.fail(reason.key)


def _all(times: Timing) -> list[Period]:
    return [one for one in (times.window, times.against, *times.several, times.window_so_far) if one]
