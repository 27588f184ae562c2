"""The SQL guard: one read-only SELECT over the catalogue's tables, or a refusal with a remedy.

A statement is parsed, its tables are qualified, its rows capped, and it is printed with every identifier in
quotes. What is printed is parsed and judged once more and is what is returned, so that the server runs what
was judged: comments, odd quoting and anything else that two parsers might read differently are gone. What is
on no list of `guard_lexicon` is refused, and so is what would not be printed back whole. The server enforces
read-only access and caps by itself; this is the layer that can explain.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from sqlglot import exp
from sqlglot.dialects import Dialect as Language
from sqlglot.tokenizer_core import Token, TokenType

from warehouse.catalogue import Catalogue
from warehouse.dialect import Dialect
from warehouse.errors import GuardError
from warehouse.guard_text import check_characters, check_words, leaves, words
from warehouse.guard_tree import check_literal_casts, check_tree, shape
from warehouse.names import nearest

MAX_CHARACTERS = 50_000

_SYSTEM_DATABASES = {"system", "information_schema"}
_T = TypeVar("_T")

logging.getLogger("sqlglot").setLevel(logging.ERROR)


def guard(sql: str, catalogue: Catalogue, dialect: Dialect, *, max_rows: int = 10_000) -> str:
    """Return the statement, normalised, its tables qualified, with a LIMIT of at most `max_rows`.

    Only the catalogue's readable tables may be read. Raises `GuardError` with `code` one of: empty, too_long,
    character, syntax, many_statements, not_a_select, clause, parameter, table_function, function,
    system_table, unknown_table, layer.
    """
    if len(sql) > MAX_CHARACTERS:
        raise GuardError("too_long", f"The statement has {len(sql)} characters.", "Write a shorter one.")
    language = Language.get_or_raise(dialect.name)

    def judged(text: str) -> tuple[list[Token], exp.Query]:
        tokens = _wrapped(lambda: language.tokenize(text))
        check_characters(text, tokens)
        query = _single_query(_wrapped(lambda: language.parse(text)))
        for table in list(query.find_all(exp.Table)):
            _check_table(table, catalogue)
        check_tree(query, dialect.guard)
        return tokens, query

    def printed(query: exp.Query) -> str:
        for name in query.find_all(exp.Identifier):
            name.set("quoted", True)  # the printer's own `identify` leaves bare those that are arguments
        return _wrapped(lambda: dialect.render(query, pretty=True))

    tokens, query = judged(sql)
    if any(token.token_type == TokenType.DCOLON for token in tokens):
        check_literal_casts(query)
    capped, replaced = _capped(query, max_rows)
    text = printed(capped)
    printed_tokens, read = judged(text)
    check_words(text, dialect.guard)
    lost = [*(leaves(tokens) - words(printed_tokens) - replaced), *(shape(capped) - shape(read))]
    if lost or printed(read) != text:
        raise GuardError(
            "clause",
            f"The statement would not be run as it is written: {lost[0] if lost else 'it'} would change.",
            "Write it in plainer clauses: IN (1, 2), not IN [1, 2].",
        )
    return text


def _wrapped(work: Callable[[], _T]) -> _T:
    """The parser's and printer's own result; whatever they raise is a refusal."""
    try:
        return work()
    except RecursionError as error:
        raise GuardError("syntax", "The statement is nested too deeply.", "Write a flatter one.") from error
    except Exception as error:
        reason = re.sub(r"\x1b\[\d*m", "", str(error)).partition("\n")[0]
        raise GuardError(
            "syntax", f"The statement does not parse: {reason}", "Write one plain SELECT."
        ) from error


def _single_query(parsed: list[exp.Expr | None]) -> exp.Query:
    statements = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
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


def _check_table(table: exp.Table, catalogue: Catalogue) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise GuardError(
            "table_function",
            f"{table.this.sql()} is a table function.",
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
    known = catalogue.tables.get(qualified) if database else None
    if known is None or table.catalog not in ("", known.catalog):
        near = nearest(qualified, catalogue.tables, 3)
        raise GuardError(
            "unknown_table",
            f"There is no table {qualified!r} in the catalogue.",
            f"Nearest: {', '.join(near)}." if near else "Choose one of the catalogue's tables.",
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

    An expression is not in scope in its own definition, nor in an earlier one; and
    ClickHouse's `WITH 1 AS x` names a value, which does not hide a table `x`.
    """
    inner: exp.Expr = table
    outer = table.parent
    while outer is not None:
        visible: list[exp.CTE] = []
        if isinstance(outer, exp.With):
            visible = outer.expressions[: _index(outer.expressions, inner)]
        elif isinstance(outer, exp.Query) and not isinstance(inner, exp.With):
            visible = list(outer.ctes)
        if any(cte.alias == table.name and not cte.args.get("scalar") for cte in visible):
            return True
        inner, outer = outer, outer.parent
    return False


def _index(nodes: list[exp.CTE], node: exp.Expr) -> int:
    return next(position for position, one in enumerate(nodes) if one is node)


def _capped(query: exp.Query, max_rows: int) -> tuple[exp.Query, Counter[str]]:
    """The query with a LIMIT of its own, and the number that this replaced.

    ClickHouse gives a LIMIT after a UNION to its last SELECT, and LIMIT BY caps groups: both are wrapped.
    """
    limit = query.args.get("limit")
    if not isinstance(query, exp.Select) or (limit and limit.expressions):
        inner = query.subquery("guarded", copy=False)
        return exp.select("*").from_(inner, copy=False).limit(max_rows, copy=False), Counter()
    asked = int(limit.expression.name) if limit else max_rows
    return query.limit(min(asked, max_rows), copy=False), Counter([repr(float(asked))])
