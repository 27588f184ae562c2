"""How an engine writes SQL. Other rooms build sqlglot trees; what engines spell or mean otherwise is here.

The base class says what engines have in common, an engine's own class where it differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlglot import ErrorLevel, exp, parse
from sqlglot.errors import SqlglotError

from warehouse.errors import QueryError
from warehouse.guard_lexicon import Lexicon


class Dialect(ABC):
    """One engine's SQL. Safe to share: it keeps nothing."""

    name: ClassVar[str]
    """sqlglot's name of it, which is also the engine's."""

    guard: ClassVar[Lexicon]
    """The words that a guarded statement may be made of."""

    @property
    @abstractmethod
    def semantic(self) -> Any:
        """What MetricFlow's engine asks of a client that only explains: `sql_engine_type`,
        `sql_plan_renderer`. Importing it takes seconds.
        """

    @abstractmethod
    def start_of(self, grain: str, moment: exp.Expr) -> exp.Expr:
        """The first moment of the period that a moment lies in; a date for a day and what is coarser."""

    @abstractmethod
    def shifted(self, moment: exp.Expr, grain: str, steps: int) -> exp.Expr:
        """A moment so many periods later, or earlier."""

    @abstractmethod
    def part(self, part: str, moment: exp.Expr) -> exp.Expr:
        """The weekday (1 is Monday), hour_of_day, day_of_month or month_of_year of a moment, as a number."""

    @abstractmethod
    def quantile(self, value: exp.Expr, level: float) -> exp.Expr:
        """An aggregate: the value that so much of the others lie below, between the nearest two."""

    def parse(self, sql: str) -> exp.Query:
        """The tree of one query in this engine's words. Raises `QueryError`."""
        try:
            found = parse(sql, dialect=self.name)
        except (SqlglotError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise QueryError(f"The statement cannot be read: {reason} Write one plain SELECT.") from error
        if len(found) != 1 or not isinstance(found[0], exp.Query):
            raise QueryError("This is not one query. Write one plain SELECT.")
        return found[0]

    def render(self, tree: exp.Expr, *, pretty: bool = False) -> str:
        """A tree in this engine's words. Raises sqlglot's `UnsupportedError` for what it has none for."""
        return tree.sql(self.name, pretty=pretty, comments=False, unsupported_level=ErrorLevel.RAISE)

    def literal(self, value: str | float | bool | date | datetime) -> exp.Expr:
        """A value as it stands in a query. A time without a zone is taken as UTC."""
        if isinstance(value, datetime):
            value = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return exp.convert(value)

    def as_float(self, value: exp.Expr) -> exp.Expr:
        """A number that keeps its places when it is divided."""
        return exp.cast(value, exp.DType.DOUBLE)

    def ratio(self, part: exp.Expr, whole: exp.Expr) -> exp.Expr:
        """One over the other as floats, null where that is 0."""
        return self.as_float(part) / exp.Nullif(this=whole.copy(), expression=exp.Literal.number(0))

    def as_text(self, value: exp.Expr) -> exp.Expr:
        """A value as a person reads it."""
        return exp.cast(value, exp.DType.TEXT)

    def previous(self, value: exp.Expr, order: exp.Expr) -> exp.Expr:
        """The value in the row before this one by `order`, null in the first."""
        return self._over(exp.Lag(this=value), order)

    @staticmethod
    def _over(call: exp.Expr, order: exp.Expr) -> exp.Expr:
        return exp.Window(this=call, order=exp.Order(expressions=[ordered(order)]))


def column(name: str, table: str = "") -> exp.Column:
    """A column, in quotes, whatever its letters are."""
    return exp.column(name, table=table or None, quoted=True)


def ordered(by: exp.Expr, direction: str = "asc") -> exp.Ordered:
    """A term of an ORDER BY; nulls are last on every engine."""
    return exp.Ordered(this=by, desc=direction == "desc", nulls_first=False)
