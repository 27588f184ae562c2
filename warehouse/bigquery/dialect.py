"""What BigQuery spells or means otherwise than the other engines do."""

from __future__ import annotations

from typing import Any

from sqlglot import exp, parse_one

from warehouse.bigquery.grains import shifted, start_of
from warehouse.bigquery.lexicon import BIGQUERY
from warehouse.dialect import Dialect


class BigQueryDialect(Dialect):
    """GoogleSQL. A date is never compared with a time here: BigQuery has no such comparison."""

    name = "bigquery"
    guard = BIGQUERY

    @property
    def semantic(self) -> Any:
        from warehouse.bigquery.semantic import MetricFlowClient

        return MetricFlowClient(self)

    def start_of(self, grain: str, moment: exp.Expr) -> exp.Expr:
        return parse_one(start_of(grain, self.render(moment)), dialect=self.name)

    def shifted(self, moment: exp.Expr, grain: str, steps: int) -> exp.Expr:
        return parse_one(shifted(self.render(moment), grain, steps), dialect=self.name)


DIALECT = BigQueryDialect()
