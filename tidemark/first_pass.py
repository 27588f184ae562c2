"""The newcomer's pass: stack up, days loaded, the main DAG through Airflow's API, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape

from embedded.airflow import AirflowApi
from embedded.errors import EmbeddedError
from embedded.settings import EmbeddedSettings
from embedded.stack import Stack
from tidemark.console import console, fail
from tidemark.stack import client_settings, plain_errors, show
from wiring.project import connected
from wiring.warehouse import Warehouse, open_warehouse

INGESTION, PIPELINE, ASK, WEEKLY = "commerce_ingestion", "tidemark_pipeline", "ask", "weekly_report"
HISTORY_DAYS = 400
ANSWERS = ("answer_questions", "answer_about_runs")
AIRFLOWS_WORDS = "Task failed with exception "
MARKS = {"success": "[green]✓[/green]", "failed": "[red]✗[/red]", "skipped": "[dim]-[/dim]"}


def run(
    once: Annotated[bool, typer.Option("--once", help="Stop the stack at the end.")] = False,
    days: Annotated[int, typer.Option(min=1, help="Days of sample history to load.")] = HISTORY_DAYS,
) -> None:
    """Start the stack, make one full pass, say what was found and where to look."""
    began = time.monotonic()
    with plain_errors():
        stack = Stack()
        try:
            console.print("[bold]stack[/bold]")
            stack.up(show)
            with open_warehouse(client_settings()) as warehouse:
                result = full_pass(AirflowApi.of(stack.settings), warehouse, days)
                summary(stack.settings, warehouse, result)
            console.print(f"\nOne full pass in {time.monotonic() - began:.0f} s.")
        finally:
            if once:
                stack.stop(show)


def full_pass(airflow: AirflowApi, warehouse: Warehouse, days: int) -> dict[str, Any]:
    """Load what misses, run the main DAG and the small ones; returns the main DAG's results by task id."""
    for dag_id in (INGESTION, PIPELINE, ASK, WEEKLY):
        airflow.wait_for_dag(dag_id)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    missing = missing_days(warehouse, yesterday, days)
    if missing is None:
        console.print(f"[green]✓[/green] the commerce sample is there up to {yesterday}")
    else:
        conf = {"start_day": missing[0].isoformat(), "end_day": missing[1].isoformat()}
        follow(airflow, INGESTION, airflow.trigger(INGESTION, conf), f"loads {missing[0]} to {missing[1]}")
    # The hour or the fresh asset may have asked for a run already, and one pass is enough; but a run that was
    # under way while days were loaded may have missed them.
    states = {"queued", "running"} if missing is None else {"queued"}
    run_id = pending_run(airflow, PIPELINE, states) or airflow.trigger(PIPELINE)
    follow(airflow, PIPELINE, run_id, "transforms, checks, asks, reports")
    # Of a connected project nobody knows here what to ask.
    ask = () if connected(client_settings()) else ((ASK, "asks one question"),)
    for dag_id, what in (*ask, (WEEKLY, "writes the week's report")):
        if not any(run["state"] == "success" for run in airflow.dag_runs(dag_id)):
            follow(airflow, dag_id, airflow.trigger(dag_id), what)
    return {
        task["task_id"]: airflow.xcom(PIPELINE, run_id, task["task_id"])
        for task in airflow.task_instances(PIPELINE, run_id)
        if task["task_id"] in {*ANSWERS, "report"}
    }


def pending_run(airflow: AirflowApi, dag_id: str, states: set[str]) -> str | None:
    """The newest run in one of these states."""
    return next((str(run["dag_run_id"]) for run in airflow.dag_runs(dag_id) if run["state"] in states), None)


def missing_days(warehouse: Warehouse, yesterday: date, days: int) -> tuple[date, date] | None:
    """The range of logical days to load, or None when yesterday is there."""
    newest = None
    if warehouse.tables(["ods.commerce_orders"]):
        count, newest = warehouse.query("select count(*), max(_day) from ods.commerce_orders").rows[0]
        newest = newest if count else None
    if newest is None:
        return yesterday - timedelta(days=days - 1), yesterday
    return None if newest >= yesterday else (newest + timedelta(days=1), yesterday)


