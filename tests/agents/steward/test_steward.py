"""The steward from a failed check to a report, a decision, the act and the check again."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.approval import DecisionRefusedError
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.errors import TransientError
from agents.runtime.run import RunCancelledError
from agents.runtime.settings import AgentSettings
from agents.runtime.steps import Checkpoints
from agents.runtime.testing import Asked, Say, ScriptedModel
from agents.runtime.tools import REGISTRY
from agents.steward.case import FailedCheck, Failure
from agents.steward.diagnosis import diagnose
from agents.steward.evidence import Asking
from agents.steward.repair import QUARANTINE, Means
from agents.steward.steward import Steward
from agents.steward.works import Case
from warehouse import Warehouse, WarehouseSettings
from warehouse.errors import OverloadedError
from warehouse.quality import GateFailedError, GateResult, Outcome
from wiring.settings import Settings
from wiring.steward import failure_of

pytestmark = pytest.mark.integration
NOW = datetime(2026, 10, 1, 6, tzinfo=UTC)
ITEMS, PRODUCTS = "ods.commerce_order_items", "ods.commerce_products"
CHECK = FailedCheck(
    name="a price is never negative",
    table=ITEMS,
    columns=("sale_price",),
    rows_sql=f"select * from {ITEMS} where sale_price < 0 -- as dbt leaves it",
    observed="some rows",
)
FAILURE = Failure(kind="test", task="ods", recheck="path:models/ods", checks=(CHECK,))


# A check on a table with little around it, for what is not about the diagnosis.
COST = CHECK.model_copy(
    update={"table": PRODUCTS, "rows_sql": f"select * from {PRODUCTS} where cost < 0 or retail_price < 0"}
)
SMALL = FAILURE.model_copy(update={"checks": (COST,)})


def small() -> Case:
    return Case(failure=SMALL, asked_at=NOW)


def case(language: Any = "en", failure: Failure = FAILURE) -> Case:
    return Case(failure=failure, language=language, asked_at=NOW)


def rows_below_zero(reader: Warehouse) -> int:
    return len(reader.query(CHECK.rows_sql).rows)


def test_a_reload_mends_what_it_was_approved_for(
    steward: Callable[..., Steward], plants: Any, reader: Warehouse, tmp_path: Path
) -> None:
    with plants("negative", 3, share=0.0, source="order_items") as said:
        report = steward().examine(case("zh"), "r1")
        assert report.status == "explained"
        assert [(f.fault, f.rows) for f in report.findings] == [("negative", 3)]
        assert "有 3 个 `sale_price` 小于零" in report.text
        assert [p.action for p in report.proposals] == ["reload", "quarantine"]
        assert rows_below_zero(reader) == 3
        page = tmp_path / "reports" / "r1" / "index.html"
        assert "负值" in page.read_text("utf-8")
        done = steward().decide(case("zh"), "r1", "reload", by="ada", at=NOW, seen=report.waiting)
    assert done.decided is not None
    assert (done.decided.by, done.decided.holds) == ("ada", True)
    assert str(said.day) in done.decided.done[0]
    assert "检查通过" in page.read_text("utf-8")
    assert json.loads(page.with_name("answer.json").read_text("utf-8"))["status"] == "explained"


def test_rows_put_aside_are_kept_with_the_reason_and_the_day_counts_as_loaded_again(
    steward: Callable[..., Steward], plants: Any, reader: Warehouse, writer: Warehouse
) -> None:
    with plants("negative", 4, share=0.1, source="order_items") as said:
        size = f"select count(*), min(_loaded_at) from {ITEMS} where _day = '{said.day}'"
        ((before, loaded),) = reader.query(size).rows
        steward().examine(case(), "r2")
        done = steward().decide(case(), "r2", "quarantine", by="ada", at=NOW)
        assert done.decided is not None
        assert done.decided.holds
        ((after, again),) = reader.query(size).rows
        kept = reader.query(f"select reason, row from {QUARANTINE.name} where run_id = 'r2'").rows
        assert before - after == said.rows == len(kept)
        assert again > loaded
        assert all("negative" in reason and json.loads(row)["sale_price"] < 0 for reason, row in kept)
        # The same again changes nothing.
        steward().decide(case(), "r2", "quarantine", by="ada", at=NOW)
        assert reader.query(size).rows == [(after, again)]


def test_what_is_refused_is_left_and_a_second_decision_is_not_taken(
    steward: Callable[..., Steward], plants: Any, reader: Warehouse
) -> None:
    with plants("negative", 5, share=0.0, source="order_items"):
        steward().examine(case(), "r3")
        done = steward().decide(case(), "r3", "leave", by="ada", at=NOW)
        assert done.decided is not None
        assert (done.decided.action, done.decided.done) == ("leave", [])
        with pytest.raises(DecisionRefusedError, match="ada"):
            steward().decide(case(), "r3", "reload", by="bob", at=NOW)
        with pytest.raises(DecisionRefusedError, match="widen"):
            steward().decide(case(), "r3", "widen", by="bob", at=NOW)
        assert rows_below_zero(reader) == 3
        again = steward().examine(case(), "r3 again")
    assert [line for line in again.earlier if "ada refused what was proposed" in line]
    assert "**Earlier**" in (Path(again.report_path) / "report.md").read_text("utf-8")


def test_nothing_wrong_is_said_where_nothing_is(steward: Callable[..., Steward]) -> None:
    report = steward().examine(small(), "r4")
    assert (report.status, report.findings, report.proposals) == ("healthy", [], [])
    assert "Nothing wrong was found" in report.text


class Stopped(BaseException):
    """The process ends here."""


def test_a_run_stopped_after_any_step_ends_in_another_process_as_if_it_had_not_been(
    steward: Callable[..., Steward], plants: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run, stopped again and again: each process makes a few steps, and none twice."""

    def said(report: Any) -> Any:
        return report.model_dump(exclude={"run_id", "trace_id", "report_path", "waiting", "earlier"})

    with plants("negative", 6, share=0.0, source="products"):
        heard: list[Any] = []
        whole = steward(on_event=heard.append).examine(small(), "whole")
        calls = [event.detail for event in heard if event.kind == "tool_called"]
        put, left, again = Checkpoints.put, [0], []

        def dying(self: Checkpoints, *arguments: Any) -> Any:
            kept = put(self, *arguments)
            left[0] -= 1
            if not left[0]:
                raise Stopped
            return kept

        monkeypatch.setattr(Checkpoints, "put", dying)
        processes = 0
        while True:
            left[0], processes = 3, processes + 1
            try:
                ended = steward(on_event=again.append).examine(small(), "stopped")
                break
            except Stopped:
                continue
        assert processes > 3
        assert said(ended) == said(whole)
        assert sorted(e.detail for e in again if e.kind == "tool_called") == sorted(calls)


