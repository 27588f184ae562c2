"""The canonical sentence: how it reads, and that it is read back as the intent that it was printed from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from agents.analyst.intent import (
    AllOf,
    AnyOf,
    AtPart,
    By,
    Change,
    Compares,
    CountOf,
    Difference,
    Every,
    Intent,
    Is,
    Mean,
    MetricOf,
    Missing,
    Not,
    Order,
    PartOf,
    Period,
    Periods,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
    Threshold,
)
from agents.analyst.saying import read, sentence
from any_intent import Project


def day(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


REVENUE, ORDERS = MetricOf(name="revenue"), MetricOf(name="orders")
OCTOBER = Period(start=day(10, 1), end=day(11, 1))
SEPTEMBER = Period(start=day(9, 1), end=day(10, 1))
BY_COUNTRY, BY_BRAND = By(dimension="user__country"), By(dimension="product__brand")
GERMANY = Is(dimension="user__country", values=("Germany",))
WOMEN = Is(dimension="product__department", values=("Women",))


def asked(*measures: Any, **parts: Any) -> Intent:
    return Intent(measures=measures or (REVENUE,), **parts)


SENTENCES = (
    (asked(window=OCTOBER), "Revenue in October 2026", "2026年10月，销售额"),
    (
        asked(REVENUE, ORDERS, window=Period(start=day(11, 1), end=day(11, 22))),
        "Revenue and orders from 1 to 21 November 2026",
        "2026年11月1日至21日，销售额和订单数",
    ),
    (asked(window=Period(start=day(7, 1), end=day(10, 1))), "Revenue in Q3 2026", "2026年第3季度，销售额"),
    (
        asked(window=Period(start=day(8, 1), end=day(11, 1))),
        "Revenue from August to October 2026",
        "2026年8月至10月，销售额",
    ),
    (asked(window=Period(start=day(1, 1, year=2025), end=day(1, 1))), "Revenue in 2025", "2025年，销售额"),
    (
        asked(window=Period(start=day(10, 5), end=day(10, 6))),
        "Revenue on 5 October 2026",
        "2026年10月5日，销售额",
    ),
    (
        asked(window=Period(start=day(9, 28), end=day(10, 12))),
        "Revenue from 28 September to 11 October 2026",
        "2026年9月28日至10月11日，销售额",
    ),
    (
        asked(window=Period(start=day(11, 20, 11, 1), end=day(11, 21, 11, 1))),
        "Revenue from 20 November 2026 11:01 to 21 November 2026 11:01",
        "2026年11月20日11:01至2026年11月21日11:01，销售额",
    ),
    (asked(window=Period(start=day(9, 5))), "Revenue since 5 September 2026", "自2026年9月5日起，销售额"),
    (asked(window=Period(end=day(9, 5))), "Revenue until 4 September 2026", "截至2026年9月4日，销售额"),
    (
        asked(groups=(BY_COUNTRY, Every(grain="month")), window=OCTOBER),
        "Revenue by country and month in October 2026",
        "2026年10月，按国家和月统计，销售额",
    ),
    (asked(groups=(PartOf(part="weekday"),)), "Revenue by weekday", "按星期几统计，销售额"),
    (
        asked(groups=(Periods(periods=(SEPTEMBER, OCTOBER)),)),
        "Revenue by the periods September 2026 and October 2026",
        "按时段2026年9月和2026年10月统计，销售额",
    ),
    (
        asked(where=Is(dimension="user__country", values=("China", "United States"))),
        "Revenue where country is China or United States",
        "限国家为China或United States，销售额",
    ),
    (
        asked(where=AllOf(of=(Not(of=GERMANY), WOMEN))),
        "Revenue where country is not Germany and department is Women",
        "限国家不为Germany且部门为Women，销售额",
    ),
    (
        asked(where=AnyOf(of=(GERMANY, AllOf(of=(WOMEN, Missing(dimension="product__brand")))))),
        "Revenue where either country is Germany or both department is Women and brand is missing together",
        "限满足国家为Germany或者同时满足部门为Women且品牌缺失这些条件之一，销售额",
    ),
    (
        asked(where=Is(dimension="user__age_band", values=("under 20", "20-29"))),
        "Revenue where age band is “under 20” or 20-29",
        "限年龄段为“under 20”或20-29，销售额",
    ),
    (asked(where=Compares(dimension="user__first_ordered_on", op=">=", value=date(2026, 9, 3))), None, None),
    (
        asked(where=AtPart(part="weekday", values=(6, 7))),
        "Revenue where the weekday is Saturday or Sunday",
        "限星期几为星期六或星期日，销售额",
    ),
    (
        asked(where=AtPart(part="hour_of_day", values=(0, 1, 2, 3, 4, 5))),
        "Revenue where the hour of the day is 0 to 5",
        "限当天的钟点为0至5，销售额",
    ),
    (
        asked(window=OCTOBER, against=SEPTEMBER),
        "Revenue in October 2026, compared with September 2026",
        "2026年10月，销售额，与2026年9月相比",
    ),
    (
        asked(groups=(BY_COUNTRY,), having=(Threshold(measure=REVENUE, op=">=", value=12500),)),
        "Revenue by country, only those with revenue at least 12,500",
        "按国家统计，销售额，只保留销售额至少为12,500的",
    ),
    (
        asked(
            groups=(BY_COUNTRY,),
            having=(Threshold(measure=MetricOf(name="return_rate"), op="<", value=0.05),),
        ),
        "Revenue by country, only those with return rate below 5%",
        "按国家统计，销售额，只保留退货率小于5%的",
    ),
    (
        asked(groups=(BY_BRAND, BY_COUNTRY), order=Order(by=REVENUE), limit=3, partition=(BY_COUNTRY,)),
        "Revenue by brand and country, with the highest revenue first, only the first 3, in each country",
        "按品牌和国家统计，销售额，按销售额从高到低，在每个国家里，只取前3项",
    ),
    (
        asked(
            groups=(BY_BRAND,),
            window=OCTOBER,
            against=SEPTEMBER,
            order=Order(by=REVENUE, part="change", direction="asc"),
            limit=1,
        ),
        "Revenue by brand in October 2026, compared with September 2026, "
        "with the greatest fall of revenue first, only the first one",
        "2026年10月，按品牌统计，销售额，与2026年9月相比，按销售额的增量从低到高，只取第一项",
    ),
    (
        asked(Share(of=REVENUE), groups=(BY_COUNTRY,)),
        "The share of revenue in the total by country",
        "按国家统计，销售额占总计的比例",
    ),
    (
        asked(Share(of=REVENUE, of_which=WOMEN), window=OCTOBER),
        "The share of revenue where department is Women in October 2026",
        "2026年10月，销售额里部门为Women的占比",
    ),
    (
        asked(Share(of=REVENUE, within=(BY_COUNTRY,)), groups=(BY_COUNTRY, BY_BRAND)),
        "The share of revenue in the total of each country by country and brand",
        "按国家和品牌统计，销售额占每个国家总计的比例",
    ),
    (
        asked(Ratio(numerator=ORDERS, denominator=MetricOf(name="sessions")), groups=(Every(grain="month"),)),
        None,
        None,
    ),
    (
        asked(Difference(left=Slice(of=REVENUE, where=WOMEN), right=Slice(of=REVENUE, where=GERMANY))),
        "The difference between the part of revenue where department is Women and the part of revenue where "
        "country is Germany",
        "销售额里部门为Women的部分与销售额里国家为Germany的部分之差",
    ),
    (
        asked(Slice(of=REVENUE, where=WOMEN, window=OCTOBER)),
        "The part of revenue in October 2026 and where department is Women",
        "销售额里2026年10月且部门为Women的部分",
    ),
    (
        asked(Mean(of=REVENUE, per=Every(grain="day")), window=OCTOBER),
        "The average of revenue per day in October 2026",
        "2026年10月，销售额按天的平均值",
    ),
    (
        asked(QuantileOf(of=REVENUE, per=Every(grain="day"))),
        "The median of revenue per day",
        "销售额按天的中位数",
    ),
    (asked(QuantileOf(of=REVENUE, q=0.9, per=By(dimension="user"))), None, None),
    (
        asked(CountOf(of="product__brand", among="orders")),
        "The number of different brands with orders",
        "有订单数的品牌的个数",
    ),
    (
        asked(CountOf(of="user", among="revenue", having=(Threshold(measure=ORDERS, op=">=", value=5),))),
        None,
        None,
    ),
    (
        asked(Change(of=REVENUE), groups=(Every(grain="month"),)),
        "The percentage change of revenue from the period before by month",
        "按月统计，销售额较上一期的变化率",
    ),
    (
        asked(Change(of=REVENUE, form="difference", back="year"), groups=(Every(grain="month"),)),
        "The change of revenue from a year before by month",
        "按月统计，销售额较一年前的变化量",
    ),
    (
        asked(Running(of=REVENUE), groups=(Every(grain="day"),)),
        "The overall running total of revenue by day",
        "按天统计，销售额的累计值",
    ),
    (
        asked(Running(of=REVENUE, since="month"), groups=(Every(grain="day"),)),
        "The running total of revenue within each month by day",
        "按天统计，销售额在每月内的累计值",
    ),
)


@pytest.mark.parametrize(("intent", "english", "chinese"), SENTENCES)
def test_each_shape_is_a_sentence_in_both_languages_that_is_read_back_as_it(
    sample: Project, intent: Intent, english: str | None, chinese: str | None
) -> None:
    for language, expected in (("en", english), ("zh", chinese)):
        said = sentence(intent, sample.words, language)
        if expected is not None:
            assert said == expected
        assert read(said, sample.words) == [intent], said


@pytest.mark.parametrize("project", ["sample", "bikes"], indirect=True)
@pytest.mark.parametrize(("depth", "count"), [(0, 40), (1, 12), (2, 5)])
def test_any_intent_is_read_back_as_itself_and_as_nothing_else(
    project: Project, depth: int, count: int
) -> None:
    for intent in project.intents(count, depth, seed=2026 + depth):
        for language in ("en", "zh"):
            said = sentence(intent, project.words, language)
            assert read(said, project.words) == [intent], said


def test_a_time_that_does_not_exist_and_a_value_that_the_dimension_has_not_are_not_read(
    sample: Project,
) -> None:
    assert read("Revenue on 31 November 2026", sample.words) == []
    assert read("Revenue where country is Nike", sample.words) == []


def test_a_sentence_is_not_read_in_part(sample: Project) -> None:
    assert read("Revenue by country sunny", sample.words) == []
    assert read("Revenue by country by brand", sample.words) == []
