"""Two periods of one query set side by side in one statement."""

from __future__ import annotations

from collections.abc import Collection

from warehouse.errors import SemanticError
from warehouse.semantic.model import MetricQuery

ABS_CHANGE = "abs_change"


def comparison_sql(query: MetricQuery, current: str, previous: str, zeros: Collection[str]) -> str:
    """Both compiled periods, stacked and folded by the group-by items.

    Stacking keeps groups that only one period has, and groups whose key is NULL, without a full join. In a
    group that one period lacks, the metrics in `zeros` are 0 there and any other is NULL.
    """
    keys = list(query.group_by)
    folded = [*keys]
    for metric in query.metrics:
        for alias, period in ((metric, "1"), (f"{metric}_previous", "0")):
            value = f"max(if(periods.is_current = {period}, periods.{metric}, NULL))"
            folded.append(f"{f'coalesce({value}, 0)' if metric in zeros else value} AS {alias}")
    columns = [*keys]
    for metric in query.metrics:
        change = f"{metric} - {metric}_previous"
        columns += [
            metric,
            f"{metric}_previous",
            f"{change} AS {metric}_change",
            f"({change}) / nullIf(abs({metric}_previous), 0) AS {metric}_change_rate",
        ]
    lines = [
        f"SELECT {', '.join(columns)}",
        f"FROM (SELECT {', '.join(folded)}",
        f"FROM (SELECT *, 1 AS is_current FROM ({current}) AS current_period",
        f"UNION ALL SELECT *, 0 AS is_current FROM ({previous}) AS previous_period) AS periods",
        f"{'GROUP BY ' + ', '.join(keys) if keys else ''}) AS folded_periods",
    ]
    order = [f"{_order_expression(name, query)} {direction.upper()}" for name, direction in query.order_by]
    order += [key for key in keys if key not in dict(query.order_by)]
    if order:
        lines.append(f"ORDER BY {', '.join(order)}")
    if query.limit is not None:
        lines.append(f"LIMIT {query.limit}")
    return "\n".join(lines)


def _order_expression(name: str, query: MetricQuery) -> str:
    if name == ABS_CHANGE:
        return f"abs({query.metrics[0]}_change)"
    known = [*query.group_by]
    for metric in query.metrics:
        known += [metric, f"{metric}_previous", f"{metric}_change", f"{metric}_change_rate"]
    if name not in known:
        raise SemanticError(
            f"A comparison cannot be ordered by {name!r}. Use one of: {', '.join([*known, ABS_CHANGE])}."
        )
    return name
