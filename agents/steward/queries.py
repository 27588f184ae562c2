"""What the steward asks of a warehouse, as syntax trees that the engine's own dialect prints.

All count by day: one table's days beside each other are the evidence for what one of them has.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import sqlglot
from sqlglot import exp

from agents.steward.case import FailedCheck, Reference, Source

DAY, LOADED_AT = "_day", "_loaded_at"
# A column of our own beside a table's.
MEETS = "_meets"
# Numbers are counted by the tenth of a natural logarithm that they lie in.
BUCKETS_PER_E = 10


def tree(text: str) -> exp.Query:
    """A statement in the plain SQL that every engine's printer knows."""
    found = sqlglot.parse_one(text)
    assert isinstance(found, exp.Query)
    return found


def quoted(column: str) -> str:
    """A name in quotes."""
    return exp.to_identifier(column, quoted=True).sql()


def qualified(table: str) -> str:
    """A table's name with its database, in quotes."""
    return ".".join(quoted(part) for part in table.split("."))


def _finite(column: str) -> str:
    """Of numbers, whether it is one: only a NaN and an infinity are not nothing, less themselves."""
    return f"{column} - {column} = 0"


def _between(first: date, last: date, alias: str = "") -> str:
    column = f"{alias}.{quoted(DAY)}" if alias else quoted(DAY)
    return f"{column} between cast('{first}' as date) and cast('{last}' as date)"


def extent(source: Source) -> exp.Query:
    """The first and the last day, and all the days between them that hold rows."""
    day = quoted(DAY)
    return tree(
        f"select {day}, count(*) as row_count from {qualified(source.name)} group by {day} order by {day}"
    )


def profile(source: Source, first: date, last: date) -> exp.Query:
    """A row a day: rows, keys that repeat, loads, and of each column what is empty, negative, no number."""
    day, loaded = quoted(DAY), quoted(LOADED_AT)
    parts = [f"{day}", "count(*) as row_count"]
    if source.key:
        key = quoted(source.key)
        versions = f"concat(cast({key} as varchar), ' ', cast({loaded} as varchar))"
        parts += [
            f"count(*) - count(distinct {key}) as repeated",
            f"count(distinct {versions}) - count(distinct {key}) as loaded_again",
        ]
    parts += [
        f"count(distinct {loaded}) as loads",
        f"min({loaded}) as first_load",
        f"max({loaded}) as last_load",
    ]
    for name, type_ in source.columns.items():
        column = quoted(name)
        empty = f"{column} is null" + (f" or {column} = ''" if type_ == "text" else "")
        parts.append(f"sum(case when {empty} then 1 else 0 end) as {quoted(name + '__empty')}")
    for name, kind in source.measures.items():
        column = quoted(name)
        if kind == "number":
            finite = _finite(column)
            below = f"{column} < 0 and {finite}"
            strange = f"{column} is not null and not ({finite})"
            parts += [
                f"sum(case when {below} then 1 else 0 end) as {quoted(name + '__negative')}",
                f"min(case when {finite} then {column} end) as {quoted(name + '__min')}",
                f"sum(case when {strange} then 1 else 0 end) as {quoted(name + '__not_a_number')}",
            ]

    return tree(
        f"select {', '.join(parts)} from {qualified(source.name)} where {_between(first, last)} "
        f"group by {day} order by {day}"
    )


def kinds(source: Source, columns: list[str], first: date, last: date) -> exp.Query:
    """How many different texts each column holds."""
    counts = ", ".join(f"count(distinct {quoted(name)}) as {quoted(name)}" for name in columns)
    return tree(f"select {counts} from {qualified(source.name)} where {_between(first, last)}")


def distribution(source: Source, columns: dict[str, str], first: date, last: date) -> exp.Query:
    """How many values of each column lie in which bucket, by day: logarithms, texts, hours of the day."""
    day, table, within = quoted(DAY), qualified(source.name), _between(first, last)
    parts = []
    for name, kind in columns.items():
        column = quoted(name)
        if kind == "number":
            bucket = f"cast(cast(floor(ln(abs({column})) * {BUCKETS_PER_E}) as bigint) as varchar)"
            which = f"{column} <> 0 and {_finite(column)}"
        elif kind == "time":
            bucket = (
                f"case when cast({column} as date) < {day} then '-1' when cast({column} as date) > {day} "
                f"then '24' else cast(extract(hour from {column}) as varchar) end"
            )
            which = f"{column} is not null"
        else:
            bucket, which = column, f"{column} is not null"
        parts.append(
            f"select {day} as a_day, '{name}' as column_name, {bucket} as bucket, count(*) as n "
            f"from {table} where {within} and {which} group by {day}, {bucket}"
        )
    return tree(" union all ".join(parts))


def versions(source: Source, columns: dict[str, str], first: date, last: date) -> exp.Query:
    """What a key's rows of two days differ by: a ratio, or days, hours and minutes; '' counts all pairs."""
    table, key, day = qualified(source.name), quoted(source.key), quoted(DAY)
    pairs = (
        f"from {table} as a inner join {table} as b on a.{key} = b.{key} "
        f"where {_between(first, last, 'a')} and {_between(first, last, 'b')} and a.{day} < b.{day}"
    )
    head = f"select a.{day} as a_day, b.{day} as b_day"
    parts = [
        f"{head}, '' as column_name, '' as change, count(distinct a.{key}) as n {pairs} "
        f"group by a.{day}, b.{day}"
    ]
    for name, kind in columns.items():
        one, two = f"a.{quoted(name)}", f"b.{quoted(name)}"
        if kind == "number":
            change = f"cast(round({two} / {one}, 4) as varchar)"
            differs = f"{one} <> {two} and {one} <> 0 and {_finite(one)} and {_finite(two)}"
        else:
            # In parts that every engine has; the reader adds them up.
            change = (
                f"concat(cast(cast({one} as date) as varchar), ' ', "
                f"cast(cast({two} as date) as varchar), ' ', "
                f"cast(extract(hour from {two}) - extract(hour from {one}) as varchar), ' ', "
                f"cast(extract(minute from {two}) - extract(minute from {one}) as varchar))"
            )
            differs = f"{one} <> {two}"
        parts.append(
            f"{head}, '{name}' as column_name, {change} as change, count(distinct a.{key}) as n {pairs} "
            f"and {differs} group by a.{day}, b.{day}, {change}"
        )
    return tree(" union all ".join(parts))


