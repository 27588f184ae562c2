"""What follows an answer: in a few words of either language, and what it changes in the question before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.analyst.following import FollowUp, followed, merge
from agents.analyst.grammar.reader import Unsure, shipped_weights
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    AllOf,
    By,
    Change,
    Every,
    Intent,
    Is,
    MetricOf,
    Not,
    Order,
    Period,
    Running,
    Share,
    Threshold,
)
from agents.analyst.vocabulary import Vocabulary
from warehouse.semantic import SemanticLayer

CALENDAR = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
VALUES = {
    "user__country": ["China", "United States", "Germany", "France"],
    "product__department": ["Women", "Men"],
    "order_item__order_status": ["Cancelled", "Complete"],
}
REVENUE, MARGIN, ORDERS = (MetricOf(name=name) for name in ("revenue", "gross_margin", "orders"))
COUNTRY, BRAND, MONTH = By(dimension="user__country"), By(dimension="product__brand"), Every(grain="month")
GERMANY = Is(dimension="user__country", values=("Germany",))
CHINA = Is(dimension="user__country", values=("China",))
CANCELLED = Is(dimension="order_item__order_status", values=("Cancelled",))
WOMEN = Is(dimension="product__department", values=("Women",))


def stretch(first: tuple[int, int, int], last: tuple[int, int, int]) -> Period:
    return Period(start=datetime(*first, tzinfo=UTC), end=datetime(*last, tzinfo=UTC))


OCTOBER = stretch((2026, 10, 1), (2026, 11, 1))
SEPTEMBER = stretch((2026, 9, 1), (2026, 10, 1))
LAST_YEAR = stretch((2025, 1, 1), (2026, 1, 1))
A_YEAR_BEFORE = stretch((2025, 10, 1), (2025, 11, 1))
PLAIN = Intent(measures=(REVENUE,), window=OCTOBER)
BY_COUNTRY = Intent(measures=(REVENUE,), groups=(COUNTRY,), window=OCTOBER)
TOP = Intent(measures=(REVENUE,), groups=(BRAND,), window=OCTOBER, order=Order(by=REVENUE), limit=3)
COMPARED = Intent(measures=(REVENUE,), window=OCTOBER, against=SEPTEMBER)
SHARES = Intent(measures=(Share(of=REVENUE),), groups=(COUNTRY,), window=OCTOBER)
EITHER = Intent(
    measures=(REVENUE,), where=Is(dimension="user__country", values=("Germany", "China")), window=OCTOBER
)
BY_MONTH = Intent(measures=(REVENUE,), groups=(MONTH,), window=OCTOBER)
IN_GERMANY = Intent(measures=(REVENUE,), where=GERMANY, window=OCTOBER)


def but(intent: Intent, **parts: object) -> Intent:
    return Intent(**{**dict(intent), **parts})


FOLLOW_UPS = (
    (PLAIN, ("and by country?", "By country", "what about by country", "那按国家呢？", "按国家"), BY_COUNTRY),
    (
        BY_COUNTRY,
        ("by brand instead", "and by brand?", "换成按品牌", "那按品牌呢"),
        but(PLAIN, groups=(BRAND,)),
    ),
    (BY_COUNTRY, ("also by month", "further by month", "再按月"), but(PLAIN, groups=(COUNTRY, MONTH))),
    (BY_COUNTRY, ("按月看",), but(PLAIN, groups=(MONTH,))),
    (PLAIN, ("看中国的",), but(PLAIN, where=CHINA)),
    (TOP, ("and their orders", "以及它们的订单数"), but(TOP, measures=(REVENUE, ORDERS))),
    (
        PLAIN,
        ("only Germany", "in Germany?", "just Germany", "只看德国", "德国呢？"),
        but(PLAIN, where=GERMANY),
    ),
    (IN_GERMANY, ("what about China?", "and China?", "那中国呢", "换成中国"), but(PLAIN, where=CHINA)),
    (IN_GERMANY, ("only women's clothes", "只看女装"), but(PLAIN, where=AllOf(of=(GERMANY, WOMEN)))),
    (IN_GERMANY, ("excluding China", "不含中国"), but(PLAIN, where=Not(of=CHINA))),
    (PLAIN, ("last year instead", "and last year?", "换成去年", "去年呢"), but(PLAIN, window=LAST_YEAR)),
    (
        PLAIN,
        ("why not look at September?", "为什么不看上上个月", "what about September", "那9月呢"),
        but(PLAIN, window=SEPTEMBER),
    ),
    (PLAIN, ("去掉取消的", "without cancelled"), but(PLAIN, where=Not(of=CANCELLED))),
    (COMPARED, ("last year instead", "换成去年"), but(PLAIN, window=LAST_YEAR)),
    (PLAIN, ("compared with September?", "and compared with September", "与9月相比呢"), COMPARED),
    (PLAIN, ("compared to the same period last year", "和去年同期比"), but(PLAIN, against=A_YEAR_BEFORE)),
    (TOP, ("top 5", "the top 5", "only the top 5", "前5名", "只看前5"), but(TOP, limit=5)),
    (
        TOP,
        ("and for profit?", "gross margin instead", "what about profit", "毛利呢", "换成毛利"),
        but(TOP, measures=(MARGIN,), order=Order(by=MARGIN)),
    ),
    (BY_COUNTRY, ("orders", "订单数"), but(BY_COUNTRY, measures=(ORDERS,))),
    (SHARES, ("and for orders?", "订单数呢？"), but(SHARES, measures=(Share(of=ORDERS),))),
    (PLAIN, ("versus last year", "跟去年比"), but(PLAIN, against=A_YEAR_BEFORE)),
    (BY_COUNTRY, ("in total", "not by country", "总共", "不要按国家"), PLAIN),
    (IN_GERMANY, ("drop Germany", "去掉德国"), PLAIN),
    (PLAIN, ("also orders", "plus orders", "加上订单数"), but(PLAIN, measures=(REVENUE, ORDERS))),
    (
        BY_COUNTRY,
        ("not China", "without China", "去掉中国", "不要中国"),
        but(BY_COUNTRY, where=Not(of=CHINA)),
    ),
    (EITHER, ("not China", "drop China", "去掉中国"), IN_GERMANY),
    (BY_MONTH, ("month over month", "环比呢"), but(BY_MONTH, measures=(REVENUE, Change(of=REVENUE)))),
    (
        but(BY_MONTH, measures=(Running(of=REVENUE),)),
        ("去掉累计", "drop the running total"),
        BY_MONTH,
    ),
    (EITHER, ("without China", "除了中国"), IN_GERMANY),
    (TOP, ("它的毛利呢", "its gross margin?", "他们的毛利"), but(TOP, measures=(REVENUE, MARGIN))),
    (BY_MONTH, ("as running total",), but(BY_MONTH, measures=(Running(of=REVENUE),))),
    (
        SHARES,
        ("only Germany and China",),
        but(PLAIN, measures=tuple(Share(of=REVENUE, of_which=one) for one in (GERMANY, CHINA))),
    ),
    (IN_GERMANY, ("去掉德国，按月", "drop Germany, by month"), BY_MONTH),
)


@pytest.fixture(scope="module")
def words(semantic: SemanticLayer) -> Vocabulary:
    return Vocabulary(semantic, VALUES)


def after(previous: Intent, question: str, words: Vocabulary) -> Intent | None:
    found = followed(question, previous, words, CALENDAR, shipped_weights())
    assert not isinstance(found, Unsure), found
    return found and found.reading.intent


@pytest.mark.parametrize(
    ("previous", "question", "expected"),
    [(previous, question, expected) for previous, asked, expected in FOLLOW_UPS for question in asked],
)
def test_a_follow_up_changes_what_it_says_and_keeps_the_rest(
    words: Vocabulary, previous: Intent, question: str, expected: Intent
) -> None:
    assert after(previous, question, words) == expected


@pytest.mark.parametrize(
    "question",
    [
        "how many orders were there?",
        "有多少订单",
        "orders by country last month",
        "Revenue from Germany in September",
        "上个月各国订单数",
        "why is that so",
        "谢谢",
    ],
)
def test_a_question_of_its_own_and_what_is_no_question_follow_nothing(
    words: Vocabulary, question: str
) -> None:
    assert after(TOP, question, words) is None


@pytest.mark.parametrize("question", ["by country", "去掉按月", "not last year", "不要环比"])
def test_what_would_change_nothing_is_not_answered_with_the_same_again(
    words: Vocabulary, question: str
) -> None:
    assert after(BY_COUNTRY, question, words) is None


def test_what_a_follow_up_may_be_besides_is_asked(words: Vocabulary) -> None:
    found = followed("and women?", BY_COUNTRY, words, CALENDAR, shipped_weights())
    assert isinstance(found, Unsure)
    assert {str(one.intent.where) for one in found.readings} == {
        str(WOMEN), str(Is(dimension="user__gender", values=("Female",)))
    }  # fmt: skip


def test_the_top_of_nothing_follows_nothing(words: Vocabulary) -> None:
    assert after(PLAIN, "top 5", words) is None


def said(intent: Intent, *parts: str, way: str = "change") -> FollowUp:
    return FollowUp(intent, frozenset(parts), way)  # type: ignore[arg-type]


def test_a_threshold_stays_one_of_its_own_measure() -> None:
    least = but(BY_COUNTRY, having=(Threshold(measure=REVENUE, op=">", value=5000),))
    assert merge(least, said(but(PLAIN, measures=(ORDERS,)), "measures")) == but(least, measures=(ORDERS,))


def test_a_change_along_a_series_goes_with_the_series() -> None:
    growth = but(PLAIN, measures=(Change(of=REVENUE),), groups=(MONTH,))
    assert merge(growth, said(but(PLAIN, groups=(COUNTRY,)), "groups")) == BY_COUNTRY


def test_what_is_dropped_goes_with_what_depends_on_it() -> None:
    assert merge(TOP, said(but(PLAIN, groups=(BRAND,)), "groups", way="drop")) == PLAIN
    assert merge(IN_GERMANY, said(but(PLAIN, where=GERMANY), "where", way="drop")) == PLAIN
    assert merge(COMPARED, said(PLAIN, "window", way="drop")) == Intent(measures=(REVENUE,))
    assert merge(SHARES, said(but(PLAIN, groups=(COUNTRY,)), "groups", way="drop")) == PLAIN


def test_a_partition_goes_with_its_group() -> None:
    each = but(TOP, groups=(COUNTRY, BRAND), partition=(COUNTRY,))
    assert merge(each, said(but(PLAIN, groups=(BRAND, MONTH)), "groups")).partition == ()