def follow(airflow: AirflowApi, dag_id: str, run_id: str, what: str) -> None:
    """Print each task of a run as it ends; raise with the failing task's last words."""
    airflow.unpause(dag_id)
    console.print(f"[bold]{dag_id}[/bold] {what}")
    told: set[tuple[str, int]] = set()
    with _waiting() as say:
        while True:
            state = airflow.dag_run(dag_id, run_id)["state"]
            tasks = airflow.task_instances(dag_id, run_id)
            for task in tasks:
                key = (task["task_id"], task["map_index"])
                if task["state"] in MARKS and key not in told:
                    told.add(key)
                    _tell(task)
            running = [_title(task) for task in tasks if task["state"] == "running"]
            say(", ".join(running) or ("waits for a place" if state == "queued" else "scheduling"))
            if state == "success":
                return
            if state == "failed":
                raise EmbeddedError(_reason(airflow, dag_id, run_id, tasks))
            time.sleep(0.4)


def _tell(task: dict[str, Any]) -> None:
    console.print(f"  {MARKS[task['state']]} {escape(_title(task)):<44} {task['duration'] or 0:6.1f} s")


def _title(task: dict[str, Any]) -> str:
    label = task.get("rendered_map_index")
    return f"{task['task_id']}: {label}" if label else str(task["task_id"])


def _reason(airflow: AirflowApi, dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> str:
    failed = next((task for task in tasks if task["state"] == "failed"), None)
    if failed is None:
        return f"{dag_id} failed; see {run_id} in Airflow"
    log = airflow.task_log(dag_id, run_id, failed["task_id"], failed["try_number"], failed["map_index"])
    lines = (
        [line for line in log.splitlines() if " error " in line] or log.splitlines() or ["its log is empty"]
    )
    return f"{dag_id}.{failed['task_id']} failed: {lines[-1].partition(AIRFLOWS_WORDS)[2] or lines[-1]}"


@contextmanager
def _waiting() -> Iterator[Any]:
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda text: status.update(f"  {escape(text)}")


def summary(settings: EmbeddedSettings, warehouse: Warehouse, result: dict[str, Any]) -> None:
    """Rows in each layer, the questions and what became of them, and where to look."""
    there = warehouse.tables()
    console.print("\n[bold]Layers[/bold]")
    for layer in ("ods", "dwd", "dws", "ads"):
        rows = [table.rows or 0 for table in there if table.database == layer]
        console.print(f"  {layer}  {sum(rows):>12,} rows in {len(rows)} tables")

    answers = [answer for task in ANSWERS for answer in result.get(task) or []]
    if not answers:
        fail("the main DAG answered no question; see its log in Airflow")
    console.print("\n[bold]Questions[/bold]")
    for answer in answers:
        headline, note = in_short(answer["text"])
        console.print(f"  {answer['status']:<9} {escape(answer['question'])}")
        console.print(f"            [green]{escape(headline)}[/green]")
        if note:
            console.print(f"            [dim]{escape(note)}[/dim]")

    secrets = settings.airflow_secrets
    report = (result.get("report") or {}).get("path", settings.home / "reports")
    console.print("\n[bold]Where to look[/bold]")
    for name, where in (
        ("report", report),
        ("Airflow", f"{settings.airflow_url}  (user {secrets.user}, password {secrets.password})"),
        ("reports", f"{settings.airflow_url}/tidemark/reports/"),
        ("dbt docs", f"{settings.airflow_url}/tidemark/docs/"),
        ("logs", f"{settings.log_dir}  (`make logs`, `make status`)"),
    ):
        console.print(f"  {name:<9} {where}")


def in_short(text: str) -> tuple[str, str]:
    """An answer's first line, and its note: what was assumed, which period is not over."""
    lines = text.replace("**", "").splitlines()
    notes = [line.strip("_") for line in lines[1:] if line.startswith("_") and line.endswith("_")]
    return lines[0], " ".join(notes)
