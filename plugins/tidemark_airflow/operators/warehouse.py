"""Ingestion, transformation and the gates between layers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark_airflow.operators.base import TidemarkOperator
from tidemark_airflow.operators.steward import ExaminedOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wiring.settings import Settings


class IngestOperator(ExaminedOperator):
    """Load a range of logical days of the commerce sample, or the run's own day when none is given.

    Returns `{"first_day", "last_day", "rows": {table: rows}}`.
    """

    template_fields: Sequence[str] = ("start_day", "end_day")

    def __init__(self, *, start_day: str = "", end_day: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_day = start_day
        self.end_day = end_day

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from warehouse.ingestion import load_days
        from wiring.warehouse import open_warehouse

        first, last = self.days(context)
        with open_warehouse(settings) as warehouse:
            loaded = load_days(warehouse, first, last, progress=self.log.info)
        return {"first_day": first.isoformat(), "last_day": last.isoformat(), "rows": loaded.rows}

    def days(self, context: Context) -> tuple[date, date]:
        """The first and the last day to load. Raises `AirflowFailException` for what is no range."""
        if self.end_day and not self.start_day:
            raise AirflowFailException("end_day is given without start_day: give both, or only start_day.")
        run = context["dag_run"]
        interval = run.data_interval_start
        own = interval.date() if interval else run.run_after.date() - timedelta(days=1)
        first = date.fromisoformat(self.start_day) if self.start_day else own
        last = date.fromisoformat(self.end_day) if self.end_day else first
        if last < first:
            raise AirflowFailException(f"end_day {last} is before start_day {first}: swap them.")
        return first, last


class DbtOperator(ExaminedOperator):
    """`dbt build` of a selection, or of the whole project, tests included, in this process.

    Returns `{"model": n, "test": n, "seconds": s, "rows": {"dwd.dwd_orders": n}}`; a view has no row count.
    """

    template_fields: Sequence[str] = ("select",)

    def __init__(self, *, select: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.select = select

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from warehouse.dbt_runner import run_dbt

        result = run_dbt(settings.warehouse, ["build"], select=self.select or None)
        for node in result.nodes:
            self.log.info("%-8s %5.2f s  %s %s", node.status, node.seconds, node.kind, node.name)
        models = [node.name for node in result.nodes if node.kind == "model"]
        return {**result.counts(), "seconds": round(result.seconds, 2), "rows": table_rows(settings, models)}


class DbtDocsOperator(TidemarkOperator):
    """Write dbt's documentation, one self-contained file, for the page that Airflow hosts."""

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from warehouse.dbt_runner import run_dbt

        result = run_dbt(settings.warehouse, ["docs", "generate", "--static", "--no-compile"])
        return {"seconds": round(result.seconds, 2), "page": "/tidemark/docs/"}


def table_rows(settings: Settings, models: list[str]) -> dict[str, int]:
    """The rows of these models' tables, by qualified name."""
    from wiring.warehouse import open_warehouse

    with open_warehouse(settings, read_only=True) as warehouse:
        return {
            table.qualified_name: table.rows
            for table in warehouse.tables()
            if table.name in models and table.rows is not None
        }


class GateOperator(ExaminedOperator):
    """The Great Expectations checkpoint after a layer; a failed one ends the run here and names the figures.

    A day that has not come is late once the daily DAG `loader` has had its turn at the last one that is due;
    until then, as after a pause of the stack, the gate is retried. Returns `{"layer", "expectations": n,
    "seconds": s}`.
    """

    def __init__(self, *, layer: str, loader: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.loader = loader

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from warehouse.quality import GateLateError, run_gate

        # Asked before the gate looks: a load that ends in between has brought its day.
        had_its_turn = bool(self.loader) and self.loaded_yesterday(context)
        result = run_gate(settings.warehouse, self.layer)
        for outcome in result.outcomes:
            self.log.log(20 if outcome.passed else 40, "%s %s", "ok" if outcome.passed else "FAILED", outcome)
        try:
            result.raise_on_failure()
        except GateLateError as late:
            if had_its_turn:
                raise AirflowFailException(str(late)) from late
            raise
        return {
            "layer": result.layer,
            "expectations": len(result.outcomes),
            "seconds": round(result.seconds, 2),
        }

    def loaded_yesterday(self, context: Context) -> bool:
        """Whether the loader's run of the last whole day is over, whatever came of it."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        over = context["ti"].get_dr_count(
            dag_id=self.loader, logical_dates=[today - timedelta(days=1)], states=["success", "failed"]
        )
        return over > 0