def differing(source: Source, column: str, day_: date, first: date, last: date) -> exp.Query:
    """How many keys of a day have another value in a column on another day."""
    table, key, day, name = qualified(source.name), quoted(source.key), quoted(DAY), quoted(column)
    differs = f"a.{name} <> b.{name}"
    if source.columns[column] == "number":
        differs += f" and {_finite(f'a.{name}')} and {_finite(f'b.{name}')}"
    return tree(
        f"select count(distinct a.{key}) as n from {table} as a inner join {table} as b on a.{key} = b.{key} "
        f"where a.{day} = cast('{day_}' as date) and {_between(first, last, 'b')} "
        f"and b.{day} <> cast('{day_}' as date) and {differs}"
    )


def orphans(source: Source, reference: Reference, first: date, last: date) -> exp.Query:
    """By day: rows whose reference leads nowhere, how many keys they miss, and how many of these lie among
    the keys that the other table has.
    """
    day, column = quoted(DAY), quoted(reference.column)
    table, other, key = qualified(source.name), qualified(reference.table), quoted(reference.key)
    return tree(
        f"select c.{day} as a_day, count(*) as n, count(distinct c.{column}) as keys, "
        f"count(distinct case when c.{column} >= p.lo and c.{column} <= p.hi then c.{column} end) as inside "
        f"from (select {day}, {column} from {table} where {_between(first, last)} and {column} is not null "
        f"and {column} not in (select {key} from {other})) as c "
        f"cross join (select min({key}) as lo, max({key}) as hi from {other}) as p "
        f"group by c.{day} order by c.{day}"
    )


def childless(source: Source, child: Source, reference: Reference, first: date, last: date) -> exp.Query:
    """By day: keys of a table that no row of the other refers to."""
    day, key, refers = quoted(DAY), quoted(source.key), quoted(reference.column)
    return tree(
        f"select {day} as a_day, count(distinct {key}) as n from {qualified(source.name)} "
        f"where {_between(first, last)} and {key} not in (select {refers} from {qualified(child.name)} "
        f"where {refers} is not null) group by {day} order by {day}"
    )


def arrivals(source: Source, first: date) -> exp.Query:
    """How many keys came for the first time on which day, by the day on which they happened."""
    day, key, event = quoted(DAY), quoted(source.key), quoted(source.event_time)
    times = [name for name, kind in source.columns.items() if kind == "time" and not name.startswith("_")]
    # A row comes on the day of what happened last to it.
    if len(times) > 1:
        newest = ", ".join(f"coalesce({quoted(name)}, {event})" for name in times)
        event = f"greatest({newest})"
    event = f"cast({event} as date)"
    return tree(
        f"select first_day, event_day, count(*) as n from (select {key}, min({day}) as first_day, "
        f"min({event}) as event_day from {qualified(source.name)} where {event} >= cast('{first}' as date) "
        f"group by {key}) as arrived group by first_day, event_day order by first_day, event_day"
    )


def held(table: str, day: date, where: str) -> exp.Query:
    """The rows of a day that meet a condition."""
    return tree(f"select * from {qualified(table)} where {quoted(DAY)} = cast('{day}' as date) and {where}")


def parted(table: str, day: date, where: str) -> exp.Query:
    """The rows of a day, each with whether it meets a condition."""
    meets = f"case when {where} then 1 else 0 end as {quoted(MEETS)}"
    return tree(f"select *, {meets} from {qualified(table)} where {quoted(DAY)} = cast('{day}' as date)")


def literal(text: str) -> str:
    return exp.Literal.string(text).sql()


def failing_rows(check: FailedCheck, limit: int) -> str:
    """The rows that fail a check, as it selects them itself; its SQL is the engine's own already."""
    return f"select * from {_inner(check)} limit {limit}"


def _inner(check: FailedCheck) -> str:
    # Its last line may be a comment.
    return f"(\n{check.rows_sql.strip().rstrip(';')}\n) as failing"


def failing_days(
    check: FailedCheck, source: Source, columns: tuple[str, ...], render: Callable[[exp.Expr], str]
) -> str:
    """How many rows fail a check on each day and load; `columns` are those of the failing rows. The check's
    SQL is the engine's own, so the names around it are as `render` writes them.
    """

    def spelled(name: str) -> str:
        return ".".join(render(exp.to_identifier(part, quoted=True)) for part in name.split("."))

    day, loaded = spelled(DAY), spelled(LOADED_AT)
    inner = _inner(check)
    if DAY in columns and LOADED_AT in columns:
        return f"select {day}, {loaded}, count(*) as n from {inner} group by {day}, {loaded} order by {day}"
    key = spelled(source.key)
    return (
        f"select {day}, {loaded}, count(*) as n from {spelled(source.name)} "
        f"where {key} in (select {key} from {inner}) group by {day}, {loaded} order by {day}"
    )
