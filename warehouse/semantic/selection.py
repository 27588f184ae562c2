"""One metric's figures by group: what the layer is asked for, its conditions as MetricFlow's templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from warehouse.dialect import Dialect

# A value with this mark in it would be taken for a name; no text of a warehouse has one.
_MARK = "\0"
# The template engine must print braces and not read them.
BRACES = str.maketrans({"{": "{{ '{' }}", "}": "{{ '}' }}"})
_DATE_PARTS = {"weekday": "dow", "day_of_month": "day", "month_of_year": "month"}


@dataclass(frozen=True)
class Item:
    """Something to group or filter by: a dimension or an entity by its qualified name, or the metrics' own
    time. Of a time the `grain`, or the `part`: weekday (1 is Monday), day_of_month, month_of_year.
    """

    name: str
    grain: str = ""
    part: str = ""

    @property
    def column(self) -> str:
        """What its column is called in a selection."""
        end = f"extract_{_DATE_PARTS[self.part]}" if self.part else self.grain
        return f"{self.name}__{end}" if end else self.name

    @property
    def asked(self) -> str:
        """MetricFlow's spelling of it."""
        if not self.part:
            return self.column
        own, path = split(self.name)
        return f"TimeDimension('{own}', entity_path={path}, date_part_name='{_DATE_PARTS[self.part]}')"

    def reference(self) -> exp.Expr:
        """It in a condition; a time is qualified by its grain."""
        return exp.column(self.name, table=self.grain or None, quoted=True)


@dataclass(frozen=True)
class Selection:
    """The figures of a metric by some items, of the rows that all conditions hold for: trees in which the
    columns are `Item.reference`s. `window` is half-open on the metric's own time, UTC; an end may be open.
    Without a metric: which combinations of the items there are. With `quantile`: not the metric but that
    quantile of the single values that it is made of.
    """

    metric: str
    items: tuple[Item, ...] = ()
    where: tuple[exp.Expr, ...] = ()
    window: tuple[datetime | None, datetime | None] = (None, None)
    quantile: float | None = None


def template(condition: exp.Expr, is_entity: Callable[[str], bool], dialect: Dialect) -> str:
    """A condition as MetricFlow reads it; `is_entity` tells an entity's name from a dimension's."""
    found: list[str] = []

    def marked(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        found.append(_written(node.name, node.table, is_entity))
        return exp.Var(this=f"{_MARK}{len(found) - 1}{_MARK}")

    sql = dialect.render(condition.transform(marked)).translate(BRACES)
    for index, written in enumerate(found):
        sql = sql.replace(f"{_MARK}{index}{_MARK}", written)
    return sql


def split(name: str) -> tuple[str, list[str]]:
    """Of the joins on the way to a dimension, its name in a template holds the last one only."""
    parts = name.split("__")
    return "__".join(parts[-2:]), parts[:-2]


def _written(name: str, grain: str, is_entity: Callable[[str], bool]) -> str:
    own, path = split(name)
    if grain:
        return f"{{{{ TimeDimension('{own}', '{grain}', entity_path={path}) }}}}"
    if is_entity(name):
        *path, own = name.split("__")
        return f"{{{{ Entity('{own}', entity_path={path}) }}}}"
    return f"{{{{ Dimension('{own}', entity_path={path}) }}}}"