def test_a_killed_process_leaves_what_another_needs_to_go_on(
    steward: Callable[..., Steward],
    plants: Any,
    delivered: WarehouseSettings,
    dbt_target: Path,
    tmp_path: Path,
) -> None:
    with plants("negative", 6, share=0.0, source="products"):
        script = Path(__file__).with_name("killed_steward.py")
        asked = [
            delivered.warehouse_url,
            str(dbt_target / "manifest.json"),
            str(tmp_path),
            small().model_dump_json(),
        ]
        done = subprocess.run([sys.executable, str(script), *asked], check=False, timeout=120)
        assert done.returncode == -signal.SIGKILL
        heard: list[Any] = []
        report = steward(on_event=heard.append).examine(small(), "killed")
    assert [f.fault for f in report.findings] == ["negative"]
    assert "trace_lineage" not in "".join(event.detail for event in heard)


def test_over_its_budget_it_says_what_was_not_asked(steward: Callable[..., Steward], plants: Any) -> None:
    with plants("negative", 6, share=0.0, source="products"):
        report = steward().examine(small(), "poor", budget=Budget(tool_calls=4))
    assert report.status == "not_known"
    assert "The cause is not known" in report.text
    assert any("budget" in reason for reason in report.reasons)
    assert report.proposals == []


