"""The project's saved queries as the intents that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from sqlglot import exp

from agents.analyst.intent import (
    AllOf,
    AnyOf,
    By,
    Compares,
    Comparison,
    Condition,
    Every,
    Grain,
    Group,
    Intent,
    Is,
    MetricOf,
    Missing,
    Not,
    Order,
    Value,
)
from warehouse.semantic import SemanticLayer
from warehouse.semantic.model import METRIC_TIME
from warehouse.semantic.saved import SavedQuery

_COMPARED: dict[type[exp.Expr], Comparison] = {exp.LT: "<", exp.LTE: "<=", exp.GTE: ">=", exp.GT: ">"}


class _Unread(Exception):
    """Raised for what no intent says."""


def intent(query: SavedQuery, semantic: SemanticLayer) -> Intent | None:
    """None where its filter or its order says what no intent does."""
    measures = tuple(MetricOf(name=name) for name in query.metrics if name in semantic.metrics)
    try:
        groups = [_group(name, semantic) for name in query.group_by]
        groups.sort(key=lambda one: not isinstance(one, Every))
        order = _order(query, measures)
        if query.where is None or len(measures) < len(query.metrics) or (query.limit and order is None):
            return None
        where = _together([_condition(tree, semantic) for tree in query.where])
        return Intent(measures=measures, groups=tuple(groups), where=where, order=order, limit=query.limit)
    except (_Unread, ValueError):
        return None


def _group(name: str, semantic: SemanticLayer) -> Group:
    base, _, grain = name.rpartition("__")
    if name in semantic.entities or name in semantic.dimensions:
        return By(dimension=name)
    if grain not in get_args(Grain):
        raise _Unread
    if base == METRIC_TIME:
        return Every(grain=cast(Grain, grain))
    if base not in semantic.dimensions:
        raise _Unread
    return By(dimension=base, grain=cast(Grain, grain))


def _order(query: SavedQuery, measures: tuple[MetricOf, ...]) -> Order | None:
    if not query.order_by:
        return None
    [(name, direction), *more] = query.order_by
    by = next((one for one in measures if one.name == name), None)
    if by is None or more:
        raise _Unread
    return Order(by=by, direction=direction)


def _condition(tree: exp.Expr, semantic: SemanticLayer) -> Condition:
    match tree:
        case exp.Paren(this=inner):
            return _condition(inner, semantic)
        case exp.And():
            return cast(Condition, _together([_condition(one, semantic) for one in tree.flatten()]))
        case exp.Or():
            return AnyOf(of=tuple(_condition(one, semantic) for one in tree.flatten()))
        case exp.Not(this=exp.Is() as inner):
            return Not(of=_condition(inner, semantic))
        case exp.Not(this=exp.In(this=left, expressions=[_, *_] as values)):
            return _known_but(_dimension(left, semantic), *map(_value, values))
        case exp.EQ(this=left, expression=right):
            return Is(dimension=_dimension(left, semantic), values=(_value(right),))
        case exp.NEQ(this=left, expression=right):
            return _known_but(_dimension(left, semantic), _value(right))
        case exp.In(this=left, expressions=[_, *_] as values):
            return Is(dimension=_dimension(left, semantic), values=tuple(map(_value, values)))
        case exp.Is(this=left, expression=exp.Null()):
            return Missing(dimension=_dimension(left, semantic))
        case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            op = _COMPARED[type(tree)]
            return Compares(dimension=_dimension(tree.this, semantic), op=op, value=_value(tree.expression))
    raise _Unread


def _together(conditions: Sequence[Condition]) -> Condition | None:
    """All of them, none in another: a sentence says them side by side."""
    parts: list[Condition] = []
    for one in conditions:
        parts += [part for part in (one.of if isinstance(one, AllOf) else (one,)) if part not in parts]
    return AllOf(of=tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def _known_but(dimension: str, *values: Value) -> Condition:
    """SQL's own `not`, which what has no value does not pass."""
    others = Not(of=Is(dimension=dimension, values=values))
    return AllOf(of=(others, Not(of=Missing(dimension=dimension))))


def _dimension(tree: exp.Expr, semantic: SemanticLayer) -> str:
    """A column that is no time: of times a question says which itself."""
    if isinstance(tree, exp.Column) and not tree.table and tree.name != METRIC_TIME:
        known = semantic.dimensions.get(tree.name)
        if tree.name in semantic.entities or (known is not None and known.type != "time"):
            return tree.name
    raise _Unread


def _value(tree: exp.Expr) -> Value:
    if isinstance(tree, exp.Boolean):
        return bool(tree.this)
    if isinstance(tree, exp.Literal | exp.Neg):
        return cast(Value, tree.to_py())
    raise _Unread
