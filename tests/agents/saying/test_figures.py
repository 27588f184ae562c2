"""What the rules say of a result: of the whole only what the whole was asked for, and no half as a whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agents.analyst import charts
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Period
from agents.analyst.saying import prose
from agents.analyst.saying.coverage import Coverage, halves, settled
from agents.analyst.saying.table import Cell, ColumnMeaning, Extent, Part, Table
from warehouse.semantic import Additivity

NOW = Calendar(datetime(2026, 4, 21, 12, tzinfo=UTC))
ALL_DAYS = (date(2020, 1, 1), date(2026, 4, 20))
EVER = Coverage(NOW, days=ALL_DAYS)
SUM, DISTINCT, RATE = Additivity("additive"), Additivity("distinct"), Additivity("none")
LEVEL = Additivity("semi-additive", ("metric_time",))
TOOL = ColumnMeaning("tool_call__tool", "Tool", "category")
FAILURES = ColumnMeaning("tool_failure_rate", "Tool failure rate", "measure", "ratio")
MONTH = ColumnMeaning("metric_time__month", "Month", "time", grain="month", own=True)
COUNTRY = ColumnMeaning("user__country", "Country", "category")


def measure(additivity: Additivity, zero: bool = True) -> ColumnMeaning:
    return ColumnMeaning("m", "Measure", "measure", "count", additivity=additivity, zero_without_rows=zero)


def months(*values: Cell, additivity: Additivity = SUM, extent: Extent = "all", order: str = "") -> Table:
    rows = tuple((f"2026-{month:02}-01", value) for month, value in enumerate(values, start=1))
    return Table((MONTH, measure(additivity)), rows, (("m", order),) if order else (), extent)


def countries(*values: Cell, extent: Extent = "all", order: str = "desc", tied: bool = False) -> Table:
    rows = tuple((chr(65 + index), value) for index, value in enumerate(values))
    return Table((COUNTRY, measure(SUM)), rows, (("m", order),), extent, tied)


def said(table: Table, coverage: Coverage = EVER, language: str = "en") -> str:
    table = settled(table, coverage)
    return prose.compose(table, language, coverage, halves(table, coverage, language))[0]


def _failures(*rates: Cell, order: tuple[tuple[str, str], ...] = ()) -> Table:
    return Table((TOOL, FAILURES), tuple((f"tool {index}", rate) for index, rate in enumerate(rates)), order)


@pytest.mark.parametrize(
    ("column", "groups", "adds_up"),
    [
        (measure(SUM), (MONTH,), True),
        (measure(SUM), (MONTH, COUNTRY), True),
        (measure(LEVEL), (COUNTRY,), True),
        (measure(LEVEL), (MONTH,), False),
        (measure(LEVEL), (COUNTRY, MONTH), False),
        (measure(DISTINCT), (COUNTRY,), False),
        (measure(RATE), (MONTH,), False),
    ],
)
def test_what_adds_up_is_the_metrics_to_say(
    column: ColumnMeaning, groups: tuple[ColumnMeaning, ...], adds_up: bool
) -> None:
    keys = tuple("2026-01-01" if group.role == "time" else "A" for group in groups)
    table = Table((*groups, column), ((*keys, 1), (*keys, 2)))
    assert table.adds_up(column) is adds_up


def test_an_unknown_part_or_a_part_of_the_rows_makes_no_sum() -> None:
    known, unknown = measure(SUM, zero=True), measure(SUM, zero=False)
    rows = (("A", 1), ("B", None))
    assert Table((COUNTRY, known), rows).adds_up(known)
    assert not Table((COUNTRY, unknown), rows).adds_up(unknown)
    for extent in ("selected", "top", "cut"):
        assert not Table((COUNTRY, known), rows, extent=extent).adds_up(known)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sum_is_said_of_what_adds_up_only(language: str) -> None:
    total = {"en": "The sum over all 3 rows is 6", "zh": "全部 3 行合计 6"}[language]
    assert total in said(months(1, 2, 3), language=language)
    for additivity in (DISTINCT, LEVEL, RATE):
        text = said(months(1, 2, 3, additivity=additivity), language=language)
        assert "6" not in text.replace("2026", ""), text


def test_where_nobody_has_any_nobody_is_first() -> None:
    order = (("tool_failure_rate", "desc"),)
    for table in (_failures(0.0, 0.0, 0.0, order=order), _failures(0.0, None, order=order)):
        assert said(table) == "None has any: tool failure rate **0.0%** throughout."
    assert said(_failures(0.0, 0.0), language="zh").startswith("都没有")
    assert said(_failures(0.5, 0.0)).startswith("tool 0 has the highest tool failure rate")


def test_bars_that_are_all_zero_become_a_card() -> None:
    spec = charts.choose(_failures(0.0, 0.0), "Failures")
    assert "bar" not in str(spec["layer"])
    assert spec["layer"][0]["encoding"]["text"] == {"value": "0.0%"}


def test_a_series_cut_at_its_top_is_a_ranking() -> None:
    text = said(months(9, 8, 7, extent="top", order="desc"))
    assert text.startswith("2026-01 has the highest measure: **9**.")
    for whole in ("went from", "low", "sum", "all"):
        assert whole not in text.lower(), text
    assert "最低" not in said(months(9, 8, 7, extent="top", order="desc"), language="zh")


def test_what_meets_a_condition_is_listed_and_nothing_more() -> None:
    text = said(countries(90, 80, extent="selected"))
    assert text == "1. A: Measure 90\n2. B: Measure 80"
    assert said(months(9, 8, extent="selected")) == "1. 2026-01: Measure 9\n2. 2026-02: Measure 8"
    assert said(countries(extent="selected")) == "None meets the condition."


def test_rows_cut_at_the_most_that_a_query_returns_are_not_all() -> None:
    text = said(countries(*range(20, 0, -1), extent="cut"))
    assert "All 20 rows" not in text
    assert "There may be more rows" in text
    assert said(countries(*range(20, 0, -1))).endswith("All 20 rows are in the table.")


def test_ties_at_the_cut_are_said() -> None:
    assert "A, B, and others have the highest measure: **5**." in said(
        countries(5, 5, extent="top", tied=True)
    )
    assert said(countries(5, extent="top", tied=True)).endswith("Others are equal to the last one shown.")
    text = said(countries(5, 5, extent="top"))
    assert text.startswith("A, B have the highest measure: **5**.")
    assert "None stands out" in said(countries(5, 5))


def test_nothing_is_the_lowest_only_among_those_that_have_any() -> None:
    assert said(countries(1, 2, order="asc")).startswith("Of those that have any, A has the lowest measure")
    assert said(_failures(0.1, 0.2, order=(("tool_failure_rate", "asc"),))).startswith(
        "tool 0 has the lowest"
    )


@pytest.mark.parametrize(
    ("language", "extreme", "course", "note"),
    [
        ("en", "Of the whole months, measure reached a high of **30** (2026-02) and a low of 20 (2026-03)",
         "from 30 (2026-02) to 20 (2026-03)",
         "not whole: 2026-01 (from 2026-01-20), 2026-04 (up to 2026-04-20)"),
        ("zh", "完整的月份中，Measure最高为 **30**（2026-02），最低为 20（2026-03）",
         "从 2026-02 的 30 到 2026-03 的 20", "2026-01（自 2026-01-20 起）、2026-04（截至 2026-04-20）"),
    ],
)  # fmt: skip
def test_parts_of_periods_are_not_compared_with_whole_ones(
    language: str, extreme: str, course: str, note: str
) -> None:
    coverage = Coverage(NOW, days=(date(2026, 1, 20), date(2026, 4, 20)))
    text = said(months(10, 30, 20, 40), coverage, language)
    for part in (extreme, course, note):
        assert part in text, text
    ranked = said(months(10, 30, 20, 40, order="asc"), coverage)
    assert ranked.startswith("Of the whole months, 2026-02 has the lowest")


def test_a_range_that_cuts_into_a_period_leaves_a_part_of_it() -> None:
    asked = Period(start=datetime(2026, 1, 20, tzinfo=UTC), end=datetime(2026, 3, 1, tzinfo=UTC))
    text = said(months(10, 30), Coverage(NOW, asked, ALL_DAYS))
    assert "not whole: 2026-01 (from 2026-01-20)" in text
    assert "high" not in text


def test_a_growth_from_a_part_is_no_growth_of_the_whole() -> None:
    rate = ColumnMeaning("growth", "Growth", "measure", "ratio", steps="period")
    rows = (("2026-01-01", None), ("2026-02-01", 5.0), ("2026-03-01", 0.1), ("2026-04-01", -0.5))
    coverage = Coverage(NOW, days=(date(2026, 1, 20), date(2026, 4, 20)))
    text = said(Table((MONTH, rate), rows), coverage)
    assert "high" not in text
    assert "2026-01 (from 2026-01-20)" in text


def test_a_period_without_rows_is_lower_than_the_lowest_row() -> None:
    table = months(10, 30, 20)
    gap = Table(table.columns, (table.rows[0], table.rows[2]))
    asked = Period(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC))
    text = said(gap, Coverage(NOW, asked, ALL_DAYS))
    assert "low" not in text
    assert "some months have no rows" in text
    assert "a low of 10" in said(table, Coverage(NOW, asked, ALL_DAYS))


def test_a_running_period_names_the_last_day_with_data() -> None:
    revenue = Table((measure(SUM),), ((5.0,),))
    month = Period(start=datetime(2026, 4, 1, tzinfo=UTC), end=datetime(2026, 5, 1, tzinfo=UTC))
    assert said(revenue, Coverage(NOW, month, ALL_DAYS)).endswith("there is data up to 2026-04-20_")
    begun = Coverage(NOW, month, (date(2026, 4, 3), date(2026, 4, 20)))
    assert said(revenue, begun).endswith("there is data from 2026-04-03 on; there is data up to 2026-04-20_")
    march = Period(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC))
    assert "data up to" not in said(revenue, Coverage(NOW, march, ALL_DAYS))


def compared() -> Table:
    parts: tuple[Part, ...] = ("before", "change", "change_rate")
    others = [ColumnMeaning(f"m_{part}", part, "measure", part=part, of="m") for part in parts]
    return Table((measure(SUM), *others), ((5, 9, -4, -0.444),))


def test_a_comparison_with_what_the_data_begins_in_says_so() -> None:
    february, march, april = (
        Period(start=datetime(2026, month, 1, tzinfo=UTC), end=datetime(2026, month + 1, 1, tzinfo=UTC))
        for month in (2, 3, 4)
    )
    days = (date(2026, 3, 5), date(2026, 4, 20))
    assert "begins on 2026-03-05" in said(compared(), Coverage(NOW, april, days, march))
    assert "begins" not in said(compared(), Coverage(NOW, march, ALL_DAYS, february))


def test_a_mean_over_periods_says_which_are_not_whole() -> None:
    coverage = Coverage(NOW, days=(date(2026, 1, 20), date(2026, 4, 20)), mean_over="month")
    mean = Table((ColumnMeaning("m_per_month", "Measure per month", "measure"),), ((5.0,),))
    assert "not whole: 2026-01 (from 2026-01-20), 2026-04 (up to 2026-04-20)" in said(mean, coverage)
