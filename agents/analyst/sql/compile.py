"""The statement for an intent: its figures on a sheet of its groups, then which rows, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    AllOf,
    AnyOf,
    By,
    Condition,
    CountOf,
    Every,
    Group,
    Intent,
    MetricOf,
    Missing,
    PartOf,
    Periods,
    Slice,
)
from agents.analyst.sql.against import earlier
from agents.analyst.sql.cells import Cells, key
from agents.analyst.sql.conditions import compare
from agents.analyst.sql.context import Context
from agents.analyst.sql.meaning import Meanings, distinct_names, group_name, measure_name
from agents.analyst.sql.rows import Rows
from agents.analyst.sql.statement import Column, Role, Statement
from warehouse.client import Warehouse
from warehouse.dialect import Dialect, column, ordered
from warehouse.errors import SemanticError
from warehouse.semantic import SemanticLayer

_ROWS, _WANTED, _PLACE = "_rows", "_wanted", "_place"


def compiled(intent: Intent, semantic: SemanticLayer, warehouse: Warehouse, calendar: Calendar) -> Statement:
    """SQL that brings a row for each combination of the intent's groups, with each measure's figure.

    Raises `SemanticError` for what does not add up, would count rows twice or is kept by no such grain.
    """
    _check(intent)
    meanings = Meanings(semantic)
    cells = Cells(semantic, warehouse.dialect, calendar)
    statement = _Compilation(intent, meanings, Rows(cells, meanings), warehouse.dialect).statement()
    semantic.check_keys(cells.keys, warehouse)
    return statement


class _Compilation:
    """One intent's. Within, the measures' figures are `_m0`, ..., those of the earlier period `_b0`, ...,
    those of thresholds `_t0`, ...; the last measure may be what the rows are ordered by alone.
    """

    def __init__(self, intent: Intent, meanings: Meanings, rows: Rows, dialect: Dialect) -> None:
        self._intent, self._meanings, self._rows, self._dialect = intent, meanings, rows, dialect
        self._measures = list(intent.measures)
        by = intent.order.by if intent.order else None
        if by is not None and not isinstance(by, By | Every | PartOf | Periods) and by not in self._measures:
            self._measures.append(by)

    def statement(self) -> Statement:
        intent = self._intent
        rows, conditions = self._computed()
        if intent.partition and intent.limit is not None:
            rows = self._placed(rows, conditions)
            conditions = [column(_PLACE, _ROWS) <= intent.limit + 1]
        columns = self._columns()
        query = exp.select(*(value.as_(one.name, quoted=True) for one, value in columns))
        # Built in place: what is not copied at each step is what it is made of, again and again.
        query = query.from_(rows.subquery(_ROWS, copy=False), copy=False).where(*conditions, copy=False)
        terms = [ordered(self._key(group)) for group in intent.partition] + self._terms()
        if terms:
            query = query.order_by(*terms, copy=False)
        if intent.limit is not None and not intent.partition:
            query = query.limit(intent.limit + 1, copy=False)
        sql = self._dialect.render(query, pretty=True)
        return Statement(sql, tuple(one for one, _ in columns), intent.limit)

    def _computed(self) -> tuple[exp.Query, list[exp.Expr]]:
        """All figures by group, and the conditions for a row to be kept."""
        intent = self._intent
        sheet, figures = self._rows.sheet(intent.groups)
        now = Context((intent.where,) if intent.where is not None else (), intent.window)
        before = earlier(intent)
        found: dict[str, exp.Expr] = {key(at): sheet.key(at) for at in sheet.all}
        for at, measure in enumerate(self._measures):
            found[f"_m{at}"] = figures.figure(measure, now)
            if before:
                found[f"_b{at}"] = figures.figure(measure, before)
        conditions: list[exp.Expr] = []
        for at, bound in enumerate(intent.having):
            found[f"_t{at}"] = figures.figure(bound.measure, now)
            limit = self._dialect.literal(bound.value)
            conditions.append(compare(bound.op, column(f"_t{at}", _ROWS), limit))
        if sheet.wanted is not None:
            found[_WANTED] = sheet.wanted
            conditions.append(column(_WANTED, _ROWS))
        if intent.limit is not None:
            # The first of some periods is one of them, and never what has no time.
            times = [one for one in intent.groups if isinstance(one, Every | PartOf) or _is_time(one)]
            conditions += [self._key(group).is_(exp.null()).not_() for group in times]
            # Nor is what has no name the best of its kind; what has none comes to `unnamed`.
            conditions += [
                exp.Coalesce(
                    this=self._dialect.as_text(self._key(group)), expressions=[exp.Literal.string("")]
                ).neq("")
                for group in named(intent)
            ]
        return sheet.select(found), conditions

    def _placed(self, rows: exp.Query, conditions: Sequence[exp.Expr]) -> exp.Query:
        """The rows with the place that each has in its part of the partition."""
        parts = [self._key(group) for group in self._intent.partition]
        place = exp.Window(
            this=exp.RowNumber(), partition_by=parts, order=exp.Order(expressions=self._terms())
        )
        placed = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier(_ROWS)), place.as_(_PLACE))
        return placed.from_(rows.subquery(_ROWS)).where(*conditions)

    def _columns(self) -> list[tuple[Column, exp.Expr]]:
        intent, meanings = self._intent, self._meanings
        found: list[tuple[Column, exp.Expr]] = [
            (Column(group_name(group), "key", group), self._key(group)) for group in intent.groups
        ]
        for at, measure in enumerate(self._measures):
            name, unit = measure_name(measure), meanings.unit(measure)
            additivity, zero = meanings.additivity(measure), meanings.is_zero_without_rows(measure)
            if intent.against is None or at >= len(intent.measures):
                role: Role = "value" if at < len(intent.measures) else "order"
                value = self._part(at, intent.order.part) if role == "order" and intent.order else None
                found.append((Column(name, role, measure, unit, additivity, zero), value or self._part(at)))
                continue
            found += [
                (Column(name, "value", measure, unit, additivity, zero), self._part(at)),
                (
                    Column(f"{name}_before", "before", measure, unit, additivity, zero),
                    self._part(at, "before"),
                ),
                (
                    Column(
                        f"{name}_change", "change", measure, meanings.change_unit(measure), additivity, zero
                    ),
                    self._part(at, "change"),
                ),
                (
                    Column(f"{name}_change_rate", "change_rate", measure, "ratio"),
                    self._part(at, "change_rate"),
                ),
            ]
        names = distinct_names([one.name for one, _ in found])
        return [(replace(one, name=name), value) for name, (one, value) in zip(names, found, strict=True)]

    def _part(self, at: int, part: str = "value") -> exp.Expr:
        value, before = column(f"_m{at}", _ROWS), column(f"_b{at}", _ROWS)
        if part == "value":
            return value
        if part == "before":
            return before
        change = exp.paren(exp.Sub(this=value, expression=before))
        if part == "change":
            return change
        if part == "absolute_change":
            return exp.Abs(this=change)
        return self._dialect.ratio(change, exp.Abs(this=before.copy()))

    def _key(self, group: Group) -> exp.Column:
        return column(key(self._intent.groups.index(group)), _ROWS)

    def _terms(self) -> list[exp.Expr]:
        """What the rows are ordered by; equal ones by their groups: equal questions, equal rows."""
        intent = self._intent
        order = intent.ordering
        first: list[exp.Expr] = []
        if order is not None:
            by = order.by
            if isinstance(by, By | Every | PartOf | Periods):
                value: exp.Expr = self._key(by)
            else:
                value = self._part(self._measures.index(by), order.part)
            first = [ordered(value, order.direction)]
        others = [group for group in intent.groups if order is None or group != order.by]
        return first + [ordered(self._key(group)) for group in others]


def named(intent: Intent) -> tuple[By, ...]:
    """The groups of which a limit takes the first: things that have a name."""
    if intent.limit is None:
        return ()
    return tuple(
        one
        for one in intent.groups
        if isinstance(one, By) and one.grain is None and one not in intent.partition
    )


def unnamed(intent: Intent) -> Intent | None:
    """What a ranking leaves out: the same figures of all that has no name, whatever part it is in; None where
    nothing is ranked or the figures are parts of a whole, along a series, or compared.
    """
    groups = named(intent)
    if not groups or intent.against:
        return None
    if not all(isinstance(one, MetricOf | CountOf | Slice) for one in intent.measures):
        return None
    missing = tuple(Missing(dimension=one.dimension) for one in groups)
    unknown: Condition = AnyOf(of=missing) if len(missing) > 1 else missing[0]
    where = AllOf(of=(intent.where, unknown)) if intent.where is not None else unknown
    return Intent(measures=intent.measures, where=where, window=intent.window)


def _is_time(group: Group) -> bool:
    return isinstance(group, By) and group.grain is not None


def _check(intent: Intent) -> None:
    """That the parts of an intent go together, whatever the project. Raises `SemanticError`."""
    order = intent.order
    asked = {*intent.groups}
    if len(asked) < len(intent.groups):
        raise SemanticError("One of the groups is there twice. Name each of them once.")
    if not asked.issuperset(intent.partition):
        raise SemanticError("What each part is of is no group of the answer. Group by it too.")
    if order and isinstance(order.by, By | Every | PartOf | Periods) and order.by not in asked:
        raise SemanticError("What the rows are ordered by is no group of the answer. Group by it too.")
    if order and order.part != "value" and intent.against is None:
        raise SemanticError("Nothing is compared, so there is no change to order by. Name an earlier time.")
