"""Whether what a query joins is joined once: a key that is declared unique and is not would double totals."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metricflow.dataflow.dataflow_plan import DataflowPlan, DataflowPlanNode
from metricflow.dataflow.nodes.aggregate_simple_metric_inputs import AggregateSimpleMetricInputsNode
from metricflow.dataflow.nodes.join_to_base import JoinOnEntitiesNode
from metricflow.dataflow.nodes.read_sql_source import ReadSqlSourceNode
from metricflow_semantic_interfaces.references import EntityReference
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
from sqlglot import exp

from warehouse.client import Warehouse
from warehouse.dialect import Dialect, ordered
from warehouse.errors import SemanticError
from warehouse.semantic.expressions import Source, qualified

# A table that was neither replaced nor has another size is taken to be the same for as long.
CHECKED_TTL_SECONDS = 300.0

_SOURCE = "source_rows"


@dataclass(frozen=True)
class JoinedKey:
    """The right side of a join: the semantic model, its table and the expressions that are unique in it if
    the declaration is true. Where the rows of a key have a validity window, the key and the window's begin.
    """

    model: str
    entity: str
    database: str
    table: str
    relation: str
    keys: tuple[str, ...]

    @property
    def qualified_name(self) -> str:
        return f"{self.database}.{self.table}"

    def repeated(self, dialect: Dialect) -> exp.Query:
        """The most frequent of the keys that are there more than once, and how often."""
        source = [Source(_SOURCE, table=self.table)]
        keys = [qualified(key, source, dialect) for key in self.keys]
        shown = [dialect.as_text(key).as_(f"repeated_key_{at}") for at, key in enumerate(keys)]
        times = exp.Count(this=exp.Star())
        return (
            exp.select(*shown, times.as_("repeated_times"))
            .from_(exp.alias_(exp.to_table(self.relation, dialect=dialect.name), _SOURCE, table=True))
            # A null joins nothing.
            .where(*(exp.Paren(this=key).is_(exp.null()).not_() for key in keys))
            .group_by(*keys)
            .having(times > 1)
            .order_by(ordered(times, "desc"), *(ordered(exp.column(key.alias)) for key in shown))
            .limit(1)
        )


def joined_keys(plan: DataflowPlan, lookup: SemanticManifestLookup) -> tuple[JoinedKey, ...]:
    """The keys that the joins of a plan rely on."""
    found: dict[JoinedKey, None] = {}
    for node in _nodes(plan.sink_nodes):
        if not isinstance(node, JoinOnEntitiesNode):
            continue
        for target in node.join_targets:
            read = _base(target.join_node)
            # What is aggregated before it is joined is unique by that.
            if read is not None and target.join_on_entity is not None:
                window = target.validity_window
                begin = window.window_start_dimension.element_name if window else None
                found[_key(read, target.join_on_entity, begin, lookup)] = None
    return tuple(found)


class UniqueKeys:
    """Asks the data, and remembers the answer while a table stays as it is. Safe between threads."""

    def __init__(self) -> None:
        self._checked: dict[JoinedKey, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def check(self, keys: Sequence[JoinedKey], warehouse: Warehouse) -> None:
        """Raises `SemanticError` for the first key that is not unique, naming a value that is there twice."""
        if not keys:
            return
        # A view has no version and is always looked at.
        tables = warehouse.tables({key.qualified_name for key in keys})
        versions = {table.qualified_name: table.version for table in tables}
        for key in keys:
            version = versions.get(key.qualified_name)
            with self._lock:
                until, seen = self._checked.get(key, (0.0, None))
            if version is not None and version == seen and time.monotonic() < until:
                continue
            for *values, times in warehouse.query(key.repeated(warehouse.dialect)).rows:
                raise SemanticError(
                    f"{key.entity} is declared to be the key of the semantic model {key.model}, but in "
                    f"{key.qualified_name} {' with '.join(key.keys)} = {' with '.join(values)} is there "
                    f"{times} times, so what is joined with it would be counted more than once. Make the key "
                    "unique in the dbt model, or do not group or filter by what is joined over it."
                )
            if version is not None:
                with self._lock:
                    self._checked[key] = (time.monotonic() + CHECKED_TTL_SECONDS, version)


def _key(
    read: ReadSqlSourceNode, entity: EntityReference, begin: str | None, lookup: SemanticManifestLookup
) -> JoinedKey:
    reference = read.data_set.semantic_model_reference
    model = lookup.semantic_model_lookup.get_by_reference(reference) if reference else None
    assert model is not None, f"{read} is of no semantic model"
    declared = next(one for one in model.entities if one.name == entity.element_name)
    keys = [declared.expr or declared.name]
    if begin is not None:
        start = next(one for one in model.dimensions if one.name == begin)
        keys.append(start.expr or start.name)
    relation = model.node_relation
    return JoinedKey(
        model.name, declared.name, relation.schema_name, relation.alias, relation.relation_name, tuple(keys)
    )


def _base(node: DataflowPlanNode) -> ReadSqlSourceNode | None:
    """The table that a joined node has its rows from, unless it has aggregated them."""
    while not isinstance(node, ReadSqlSourceNode):
        if isinstance(node, JoinOnEntitiesNode):
            node = node.left_node
        elif len(node.parent_nodes) == 1 and not isinstance(node, AggregateSimpleMetricInputsNode):
            node = node.parent_nodes[0]
        else:
            return None
    return node if node.data_set.semantic_model_reference else None


def _nodes(nodes: Sequence[DataflowPlanNode]) -> Iterator[DataflowPlanNode]:
    for node in nodes:
        yield node
        yield from _nodes(node.parent_nodes)
