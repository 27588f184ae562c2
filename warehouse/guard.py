"""The SQL guard: one read-only SELECT over the catalogue's tables, or a refusal with a remedy.

What is returned is printed from the parsed tree, so that the server runs exactly what was judged: comments,
odd quoting and anything else that two parsers might read differently are gone. The server enforces read-only
access and caps by itself; this is the layer that can explain.
"""

from __future__ import annotations

import difflib
import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from warehouse.catalogue import Catalogue
from warehouse.errors import GuardError

MAX_CHARACTERS = 50_000

# Pure functions only, by family: what is on no list is refused, so that a new version's functions are too.
_FAMILIES = r"""
    a?(cos|sin|tan)h? abs accurateCast add(?!ress) age and$ array assumeNotNull atan2 avg2? bar base64
    bit caseFold cast cbrt ceil char cityHash clamp coalesce concat convertCharset count cut date decode
    degrees dense_rank$ divide domain e$ editDistance empty encode endsWith equals erf exp
    extract(?!TextFromHTML) first first_value$ flatten floor format(Date|Readable|$) from gcd greater
    has(?!ColumnInTable|ThreadFuzzer) hex hypot identity if$ ifNull?$ ilike$ indexOf initcap
    int(Div|Hash|Exp) is(?!Constant|MergeTree) jaro JSON lag last_value$ lcm lead least left leftPad
    length lengthUTF8 less levenshtein like$ ln locate log(10|1p|2)?$ lower lpad make map(?!Populate)
    match(CaseInsensitive)?$ materialize max2 md5 median min2 minus modulo monthName
    multi(If|Match|Search) multiply negate neighbor netloc ngram not(I?Like)?$ notEmpty notEquals now
    nth_value$ ntile$ nullIf or$ parse(Date|Readable) path pi plus position positiveModulo pow protocol
    queryString radians rand$ randCanonical range$ rank$ regexp repeat replace reverse right rightPad
    round row_number$ rpad runningDifference sha sign simpleJSON sipHash soundex space split sqrt
    startsWith string sub(Date|str) substring subtract time(Diff|Slot|zone|stamp)
    to(?!TypeName|ColumnTypeName) today transform$ translate trim trunc tryBase64 tuple unhex upper URL
    widthBucket word xor$ xxHash yesterday zip
"""
_ALLOWED = re.compile("^(?:" + "|".join(_FAMILIES.split()) + ")", re.IGNORECASE)
_REFUSED_TYPES = (
    exp.CurrentUser,
    exp.SessionUser,
    exp.CurrentDatabase,
    exp.CurrentSchemas,
    exp.CurrentSchema,
    exp.CurrentVersion,
    exp.Decrypt,
    exp.Encrypt,
)
_SYSTEM_DATABASES = {"system", "information_schema"}

logging.getLogger("sqlglot").setLevel(logging.ERROR)


def guard(
    sql: str,
    catalogue: Catalogue,
    dialect: str = "clickhouse",
    *,
    max_rows: int = 10_000,
) -> str:
    """Return the statement, normalised, its tables qualified, with a LIMIT of at most `max_rows`.

    Only the catalogue's readable tables may be read. Raises `GuardError` with `code` one of: empty, too_long,
    syntax, many_statements, not_a_select, clause, parameter, table_function, function, system_table,
    unknown_table, layer.
    """
    if len(sql) > MAX_CHARACTERS:
        raise GuardError("too_long", f"The statement has {len(sql)} characters.", "Write a shorter one.")
    try:
        query = _parse(sql, dialect)
        for node in query.walk():
            _check_node(node)
        for table in list(query.find_all(exp.Table)):
            _check_table(table, catalogue)
        return _limited(query, max_rows).sql(dialect=dialect, comments=False)
    except RecursionError as error:
        raise GuardError("syntax", "The statement is nested too deeply.", "Write a flatter one.") from error


