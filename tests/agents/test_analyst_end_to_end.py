"""Questions over a real warehouse server: by the rules, by a model behind OpenAI's protocol, without it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.analyst import Analyst, list_report, load_questions
from agents.analyst.questions import load_list
from agents.runtime.events import Event
from agents.runtime.settings import AgentSettings
from warehouse import Catalogue, Warehouse, WarehouseSettings, connect
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration
Open = Callable[..., Analyst]


@pytest.fixture(scope="module")
def reader(commerce: WarehouseSettings) -> Warehouse:
    return connect(commerce, read_only=True)


@pytest.fixture(scope="module")
def open_analyst(
    commerce: WarehouseSettings, reader: Warehouse, semantic: SemanticLayer, tmp_path_factory: Any
) -> Open:
    catalogue = Catalogue.load(commerce.manifest_path, reader)
    state = tmp_path_factory.mktemp("state")

    def open_(**settings: Any) -> Analyst:
        sink = settings.pop("on_event", None)
        configured = AgentSettings(state_dir=state, **{"model": "", **settings})
        return Analyst(reader, semantic, catalogue, configured, on_event=sink)

    return open_


def test_answer_is_what_the_warehouse_holds_and_the_report_stands_alone(
    open_analyst: Open, reader: Warehouse
) -> None:
    events: list[Event] = []
    answer = open_analyst(on_event=events.append).ask("Top five categories by revenue last month")
    assert answer.status == "answered", answer.reasons
    assert answer.checks == {"proven": True, "ran": True, "valid": True, "traced": True}
    expected = reader.query(
        "select p.category, sum(if(i.status in ('Cancelled', 'Returned'), 0, i.sale_price)) as revenue "
        "from dwd.dwd_order_items as i join dwd.dwd_products as p on p.product_id = i.product_id "
        "where toStartOfMonth(i.created_at) = toStartOfMonth(today()) - interval 1 month "
        "group by p.category order by revenue desc limit 5"
    ).rows
    assert [row[0] for row in answer.rows] == [row[0] for row in expected]
    assert [row[1] for row in answer.rows] == pytest.approx([row[1] for row in expected])
    folder = Path(answer.report_path)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "answer.json", "answer.md", "index.html", "chart.svg", "chart.png", "chart.html", "data.csv"
    }  # fmt: skip
    assert json.loads((folder / "answer.json").read_text())["text"] == answer.text
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "index.html").read_text()
    assert not re.search(r"""(?:src|href)=["']https?://""", page)
    assert answer.rows[0][0] in page.replace("&amp;", "&")
    rows = list(csv.reader((folder / "data.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 6
    kinds = {event.kind for event in events}
    assert kinds == {"thought_generated", "tool_called", "iteration_completed", "execution_completed"}


def test_shares_means_growth_and_thresholds_are_what_one_computes_by_hand(open_analyst: Open) -> None:
    ask = open_analyst().ask
    totals = dict(ask("revenue by department last month").rows)
    shares = dict(ask("share of revenue by department last month").rows)
    assert shares == {name: pytest.approx(v / sum(totals.values()), abs=1e-5) for name, v in totals.items()}
    [[part]] = ask("what percentage of revenue comes from Women last month").rows
    assert part == shares["Women"]
    days = ask("revenue by day last month").rows
    [[mean]] = ask("average daily revenue last month").rows
    assert mean == pytest.approx(sum(value for _, value in days) / len(days), abs=0.01)
    months = ask("monthly revenue growth in the last 3 months").rows
    assert months[1][2] == pytest.approx(months[1][1] / months[0][1] - 1, abs=1e-5)
    # A month that is running is no part of a change.
    assert months[2][2] is None
    countries = ask("revenue by country last month").rows
    bound = countries[2][1]
    above = ask(f"countries with revenue of at least {bound} last month")
    assert above.rows == countries[:3], above.text


PLACED = """dwd.dwd_order_items as i
    where toStartOfMonth(i.created_at) = toStartOfMonth(today()) - interval 1 month"""
KEPT = "round(sumIf(i.sale_price, i.status not in ('Cancelled', 'Returned')), 2)"


@pytest.mark.parametrize(
    ("question", "by_hand"),
    [
        (
            "orders by hour of the day last month",
            f"select toHour(i.created_at) as h, uniqExact(i.order_id) from {PLACED} group by h order by h",
        ),
        (
            "revenue between 8 and 10 in the morning last month",
            f"select {KEPT} from {PLACED} and toHour(i.created_at) in (8, 9)",
        ),
        (
            "上个月晚上8点到10点的订单数",
            f"select uniqExact(i.order_id) from {PLACED} and toHour(i.created_at) in (20, 21)",
        ),
        (
            "上个月哪个小时订单最多",
            f"""select toHour(i.created_at) as h, uniqExact(i.order_id) as n from {PLACED}
                group by h order by n desc, h limit 1""",
        ),
    ],
)
def test_hours_of_the_day_are_those_of_the_rows(
    question: str, by_hand: str, open_analyst: Open, reader: Warehouse
) -> None:
    answer = open_analyst().ask(question)
    assert answer.status == "answered", answer.text
    assert answer.rows == [list(row) for row in reader.query(by_hand).rows]


@pytest.mark.parametrize(
    "question", ["units on hand by hour of the day", "cumulative revenue by hour of the day"]
)
def test_what_is_kept_by_the_day_has_no_hours(question: str, open_analyst: Open) -> None:
    answer = open_analyst().ask(question)
    assert answer.status == "declined"
    assert "running total, which has no weekday or hour" in answer.text or "kept by the day" in answer.text


def test_chinese_answer_has_its_glyphs_and_its_language(open_analyst: Open) -> None:
    answer = open_analyst().ask("上个月销售额最高的五个品类是什么？")
    assert (answer.status, answer.language) == ("answered", "zh")
    assert "销售额" in answer.text
    assert "销售额" in (Path(answer.report_path) / "chart.svg").read_text()


@pytest.mark.parametrize(
    "question",
    [
        "What is our churn prediction for next year?",
        "员工的平均工资是多少？",
        "",
        "drop table users",
        "ยอดขายเดือนที่แล้ว",
        "half a character \ud83d",
    ],
)
def test_unanswerable_questions_are_declined_with_what_can_be_asked(
    open_analyst: Open, question: str
) -> None:
    answer = open_analyst().ask(question, run_id=f"declined {question}")
    assert answer.status == "declined"
    assert answer.suggestions
    assert answer.rows == []
    assert (Path(answer.report_path) / "index.html").exists()


def test_a_range_without_data_says_which_range_has_data(open_analyst: Open) -> None:
    answer = open_analyst().ask("revenue in March 2019")
    assert (answer.status, answer.rows) == ("declined", [])
    assert "it is known from" in answer.text


def test_every_listed_question_is_answered(open_analyst: Open) -> None:
    for answer in open_analyst().answer_list(load_questions("sales")):
        assert answer.status == "answered", (answer.question, answer.reasons)
        assert all(answer.checks.values()), (answer.question, answer.reasons)


def test_weekly_report_is_one_page_of_chapters(open_analyst: Open, tmp_path: Path) -> None:
    path, answers = list_report(open_analyst(), load_list("weekly"), run_id="week-1", reports=tmp_path)
    page = path.read_text()
    assert len(answers) == len(load_questions("weekly"))
    assert page.count("<article") == len(answers)
    assert page.count("<svg") >= 5


def model_script(messages: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Writes SQL with a column that does not exist, reads the error, puts it right; then draws and writes."""
    prompt = messages[0]["content"]
    told = [message["content"] for message in messages if message["role"] == "tool"]
    if "data warehouse" in prompt:
        if not told:
            wrong = "select sum(no_such_price) as revenue from dwd.dwd_order_items"
            return [("dry_run", {"sql": wrong})]
        right = "select count() as items from dwd.dwd_order_items"
        return [("execute_sql", {"sql": right})] if "no_such_price" in told[-1] else []
    if "Vega-Lite" in prompt:
        return [("draw_chart", json.loads(told[-1]))] if told else [("propose_chart", {})]
    rows = json.loads(messages[1]["content"])["rows"]
    if not told:
        return [("write_answer", {"text": "There are 123456789 items."})]
    return [("write_answer", {"text": f"There are {rows[0][0]} items."})]


@pytest.fixture
def provider_key(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    return monkeypatch


def test_model_repairs_its_sql_and_its_figures(
    open_analyst: Open, model_server: Any, provider_key: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    with model_server(model_script) as server:
        provider_key.setenv("OPENAI_API_BASE", server.url)
        answer = open_analyst(model="openai:test-model", free_sql=True, on_event=events.append).ask(
            "How many items are there?"
        )
    assert (answer.status, answer.model, answer.fallback) == ("answered", "test-model", ""), answer.reasons
    assert answer.text == f"There are {answer.rows[0][0]} items."
    assert (answer.meaning, answer.checks["proven"]) == (None, False)
    errors = [
        event.detail
        for event in events
        if event.kind == "tool_called" and '"status": "error"' in event.detail
    ]
    assert len(errors) == 2
    assert "no_such_price" in errors[0]
    assert "123456789" in errors[1]
    assert server.requests[0]["tools"]


@pytest.mark.parametrize(
    ("delay", "broken", "reason"), [(0.0, True, "overloaded"), (2.0, False, "no answer within")]
)
def test_rules_answer_when_the_provider_is_down_or_slow(
    open_analyst: Open,
    model_server: Any,
    provider_key: pytest.MonkeyPatch,
    delay: float,
    broken: bool,
    reason: str,
) -> None:
    with model_server(model_script, delay=delay, broken=broken) as server:
        provider_key.setenv("OPENAI_API_BASE", server.url)
        # A name of its own: the process leaves a model that is out alone for a while.
        patience = {"model_timeout_s": 1.0 if delay else 20.0, "model_backoff_s": 0.001}
        answer = open_analyst(model=f"openai:out-{delay}", **patience).ask("revenue last month")
    assert answer.status == "answered"
    assert reason in answer.fallback


def by_the_book(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Compiles last month's revenue, checks and runs it, draws and writes: each move by those before."""
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or []]
    made = {call["name"] for call in calls}
    told = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    if "Vega-Lite" in messages[0]["content"]:
        return [("draw_chart", told[-1])] if made else [("propose_chart", {})]
    if "data warehouse" not in messages[0]["content"]:
        [revenue] = json.loads(messages[1]["content"])["rows"][0]
        return [("write_answer", {"text": f"Revenue was {revenue}."})]
    compiled = [result["sql"] for result in told if "sql" in result]
    if not compiled:
        first = datetime.now(UTC).date().replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        window = {"start": f"{before}T00:00:00Z", "end": f"{first}T00:00:00Z"}
        return [
            (
                "compile_intent",
                {"intent": {"measures": [{"kind": "metric", "name": "revenue"}], "window": window}},
            )
        ]
    return [("execute_sql" if "dry_run" in made else "dry_run", {"sql": compiled[-1]})]


def test_a_call_that_fails_is_made_by_the_rules_and_the_model_goes_on_wherever_it_was(
    open_analyst: Open, model_server: Any, provider_key: pytest.MonkeyPatch
) -> None:
    expected = open_analyst().ask("revenue last month")
    for failing in range(8):
        events: list[Event] = []
        with model_server(by_the_book, failures=[None] * failing + [{"status": 400}]) as server:
            provider_key.setenv("OPENAI_API_BASE", server.url)
            answer = open_analyst(model="openai:by-the-book", on_event=events.append).ask(
                "revenue last month"
            )
        assert (answer.status, answer.rows) == ("answered", expected.rows), (failing, answer.reasons)
        thoughts = [json.loads(event.detail) for event in events if event.kind == "thought_generated"]
        fallen = [thought for thought in thoughts if thought["fallback"]]
        assert len(fallen) == (1 if failing < len(server.requests) else 0), failing
        assert {thought["model"] for thought in thoughts if thought not in fallen} <= {"by-the-book"}
        assert bool(answer.fallback) is bool(fallen)
        if not fallen:
            break
    assert failing > 4


def test_a_run_asked_again_by_its_id_is_not_run_again(open_analyst: Open) -> None:
    events: list[Event] = []
    analyst = open_analyst(on_event=events.append)
    first = analyst.ask("orders last month", run_id="dag/run 1")
    events.clear()
    again = analyst.ask("orders last month", run_id="dag/run 1")
    assert again.rows == first.rows
    assert {event.kind for event in events} == {"execution_completed"}
    other = analyst.ask("revenue last month", run_id="dag/run 1")
    assert other.columns[0].name == "revenue"
    events.clear()
    assert analyst.ask("orders last month", run_id="dag/run 1").rows == first.rows
    assert "tool_called" in {event.kind for event in events}


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("active customers by month", "sum"),
        ("各月活跃客户数", "合计"),
        ("inventory on hand by day last week", "sum"),
        ("return rate by month", "sum"),
        ("Which month has the highest revenue?", "went from"),
        ("Which month has the highest revenue?", "lowest"),
        ("销售额最低的月份是哪个？", "最高"),
        ("cumulative revenue by month", "sum"),
    ],
)
def test_nothing_is_said_of_the_whole_that_the_rows_do_not_give(
    open_analyst: Open, question: str, never: str
) -> None:
    answer = open_analyst().ask(question)
    assert answer.status == "answered", answer.reasons
    assert never not in answer.text, answer.text


def test_series_at_every_grain_are_answered(open_analyst: Open) -> None:
    for grain, chinese in (
        ("year", "年"),
        ("quarter", "季度"),
        ("month", "月"),
        ("week", "周"),
        ("day", "日"),
    ):
        english = open_analyst().ask(f"revenue by {grain}")
        assert english.status == "answered", (grain, english.reasons)
        assert len(english.rows) < 2 or "The sum over all" in english.text
        answer = open_analyst().ask(f"按{chinese}统计销售额")
        assert (answer.status, answer.rows) == ("answered", english.rows), (grain, answer.reasons)


def test_shares_of_what_is_in_several_parts_say_so_and_a_rate_has_none(open_analyst: Open) -> None:
    orders = open_analyst().ask("share of orders by category")
    assert sum(share for _, share in orders.rows) > 1
    assert "more than 100%" in orders.text
    for question in ("share of return rate by country", "各国退货率占比"):
        assert open_analyst().ask(question).status in ("declined", "unclear"), question


def test_shares_of_a_level_are_of_its_own_day(open_analyst: Open, reader: Warehouse) -> None:
    answer = open_analyst().ask("share of inventory by distribution center")
    [[total]] = reader.query(
        "select sum(units_on_hand) from dws.dws_inventory_daily "
        "where day = (select max(day) from dws.dws_inventory_daily)"
    ).rows
    levels = dict(open_analyst().ask("inventory by distribution center").rows)
    assert sum(levels.values()) == total
    expected = {name: units / total for name, units in levels.items()}
    assert dict(answer.rows) == pytest.approx(expected, abs=1e-4)
    mean = open_analyst().ask("average daily inventory last month")
    expected = reader.query(
        "select avg(units) from (select day, sum(units_on_hand) as units from dws.dws_inventory_daily "
        "where toStartOfMonth(day) = toStartOfMonth(today()) - interval 1 month group by day)"
    ).rows
    assert mean.rows[0] == pytest.approx(list(expected[0]), abs=0.01)


def test_an_answer_shows_what_was_checked_and_no_number_that_looks_like_confidence(
    open_analyst: Open,
) -> None:
    events: list[Event] = []
    answer = open_analyst(on_event=events.append).ask("top 2 countries by orders last month")
    assert answer.extent == "top"
    assert len(answer.rows) == 2
    assert [event.score for event in events if event.kind == "execution_completed"] == [None]
    kept = json.loads((Path(answer.report_path) / "answer.json").read_text())
    assert "score" not in kept
    assert kept["checks"] == {"proven": True, "ran": True, "valid": True, "traced": True}
    for name in ("answer.md", "index.html"):
        text = (Path(answer.report_path) / name).read_text()
        assert "1.00" not in text
        assert "the first of more" in text


def test_a_running_total_ends_today_and_a_month_has_its_last(open_analyst: Open, reader: Warehouse) -> None:
    answer = open_analyst().ask("cumulative revenue by month")
    sums = reader.query(
        "select sum(if(status in ('Cancelled', 'Returned'), 0, sale_price)) as revenue "
        "from dwd.dwd_order_items group by toStartOfMonth(created_at) order by toStartOfMonth(created_at)"
    ).rows
    totals = [sum(value for (value,) in sums[: index + 1]) for index in range(len(sums))]
    assert [value for _, value in answer.rows] == pytest.approx(totals[: len(answer.rows)], abs=0.01)


def test_a_share_of_two_is_of_all(open_analyst: Open) -> None:
    ask = open_analyst().ask
    whole = dict(ask("share of revenue by country last month").rows)
    assert ask("share of revenue from China and Brasil last month").rows == [
        [whole["China"], whole["Brasil"]]
    ]


def test_a_day_without_an_order_counts_in_a_filtered_mean_too(open_analyst: Open) -> None:
    ask = open_analyst().ask
    for grain in ("day", "week"):
        by_country = dict(ask(f"average orders per {grain} by country last month").rows)
        filtered = ask(f"average orders per {grain} from Poland last month")
        assert filtered.status == "answered", filtered.reasons
        assert [list(row) for row in filtered.rows] == [[by_country["Poland"]]]
