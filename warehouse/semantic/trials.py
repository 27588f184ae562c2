"""What `tidemark check` finds by asking the warehouse: keys, times, and each metric by each dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
from metricflow_semantic_interfaces.type_enums.entity_type import EntityType
from sqlglot import exp

from warehouse.client import Limits, Warehouse
from warehouse.errors import LimitExceededError, PermanentError, SemanticError
from warehouse.semantic.expressions import Source, qualified
from warehouse.semantic.findings import Finding, table_of
from warehouse.semantic.joins import JoinedKey
from warehouse.semantic.layer import SemanticLayer
from warehouse.semantic.model import METRIC_TIME, MetricQuery

A = TypeVar("A")
B = TypeVar("B")

_ROWS = "source_rows"
_AT_ONCE = 4
_SECONDS = 20.0
# What one statement is made of: of more, engines and MetricFlow take longer than of two.
_DIMENSIONS = 60
_METRICS = 10


@dataclass(frozen=True)
class Tried:
    """What came of trying: statements made, pairs of a metric and a dimension covered, and all there are."""

    findings: tuple[Finding, ...]
    statements: int
    pairs: int
    of_pairs: int


def bad_keys(layer: SemanticLayer, warehouse: Warehouse, there: Set[str]) -> Iterator[Finding]:
    """Keys that are declared unique, and of which the data has one twice, in the tables that are `there`."""
    models = layer.manifest.semantic_models
    joined = {one.name for model in models for one in model.entities if not _is_key(one.type)}
    keys = [key for model in models if table_of(model) in there for key in _keys(model)]
    for key, found in zip(keys, _side_by_side(lambda key: _repeated(key, warehouse), keys), strict=True):
        if isinstance(found, Exception):
            yield Finding("error", "key", f"{key.model}.{key.entity}", f"It cannot be read: {found}")
        elif found:
            matters = key.entity in joined
            yield Finding(
                "error" if matters else "warning",
                "key not unique",
                f"{key.model}.{key.entity}",
                f"{' with '.join(key.keys)} = {found[0]} is {found[1]} times in {key.qualified_name}"
                + (
                    ": all that is joined over it would be counted more than once, and is refused."
                    if matters
                    else ", which is declared to be its key."
                )
                + " Make it unique in the dbt model.",
            )


def null_times(layer: SemanticLayer, warehouse: Warehouse, there: Set[str]) -> Iterator[Finding]:
    """Times that metrics are kept by, and that some rows lack: no period has them."""
    columns = [one for one in _times(layer) if table_of(one[0]) in there]
    counts = _side_by_side(lambda one: _nulls(one[0], one[1], layer, warehouse), columns)
    for (model, expression, name), found in zip(columns, counts, strict=True):
        if isinstance(found, Exception):
            yield Finding("error", "time", f"{model.name}.{name}", f"{expression} cannot be read: {found}")
        elif found[1]:
            rows, nulls = found
            yield Finding(
                "warning",
                "time is empty",
                f"{model.name}.{name}",
                f"{nulls:,} of {rows:,} rows of {table_of(model)} have no {expression}: they are in the "
                "total, and in no period of it.",
            )


def tries(layer: SemanticLayer, warehouse: Warehouse, there: Set[str], limit: int) -> Tried:
    """Each metric compiled and run alone, then compiled and dry-run by its dimensions, many at once.

    What goes together goes alone: a statement by all of a metric's dimensions has each of their expressions
    and joins. One that fails is halved until the dimension is found. Of more statements by dimensions than
    `limit`, every n-th is made. Metrics of tables that are not `there` are left out.
    """
    names = [name for name, metric in layer.metrics.items() if there >= set(metric.tables)]
    alone = [_alone(name, layer) for name in names]
    # `_run` and `_by_dimensions` make findings of what is refused.
    ran = _side_by_side(lambda query: _run(query, layer, warehouse), alone)
    found = [one for one in ran if isinstance(one, Finding)]
    broken = {one.subject for one in found if one.level == "error"}
    whole = [query for query in alone if query.metrics[0] not in broken]
    batches = list(_batches(whole, layer))
    chosen = batches[:: max(1, -(-len(batches) // limit))]
    statements = len(alone)
    for tried in _side_by_side(lambda query: list(_by_dimensions(query, layer, warehouse)), chosen):
        if not isinstance(tried, PermanentError):
            found += [one for one in tried if one]
            statements += len(tried)
    return Tried(tuple(_once(found)), statements, _pairs(chosen, layer), _pairs(batches, layer))


def _pairs(queries: Sequence[MetricQuery], layer: SemanticLayer) -> int:
    return sum(
        len(query.metrics) * sum(name in layer.dimensions for name in query.group_by) for query in queries
    )


def _alone(name: str, layer: SemanticLayer) -> MetricQuery:
    """The metric by nothing; by its time where it has a meaning only there, as what runs on has."""
    query = MetricQuery((name,))
    timed = replace(query, group_by=(f"{METRIC_TIME}__{layer.metrics[name].min_grain}",))
    for one in (query, timed):
        try:
            layer.compile(one, None)
            return one
        except SemanticError:
            continue
    return query


def _run(query: MetricQuery, layer: SemanticLayer, warehouse: Warehouse) -> Finding | None:
    (name,) = query.metrics
    try:
        sql = layer.compile(query, None)
        estimate = warehouse.dry_run(sql).cost
        # Where each byte is paid for, what a dry run says is enough.
        rows = warehouse.query(sql, limits=Limits(seconds=_SECONDS)).rows if estimate.usd is None else [(0,)]
    except LimitExceededError as error:
        return Finding("warning", "slow", name, f"Alone, it takes too long or returns too much: {error}")
    except PermanentError as error:
        return Finding("error", "fails", name, str(error))
    if not any(row[-1] for row in rows):
        return Finding("warning", "no figure", name, "Over all the data it is 0, or there is no row for it.")
    return None


def _batches(queries: Sequence[MetricQuery], layer: SemanticLayer) -> Iterator[MetricQuery]:
    """Simple metrics that have the same dimensions are one statement by them; of others, each is its own."""
    alike: dict[tuple[object, ...], list[MetricQuery]] = {}
    for query in queries:
        metric = layer.metrics[query.metrics[0]]
        own = "" if metric.kind == "simple" else metric.name
        alike.setdefault((metric.dimensions, metric.tables, query.group_by, own), []).append(query)
    for same in alike.values():
        names = tuple(query.metrics[0] for query in same)
        for some in _parts(names, _METRICS):
            for part in _parts(layer.metrics[names[0]].dimensions, _DIMENSIONS):
                yield MetricQuery(tuple(some), (*same[0].group_by, *part))


def _by_dimensions(
    query: MetricQuery, layer: SemanticLayer, warehouse: Warehouse
) -> Iterator[Finding | None]:
    """What each statement that is made for it comes to."""
    try:
        warehouse.dry_run(layer.compile(query, None))
        yield None
        return
    except PermanentError as error:
        time = tuple(name for name in query.group_by if name not in layer.dimensions)
        names = query.group_by[len(time) :]
        if len(names) == len(query.metrics) == 1:
            yield _refused(query.metrics[0], names[0], error, layer)
            return
        yield None
    if len(names) > 1:
        halves = [replace(query, group_by=(*time, *half)) for half in _halves(names)]
    else:
        halves = [replace(query, metrics=half) for half in _halves(query.metrics)]
    for half in halves:
        yield from _by_dimensions(half, layer, warehouse)


def _halves(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    middle = len(names) // 2
    return names[:middle], names[middle:]


def _refused(metric: str, name: str, error: PermanentError, layer: SemanticLayer) -> Finding:
    dimension = layer.dimensions[name]
    kind = "does not compile by" if isinstance(error, SemanticError) else "fails by"
    subject = f"{dimension.model}.{name.rpartition('__')[2]}"
    return Finding("error", kind, subject, f"{metric} by {name}: {error}")


def _once(found: Sequence[Finding]) -> Iterator[Finding]:
    """A dimension that is broken is so for each metric: it is told of once, with how many."""
    by_subject: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        by_subject.setdefault((one.kind, one.subject), []).append(one)
    for first, *more in by_subject.values():
        more_told = f" So it is for {len(more)} other metrics." if more else ""
        yield replace(first, told=first.told + more_told)


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _is_key(kind: EntityType) -> bool:
    return kind in (EntityType.PRIMARY, EntityType.UNIQUE, EntityType.NATURAL)


def _keys(model: PydanticSemanticModel) -> Iterator[JoinedKey]:
    begins = [
        one.expr or one.name
        for one in model.dimensions
        if one.validity_params is not None and one.validity_params.is_start
    ]
    relation = model.node_relation
    for entity in model.entities:
        if _is_key(entity.type):
            keys = (entity.expr or entity.name, *(begins if entity.type is EntityType.NATURAL else ()))
            yield JoinedKey(
                model.name, entity.name, relation.schema_name, relation.alias, relation.relation_name, keys
            )


def _repeated(key: JoinedKey, warehouse: Warehouse) -> tuple[str, int] | None:
    rows = warehouse.query(key.repeated(warehouse.dialect)).rows
    return (" with ".join(map(str, rows[0][:-1])), rows[0][-1]) if rows else None


def _times(layer: SemanticLayer) -> Iterator[tuple[PydanticSemanticModel, str, str]]:
    for model in layer.manifest.semantic_models:
        default = model.defaults.agg_time_dimension if model.defaults else None
        used = dict.fromkeys(one.agg_time_dimension or default for one in model.measures)
        for dimension in model.dimensions:
            if dimension.name in used:
                yield model, dimension.expr or dimension.name, dimension.name


def _nulls(
    model: PydanticSemanticModel, expression: str, layer: SemanticLayer, warehouse: Warehouse
) -> tuple[int, int]:
    """The rows of a table, and those in which an expression is null."""
    source = [Source(_ROWS, table=model.node_relation.alias)]
    column = qualified(expression, source, warehouse.dialect)
    table = exp.to_table(model.node_relation.relation_name, dialect=warehouse.dialect.name)
    asked = exp.select(
        exp.Count(this=exp.Star()).as_("all_rows"), exp.Count(this=column).as_("dated_rows")
    ).from_(exp.alias_(table, _ROWS, table=True))
    ((rows, dated),) = warehouse.query(asked).rows
    return rows, rows - dated


def _side_by_side(work: Callable[[A], B], items: Sequence[A]) -> list[B | PermanentError]:
    """What each came to, in order: the warehouse works on several at once."""

    def tried(item: A) -> B | PermanentError:
        try:
            return work(item)
        except PermanentError as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(tried, items))
