"""Rows of groups under construction: the leaves of measures, stacked and folded by group.

Stacking keeps a group that only one leaf has, and one whose key is NULL, without a join. Each leaf has a
column for its value (`_v`) and one that says whether it has a row in the group (`_h`). A leaf that is
computed by fewer groups than the others, the whole that a share is of, has rows of a level of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from agents.analyst.intent import By, Every, Group
from agents.analyst.sql.cells import VALUE, key
from agents.analyst.sql.context import Shift
from agents.analyst.sql.leaves import Leaf, Level
from warehouse.dialect import Dialect, column
from warehouse.errors import SemanticError

_FOLD, _LEVEL, _WANTED = "_fold", "_level", "_wanted"


class Sheet:
    """`rows` computes a leaf by the groups of its level: keys `_k0`, `_k1`, ... and the value `_v`."""

    def __init__(
        self, groups: Sequence[Group], rows: Callable[[Leaf, Sequence[Group]], exp.Query], dialect: Dialect
    ) -> None:
        self.groups = tuple(groups)
        self.all: Level = tuple(range(len(self.groups)))
        self._rows, self._dialect = rows, dialect
        self._leaves: dict[Leaf, int] = {}
        self._levels: list[Level] = [self.all]
        self._without_values: list[exp.Query] = []

    def value(self, leaf: Leaf) -> exp.Expr:
        """A leaf's value, or NULL where it has no row."""
        return column(f"_v{self._index(leaf)}", _FOLD)

    def has(self, leaf: Leaf) -> exp.Expr:
        """Whether a leaf has a row in the group."""
        return column(f"_h{self._index(leaf)}", _FOLD).eq(1)

    def key(self, position: int) -> exp.Column:
        return column(key(position), _FOLD)

    def over(self, call: exp.Expr, level: Level, order: exp.Expr | None = None) -> exp.Window:
        """A window of the groups that are alike in those of a level; in an order up to this one."""
        # Where the nulls stand is one engine's choice: what has no place in the order is apart.
        along = exp.Order(expressions=[exp.Ordered(this=order, nulls_first=True)]) if order else None
        frame = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        alike: list[exp.Expr] = [column(_LEVEL, _FOLD), *(self.key(position) for position in level)]
        if order:
            alike.append(order.copy().is_(exp.null()))
        return exp.Window(this=call, partition_by=alike, order=along, spec=frame if order else None)

    def spread(self, value: exp.Expr, level: Level) -> exp.Expr:
        """A figure of another level, in each of the groups that it is of."""
        if level == self.all:
            return value
        at = column(_LEVEL, _FOLD).eq(self._levels.index(level))
        alike = [self.key(position) for position in level]
        return exp.Window(this=exp.Max(this=exp.case().when(at, value)), partition_by=alike)

    def add_rows(self, rows: exp.Query) -> None:
        """Groups that are there whether a leaf has a row in them or not: their keys."""
        self._without_values.append(rows)

    def series(self) -> int:
        """The position of the time that figures go along. Raises `SemanticError` where there is not one."""
        own = [position for position, group in enumerate(self.groups) if isinstance(group, Every)]
        others = [
            position for position, group in enumerate(self.groups) if isinstance(group, By) and group.grain
        ]
        found = own or others
        if len(found) != 1:
            raise SemanticError(
                "What changes or adds up from one period to the next needs one kind of period to go along. "
                "Ask for it by the day, the week or the month."
            )
        return found[0]

    def grain(self) -> str:
        """The grain of the time that figures go along."""
        group = self.groups[self.series()]
        assert isinstance(group, Every | By)
        return group.grain or "day"

    @property
    def leaves(self) -> Sequence[Leaf]:
        """What has been put on it."""
        return tuple(self._leaves)

    def select(self, columns: Mapping[str, exp.Expr], *, only_wanted: bool = False) -> exp.Select:
        """The rows with these columns made of keys and values; all of them, as a share needs, or a step later
        `only_wanted` ones.
        """
        if only_wanted and self.wanted is not None:
            kept = self.select({**columns, _WANTED: self.wanted})
            shown = [column(name, _FOLD).as_(name, quoted=True) for name in columns]
            return exp.select(*shown).from_(kept.subquery(_FOLD)).where(column(_WANTED, _FOLD))
        made = exp.select(*(value.as_(name, quoted=True) for name, value in columns.items()))
        made = made.from_(self._folded().subquery(_FOLD, copy=False), copy=False)
        if len(self._levels) == 1:
            for window in made.find_all(exp.Window):
                alike = [one for one in window.args.get("partition_by") or [] if one.name != _LEVEL]
                window.set("partition_by", alike)
        return made

    @property
    def wanted(self) -> exp.Expr | None:
        """What holds for rows that are asked for: not for those of other levels, nor for an earlier period
        of a series alone.
        """
        found: list[exp.Expr] = []
        if len(self._levels) > 1:
            found.append(column(_LEVEL, _FOLD).eq(0))
        own = [leaf for leaf in self._leaves if not (leaf.context.shift and leaf.context.shift.in_series)]
        if len(own) < len(self._leaves):
            found.append(exp.paren(exp.or_(*(self.has(leaf) for leaf in own))))
        return exp.and_(*found) if found else None

    def _index(self, leaf: Leaf) -> int:
        if leaf.level not in self._levels:
            self._levels.append(leaf.level)
        return self._leaves.setdefault(leaf, len(self._leaves))

    def _folded(self) -> exp.Query:
        """A row for each group and level."""
        parts = [self._part(leaf, index) for leaf, index in self._leaves.items()]
        parts += [self._keys_alone(rows) for rows in self._without_values]
        if len(parts) == 1 and len(self._levels) == 1:
            return parts[0]
        keys = [column(key(position), "_stack") for position in self.all]
        if len(self._levels) > 1:
            keys.append(column(_LEVEL, "_stack"))
        figures = [
            exp.Max(this=column(name, "_stack")).as_(name, quoted=True)
            for index in self._leaves.values()
            for name in (f"_h{index}", f"_v{index}")
        ]
        stack = exp.union(*parts, distinct=False, copy=False) if len(parts) > 1 else parts[0]
        named = [one.as_(one.name, quoted=True) for one in keys]
        folded = exp.select(*named, *figures).from_(stack.subquery("_stack", copy=False), copy=False)
        return folded.group_by(*keys, copy=False) if keys else folded

    def _part(self, leaf: Leaf, index: int) -> exp.Query:
        """One leaf's rows, in the columns of all."""
        groups = [self.groups[position] for position in leaf.level]
        rows = self._rows(leaf, groups).subquery("_leaf", copy=False)
        keys: dict[int, exp.Expr] = {
            position: column(key(at), "_leaf") for at, position in enumerate(leaf.level)
        }
        dated: list[exp.Expr] = []
        if leaf.context.shift:
            position = self.series()
            dated.append(keys[position].is_(exp.null()).not_())
            keys[position] = self._later(keys[position], leaf.context.shift, dated)
        values = {f"_h{index}": exp.Literal.number(1), f"_v{index}": column(VALUE, "_leaf")}
        made = self._in_columns(keys, self._levels.index(leaf.level), values).from_(rows, copy=False)
        return made.where(*dated, copy=False)

    def _keys_alone(self, rows: exp.Query) -> exp.Query:
        keys: dict[int, exp.Expr] = {position: column(key(position), "_leaf") for position in self.all}
        return self._in_columns(keys, 0, {}).from_(rows.subquery("_leaf"))

    def _in_columns(
        self, keys: Mapping[int, exp.Expr], level: int, values: Mapping[str, exp.Expr]
    ) -> exp.Select:
        found = {key(position): keys.get(position, exp.null()) for position in self.all}
        if len(self._levels) > 1:
            found[_LEVEL] = exp.Literal.number(level)
        for index in self._leaves.values():
            for name in (f"_h{index}", f"_v{index}"):
                found[name] = values.get(name, exp.null())
        return exp.select(*(value.as_(name, quoted=True) for name, value in found.items()))

    def _later(self, moment: exp.Expr, shift: Shift, dated: list[exp.Expr]) -> exp.Expr:
        """A period so much later, and what holds for one that there is: of 28 and 29 February, which are the
        same day a year later, one.
        """
        later = self._dialect.shifted(moment, shift.unit, shift.count)
        if shift.unit == "year" and self.grain() == "day":
            back = self._dialect.shifted(later.copy(), "year", -shift.count)
            dated.append(exp.EQ(this=back, expression=moment.copy()))
        return later
