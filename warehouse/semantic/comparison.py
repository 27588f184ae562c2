"""Two periods of one query set side by side in one statement."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from warehouse.dialect import Dialect, column, ordered
from warehouse.errors import SemanticError
from warehouse.semantic.model import MetricQuery

ABS_CHANGE = "abs_change"


def comparison_sql(
    query: MetricQuery, current: str, previous: str, zeros: Collection[str], dialect: Dialect
) -> str:
    """Both compiled periods, stacked and folded by the group-by items.

    Stacking keeps groups that only one period has, and groups whose key is NULL, without a full join. In a
    group that one period lacks, the metrics in `zeros` are 0 there and any other is NULL.
    """
    _check_columns(query)
    # The layer's names begin with a letter, so those that begin with an underscore cannot be one of them.
    keys = [column(name, "_periods") for name in query.group_by]
    folded = [key.as_(key.name, quoted=True) for key in keys]
    columns: list[exp.Expr] = [column(name, "_folded") for name in query.group_by]
    for metric in query.metrics:
        for name, period in ((metric, 1), (f"{metric}_previous", 0)):
            is_of_period = column("_is_current", "_periods").eq(period)
            value: exp.Expr = exp.Max(this=exp.case().when(is_of_period, column(metric, "_periods")))
            if metric in zeros:
                value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
            folded.append(value.as_(name, quoted=True))
        now, before = column(metric, "_folded"), column(f"{metric}_previous", "_folded")
        rate = dialect.ratio(now - before, exp.Abs(this=before))
        columns += [now, before]
        columns += [(now - before).as_(f"{metric}_change", quoted=True)]
        columns += [rate.as_(f"{metric}_change_rate", quoted=True)]
    stacked = exp.union(
        *(
            exp.select("*", f"{period} AS _is_current").from_(dialect.parse(sql).subquery(alias))
            for sql, alias, period in ((current, "_current", 1), (previous, "_previous", 0))
        ),
        distinct=False,
    )
    inner = exp.select(*folded).from_(stacked.subquery("_periods")).group_by(*keys)
    outer = exp.select(*columns).from_(inner.subquery("_folded"))
    order = [ordered(_order_expression(name, query), direction) for name, direction in query.order_by]
    order += [ordered(column(name)) for name in query.group_by if name not in dict(query.order_by)]
    if order:
        outer = outer.order_by(*order)
    if query.limit is not None:
        outer = outer.limit(query.limit)
    return dialect.render(outer, pretty=True)


def _columns(query: MetricQuery) -> list[str]:
    suffixes = ("", "_previous", "_change", "_change_rate")
    return [*query.group_by, *(f"{metric}{suffix}" for metric in query.metrics for suffix in suffixes)]


def _check_columns(query: MetricQuery) -> None:
    columns = _columns(query)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise SemanticError(
            f"{', '.join(twice)} would be the name of two columns. Compare these metrics one by one."
        )


def _order_expression(name: str, query: MetricQuery) -> exp.Expr:
    if name == ABS_CHANGE:
        return exp.Abs(this=column(f"{query.metrics[0]}_change"))
    known = _columns(query)
    if name not in known:
        raise SemanticError(
            f"A comparison cannot be ordered by {name!r}. Use one of: {', '.join([*known, ABS_CHANGE])}."
        )
    return column(name)
