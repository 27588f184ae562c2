"""From a failed dbt test to the report, the decision and the test again: the operators, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from agents.steward.case import FailedCheck, Failure
from tidemark_airflow.operators import (
    DbtOperator,
    DecideOperator,
    MendOperator,
    ProposeOperator,
    StewardOperator,
)
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.dbt_runner import run_dbt
from warehouse.ingestion import load_days
from warehouse.ingestion.schema import TABLES, Table
from warehouse_process import warehouse_server

ORDER_ITEMS = next(table for table in TABLES if table.source == "order_items")
PRODUCTS = next(table for table in TABLES if table.source == "products")
ROOT = Path(__file__).resolve().parents[2]
FIRST, DAY, LAST = date(2026, 3, 1), date(2026, 3, 12), date(2026, 3, 16)
NOW = datetime(2026, 3, 17, 6, tzinfo=UTC)
BELOW_ZERO = f"select count(*) from {ORDER_ITEMS.name} where sale_price < 0"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Two weeks of deliveries, in one of which three prices are below zero."""
    state = tmp_path_factory.mktemp("state")
    with (
        warehouse_server(tmp_path_factory.mktemp("data")) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TIDEMARK_WAREHOUSE_URL", server.url)
        patch.setenv("TIDEMARK_STATE_DIR", str(state))
        patch.setenv("TIDEMARK_DBT_PROJECT_DIR", str(ROOT / "dbt"))
        patch.setenv("TIDEMARK_DBT_TARGET_DIR", str(state / "dbt"))
        # Telemetry waits in the spool.
        patch.setenv("TIDEMARK_KAFKA_BOOTSTRAP", "127.0.0.1:9")
        patch.setenv("TIDEMARK_FLUSH_SECONDS", "0.1")
        settings = WarehouseSettings()
        client = connect(settings)
        load_days(client, FIRST, LAST)
        rows = client.query(f"select * from {ORDER_ITEMS.name} where _day = '{DAY}'").records()
        for row in rows[:3]:
            row["sale_price"] = -row["sale_price"]
        replace(client, ORDER_ITEMS, rows)
        run_dbt(settings, ["parse"])
        yield client
        client.close()


def replace(client: Warehouse, table: Table, rows: list[dict[str, Any]]) -> None:
    client.replace_days(table.spec, [DAY], pa.Table.from_pylist(rows, schema=table.spec.arrow))


class Ti:
    """What the operators use of a task instance: results by task and key."""

    dag_id, run_id = "tidemark_pipeline", "manual__1"

    def __init__(self, task_id: str, kept: dict[tuple[str, str], Any]) -> None:
        self.task_id, self._kept = task_id, kept
        self.id = task_id

    def xcom_push(self, key: str, value: Any) -> None:
        self._kept[self.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self._kept.get((task_ids, key))


@pytest.mark.integration
def test_a_failed_test_is_explained_decided_about_mended_and_passes(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[tuple[str, str], Any] = {}

    def context(task: str, conf: Any = None) -> Any:
        return {"ti": Ti(task, kept), "dag_run": SimpleNamespace(run_after=NOW, conf=conf)}

    with DAG("pipeline", schedule=None):
        ods = DbtOperator(task_id="ods", select="source:commerce.commerce_order_items")
        steward = StewardOperator(task_id="steward")
        ods >> steward
    with pytest.raises(AirflowFailException, match="3 failing rows"):
        ods.execute(context("ods"))
    assert steward.trigger_rule == "one_failed"
    told = steward.execute(context("steward"))
    assert told["status"] == "explained"
    assert f"3 values of `sale_price` on {DAY} in `{ORDER_ITEMS.name}` are below zero" in told["text"]
    assert list(told["actions"]) == ["reload", "quarantine"]
    assert ods.operator_extra_links[0].get_link(ods, ti_key=None) == told["report"]

    def shown(**detail: Any) -> None:
        assert detail["options"] == ["Load the days again", "Put the rows aside", "Leave it as it is"]
        assert "negative values" in detail["body"]
        assert f"- **Load the days again**: Load {DAY} again from the source" in detail["body"]
        assert (
            f"- **Put the rows aside**: Put 3 rows of `{ORDER_ITEMS.name}` of {DAY} aside" in detail["body"]
        )

    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", shown)
    decide = DecideOperator(task_id="decide")
    asked = {**context("decide", told), "task_instance": SimpleNamespace(id="1")}
    with pytest.raises(TaskAwaitingInput):
        decide.execute(asked)

    decision = {
        "chosen_options": ["Load the days again"],
        "responded_at": NOW.isoformat(),
        "responded_by_user": {"id": "1", "name": "ada"},
    }
    assert warehouse.query(BELOW_ZERO).rows == [(3,)]
    mended = MendOperator(task_id="mend", decision=decision).execute(context("mend", told))
    assert mended["done"] == [f"loaded {DAY} again"]
    assert warehouse.query(BELOW_ZERO).rows == [(0,)]
    assert ods.execute(context("ods"))["test"] >= 1


@pytest.mark.integration
def test_a_failed_test_of_dwd_leads_to_the_table_of_ods_that_has_the_fault(warehouse: Warehouse) -> None:
    held = warehouse.query(f"select * from {PRODUCTS.name} where _day = '{DAY}'").records()
    broken = [{**row, "distribution_center_id": 10**9 + n} for n, row in enumerate(held[:3])]
    replace(warehouse, PRODUCTS, [*broken, *held[3:]])
    kept: dict[tuple[str, str], Any] = {}
    with DAG("pipeline", schedule=None):
        dwd = DbtOperator(task_id="dwd", select="dwd_distribution_centers dwd_products")
        steward = StewardOperator(task_id="steward")
        dwd >> steward
    try:
        with pytest.raises(AirflowFailException, match="relationships_dwd_products"):
            dwd.execute({"ti": Ti("dwd", kept)})  # type: ignore[typeddict-item]
        ti = Ti("steward", kept)
        ti.run_id = "dwd"
        told = steward.execute({"ti": ti, "dag_run": SimpleNamespace(run_after=NOW)})  # type: ignore[typeddict-item]
    finally:
        replace(warehouse, PRODUCTS, held)
    assert told["status"] == "explained"
    assert f"**broken reference** in `{PRODUCTS.name}` on {DAY}" in told["text"]
    assert list(told["actions"]) == ["reload", "quarantine"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("language", "told", "option"),
    [("en", "The cause is not known", "Leave it as it is"), ("zh", "原因不明", "保持原样")],
)
def test_the_report_and_the_question_are_in_the_language_of_the_runs_form(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, language: str, told: str, option: str
) -> None:
    check = FailedCheck(name="centers", table="ods.commerce_distribution_centers")
    failure = Failure(kind="load", task="ods", message="It was stopped", checks=(check,))
    kept: dict[tuple[str, str], Any] = {("ods", "failure"): failure.model_dump(mode="json")}
    with DAG("pipeline", schedule=None):
        steward = StewardOperator(task_id="steward", language="{{ params.language }}")
        DbtOperator(task_id="ods", select="x") >> steward
    ti = Ti("steward", kept)
    ti.run_id = f"form_{language}"
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(run_after=NOW), "params": {"language": language}}
    steward.render_template_fields(context)
    report = steward.execute(context)
    assert report["case"]["language"] == language
    assert told in report["text"]
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **_: None)
    decide = DecideOperator(task_id="decide")
    asked: Any = {"dag_run": SimpleNamespace(conf=report), "task_instance": SimpleNamespace(id="1")}
    with pytest.raises(TaskAwaitingInput):
        decide.execute(asked)
    assert decide.options == [option]


def test_nothing_is_asked_where_nothing_can_be_done() -> None:
    with pytest.raises(AirflowSkipException, match="Nothing is proposed"):
        ProposeOperator(task_id="propose", report={"actions": []}).execute({})


def test_a_failure_that_left_no_word_is_no_case() -> None:
    with DAG("pipeline", schedule=None):
        steward = StewardOperator(task_id="steward")
        DbtOperator(task_id="ods", select="x") >> steward
    with pytest.raises(AirflowSkipException, match="no word"):
        steward.perform({"ti": Ti("steward", {})}, None)


def test_a_failure_stays_what_it_was_when_the_steward_cannot_be_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDEMARK_DBT_PROJECT_DIR", str(tmp_path))
    with pytest.raises(AirflowFailException, match="is no dbt project"):
        DbtOperator(task_id="ods", select="x").execute({})
