"""Numbers in a text must be in the data: properties of the tracer, and of what the rules write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.analyst import prose
from agents.analyst.table import ColumnMeaning, Table
from agents.analyst.traced import Derived, figures, untraced

COUNTRY = ColumnMeaning("country", "Country", "category")
MONTH = ColumnMeaning("metric_time__month", "Month", "time", grain="month")
UNITS = st.sampled_from(["USD", "ratio", "count", "ms", "days", ""])
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False))


def table_of(unit: str, values: list[float], time: bool = False) -> Table:
    measure = ColumnMeaning("m", "Measure", "measure", unit, additive=True)
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
    text, evidence = prose.compose(table, language)
    derived = [Derived(item["derived"], item.get("column", "")) for item in evidence if item.get("derived")]
    assert untraced(text, table, derived) == []


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


def test_where_all_are_equal_nobody_is_called_first() -> None:
    text, _ = prose.compose(table_of("count", [2.0, 2.0, 2.0]), "en", order=[["m", "desc"]])
    assert text.startswith("None stands out: measure is **2** for all.")
    text, _ = prose.compose(table_of("count", [5.0, 5.0, 1.0]), "en", order=[["m", "desc"]])
    assert text.startswith("Place A, Place B have the highest measure: **5**.")
