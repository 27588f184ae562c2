"""What the rules say of a result: of the whole only what the whole was asked for, and no half as a whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from agents.analyst.coverage import Coverage
from agents.analyst.table import Cell, ColumnMeaning, Extent, Table, read

from agents.analyst import charts, prose
from warehouse.semantic import Additivity, SemanticLayer

NOW = datetime(2026, 4, 21, 12, tzinfo=UTC)
ALL_DAYS = (date(2020, 1, 1), date(2026, 4, 20))
EVER = Coverage(NOW, days=ALL_DAYS)
SUM, DISTINCT, RATE = Additivity("additive"), Additivity("distinct"), Additivity("none")
LEVEL = Additivity("semi-additive", ("metric_time",))
TOOL = ColumnMeaning("tool_call__tool", "Tool", "category")
FAILURES = ColumnMeaning("tool_failure_rate", "Tool failure rate", "measure", "ratio")
MONTH = ColumnMeaning("metric_time__month", "Month", "time", grain="month")
COUNTRY = ColumnMeaning("user__country", "Country", "category")


def measure(additivity: Additivity, zero: bool = True) -> ColumnMeaning:
    return ColumnMeaning("m", "Measure", "measure", "count", "", additivity, zero)


def months(*values: Cell, additivity: Additivity = SUM, extent: Extent = "all", order: str = "") -> Table:
    rows = tuple((f"2026-{month:02}-01", value) for month, value in enumerate(values, start=1))
    return Table((MONTH, measure(additivity)), rows, (("m", order),) if order else (), extent)


def countries(*values: Cell, extent: Extent = "all", order: str = "desc", tied: bool = False) -> Table:
    rows = tuple((chr(65 + index), value) for index, value in enumerate(values))
    return Table((COUNTRY, measure(SUM)), rows, (("m", order),), extent, tied)


def said(table: Table, coverage: Coverage = EVER, language: str = "en") -> str:
    return prose.compose(table, language, coverage)[0]


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


def test_columns_of_the_project_have_their_metrics_additivity(semantic: SemanticLayer) -> None:
    names = [(f"{name}{suffix}", "Float64") for name in ("revenue", "active_customers", "inventory_on_hand")
             for suffix in ("", "_previous", "_change", "_change_rate", "_share")]  # fmt: skip
    kinds = [c.additivity.kind for c in read(names, [], semantic, "en", compiled=True).columns]
    assert kinds == [
        "additive", "additive", "additive", "none", "none",
        "distinct", "distinct", "distinct", "none", "none",
        "semi-additive", "semi-additive", "semi-additive", "none", "none",
    ]  # fmt: skip
    # What a model calls revenue in SQL of its own need not be revenue.
    [column] = read([("revenue", "Float64")], [], semantic, "en", compiled=False).columns
    assert (column.additivity.kind, column.zero_without_rows) == ("none", False)


def test_cells_are_rounded_to_their_unit(semantic: SemanticLayer) -> None:
    columns = [(name, "Float64") for name in ("revenue", "orders", "return_rate", "agent_cost")]
    row = (48937.93999999997, 12.0, 0.12345678, 0.0012345678)
    table = read(columns, [row], semantic, "en", compiled=True)
    assert table.rows == ((48937.94, 12, 0.123457, 0.001235),)
    assert isinstance(table.rows[0][1], int)


def test_what_a_rate_changes_by_is_points_and_no_percentage_of_it(semantic: SemanticLayer) -> None:
    columns = [(f"return_rate{suffix}", "Float64") for suffix in ("", "_previous", "_change", "_change_rate")]
    text = said(read(columns, [(0.115, 0.128, -0.013, -0.1015625)], semantic, "en", compiled=True))
    assert "change: **-1.3 pp**" in text


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
        assert said(table) == "None has any: tool failure rate is **0.0%** throughout."
    assert said(_failures(0.0, 0.0), language="zh").startswith("都没有")
    assert said(_failures(0.5, 0.0)).startswith("tool 0 has the highest tool failure rate")


def test_bars_that_are_all_zero_become_a_card() -> None:
    spec = charts.choose(_failures(0.0, 0.0), "Failures")
    assert "bar" not in str(spec["layer"])
    assert spec["layer"][0]["encoding"]["text"] == {"value": "0.0%"}


def test_a_series_cut_at_its_top_is_a_ranking() -> None:
    text = said(months(9, 8, 7, extent="top", order="desc"))
    assert text.startswith("2026-01 has the highest measure: **9**.")
    for whole in ("went from", "lowest", "sum", "all"):
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
        ("en", "Of the whole months, measure was highest at **30** (2026-02), lowest at 20 (2026-03)",
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
    asked = (datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    text = said(months(10, 30), Coverage(NOW, asked, ALL_DAYS))
    assert "not whole: 2026-01 (from 2026-01-20)" in text
    assert "highest" not in text


def test_a_growth_from_a_part_is_no_growth_of_the_whole() -> None:
    rate = ColumnMeaning("m_change_rate", "Growth", "measure", "ratio")
    rows = (("2026-01-01", None), ("2026-02-01", 5.0), ("2026-03-01", 0.1), ("2026-04-01", -0.5))
    coverage = Coverage(NOW, days=(date(2026, 1, 20), date(2026, 4, 20)))
    text = said(Table((MONTH, rate), rows), coverage)
    assert "highest" not in text
    assert "2026-01 (from 2026-01-20)" in text


def test_a_period_without_rows_is_lower_than_the_lowest_row() -> None:
    table = months(10, 30, 20)
    gap = Table(table.columns, (table.rows[0], table.rows[2]))
    asked = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    text = said(gap, Coverage(NOW, asked, ALL_DAYS))
    assert "lowest" not in text
    assert "some months have no rows" in text
    assert "lowest at 10" in said(table, Coverage(NOW, asked, ALL_DAYS))


def test_a_running_period_names_the_last_day_with_data() -> None:
    revenue = Table((measure(SUM),), ((5.0,),))
    month = (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert said(revenue, Coverage(NOW, month, ALL_DAYS)).endswith("there is data up to 2026-04-20_")
    begun = Coverage(NOW, month, (date(2026, 4, 3), date(2026, 4, 20)))
    assert said(revenue, begun).endswith("there is data from 2026-04-03 on; there is data up to 2026-04-20_")
    march = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert "data up to" not in said(revenue, Coverage(NOW, march, ALL_DAYS))


def compared() -> Table:
    columns = [measure(SUM)]
    columns += [ColumnMeaning(f"m_{part}", part, "measure") for part in ("previous", "change", "change_rate")]
    return Table(tuple(columns), ((5, 9, -4, -0.444),))


def test_a_comparison_of_a_part_with_a_whole_says_so() -> None:
    april = (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    march = (datetime(2026, 3, 1, tzinfo=UTC), april[0])
    assert "a period that is not whole" in said(compared(), Coverage(NOW, april, ALL_DAYS, march))
    days = (date(2026, 3, 5), date(2026, 4, 20))
    assert "begins on 2026-03-05" in said(compared(), Coverage(NOW, april, days, march))
    february = (datetime(2026, 2, 1, tzinfo=UTC), march[0])
    text = said(compared(), Coverage(NOW, march, ALL_DAYS, february))
    assert "whole" not in text


def test_a_mean_over_periods_says_which_are_not_whole() -> None:
    coverage = Coverage(NOW, days=(date(2026, 1, 20), date(2026, 4, 20)), average_per="month")
    mean = Table((ColumnMeaning("m_per_month", "Measure per month", "measure"),), ((5.0,),))
    assert "not whole: 2026-01 (from 2026-01-20), 2026-04 (up to 2026-04-20)" in said(mean, coverage)
