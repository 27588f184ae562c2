"""Rows of a statement become a table, a text and notes, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    By,
    Change,
    Every,
    Intent,
    Is,
    MetricOf,
    Order,
    PartOf,
    Period,
    Share,
    Slice,
    Threshold,
)
from agents.analyst.saying.coverage import Coverage, settled
from agents.analyst.saying.notes import Chosen, Spelt, left_out, notes, whole_before
from agents.analyst.saying.prose import compose
from agents.analyst.saying.table import Table, read, unproven
from agents.analyst.sql import Column, Statement
from any_intent import Project
from warehouse.semantic import Additivity

REVENUE, RETURNS = MetricOf(name="revenue"), MetricOf(name="return_rate")
COUNTRY, BRAND, MONTH = By(dimension="user__country"), By(dimension="product__brand"), Every(grain="month")
CALENDAR = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
DAYS = (date(2026, 1, 1), date(2026, 11, 20))
SUM = Additivity("additive")


def day(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


OCTOBER = Period(start=day(10, 1), end=day(11, 1))
SEPTEMBER = Period(start=day(9, 1), end=day(10, 1))
THIS_MONTH = Period(start=day(11, 1), end=day(11, 22))
SAME_DAYS = Period(start=day(10, 1), end=day(10, 22))


def key(group: Any, name: str) -> Column:
    return Column(name, "key", group)


def money(name: str = "revenue", role: Any = "value", measure: Any = REVENUE) -> Column:
    return Column(name, role, measure, "USD", SUM, zero_without_rows=True)


def rate(name: str, role: Any = "value", measure: Any = RETURNS) -> Column:
    return Column(name, role, measure, "ratio")


COMPARED = (
    money(),
    money("revenue_before", "before"),
    money("revenue_change", "change"),
    rate("revenue_change_rate", "change_rate", REVENUE),
)


def told(
    project: Project,
    intent: Intent,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    language: str = "en",
    limit: int | None = None,
    **more: Any,
) -> str:
    table = tabled(project, intent, columns, rows, language, limit)
    coverage = Coverage.of(intent, CALENDAR, DAYS)
    beside = notes(intent, table, coverage, project.words, language, **more)
    return compose(table, language, coverage, beside)[0]


def tabled(
    project: Project,
    intent: Intent,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    language: str = "en",
    limit: int | None = None,
) -> Table:
    return read(Statement("select 1", tuple(columns), limit), intent, rows, project.words, language)


def test_one_figure(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), window=OCTOBER)
    assert told(sample, intent, (money(),), [(1234.5,)]) == "Revenue: **$1,234.50**."
    assert told(sample, intent, (money(),), [(1234.5,)], "zh") == "销售额：**$1,234.50**。"


def test_cells_are_rounded_to_their_unit(sample: Project) -> None:
    intent = Intent(measures=(REVENUE, RETURNS), window=OCTOBER)
    table = tabled(sample, intent, (money(), rate("return_rate")), [(48937.93999999997, 0.12345678)])
    assert table.rows == ((48937.94, 0.123457),)


def test_what_a_rate_changes_by_is_points_and_no_percentage_of_it(sample: Project) -> None:
    intent = Intent(measures=(RETURNS,), window=OCTOBER, against=SEPTEMBER)
    change = Column("return_rate_change", "change", RETURNS, "points")
    columns = (rate("return_rate"), rate("return_rate_before", "before"), change)
    assert "change -1.3 pp" in told(sample, intent, columns, [(0.115, 0.128, -0.013)])


def test_a_running_period_is_said_to_run(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), window=THIS_MONTH)
    assert told(sample, intent, (money(),), [(10.0,)]) == (
        "Revenue: **$10.00**.\n\n_November 2026 is still running: up to 2026-11-21; "
        "there is data up to 2026-11-20_"
    )


def test_of_a_running_period_the_same_days_are_compared_and_all_of_the_other_is_said_too(
    sample: Project,
) -> None:
    intent = Intent(measures=(REVENUE,), window=THIS_MONTH, against=SAME_DAYS)
    rows = [(120.0, 100.0, 20.0, 0.2)]
    english = told(sample, intent, COMPARED, rows, whole="$150.00")
    assert english.startswith("Revenue **$120.00**, before $100.00: change $20.00 (20.0%).\n")
    assert (
        "November 2026 is still running, so the same days are compared: 1 to 21 November 2026 with "
        "1 to 21 October 2026; all of October 2026: $150.00" in english
    )
    chinese = told(sample, intent, COMPARED, rows, "zh", whole="$150.00")
    assert chinese.startswith("销售额 **$120.00**，对比期 $100.00，变化 $20.00（20.0%）。\n")
    assert (
        "2026年11月尚未结束，因此按相同天数对比：2026年11月1日至21日与2026年10月1日至21日；2026年10月全期：$150.00"
        in chinese
    )


def test_the_whole_earlier_period_is_asked_for_only_where_the_same_days_of_it_were(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), window=THIS_MONTH, against=SAME_DAYS, limit=3)
    assert whole_before(intent, CALENDAR) == Intent(measures=(REVENUE,), window=OCTOBER)
    over = Intent(measures=(REVENUE,), window=OCTOBER, against=SEPTEMBER)
    assert whole_before(over, CALENDAR) is None


def test_the_parts_of_a_comparison_are_told_by_what_they_mean_not_by_their_names(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), window=OCTOBER, against=SEPTEMBER)
    names = [Column(name, c.role, c.meaning, c.unit) for name, c in zip("abcd", COMPARED, strict=True)]
    assert "before $100.00: change -$20.00 (-20.0%)" in told(
        sample, intent, names, [(80.0, 100.0, -20.0, -0.2)]
    )


def test_a_ranking_names_the_first_and_says_that_the_next_is_equal(sample: Project) -> None:
    order = Order(by=REVENUE)
    intent = Intent(measures=(REVENUE,), groups=(COUNTRY,), window=OCTOBER, order=order, limit=2)
    rows = [("China", 9.0), ("Japan", 5.0), ("Spain", 5.0)]
    columns = (key(COUNTRY, "country"), money())
    assert told(sample, intent, columns, rows, limit=2) == (
        "China has the highest revenue: **$9.00**.\n1. China: Revenue $9.00\n2. Japan: Revenue $5.00\n"
        "Others are equal to the last one shown."
    )
    assert "还有与最后一项相等的未列出。" in told(sample, intent, columns, rows, "zh", limit=2)


def test_what_has_no_name_is_not_ranked_and_said(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), groups=(COUNTRY,), window=OCTOBER, order=Order(by=REVENUE), limit=1)
    columns, rows = (key(COUNTRY, "country"), money()), [("China", 9.0)]
    english = told(sample, intent, columns, rows, limit=1, nameless="Revenue $4.00")
    assert "_without country, and so not ranked: Revenue $4.00_" in english
    chinese = told(sample, intent, columns, rows, "zh", limit=1, nameless="销售额 $4.00")
    assert "_没有国家而未参与排名的：销售额 $4.00_" in chinese


def test_of_each_part_of_a_partition_only_as_many_rows_are_kept(sample: Project) -> None:
    intent = Intent(
        measures=(REVENUE,), groups=(COUNTRY, BRAND), partition=(COUNTRY,), order=Order(by=REVENUE), limit=1
    )
    columns = (key(COUNTRY, "country"), key(BRAND, "brand"), money())
    rows = [("China", "Nike", 9.0), ("China", "Levi's", 7.0), ("Spain", "Nike", 4.0)]
    table = tabled(sample, intent, columns, rows, limit=1)
    assert table.rows == (("China", "Nike", 9.0), ("Spain", "Nike", 4.0))
    assert table.extent == "top"
    assert not table.tied


def test_the_first_of_a_part_is_not_called_the_first_of_all(sample: Project) -> None:
    intent = Intent(
        measures=(REVENUE,), groups=(COUNTRY, BRAND), partition=(COUNTRY,), order=Order(by=REVENUE), limit=1
    )
    columns = (key(COUNTRY, "country"), key(BRAND, "brand"), money())
    rows = [("China", "Nike", 4.0), ("China", "Levi's", 3.0), ("Spain", "Nike", 9.0)]
    assert told(sample, intent, columns, rows, limit=1).startswith("1. China, Nike: Revenue $4.00\n2. Spain")
    table = tabled(sample, intent, columns, rows, limit=1)
    assert left_out(table, "en") == ["the first 1 of more in each country"]
    assert left_out(tabled(sample, intent, columns, rows, "zh", limit=1), "zh") == [
        "每个国家只显示前 1 项，还有更多"
    ]


@pytest.mark.parametrize(
    ("group", "first", "english", "chinese"),
    [
        (
            MONTH,
            "2026-10-01",
            "2026-10 has the highest revenue: **$9.00**.",
            "销售额最高的是2026-10：**$9.00**。",
        ),
        (COUNTRY, "China", "China has the highest revenue: **$9.00**.", "销售额最高的是China：**$9.00**。"),
    ],
)
def test_a_ranking_of_one_names_it(
    sample: Project, group: Any, first: str, english: str, chinese: str
) -> None:
    intent = Intent(measures=(REVENUE,), groups=(group,), window=OCTOBER, order=Order(by=REVENUE), limit=1)
    columns, rows = (key(group, "first"), money()), [(first, 9.0), ("2026-09-01", 4.0)]
    assert told(sample, intent, columns, rows, limit=1) == english
    assert told(sample, intent, columns, rows, "zh", limit=1) == chinese


def test_a_series_of_one_period_names_it(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), groups=(MONTH,), window=OCTOBER)
    columns = (key(MONTH, "metric_time__month"), money())
    assert told(sample, intent, columns, [("2026-10-01", 9.0)]) == "1. 2026-10: Revenue $9.00"


def test_what_has_no_more_rows_than_were_asked_for_is_all(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), groups=(COUNTRY,), limit=5)
    table = tabled(sample, intent, (key(COUNTRY, "country"), money()), [("China", 9.0)], limit=5)
    assert table.extent == "all"
    assert table.adds_up(table.columns[1])


def test_rows_that_were_selected_are_no_whole(sample: Project) -> None:
    least = (Threshold(measure=REVENUE, op=">", value=5),)
    intent = Intent(measures=(REVENUE,), groups=(COUNTRY,), having=least)
    table = tabled(sample, intent, (key(COUNTRY, "country"), money()), [("China", 9.0), ("Spain", 7.0)])
    assert table.extent == "selected"
    assert not table.adds_up(table.columns[1])
    nothing = told(sample, intent, (key(COUNTRY, "country"), money()), [])
    assert nothing.startswith("None meets the condition.\n")


def test_a_series_says_which_of_its_periods_is_not_whole(sample: Project) -> None:
    since_august = Period(start=day(8, 1), end=day(11, 22))
    intent = Intent(measures=(REVENUE,), groups=(MONTH,), window=since_august)
    rows = [(f"2026-{month:02}-01T00:00:00", float(month)) for month in (8, 9, 10, 11)]
    text = told(sample, intent, (key(MONTH, "metric_time__month"), money()), rows)
    assert "Revenue went from $8.00 (2026-08) to $10.00 (2026-10)." in text
    assert "_not whole: 2026-11 (up to 2026-11-20)_" in text


def test_growth_is_whole_only_where_the_period_before_is_too(sample: Project) -> None:
    growth = Change(of=REVENUE)
    intent = Intent(measures=(growth,), groups=(MONTH,), window=Period(start=day(8, 1), end=day(11, 1)))
    columns = (key(MONTH, "month"), rate("growth", measure=growth))
    rows = [("2026-08-01", None), ("2026-09-01", 0.1), ("2026-10-01", 0.2)]
    assert "Growth of revenue reached a high of **20.0%** (2026-10) and a low of 10.0% (2026-09)." in told(
        sample, intent, columns, rows
    )


def test_the_first_growth_of_those_asked_for_counts_where_the_period_before_has_data(sample: Project) -> None:
    growth = Change(of=REVENUE)
    intent = Intent(measures=(growth,), groups=(MONTH,), window=Period(start=day(8, 1), end=day(11, 1)))
    columns = (key(MONTH, "month"), rate("growth", measure=growth))
    rows = [("2026-08-01", -0.2), ("2026-09-01", 0.1), ("2026-10-01", 0.2)]
    assert "a low of -20.0% (2026-08)." in told(sample, intent, columns, rows)


def test_weekdays_have_names(sample: Project) -> None:
    part = PartOf(part="weekday")
    intent = Intent(measures=(REVENUE,), groups=(part,), window=OCTOBER, order=Order(by=REVENUE))
    columns, rows = (key(part, "weekday"), money()), [(6, 9.0), (7, 5.0)]
    assert told(sample, intent, columns, rows).startswith("Saturday has the highest revenue: **$9.00**.")
    assert told(sample, intent, columns, rows, "zh").startswith("销售额最高的是星期六：**$9.00**。")


def test_a_share_is_named_so_and_has_no_sum(sample: Project) -> None:
    share = Share(of=REVENUE)
    intent = Intent(measures=(share,), groups=(COUNTRY,), window=OCTOBER)
    table = tabled(sample, intent, (key(COUNTRY, "country"), rate("share", measure=share)), [("China", 0.5)])
    assert table.columns[1].label == "Share of revenue"
    assert table.columns[1].unit == "ratio"
    assert not table.adds_up(table.columns[1])


def test_what_lies_before_the_data_is_no_0_that_is_compared_with(sample: Project) -> None:
    intent = Intent(
        measures=(REVENUE,),
        groups=(MONTH,),
        window=Period(start=day(2, 1), end=day(4, 1)),
        against=Period(start=datetime(2025, 12, 1, tzinfo=UTC), end=day(2, 1)),
    )
    rows = [("2026-02-01", 5.0, 0.0, 5.0, None), ("2026-03-01", 6.0, 4.0, 2.0, 0.5)]
    table = tabled(sample, intent, (key(MONTH, "month"), *COMPARED), rows)
    found = settled(table, Coverage.of(intent, CALENDAR, DAYS))
    assert found.rows == (("2026-02-01", 5.0, None, None, None), ("2026-03-01", 6.0, 4.0, 2.0, 0.5))


def test_what_a_word_was_taken_for_is_said(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), window=OCTOBER)
    choices = [Chosen("Houston", "City", ("Distribution center",)), Spelt("revenu", "revenue")]
    text = told(sample, intent, (money(),), [(1.0,)], choices=choices)
    assert "“Houston” was read as City; it may also be Distribution center" in text
    assert "“revenu” was read as “revenue”" in text
    chinese = told(sample, intent, (money(),), [(1.0,)], "zh", choices=choices)
    assert "“Houston”理解为City，也可能指Distribution center" in chinese


def test_a_0_that_is_one_by_definition_says_so(sample: Project) -> None:
    cancelled = Is(dimension="order_item__order_status", values=("Cancelled",))
    intent = Intent(measures=(REVENUE,), where=cancelled, window=OCTOBER)
    assert "Revenue: Price of the items sold and kept (neither cancelled nor returned)" in told(
        sample, intent, (money(),), [(0.0,)]
    )
    assert "neither cancelled" not in told(sample, intent, (money(),), [(4.0,)])


def test_a_key_that_is_missing_is_explained(sample: Project) -> None:
    intent = Intent(measures=(REVENUE,), groups=(COUNTRY,), window=OCTOBER)
    rows = [("China", 9.0), (None, 1.0)]
    assert "“–” is without country" in told(sample, intent, (key(COUNTRY, "country"), money()), rows)


def test_all_the_data_is_said_where_no_time_was_named(sample: Project) -> None:
    assert "no time named: all the data" in told(sample, Intent(measures=(REVENUE,)), (money(),), [(1.0,)])


def test_a_ranking_over_all_the_data_says_so_too_and_what_has_its_own_time_does_not(sample: Project) -> None:
    ranked = Intent(measures=(REVENUE,), groups=(COUNTRY,), order=Order(by=REVENUE))
    columns, rows = (key(COUNTRY, "country"), money()), [("China", 9.0), ("Spain", 5.0)]
    assert "no time named" in told(sample, ranked, columns, rows)
    dated = Slice(of=REVENUE, window=OCTOBER)
    assert "no time" not in told(sample, Intent(measures=(dated,)), (money(measure=dated),), [(1.0,)])


def test_of_other_sql_only_the_types_are_known() -> None:
    table = unproven(
        [("day", "Date"), ("n_rows", "UInt64"), ("kind", "String")], [("2026-10-01", 3, "x")], False
    )
    assert [column.role for column in table.columns] == ["time", "measure", "category"]
    assert not table.adds_up(table.columns[1])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_figure_of_a_text_has_its_evidence(sample: Project, language: str) -> None:
    intent = Intent(measures=(REVENUE,), window=OCTOBER, against=SEPTEMBER)
    table = tabled(sample, intent, COMPARED, [(120.0, 100.0, 20.0, 0.2)], language)
    _, evidence = compose(table, language, Coverage.of(intent, CALENDAR, DAYS))
    assert [one.column for one in evidence] == [column.name for column in table.columns]
