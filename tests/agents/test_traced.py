"""Numbers in a text must be in the data: properties of the tracer, and of what the rules write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.analyst.grammar.when import Calendar
from agents.analyst.saying import prose
from agents.analyst.saying.coverage import Coverage, halves
from agents.analyst.saying.table import ColumnMeaning, Table, show_time
from agents.analyst.traced import Derived, figures, untraced
from warehouse.semantic import Additivity

COUNTRY = ColumnMeaning("country", "Country", "category")
MONTH = ColumnMeaning("metric_time__month", "Month", "time", grain="month", own=True)
CALENDAR = Calendar(datetime(2026, 4, 21, 12, tzinfo=UTC))
UNITS = st.sampled_from(["USD", "ratio", "points", "count", "ms", "days", ""])
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False))


def table_of(unit: str, values: list[float], time: bool = False) -> Table:
    measure = ColumnMeaning(
        "m", "Measure", "measure", unit, additivity=Additivity("additive"), zero_without_rows=True
    )
    names = [
        f"{2000 + i // 12}-{i % 12 + 1:02d}-01" if time else f"Place {chr(65 + i)}"
        for i in range(len(values))
    ]
    return Table((MONTH if time else COUNTRY, measure), tuple(zip(names, values, strict=True)))


@given(UNITS, st.lists(NUMBERS, min_size=1, max_size=20), st.booleans(), st.sampled_from(["en", "zh"]))
def test_every_figure_that_the_rules_write_is_traced(
    unit: str, values: list[float], time: bool, language: str
) -> None:
    table = table_of(unit, values, time)
    coverage = Coverage(CALENDAR, days=(date(1990, 1, 9), date(2001, 4, 20)))
    text, evidence = prose.compose(table, language, coverage, halves(table, coverage, language))
    derived = [Derived(item.derived, item.column) for item in evidence if item.derived]
    assert untraced(text, table, derived, days=coverage.dates) == []


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=10), st.integers(10**7, 10**9))
def test_an_invented_number_is_found(values: list[int], invented: int) -> None:
    table = table_of("count", [float(value) for value in values])
    assert untraced(f"Sales were {invented:,}.", table) == [f"{invented:,}"]


def test_ways_of_writing_a_number() -> None:
    table = Table((COUNTRY, ColumnMeaning("m", "M", "measure")), (("501 Jeans", 1234567.891), ("B", 0.1234)))
    for text in ("1,234,567.89", "$1.23M", "123.5万", "1.2 million".replace(" million", "M"), "12.3%", "12%"):
        assert untraced(f"It was {text} in all.", table) == [], text
    assert untraced("It was 12.4%.", table) == ["12.4%"]
    assert untraced("501 Jeans led.", table) == []
    assert untraced("1. First\n2. Second", table) == []


def test_a_category_of_digits_hides_no_figure_and_is_none() -> None:
    table = Table((COUNTRY, ColumnMeaning("m", "M", "measure")), (("4", 4562.0), ("5", 69.0)))
    assert untraced("4: 4,562; 5: 69", table) == []
    assert untraced("4: 4,561", table) == ["4,561"]
    weekday = ColumnMeaning("weekday", "Weekday", "category", values=("", "Monday", "Tuesday"))
    table = Table((weekday, ColumnMeaning("m", "M", "measure")), ((1, 469.0), (2, 12.0)))
    assert untraced("Monday: 469; Tuesday: 12", table) == []


def test_derived_numbers_are_recomputed() -> None:
    table = table_of("count", [10.0, 20.0, 40.0])
    assert untraced("70 in all", table) == ["70"]
    assert untraced("70 in all", table, [Derived("sum", "m")]) == []
    assert untraced("30 for two", table, [Derived("sum", "m", (0, 1))]) == []
    assert untraced("71 in all", table, [Derived("sum", "m")]) == ["71"]
    assert untraced("70", table, [Derived("sum", "no_such_column")]) == ["70"]


def test_dates_must_be_in_the_data_or_the_question() -> None:
    table = table_of("count", [10.0], time=True)
    assert untraced("10 in 2000-01", table) == []
    assert untraced("10 in 2031-05", table) == ["2031-05"]
    assert untraced("10 since 2031-05", table, context=["since 2031-05"]) == []


@given(st.text(max_size=200))
def test_figures_never_fails(text: str) -> None:
    figures(text)


WAYS = {
    "year": ("{0:%Y}", "{0:%Y}年"),
    "quarter": ("{0:%Y} Q{1}", "{0:%Y}Q{1}", "Q{1} {0:%Y}", "{0:%Y}年第{1}季度", "{0:%Y}年{2}季度", "{0:%Y}"),
    "month": ("{0:%Y-%m}", "{0:%B %Y}", "{0:%b %Y}", "{0:%Y}年{0.month}月", "{0.month}月份", "{0:%Y}/{0:%m}"),
    "week": ("{0:%Y-%m-%d}", "{0:%G-W%V}", "{0:%Y}年{0.month}月{0.day}日", "{0:%B} {0.day}"),
    "day": ("{0:%Y-%m-%d}", "{0:%B} {0.day}, {0:%Y}", "{0.day} {0:%b} {0:%Y}", "{0:%Y}年{0.month}月{0.day}日",
            "{0.month}月{0.day}日", "{0:%b} {0.day}", "{0:%Y-%m}"),
    "hour": ("{0:%Y-%m-%d %H:%M}", "{0:%H:%M}", "{0:%Y-%m-%dT%H:%M}", "{0.month}月{0.day}日{0:%H}时",
             "{0:%Y}年{0.month}月{0.day}日 {0:%H}点"),
}  # fmt: skip


@given(
    st.sampled_from(sorted(WAYS)),
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)),
    st.integers(1, 40),
    st.sampled_from(["In {}: 10.", "{}为10件", "从{}起共10件。", "10 ({})"]),
)
def test_a_date_is_known_in_every_way_of_writing_it_and_no_other_is(
    grain: str, moment: datetime, off: int, sentence: str
) -> None:
    start = CALENDAR.floor(moment, grain)
    column = ColumnMeaning(f"metric_time__{grain}", grain, "time", grain=grain)
    table = Table((column, ColumnMeaning("m", "Measure", "measure")), ((start.isoformat(), 10.0),))
    quarter = (start.month + 2) // 3
    for way in (*WAYS[grain], show_time(start.isoformat(), grain)):
        text = sentence.format(way.format(start, quarter, "一二三四"[quarter - 1]))
        assert untraced(text, table) == [], text
    other = show_time(CALENDAR.step(start, grain, off).isoformat(), grain)
    assert untraced(sentence.format(other), table) != [], other


@pytest.mark.parametrize("text", ["共2850件。", "销售额为2,850元", "合计2850", "共28.5万件", "增长了28.5%"])
def test_a_number_between_chinese_characters_is_a_number(text: str) -> None:
    assert untraced(text, table_of("count", [10.0])), text
    assert untraced("共10件，约0.001万件", table_of("count", [10.0])) == []


def test_a_year_is_a_date_only_where_the_result_has_years() -> None:
    year = ColumnMeaning("metric_time__year", "Year", "time", grain="year")
    table = Table(
        (year, ColumnMeaning("m", "M", "measure", "USD")), (("2025-01-01", 7.0), ("2026-01-01", 9.0))
    )
    assert untraced("From $7 in 2025 to $9 in 2026", table) == []
    assert untraced("$9 in 2027", table) == ["2027"]
    assert untraced("$2,026 in 2026", table) == ["$2,026"]
    assert untraced("$2026 in 2026", table) == ["$2026"]
    assert untraced("2026 items", table_of("count", [9.0])) == ["2026"]


def test_a_computation_must_say_something_true() -> None:
    table = table_of("count", [10.0, 20.0, 40.0])
    for kind in ("distinct", "none"):
        columns = (table.columns[0], replace(table.columns[1], additivity=Additivity(kind)))
        other = replace(table, columns=columns)
        assert untraced("70 in all", other, [Derived("sum", "m")]) == ["70"], kind
        assert untraced("30 for two", other, [Derived("sum", "m", (0, 1))]) == ["30"], kind
        assert bool(untraced("23.3 on average", other, [Derived("mean", "m")])) == (kind == "none")
        assert untraced("20 more", other, [Derived("difference", "m", (1, 2))]) == []
    top = replace(table, extent="top")
    for operation, figure in (("sum", "70"), ("mean", "23.3")):
        assert untraced(f"{figure} in all", top, [Derived(operation, "m")]) == [figure]
    assert untraced("60 for the last two", top, [Derived("sum", "m", (1, 2))]) == []
    assert untraced("3 rows", replace(table, extent="cut"), [Derived("count", "")]) == ["3"]
