"""What rows must be like, as trees over the semantic layer's names.

A value that is missing is like none of those named: `from Germany` leaves it out, and `not from Germany`,
which is everything else, keeps it, so that a condition and its opposite together are all rows. What has no
value is neither above nor below a number.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from sqlglot import exp

from agents.analyst.intent import AllOf, AnyOf, AtPart, Compares, Condition, Is, Missing, Not, Value
from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic import Item, SemanticLayer
from warehouse.semantic.model import METRIC_TIME

_COMPARE: dict[str, type[exp.Binary]] = {
    "<": exp.LT,
    "<=": exp.LTE,
    "=": exp.EQ,
    ">=": exp.GTE,
    ">": exp.GT,
}


def tree(condition: Condition, semantic: SemanticLayer, dialect: Dialect) -> exp.Expr:
    """A condition; its columns are `Item.reference`s."""
    match condition:
        case Is(dimension=name, values=values):
            moments = [_moment(name, value, semantic) for value in values]
            item = _item(name, moments[0], semantic)
            return item.reference().isin(*(_literal(value, item, dialect) for value in moments))
        case Compares(dimension=name, op="!=", value=value):
            return _opposite(tree(Compares(dimension=name, op="=", value=value), semantic, dialect))
        case Compares(dimension=name, op=op, value=value):
            value = _moment(name, value, semantic)
            item = _item(name, value, semantic)
            return compare(op, item.reference(), _literal(value, item, dialect))
        case Missing(dimension=name):
            if _is_time(name, semantic):
                return Item(name, "day").reference().is_(exp.null())
            shown = dialect.as_text(Item(name).reference())
            return exp.Coalesce(this=shown, expressions=[exp.Literal.string("")]).eq("")
        case AtPart(part=part, values=values):
            moment = Item(METRIC_TIME, "hour" if part == "hour_of_day" else "day").reference()
            return dialect.part(part, moment).isin(*values)
        case Not(of=of):
            return _opposite(tree(of, semantic, dialect))
        case AllOf(of=parts):
            return exp.and_(*(tree(part, semantic, dialect) for part in parts))
        case AnyOf(of=parts):
            return exp.paren(exp.or_(*(tree(part, semantic, dialect) for part in parts)), copy=False)


def compare(op: str, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """One figure compared with another; only `!=` holds where one is missing."""
    if op == "!=":
        return _opposite(exp.EQ(this=left, expression=right))
    return _COMPARE[op](this=left, expression=right)


def _opposite(condition: exp.Expr) -> exp.Expr:
    return exp.not_(exp.Coalesce(this=condition, expressions=[exp.false()]))


def _is_time(name: str, semantic: SemanticLayer) -> bool:
    return name in semantic.dimensions and semantic.dimensions[name].type == "time"


def _moment(name: str, value: Value, semantic: SemanticLayer) -> Value:
    """A time that is written as a text, as a model writes it and a conversation keeps it."""
    if not _is_time(name, semantic) or isinstance(value, date):
        return value
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise SemanticError(
            f"{name} is a time, and {str(value)[:40]!r} is none. "
            "Write it as 2026-10-01 or 2026-10-01T12:00:00Z."
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _item(name: str, value: Value, semantic: SemanticLayer) -> Item:
    if not _is_time(name, semantic):
        return Item(name)
    return Item(name, "second" if isinstance(value, datetime) and value.time() != time() else "day")


def _literal(value: Value, item: Item, dialect: Dialect) -> exp.Expr:
    if item.grain == "day" and isinstance(value, datetime):
        value = value.date()
    return dialect.literal(value)
