"""What can be judged in a statement's tree: kinds of nodes, their clauses, names that may be tables."""

from __future__ import annotations

import re
from collections import Counter

from sqlglot import exp

from warehouse.errors import GuardError
from warehouse.guard_lexicon import CLAUSES, NODES, Lexicon

_NAMED_CALLS = (exp.Anonymous, exp.AnonymousAggFunc, exp.ParameterizedAgg)


def check_tree(query: exp.Query, lexicon: Lexicon) -> None:
    """Refuse a tree with a kind of node, or with a clause of one, that is on no list."""
    for node in query.walk():
        kind = type(node).__name__
        if kind not in NODES:
            raise _refused_kind(node)
        allowed = CLAUSES.get(kind)
        if allowed is not None:
            given = {name for name, value in node.args.items() if value}
            if odd := given - allowed:
                raise _clause(f"{min(odd).rstrip('_').upper()} of {node.key.upper()}")
        if isinstance(node, _NAMED_CALLS) and not lexicon.calls(node.name):
            raise GuardError("function", f"The function {node.name} is not allowed.", _VALUES_ONLY)
        if isinstance(node, exp.Select) and not node.expressions:
            raise GuardError("syntax", "A SELECT names no columns.", "Write one plain SELECT.")
        if isinstance(node, exp.Identifier) and not node.quoted and node.name.casefold() in lexicon.not_names:
            raise _clause(f"The bare word {node.name}")
        if (
            isinstance(node, exp.Binary)
            and not isinstance(node, exp.Connector)
            and isinstance(node.this, exp.Between)
        ):
            raise GuardError(
                "clause",
                f"What follows {node.this.sql()[:80]!r} may belong to its last value.",
                "Put the BETWEEN in parentheses.",
            )
        if isinstance(node, exp.In):
            _check_in(node)
        if isinstance(node, exp.From | exp.Join) and not isinstance(node.this, _SOURCES):
            _check_array_join(node)
        if isinstance(node, exp.Exists) and not isinstance(node.this, exp.Query):
            raise GuardError("clause", "EXISTS would read a table by name.", "Write EXISTS (SELECT ...).")
        if isinstance(node, exp.Limit | exp.Offset) and not _is_whole(node.expression):
            raise GuardError(
                "clause", f"{node.sql()} is no whole number of rows.", f"Write {node.key.upper()} 100."
            )


_SOURCES = (exp.Table, exp.Subquery, exp.Unnest, exp.Final)
_VALUES_ONLY = "Use functions of values only."


def _refused_kind(node: exp.Expr) -> GuardError:
    if isinstance(node, exp.DDL | exp.DML | exp.Command):
        return GuardError(
            "not_a_select", f"A {node.key.upper()} is not part of a query.", "Only SELECT may be run."
        )
    if isinstance(node, exp.Placeholder | exp.Parameter | exp.SessionParameter):
        return GuardError(
            "parameter", f"{node.sql()!r} is a parameter without a value.", "Write the value itself."
        )
    if isinstance(node, exp.Func):
        return GuardError("function", f"The function {node.sql_name()} is not allowed.", _VALUES_ONLY)
    return _clause(node.key.upper())


def _clause(what: str) -> GuardError:
    return GuardError("clause", f"{what} is not allowed.", "Leave it out, or say it in plain clauses.")


def _check_in(node: exp.In) -> None:
    """ClickHouse takes a bare name at the right of an IN for a table, in parentheses and as an alias too."""
    if node.args.get("query") or node.args.get("unnest"):
        return
    members = node.expressions
    only = members[0].unnest().unalias() if len(members) == 1 else None
    if not members or isinstance(
        only, exp.Column | exp.Identifier | exp.Dot | exp.Table | exp.Array | exp.Star | exp.Tuple
    ):
        raise GuardError(
            "clause",
            f"{node.sql()[:80]!r} may read a table by name.",
            "Write IN (1, 2), IN (SELECT column FROM table), or has(array, value) for an array.",
        )


def _check_array_join(node: exp.From | exp.Join) -> None:
    """The parser makes columns of all tables at the right of an ARRAY JOIN, those of its subqueries too."""
    if not isinstance(node, exp.Join) or node.kind != "ARRAY" or node.this.find(exp.Query):
        raise GuardError(
            "clause",
            f"{node.sql()[:80]!r} may read a table by name.",
            "Write ARRAY JOIN with columns and arrays of values.",
        )


def check_literal_casts(query: exp.Query) -> None:
    """Refuse `1.50::String` and `-1::UInt8`: the engine takes letters and sign for the literal's."""
    for cast in query.find_all(exp.Cast):
        literal, signed = cast.this, isinstance(cast.parent, exp.Neg)
        if isinstance(literal, exp.Literal) and (
            literal.is_string or (not signed and _SMALL_INTEGER.fullmatch(literal.name))
        ):
            continue
        if all(isinstance(node, exp.Array) or not isinstance(node, _VARIABLE) for node in literal.walk()):
            raise GuardError(
                "clause", "A literal before :: would not be run as it is written.", "Write '1.5'::Float64."
            )


_VARIABLE = exp.Column | exp.Identifier | exp.Func | exp.Query
_SMALL_INTEGER = re.compile("0|[1-9][0-9]{0,17}")


def _is_whole(node: exp.Expr | None) -> bool:
    return (
        isinstance(node, exp.Literal) and not node.is_string and node.name.isascii() and node.name.isdecimal()
    )


def shape(query: exp.Query) -> Counter[str]:
    """The clauses and names of a tree, to see whether printing it has lost one."""
    found: Counter[str] = Counter()
    for node in query.walk():
        if type(node).__name__ in CLAUSES:
            found[node.key] += 1
            for name, value in node.args.items():
                if value and isinstance(value, bool | str) and name != "quoted":
                    found[f"{node.key} {name} {value}"] += 1
    return found
