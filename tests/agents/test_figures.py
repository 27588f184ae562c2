"""Figures read the same wherever they are shown, and nothing is called first where nobody has any."""

from __future__ import annotations

from agents.analyst import charts, prose
from agents.analyst.table import Cell, ColumnMeaning, Table, read
from warehouse.semantic import SemanticLayer

TOOL = ColumnMeaning("tool_call__tool", "Tool", "category")
RATE = ColumnMeaning("tool_failure_rate", "Tool failure rate", "measure", "ratio")


def _failures(*rates: Cell) -> Table:
    return Table((TOOL, RATE), tuple((f"tool {index}", rate) for index, rate in enumerate(rates)))


def test_cells_are_rounded_to_their_unit(semantic: SemanticLayer) -> None:
    columns = [(name, "Float64") for name in ("revenue", "orders", "return_rate", "agent_cost")]
    table = read(columns, [(48937.93999999997, 12.0, 0.12345678, 0.0012345678)], semantic, "en")
    assert table.rows == ((48937.94, 12, 0.123457, 0.001235),)
    assert isinstance(table.rows[0][1], int)


def test_where_nobody_has_any_nobody_is_first() -> None:
    for table in (_failures(0.0, 0.0, 0.0), _failures(0.0, None)):
        text, _ = prose.compose(table, "en", order=[("tool_failure_rate", "desc")])
        assert text == "None has any: tool failure rate is **0.0%** throughout."
    text, _ = prose.compose(_failures(0.0, 0.0), "zh")
    assert text.startswith("都没有")
    text, _ = prose.compose(_failures(0.5, 0.0), "en")
    assert text.startswith("tool 0 has the highest tool failure rate")


def test_bars_that_are_all_zero_become_a_card() -> None:
    spec = charts.choose(_failures(0.0, 0.0), "Failures")
    assert "bar" not in str(spec["layer"])
    assert spec["layer"][0]["encoding"]["text"] == {"value": "0.0%"}


def test_a_running_period_names_the_last_day_with_data() -> None:
    revenue = Table((ColumnMeaning("revenue", "Revenue", "measure", "USD"),), ((5.0,),))
    month = ("2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00")
    text, _ = prose.compose(revenue, "en", time_range=month, data_range=("2026-01-01", "2026-11-20"))
    assert text.endswith("there is data up to 2026-11-20_")
    text, _ = prose.compose(revenue, "en", time_range=month, data_range=("2026-01-01", "2026-11-30"))
    assert "data up to" not in text


def test_a_comparison_with_days_before_the_history_says_so() -> None:
    revenue = Table((ColumnMeaning("revenue", "Revenue", "measure", "USD"),), ((5.0,),))
    days = ("2026-03-01", "2026-11-20")
    text, _ = prose.compose(revenue, "en", data_range=days, since="2026-01-01")
    assert "begins on 2026-03-01" in text
    text, _ = prose.compose(revenue, "en", data_range=days, since="2026-03-01")
    assert "begins on" not in text
