"""Expressions of somebody's YAML made safe to stand in a SELECT of ours: qualified, and dividing as floats.

ClickHouse resolves a bare name to an alias of the same SELECT before it looks at the table, and divides
decimals to the numerator's scale (0.03 for 0.035). Both give a wrong figure in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from warehouse.dialect import Dialect
from warehouse.errors import QueryError, SemanticError


@dataclass(frozen=True)
class Source:
    """What a SELECT reads under an alias. `columns` is None for a table, whose columns are not known here."""

    alias: str
    table: str = ""
    columns: frozenset[str] | None = None


def qualified(sql: str, sources: Sequence[Source], dialect: Dialect) -> exp.Expr:
    """The expression with each column qualified by the source that has it and each division one of floats.

    Over subqueries alone (metrics of metrics) a division by zero is NULL, as a ratio's is; in a row of a
    table it stays what the engine makes of it, so that a sum over it shows. Raises `SemanticError`.
    """
    try:
        tree = dialect.parse(f"SELECT {sql}")
    except QueryError as error:
        raise SemanticError(f"The expression {sql!r} of the semantic models cannot be read.") from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise SemanticError(f"{sql!r} of the semantic models is not one expression.")
    for column in list(tree.find_all(exp.Column)):
        # A subquery's columns are its own.
        if column.find_ancestor(exp.Query) is tree:
            _qualify(column, sources, sql)
    null_if_zero = all(source.columns is not None for source in sources)
    for division in list(tree.find_all(exp.Div)):
        _divide_floats(division, null_if_zero, dialect)
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "divide" and len(call.expressions) == 2:
            call.set("expressions", [_float(call.expressions[0], dialect), call.expressions[1]])
    return tree.expressions[0].copy()


def _qualify(column: exp.Column, sources: Sequence[Source], sql: str) -> None:
    first, *_ = column.parts
    alias = {source.alias for source in sources}
    if len(column.parts) > 1 and first.name in alias:
        return
    by_table = [source for source in sources if len(column.parts) > 1 and source.table == first.name]
    owner = by_table or _owners(first.name, sources)
    if len(owner) != 1:
        found = " and ".join(source.table or source.alias for source in owner) or "nothing that is read"
        raise SemanticError(f"The column {first.name!r} of the expression {sql!r} is in {found}.")
    rest = column.parts[1:] if by_table else column.parts
    rest[0].set("quoted", rest[0].name.isascii() is False or not rest[0].name.isdigit())
    column.replace(exp.Dot.build([exp.to_identifier(owner[0].alias), *(part.copy() for part in rest)]))


def _owners(name: str, sources: Sequence[Source]) -> list[Source]:
    if len(sources) == 1:
        return list(sources)
    having = [source for source in sources if source.columns is not None and name in source.columns]
    return having or [source for source in sources if source.columns is None]


def _divide_floats(division: exp.Div, null_if_zero: bool, dialect: Dialect) -> None:
    division.set("this", _float(division.this, dialect))
    if null_if_zero and not isinstance(division.expression.unnest(), exp.Literal | exp.Nullif):
        division.set("expression", exp.Nullif(this=division.expression, expression=exp.Literal.number(0)))


def _float(numerator: exp.Expr, dialect: Dialect) -> exp.Expr:
    return numerator if isinstance(numerator.unnest(), exp.Div) else dialect.as_float(numerator.copy())
