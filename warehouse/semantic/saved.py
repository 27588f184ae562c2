"""The project's saved queries: questions that somebody has named already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from sqlglot import exp

from warehouse.dialect import Dialect
from warehouse.errors import QueryError
from warehouse.semantic.model import GRAINS
from warehouse.semantic.selection import Item

# TimeDimension('metric_time', 'week'), Dimension('site__site_name', entity_path=['visit']), Entity('site')
_CALL = re.compile(r"(?:Dimension|TimeDimension|Entity)\(([^()]*)\)(?:\.grain\('(\w+)'\))?")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_REFERENCE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_MARK = "_saved_{}"


@dataclass(frozen=True)
class SavedQuery:
    """A question by name. `group_by` and `order_by` hold what a `MetricQuery` holds; `where` are trees over
    `Item.reference`s, None where a condition is not to be read.
    """

    name: str
    label: str
    description: str
    metrics: tuple[str, ...]
    group_by: tuple[str, ...]
    order_by: tuple[tuple[str, Literal["asc", "desc"]], ...] = ()
    limit: int | None = None
    where: tuple[exp.Expr, ...] | None = ()


def read_saved_queries(manifest: PydanticSemanticManifest, dialect: Dialect) -> dict[str, SavedQuery]:
    """Those that ask for metrics, by name."""
    found = {}
    for one in manifest.saved_queries:
        asked = one.query_params
        if not asked.metrics:
            continue
        filters = asked.where.where_filters if asked.where else ()
        trees = [_tree(item.where_sql_template, dialect) for item in filters]
        known = tuple(tree for tree in trees if tree is not None)
        found[one.name] = SavedQuery(
            name=one.name,
            label=one.label or one.name.replace("_", " ").capitalize(),
            description=one.description or "",
            metrics=tuple(asked.metrics),
            group_by=tuple(_item(written).column for written in asked.group_by),
            order_by=tuple(map(_ordered, asked.order_by)),
            limit=asked.limit,
            where=known if len(known) == len(trees) else None,
        )
    return found


def _ordered(written: str) -> tuple[str, Literal["asc", "desc"]]:
    """`Metric('orders').descending(True)`."""
    called, descending, how = written.partition(".descending")
    name = "".join(_TEXT.findall(called)[0]) if called.startswith("Metric(") else _item(called).column
    return name, "desc" if descending and "False" not in how else "asc"


def _tree(template: str, dialect: Dialect) -> exp.Expr | None:
    written = _REFERENCE.findall(template)
    marks = {_MARK.format(at): _item(one) for at, one in enumerate(written)}
    text = template
    for mark in marks:
        text = _REFERENCE.sub(mark, text, count=1)
    try:
        where = dialect.parse(f"SELECT 1 WHERE {text}").args.get("where")
    except QueryError:
        return None
    if where is None:
        return None
    return where.this.transform(
        lambda node: (
            marks[node.name].reference() if isinstance(node, exp.Column) and node.name in marks else node
        )
    )


def _item(written: str) -> Item:
    call = _CALL.fullmatch(written.strip())
    if call is None:
        return Item(written)
    arguments, _, path = call[1].partition("entity_path")
    name, *grain = ("".join(found) for found in _TEXT.findall(arguments))
    own = "__".join(["".join(found) for found in _TEXT.findall(path)] + [name])
    return Item(own, call[2] or next((one for one in grain if one in GRAINS), ""))
