"""What ClickHouse spells or means otherwise than the other engines do."""

from __future__ import annotations

from typing import Any

from sqlglot import exp, parse_one

from warehouse.clickhouse.grains import PARTS, start_of
from warehouse.clickhouse.lexicon import CLICKHOUSE
from warehouse.dialect import Dialect


class ClickHouseDialect(Dialect):
    """ClickHouse's SQL; the queries need `join_use_nulls = 1`, which the client sets."""

    name = "clickhouse"
    guard = CLICKHOUSE

    @property
    def semantic(self) -> Any:
        from warehouse.clickhouse.semantic import MetricFlowClient

        return MetricFlowClient(self)

    def render(self, tree: exp.Expr, *, pretty: bool = False) -> str:
        if tree.find(exp.IntDiv):
            tree = tree.transform(_exact_division)
        return super().render(tree, pretty=pretty)

    def start_of(self, grain: str, moment: exp.Expr) -> exp.Expr:
        return parse_one(start_of(grain, self.render(moment)), dialect=self.name)

    def shifted(self, moment: exp.Expr, grain: str, steps: int) -> exp.Expr:
        interval = exp.Interval(this=exp.Literal.number(abs(steps)), unit=exp.Var(this=grain.upper()))
        return (exp.Sub if steps < 0 else exp.Add)(this=moment, expression=interval)

    def part(self, part: str, moment: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this=PARTS[part], expressions=[moment])

    def quantile(self, value: exp.Expr, level: float) -> exp.Expr:
        sql = f"quantileExactInclusiveOrNull({level!r})({self.render(self.as_float(value))})"
        return parse_one(sql, dialect=self.name)

    def as_float(self, value: exp.Expr) -> exp.Expr:
        # A cast to a nullable type would make a sum over no rows null.
        return exp.Anonymous(this="toFloat64", expressions=[value])

    def as_text(self, value: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="toString", expressions=[value])

    def previous(self, value: exp.Expr, order: exp.Expr) -> exp.Expr:
        # Of a type that cannot be null, the first row's would be 0 or 1970-01-01.
        nullable = exp.Anonymous(this="toNullable", expressions=[value])
        return self._over(exp.Anonymous(this="lagInFrame", expressions=[nullable]), order)


def _exact_division(node: exp.Expr) -> exp.Expr:
    """intDiv(a, b) for `a DIV b`; the printer's own CAST(a / b AS ...) rounds beyond 2^53."""
    if isinstance(node, exp.IntDiv):
        return exp.Anonymous(this="intDiv", expressions=[node.this, node.expression])
    return node


DIALECT = ClickHouseDialect()
