"""Ingestion, transformation and the gates between layers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException

from tidemark_airflow.operators.base import TidemarkOperator

if TYPE_CHECKING:
    from collections.abc import Sequence


class IngestOperator(TidemarkOperator):
    """Load a range of logical days of the commerce sample, or the run's own day when none is given.

    Returns `{"first_day", "last_day", "rows": {table: rows}}`.
    """

    template_fields: Sequence[str] = ("start_day", "end_day")

    def __init__(self, *, start_day: str = "", end_day: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_day = start_day
        self.end_day = end_day

    def perform(self, context: Context) -> dict[str, Any]:
        from warehouse import WarehouseSettings, connect
        from warehouse.ingestion import load_days

        first, last = self._days(context)
        warehouse = connect(WarehouseSettings())
        try:
            rows = load_days(warehouse, first, last)
        finally:
            warehouse.close()
        return {"first_day": first.isoformat(), "last_day": last.isoformat(), "rows": rows}

    def _days(self, context: Context) -> tuple[date, date]:
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


class DbtOperator(TidemarkOperator):
    """`dbt build` of a selection, in this process.

    Returns `{"models": n, "tests": n, "seconds": s, "rows": {"dwd.dwd_orders": rows}}`.
    """

    template_fields: Sequence[str] = ("select",)

    def __init__(self, *, select: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.select = select

    def perform(self, context: Context) -> dict[str, Any]:
        from warehouse.dbt_runner import run_dbt

        from warehouse import WarehouseSettings

        return run_dbt(WarehouseSettings(), ["build", "--select", self.select])


class GateOperator(TidemarkOperator):
    """The Great Expectations checkpoint after a layer; a failed one ends the run here and names the rows.

    Returns `{"layer", "expectations": n, "seconds": s}`.
    """

    def __init__(self, *, layer: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def perform(self, context: Context) -> dict[str, Any]:
        from warehouse import WarehouseSettings
        from warehouse.quality import run_gate

        result = run_gate(WarehouseSettings(), self.layer)
        for outcome in result.outcomes:
            self.log.log(20 if outcome.passed else 40, "%s %s", "ok" if outcome.passed else "FAILED", outcome)
        result.raise_on_failure()
        return {
            "layer": result.layer,
            "expectations": len(result.outcomes),
            "seconds": round(result.seconds, 2),
        }
