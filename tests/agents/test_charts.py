"""Charts: the kind that fits each shape of data, valid Vega-Lite, drawn with text in both languages."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool

from agents.analyst import charts, renderer, rendering, report
from agents.analyst.answer import Answer
from agents.analyst.chart_stage import ChartWork, draw_chart, propose_chart, score
from agents.analyst.saying.table import ColumnMeaning, Part, Table
from agents.runtime.errors import ToolError
from agents.runtime.tools import ToolContext
from agents.runtime.work import ToolCall

MONTH = ColumnMeaning("metric_time__month", "月份", "time", grain="month")
COUNTRY = ColumnMeaning("user__country", "Country", "category")
BRAND = ColumnMeaning("product__brand", "Brand", "category")
REVENUE = ColumnMeaning("revenue", "销售额", "measure", "USD")
BEFORE = ColumnMeaning("revenue_previous", "before", "measure", "USD", part="before", of="revenue")
RATE = ColumnMeaning("return_rate", "Return rate", "measure", "ratio")
MONTHS = ("2026-01-01", "2026-02-01", "2026-03-01")

SHAPES: dict[str, tuple[Table, str]] = {
    "one number": (Table((REVENUE,), ((1234.5,),)), "text"),
    "series": (Table((MONTH, REVENUE), tuple((m, 1.0) for m in MONTHS)), "line"),
    "series by category": (
        Table((MONTH, COUNTRY, REVENUE), tuple((m, c, 2.0) for m in MONTHS for c in "AB")), "line"
    ),
    "categories": (Table((COUNTRY, REVENUE), (("A", 1.0), ("B's", None))), "bar"),
    "a category without a name": (Table((COUNTRY, REVENUE), (("A", 1.0), (None, 2.0))), "bar"),
    "two categories": (Table((COUNTRY, BRAND, REVENUE), (("A", "x", 1.0), ("A", "y", 3.0))), "bar"),
    "two units": (Table((COUNTRY, REVENUE, RATE), (("A", 1.0, 0.1), ("B", 2.0, 0.2))), "bar"),
    "comparison": (Table((COUNTRY, REVENUE, BEFORE), (("A", 1.0, 2.0),)), "bar"),
    "comparison by month": (Table((MONTH, REVENUE, BEFORE), tuple((m, 1.0, 2.0) for m in MONTHS)), "bar"),
    "two numbers compared": (Table((REVENUE, BEFORE), ((1.0, 2.0),)), "bar"),
    "nothing": (Table((REVENUE,), ()), "text"),
    "many categories": (Table((COUNTRY, REVENUE), tuple((f"C{i}", i) for i in range(90))), "bar"),
}  # fmt: skip


def marks(node: Any) -> set[str]:
    if isinstance(node, dict):
        mark = node.get("mark")
        own = {mark["type"]} if isinstance(mark, dict) else set()
        return own.union(*(marks(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(marks(value) for value in node))
    return set()


@pytest.mark.parametrize("shape", SHAPES)
def test_chart_fits_the_shape_is_valid_and_draws_its_text(shape: str) -> None:
    table, mark = SHAPES[shape]
    spec = charts.choose(table, "What was 销售额?")
    assert marks(spec) == {mark}
    bound = charts.bind(spec, table)
    rendering.validate(bound)
    image = rendering.svg(bound)
    assert "销售额" in image
    assert rendering.png(bound).startswith(b"\x89PNG")


def _drawn(table: Table, **more: Any) -> tuple[dict[str, Any], str]:
    spec = charts.choose(table, "title", **more)
    bound = charts.bind(spec, table)
    rendering.validate(bound)
    return spec, rendering.svg(bound)


def test_rows_ranked_by_their_figures_are_bars_in_that_order_and_not_a_line() -> None:
    rows = (("2026-03-01", 9.0), ("2026-01-01", 8.0), ("2025-11-01", 7.0))
    for more in ({"order": (("revenue", "desc"),), "extent": "top"}, {"extent": "selected"}):
        spec, image = _drawn(Table((MONTH, REVENUE), rows, **more))
        assert marks(spec) == {"bar"}
        assert spec["encoding"]["y"]["sort"] == ["2026-03", "2026-01", "2025-11"]
        assert ">2025-11<" in image
    assert marks(_drawn(Table((MONTH, REVENUE), rows))[0]) == {"line"}


def test_no_category_is_drawn_over_another() -> None:
    kinds = [(m, c, b) for m in MONTHS for c in "AB" for b in ("x", "y's")]
    rows = tuple((*kind, float(index)) for index, kind in enumerate(kinds))
    _, image = _drawn(Table((MONTH, COUNTRY, BRAND, REVENUE), rows))
    assert all(f"{c} · {b}" in image for c in "AB" for b in ("x", "y's"))
    department = ColumnMeaning("product__department", "Department", "category")
    flat = tuple((c, b, d, 1.0) for c in "AB" for b in "xy" for d in ("m", None))
    _, image = _drawn(Table((COUNTRY, BRAND, department, REVENUE), flat))
    assert "–" in image
    assert image.count('aria-roledescription="bar"') == len(flat)
    two = tuple((c, b, 1.0, 2.0, 1.0, 1.0) for c in "AB" for b in "xy")
    parts: tuple[Part, ...] = ("change", "change_rate")
    rest = [
        ColumnMeaning(f"revenue_{part}", part, "measure", "USD", part=part, of="revenue") for part in parts
    ]
    _, image = _drawn(Table((COUNTRY, BRAND, REVENUE, BEFORE, *rest), two))
    assert image.count('aria-roledescription="bar"') == 2 * len(two)


def test_the_one_period_of_a_ranking_stands_on_its_card() -> None:
    table = Table((MONTH, REVENUE), (("2026-10-01", 9.0),), (("revenue", "desc"),), "top")
    assert charts.choose(table, "Which month?")["layer"][1]["encoding"]["text"]["value"] == "销售额 (2026-10)"


def test_what_the_figures_are_not_stands_under_the_title() -> None:
    table, _ = SHAPES["many categories"]
    _, image = _drawn(table, notes=["not whole: 2026-11"])
    assert "not whole: 2026-11" in image
    assert "Country: 30 / 90" in image
    many = tuple((m, f"C{i}", 2.0) for m in MONTHS for i in range(25))
    assert "Country: 20 / 25" in _drawn(Table((MONTH, COUNTRY, REVENUE), many))[1]


def test_every_font_list_ends_with_one_that_exists_everywhere() -> None:
    assert charts.FONT.split(",")[-1].strip() == "sans-serif"


def test_a_spec_that_is_not_vega_lite_is_refused_with_a_reason() -> None:
    with pytest.raises(ToolError, match="not valid"):
        rendering.validate({"mark": "spiral", "encoding": {}})


def test_the_page_works_without_a_network() -> None:
    table, _ = SHAPES["categories"]
    page = rendering.html(charts.bind(charts.choose(table, "t"), table), "@font-face{}")
    assert '<script src="http' not in page
    assert "import(" not in page.split("</head>")[0][:5000]
    assert ".then(() => vegaEmbed(" in page


ENDLESS = {"data": {"sequence": {"start": 0, "stop": 1e9}}, "mark": "point"}


def test_a_drawing_that_hangs_is_ended_and_holds_nothing_else() -> None:
    """The renderer lets no other Python run while it draws, so it must not draw in this process."""

    async def both() -> int:
        drawing = asyncio.create_task(asyncio.to_thread(rendering.svg, ENDLESS, 0.5))
        turns = 0
        while not drawing.done():
            turns += 1
            await asyncio.sleep(0.01)
        with pytest.raises(ToolError, match=r"cannot be drawn: it took longer than 0\.5 s"):
            await drawing
        return turns

    assert asyncio.run(both()) > 5
    assert "<svg" in rendering.svg({"mark": "point", "data": {"values": [{}]}}), "the next is drawn"


def test_a_drawing_that_ends_its_process_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "__file__", os.devnull)
    other = rendering._Renderer()
    with pytest.raises(ToolError, match="its renderer ended"):
        other.draw("svg", {"mark": "point"}, 30.0)
    monkeypatch.undo()
    assert other.draw("svg", {"mark": "point", "data": {"values": [{}]}}, 60.0).startswith(b"<svg")


def test_a_forked_process_draws_by_itself() -> None:
    plain = {"mark": "point", "data": {"values": [{}]}}
    drawn = rendering.svg(plain)
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
    else:
        os._exit(rendering.svg(plain) != drawn)
    assert rendering.svg(plain) == drawn


def test_a_picture_that_cannot_be_drawn_in_time_is_left_out_of_the_report_and_said(tmp_path: Path) -> None:
    answer = Answer(
        run_id="r", question="q", language="en", status="answered", text="It is 1.", chart=ENDLESS,
        asked_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    folder = report.write(answer, SHAPES["one number"][0], "<svg></svg>", tmp_path, limit_s=0.3)
    names = {path.name for path in folder.iterdir()}
    assert names == {"answer.json", "answer.md", "index.html", "chart.svg", "data.csv"}
    assert "report: the chart cannot be drawn: it took longer than 0.3 s" in answer.reasons[0]
    assert "took longer" in (folder / "answer.json").read_text()


def call(tool: BaseTool, work: ChartWork, **arguments: Any) -> Any:
    """The tool as any LangChain program calls it."""
    return tool.invoke({**arguments, "context": ToolContext(work, None)})


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_proposed_is_drawn(shape: str) -> None:
    table, _ = SHAPES[shape]
    work = ChartWork(question="what", table=table)
    proposed = call(propose_chart, work)
    drawn = call(draw_chart, work, spec=proposed.spec)
    assert score(work.reduce(ToolCall("draw_chart", {}), drawn)).value == 1.0


@pytest.mark.parametrize(
    ("foreign", "named"),
    [
        ({"layer": [{"data": {"sequence": {"start": 0, "stop": 1e9}}, "mark": "point"}]}, "data"),
        ({"layer": [{"data": {"values": [{"revenue": 1e9}]}, "mark": "point"}]}, "data"),
        ({"datasets": {"result": [{"revenue": 1e9}]}, "mark": "point"}, "datasets"),
        ({"transform": [{"density": "revenue", "steps": 1e9}], "mark": "line"}, "the transform density"),
        (
            {"mark": "bar", "encoding": {"y": {"field": "revenue", "impute": {"keyvals": {"stop": 1e9}}}}},
            "impute",
        ),
    ],
)
def test_a_chart_of_other_rows_than_the_results_is_refused(foreign: dict[str, Any], named: str) -> None:
    """What is drawn must be what was found; and rows made without end would end the process."""
    work = ChartWork(question="what", table=SHAPES["one number"][0])
    with pytest.raises(ToolError, match=named):
        call(draw_chart, work, spec=foreign)