def test_a_question_that_hangs_is_left_out_and_said(
    means: Means, tmp_path: Path, plants: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warehouse answers all but one question; what the others show is told all the same."""
    registry = REGISTRY.copy()
    registry._tools["ask_about"] = replace(registry._tools["ask_about"], timeout_s=5.0, retries=0)
    ended = threading.Event()
    monkeypatch.setattr(Asking, "versions", lambda *_: ended.wait(60))
    monkeypatch.setattr(Asking, "_QUESTIONS", {**Asking._QUESTIONS, "versions": Asking.versions})
    steward = Steward(means, AgentSettings(state_dir=tmp_path, model=""))
    with plants("negative", 6, share=0.0, source="products"):
        run = replace(steward.run("hangs"), registry=registry)
        report = run_sync(steward.report(small(), run))
    ended.set()
    assert report.status == "explained"
    assert any("ask_about versions" in reason and "no result within" in reason for reason in report.reasons)


@pytest.mark.parametrize(("layer", "table"), [("dwd", "dwd.dwd_products"), ("dws", "dws.dws_sales_daily")])
def test_a_gate_above_ods_leads_to_the_loaded_table_that_has_the_fault(
    steward: Callable[..., Steward], plants: Any, layer: str, table: str
) -> None:
    month = {"month": "2026-09-01", "value": 1.0, "lowest": 2.0, "highest": 2.0}
    outcome = Outcome(table, "totals", "its sums agree", False, "1 of 2", (month,))
    refused = GateFailedError(GateResult(layer, "its suite", (outcome,), 0.1))
    failure = failure_of(refused, f"gate_{layer}", Settings.read())
    assert [check.table for check in failure.checks] == [table]
    with plants("negative", 6, share=0.0, source="products") as said:
        report = steward().examine(case("en", failure), f"gate-{layer}")
    assert [(f.fault, f.table, f.days) for f in report.findings] == [("negative", PRODUCTS, (said.day,))]
    assert all(one.startswith("ods.") for one in report.tables)


def engines_words(report: Any) -> list[str]:
    return [one.of for one in report.evidence if one.refused and one.refused in one.rows[0]]


def test_a_check_whose_table_is_gone_is_told_as_a_missing_table(
    steward: Callable[..., Steward], plants: Any, reader: Warehouse
) -> None:
    with plants("missing_table", 1, source="products"):
        assert not reader.tables([PRODUCTS])
        report = steward().examine(small(), "gone")
    assert (report.status, report.dropped) == ("explained", [])
    assert [(f.fault, f.table) for f in report.findings] == [("missing_table", PRODUCTS)]
    assert engines_words(report) == [f"rows that fail {COST.name}"]
    assert len(report.statements) == len({statement.text for statement in report.statements})
    assert any("check_again" in reason and PRODUCTS in reason for reason in report.reasons)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_warehouse_refuses_is_told_in_its_words(
    steward: Callable[..., Steward], writer: Warehouse, language: str
) -> None:
    writer.execute(f"alter table {PRODUCTS} rename column cost to price")
    try:
        report = steward().examine(case(language, SMALL), f"refused-{language}")
    finally:
        writer.execute(f"alter table {PRODUCTS} rename column price to cost")
    assert (report.status, report.dropped) == ("not_known", [])
    assert [(f.fault, f.table) for f in report.findings] == [("unknown", PRODUCTS)]
    assert len(engines_words(report)) == 4, "the check, the profile, the distributions and the versions"
    assert "`Unknown expression or function identifier 'cost'" in report.text


def test_a_check_of_a_model_that_is_gone_is_told_as_a_missing_table(reader: Warehouse) -> None:
    check = FailedCheck(name="a sale has a user", table="dwd.sales", rows_sql="select * from dwd.sales")
    (measured,) = Asking(reader, {}).failing(check, 0)
    (finding,) = diagnose(measured.signs)
    assert (finding.fault, finding.table) == ("missing_table", "dwd.sales")
    assert "Unknown" in measured.evidence.rows[0][0]


def test_a_warehouse_that_is_away_fails_the_task(
    steward: Callable[..., Steward], reader: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OverloadedError("too many queries")

    monkeypatch.setattr(type(reader), "query", away)
    with pytest.raises(TransientError, match="too many queries"):
        steward().examine(small(), "away")


def test_who_follows_it_can_end_it_and_go_on_later(steward: Callable[..., Steward]) -> None:
    async def cancelled() -> None:
        one = steward()
        run = one.run("followed")
        task = asyncio.create_task(one.report(small(), run))
        async for event in run.events():
            if event.stage == "evidence":
                run.cancel("seen enough")
        await task

    with pytest.raises(RunCancelledError, match="seen enough"):
        run_sync(cancelled())
    assert steward().examine(small(), "followed").status == "healthy"


def test_a_model_drives_the_same_graph_and_what_it_cannot_prove_is_dropped(
    steward: Callable[..., Steward], plants: Any
) -> None:
    """The model makes the rules' moves, and says two things of its own: one with a figure that is nowhere."""

    def script(asked: Asked) -> Say:
        if "write_report" not in asked.tools:
            return Say(error=ValueError("the model has no idea"))
        goal = json.loads(str(asked.messages[1].content))
        (finding,) = goal["findings"]
        cites = [cite for sign in finding["signs"] for cite in sign["cites"]]
        day = finding["days"][0]
        told = [
            {"text": f"On {day} 3 prices are negative values.", "finding": 0, "cites": cites},
            {"text": f"On {day} 4,711 orders were lost.", "cites": cites},
            {"text": "The rows came late.", "cites": cites},
            {"text": "Somebody made a mistake.", "cites": []},
        ]
        return Say(calls=(("write_report", {"statements": told}),))

    with plants("negative", 6, share=0.0, source="products"):
        report = steward(model=ScriptedModel(script)).examine(small(), "model")
    assert report.status == "explained"
    assert [s.text.split(" ", 2)[2] for s in report.statements] == ["3 prices are negative values."]
    assert [reason for _, reason in report.dropped] == [
        "4,711 is in none of the rows that it cites",
        "the signs that it cites are not those of 'late'",
        "it cites no row",
    ]
