"""What columns are called, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.analyst.intent import (
    By,
    Change,
    Compares,
    CountOf,
    Difference,
    Every,
    Is,
    Mean,
    MetricOf,
    Not,
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
from agents.analyst.saying import label
from any_intent import Project


@dataclass(frozen=True)
class Column:
    meaning: Any
    role: str = "value"


REVENUE, ORDERS = MetricOf(name="revenue"), MetricOf(name="orders")
COUNTRY = By(dimension="user__country")
WOMEN = Is(dimension="product__department", values=("Women",))
MEN = Is(dimension="product__department", values=("Men",))
OCTOBER = Period(start=datetime(2026, 10, 1, tzinfo=UTC), end=datetime(2026, 11, 1, tzinfo=UTC))
SEPTEMBER = Period(start=datetime(2026, 9, 1, tzinfo=UTC), end=datetime(2026, 10, 1, tzinfo=UTC))
AT_LEAST_FIVE = (Threshold(measure=ORDERS, op=">=", value=5),)
LABELS = (
    (REVENUE, "Revenue", "销售额"),
    (CountOf(of="product__brand"), "Number of brands", "品牌数"),
    (CountOf(of="user"), "Number of users", "用户数"),
    (
        CountOf(of="product__brand", having=AT_LEAST_FIVE),
        "Number of brands (orders at least 5)",
        "品牌数（订单数至少为5）",
    ),
    (QuantileOf(of=REVENUE, per=Every(grain="day")), "Median revenue per day", "每天销售额的中位数"),
    (QuantileOf(of=REVENUE, q=0.9), "90th percentile of revenue", "销售额第90百分位数"),
    (Slice(of=REVENUE, where=WOMEN), "Revenue (Women)", "销售额（Women）"),
    (
        Slice(of=REVENUE, where=Not(of=WOMEN), window=OCTOBER),
        "Revenue (October 2026, not Women)",
        "销售额（2026年10月、除Women）",
    ),
    (
        Slice(of=REVENUE, where=Compares(dimension="user__age_band", op=">", value=3)),
        "Revenue (age band is above 3)",
        "销售额（年龄段大于3）",
    ),
    (Ratio(numerator=REVENUE, denominator=ORDERS), "Revenue / orders", "销售额 / 订单数"),
    (Difference(left=REVENUE, right=ORDERS), "Revenue − orders", "销售额 − 订单数"),
    (
        Difference(left=Slice(of=REVENUE, where=WOMEN), right=Slice(of=REVENUE, where=MEN)),
        "Revenue: Women − Men",
        "销售额：Women − Men",
    ),
    (Share(of=REVENUE), "Share of revenue", "销售额占比"),
    (Share(of=REVENUE, of_which=WOMEN), "Share of revenue (Women)", "销售额占比（Women）"),
    (Share(of=REVENUE, within=(COUNTRY,)), "Share of revenue in each country", "销售额在各国家内的占比"),
    (Mean(of=REVENUE, per=Every(grain="day")), "Average revenue per day", "每天平均销售额"),
    (Change(of=REVENUE), "Growth of revenue", "销售额增长率"),
    (
        Change(of=REVENUE, form="difference", back="year"),
        "Change of revenue on a year before",
        "销售额同比增减",
    ),
    (Running(of=REVENUE), "Running total of revenue", "累计销售额"),
    (Running(of=REVENUE, since="month"), "Running total of revenue within the month", "月内累计销售额"),
    (COUNTRY, "Country", "国家"),
    (By(dimension="user__signed_up_on", grain="month"), "Signed up on (month)", "注册日期（月）"),
    (Every(grain="month"), "Month", "月份"),
    (PartOf(part="weekday"), "Weekday", "星期"),
)


@pytest.mark.parametrize(("meaning", "english", "chinese"), LABELS)
def test_each_column_is_named_after_what_it_means(
    sample: Project, meaning: Any, english: str, chinese: str
) -> None:
    assert label(Column(meaning), sample.words, "en") == english
    assert label(Column(meaning), sample.words, "zh") == chinese


def test_the_columns_of_a_comparison_are_told_apart(sample: Project) -> None:
    parts = ("value", "before", "change", "change_rate")
    english = [label(Column(REVENUE, part), sample.words, "en") for part in parts]
    chinese = [label(Column(REVENUE, part), sample.words, "zh") for part in parts]
    assert english == ["Revenue", "Revenue before", "Revenue change", "Revenue change rate"]
    assert chinese == ["销售额", "销售额（对比期）", "销售额变化", "销售额变化率"]
    periods = Periods(periods=(SEPTEMBER, OCTOBER))
    assert label(Column(periods, "key"), sample.words, "en") == "Period"
