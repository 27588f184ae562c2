"""What BigQuery spells or means otherwise than the other engines do."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sqlglot import exp, parse_one

from warehouse.bigquery.grains import part_of, shifted, start_of
from warehouse.bigquery.lexicon import BIGQUERY
from warehouse.bigquery.quantiles import continuous
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

    def part(self, part: str, moment: exp.Expr) -> exp.Expr:
        return parse_one(part_of(part, self.render(moment)), dialect=self.name)

    def quantile(self, value: exp.Expr, level: float) -> exp.Expr:
        sql = continuous(Fraction(str(level)), self.render(self.as_float(value)))
        return parse_one(sql, dialect=self.name)

    def shifted(self, moment: exp.Expr, grain: str, steps: int) -> exp.Expr:
        return parse_one(shifted(self.render(moment), grain, steps), dialect=self.name)


DIALECT = BigQueryDialect()
