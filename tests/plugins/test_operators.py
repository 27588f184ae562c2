"""The operators on a real warehouse server: which days, what is waited for, which errors end a task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from tidemark_airflow.errors import permanent_errors_fail
from tidemark_airflow.operators import DbtOperator, GateOperator, IngestOperator, WaitForTelemetrySensor
from tidemark_airflow.operators.agents import TelemetryLateError
from tidemark_airflow.operators.base import TidemarkOperator
from warehouse import PermanentError, TransientError, Warehouse, WarehouseSettings, connect
from warehouse.quality import GateLateError, GateResult, Outcome
from warehouse_process import warehouse_server
from wiring.project import Project, keep
from wiring.settings import Settings


def run_of(day: datetime | None) -> Any:
    """The context of a scheduled run of a day, or of a manual run without one."""
    run = SimpleNamespace(data_interval_start=day, run_after=datetime(2026, 5, 4, 12, tzinfo=UTC))
    return {"dag_run": run}


@pytest.mark.parametrize(
    ("start", "end", "interval", "days"),
    [
        ("", "", datetime(2026, 5, 1, tzinfo=UTC), ("2026-05-01", "2026-05-01")),
        ("", "", None, ("2026-05-03", "2026-05-03")),
        ("2026-02-27", "", None, ("2026-02-27", "2026-02-27")),
        ("2026-02-27", "2026-03-02", datetime(2026, 5, 1, tzinfo=UTC), ("2026-02-27", "2026-03-02")),
    ],
)
def test_a_run_loads_its_own_day_unless_it_is_given_others(
    start: str, end: str, interval: datetime | None, days: tuple[str, str]
) -> None:
    operator = IngestOperator(task_id="load", start_day=start, end_day=end)
    assert tuple(day.isoformat() for day in operator.days(run_of(interval))) == days


@pytest.mark.parametrize(("start", "end"), [("", "2026-01-01"), ("2026-01-02", "2026-01-01")])
def test_days_that_are_no_range_end_the_task(start: str, end: str) -> None:
    with pytest.raises(AirflowFailException, match="start_day"):
        IngestOperator(task_id="load", start_day=start, end_day=end).days(run_of(None))


@pytest.mark.parametrize(
    ("raised", "seen"),
    [(PermanentError("broken"), AirflowFailException), (TransientError("away"), TransientError)],
)
def test_only_permanent_errors_end_a_task_at_once(raised: Exception, seen: type[Exception]) -> None:
    with pytest.raises(seen, match=str(raised)), permanent_errors_fail():
        raise raised


class Told(TidemarkOperator):
    """Returns where its settings lead."""

    def perform(self, context: Any, settings: Settings) -> Any:
        return str(settings.warehouse.dbt_project_dir)


def test_a_task_is_about_the_connected_project_when_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    sample = Told(task_id="sample").execute({})
    assert Told(task_id="none", connected=True).execute({}) == sample
    project = Project(
        name="clinic",
        folder=tmp_path / "clinic",
        artifacts=tmp_path / "artifacts",
        warehouse_url=Settings.read().warehouse.warehouse_url,
    )
    keep(Settings.read(), project)
    assert Told(task_id="theirs", connected=True).execute({}) == str(tmp_path / "clinic")
    assert Told(task_id="ours").execute({}) == sample


def first_poke(at: datetime | None = None) -> Any:
    """The context of a sensor's first look, or of a later one after a first `at`."""
    return {"ti": SimpleNamespace(get_first_reschedule_date=lambda _: at)}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with (
        warehouse_server(tmp_path_factory.mktemp("data")) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TIDEMARK_WAREHOUSE_URL", server.url)
        client = connect(WarehouseSettings())
        client.execute("create database if not exists ods engine = Atomic")
        client.execute(
            "create table ods.agent_executions (trace_id String, span_id String) "
            "engine = MergeTree order by ()"
        )
        yield client
        client.close()


@pytest.mark.integration
def test_a_day_loaded_twice_changes_nothing(warehouse: Warehouse) -> None:
    operator = IngestOperator(task_id="load", start_day="2026-05-01", end_day="2026-05-02")
    count = "select count(), sum(cityHash64(id, status, sale_price)) from ods.commerce_order_items"
    first = operator.perform(run_of(None), Settings.read())
    held = warehouse.query(count).rows
    assert operator.perform(run_of(None), Settings.read()) == first
    assert warehouse.query(count).rows == held
    assert first["rows"]["ods.commerce_order_items"] == held[0][0] > 0


@pytest.mark.integration
def test_the_wait_ends_when_every_span_is_there_and_says_what_is_late(warehouse: Warehouse) -> None:
    warehouse.execute(
        "insert into ods.agent_executions values ('a', '1'), ('a', '2'), ('b', '3'), ('b', '3')"
    )
    there = [{"spans": {"a": 2}}, {"spans": {"b": 1}}]
    waited = WaitForTelemetrySensor(task_id="wait", answers=there).execute(first_poke())
    assert (waited["spans"], waited["runs"]) == (3, 2)
    late = WaitForTelemetrySensor(task_id="wait", answers=[{"spans": {"a": 2, "b": 2}}], patience=0.2)
    with pytest.raises(TelemetryLateError, match=r"1 of 4 spans .*traces b\b"):
        late.execute(first_poke())


@pytest.mark.integration
def test_spans_that_are_long_in_coming_hold_no_task_slot(warehouse: Warehouse) -> None:
    sensor = WaitForTelemetrySensor(task_id="wait", answers=[{"spans": {"never": 1}}], held=0)
    with pytest.raises(AirflowRescheduleException):
        sensor.execute(first_poke())
    # Looked for again: the wait is counted from the first time.
    with pytest.raises(TelemetryLateError, match="after 300 s"):
        sensor.execute(first_poke(datetime.now(UTC) - timedelta(seconds=300)))


@pytest.mark.integration
def test_a_gate_without_its_tables_ends_the_task(warehouse: Warehouse) -> None:
    with pytest.raises(AirflowFailException, match="Build layer dws first"), permanent_errors_fail():
        GateOperator(task_id="gate", layer="dws").perform({}, Settings.read())


@pytest.mark.parametrize(
    ("runs_over", "seen"), [(0, GateLateError), (1, AirflowFailException)], ids=["catching up", "late"]
)
def test_a_day_is_late_when_its_loader_has_had_its_turn(
    monkeypatch: pytest.MonkeyPatch, runs_over: int, seen: type[Exception]
) -> None:
    old = ({"newest_day": "2026-05-01", "value": 9.0, "highest": 2.0},)
    late = Outcome(
        "ods.commerce_orders", "freshness", "the newest day is 2026-05-08 or later", False, "", old
    )
    monkeypatch.setattr("warehouse.quality.run_gate", lambda *_: GateResult("ods", "a file", (late,), 0.1))
    asked: list[dict[str, Any]] = []

    def get_dr_count(**about: Any) -> int:
        asked.append(about)
        return runs_over

    context: Any = {"ti": SimpleNamespace(get_dr_count=get_dr_count)}
    gate = GateOperator(task_id="gate", layer="ods", loader="commerce_ingestion")
    with pytest.raises(seen, match="the newest day is"), permanent_errors_fail():
        gate.perform(context, Settings.read())
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    (about,) = asked
    assert (about["dag_id"], about["logical_dates"]) == ("commerce_ingestion", [midnight - timedelta(days=1)])


def test_dbt_on_a_warehouse_that_is_away_is_retried(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TIDEMARK_DBT_TARGET_DIR", str(tmp_path))
    with pytest.raises(TransientError), permanent_errors_fail():
        DbtOperator(task_id="dwd", select="dwd_users").perform({}, Settings.read())