def _parse(sql: str, dialect: str) -> exp.Query:
    try:
        statements = [one for one in sqlglot.parse(sql, dialect=dialect) if one is not None]
    except (SqlglotError, ValueError) as error:
        reason = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0]
        raise GuardError(
            "syntax", f"The statement does not parse: {reason}", "Write one plain SELECT."
        ) from error
    statements = [one for one in statements if not isinstance(one, exp.Semicolon)]
    if not statements:
        raise GuardError("empty", "There is no statement.", "Write one SELECT.")
    if len(statements) > 1:
        raise GuardError(
            "many_statements", f"There are {len(statements)} statements.", "Write exactly one SELECT."
        )
    query = statements[0]
    if not isinstance(query, exp.Query):
        raise GuardError(
            "not_a_select", f"A {query.key.upper()} statement is not a query.", "Only SELECT may be run."
        )
    return query


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.DDL | exp.DML | exp.Command | exp.Into) and not isinstance(node, exp.Query):
        raise GuardError(
            "not_a_select", f"A {node.key.upper()} is not part of a query.", "Only SELECT may be run."
        )
    if isinstance(node, exp.Select) and not node.expressions:
        raise GuardError("syntax", "A SELECT names no columns.", "Write one plain SELECT.")
    if isinstance(node, exp.Query):
        for clause in ("settings", "format", "into"):
            if node.args.get(clause):
                raise GuardError(
                    "clause",
                    f"The {clause.upper()} clause is not allowed.",
                    "Leave it out; the caller decides that.",
                )
    if isinstance(node, exp.Placeholder | exp.Parameter | exp.SessionParameter):
        raise GuardError(
            "parameter", f"{node.sql()!r} is a parameter without a value.", "Write the value itself."
        )
    if isinstance(node, exp.In) and (name := _set_name(node)):
        raise GuardError(
            "clause",
            f"IN {name} would read a table by name.",
            "Write IN (SELECT column FROM table), or has(array, value) for an array.",
        )
    if isinstance(node, exp.Func) and not _is_pure(node):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        raise GuardError("function", f"The function {name} is not allowed.", "Use functions of values only.")


def _set_name(node: exp.In) -> str:
    """The bare name at the right of an IN, which ClickHouse takes for a table, in parentheses too."""
    members = [node.args["field"]] if node.args.get("field") else node.expressions
    only = members[0].unnest() if len(members) == 1 else None
    return only.sql() if isinstance(only, exp.Column | exp.Identifier | exp.Table | exp.Dot) else ""


def _is_pure(node: exp.Func) -> bool:
    if isinstance(node, exp.Anonymous):
        return isinstance(node.parent, exp.Table) or bool(_ALLOWED.match(node.name))
    return not isinstance(node, _REFUSED_TYPES)


def _check_table(table: exp.Table, catalogue: Catalogue) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise GuardError(
            "table_function",
            f"{table.this.sql(dialect='clickhouse')} is a table function.",
            "Read the catalogue's tables only.",
        )
    database, name = table.db, table.name
    if not database:
        if _is_cte(table):
            return
        homes = [one.database for one in catalogue.tables.values() if one.name == name]
        if len(homes) == 1:
            database = homes[0]
            table.set("db", exp.to_identifier(database))
    qualified = f"{database}.{name}" if database else name
    if database.lower() in _SYSTEM_DATABASES:
        raise GuardError(
            "system_table", f"{qualified} is a system table.", "Read the catalogue's tables only."
        )
    known = None if table.catalog else catalogue.tables.get(qualified)
    if known is None:
        nearest = difflib.get_close_matches(qualified, catalogue.tables, 3, 0.5)
        raise GuardError(
            "unknown_table",
            f"There is no table {qualified!r} in the catalogue.",
            f"Nearest: {', '.join(nearest)}." if nearest else "Choose one of the catalogue's tables.",
        )
    if not known.readable:
        schemas = sorted({one.database for one in catalogue.tables.values() if one.readable})
        raise GuardError(
            "layer",
            f"{qualified} may not be read.",
            f"Read tables of these schemas: {', '.join(schemas)}.",
        )


def _is_cte(table: exp.Table) -> bool:
    """Whether the name is a common table expression that is in scope here.

    An expression is not in scope in its own definition unless it is recursive, nor in an earlier one; and
    ClickHouse's `WITH 1 AS x` names a value, which does not hide a table `x`.
    """
    inner: exp.Expr = table
    outer = table.parent
    while outer is not None:
        visible: list[exp.CTE] = []
        if isinstance(outer, exp.With):
            ctes = list(outer.expressions)
            visible = ctes if outer.args.get("recursive") else ctes[: _index(ctes, inner)]
        elif isinstance(outer, exp.Query) and not isinstance(inner, exp.With):
            visible = list(outer.ctes)
        if any(cte.alias == table.name and isinstance(cte.this, exp.Query) for cte in visible):
            return True
        inner, outer = outer, outer.parent
    return False


def _index(nodes: list[exp.CTE], node: exp.Expr) -> int:
    return next(position for position, one in enumerate(nodes) if one is node)


def _limited(query: exp.Query, max_rows: int) -> exp.Query:
    limit = query.args.get("limit")
    if limit is None and isinstance(query, exp.Select):
        return query.limit(max_rows, copy=False)
    if (
        isinstance(limit, exp.Limit)
        and not limit.expressions
        and isinstance(limit.expression, exp.Literal)
        and limit.expression.is_int
    ):
        if int(limit.expression.name) > max_rows:
            limit.set("expression", exp.Literal.number(max_rows))
        return query
    return (
        exp.select("*").from_(query.subquery("guarded", copy=False), copy=False).limit(max_rows, copy=False)
    )
