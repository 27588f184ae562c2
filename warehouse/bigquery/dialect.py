"""What BigQuery spells or means otherwise than the other engines do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlglot import exp

from warehouse.bigquery.lexicon import BIGQUERY
from warehouse.dialect import Dialect


class BigQueryDialect(Dialect):
    """GoogleSQL."""

    name = "bigquery"
    guard = BIGQUERY

    @property
    def semantic(self) -> Any:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.big_query import BigQuerySqlPlanRenderer

        return SimpleNamespace(
            sql_engine_type=SqlEngine.BIGQUERY, sql_plan_renderer=BigQuerySqlPlanRenderer()
        )

    def start_of(self, grain: str, moment: exp.Expr) -> exp.Expr:
        unit = exp.Var(this="ISOWEEK" if grain == "week" else grain.upper())
        if grain in ("year", "quarter", "month", "week", "day"):
            return exp.func("DATE_TRUNC", exp.Date(this=moment), unit, dialect=self.name)
        return exp.TimestampTrunc(this=moment, unit=unit)

    def shifted(self, moment: exp.Expr, grain: str, steps: int) -> exp.Expr:
        interval = exp.Interval(this=exp.Literal.number(abs(steps)), unit=exp.Var(this=grain.upper()))
        return (exp.Sub if steps < 0 else exp.Add)(this=moment, expression=interval)


DIALECT = BigQueryDialect()
